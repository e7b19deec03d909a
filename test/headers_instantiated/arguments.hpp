// SPDX-License-Identifier: BSL-1.0
// The template arguments for the engine's class templates: declared, and never linked.
#ifndef TOFU_TEST_HEADERS_INSTANTIATED_ARGUMENTS_HPP
#define TOFU_TEST_HEADERS_INSTANTIATED_ARGUMENTS_HPP

#include "support/minimal_policies.hpp"

#include <tofu/detail/intrusive_list.hpp>

#include <chrono>
#include <cstdint>

namespace tofu_test {

/// An argument for each template parameter, by the name of the parameter. Other timers make other types of all of them.
template <class MinimalTimer>
struct arguments {
    struct Timer : MinimalTimer {
        using time_point = typename MinimalTimer::time_point;
    };

    struct Policies {
        using poll = minimal_poll;
        using pool = minimal_pool;
        using key = minimal_key;
        using timer = Timer;
    };

    using TimePoint = std::chrono::time_point<Timer, std::chrono::nanoseconds>;

    struct Endpoint {};

    /// A channel as the lists of the loop know it.
    struct Channel {
        [[nodiscard]] bool is_attached() const noexcept;
        bool holds_partial = false;
        std::uint8_t refused_arms = 0;
        tofu::detail::list_hook<Channel> pause_hook, retry_hook, stalled_hook;
    };

    struct Object {
        struct {
            void add() noexcept;
            bool drop() noexcept;
        } references;
    };
};

using with_timers = arguments<minimal_timer>;
using without_timers = arguments<minimal_clock>;

} // namespace tofu_test

#endif
