// SPDX-License-Identifier: BSL-1.0
// The timer policy without deadlines: a clock, and nothing that rings.
#ifndef TOFU_POLICIES_TIMER_NO_TIMERS_HPP
#define TOFU_POLICIES_TIMER_NO_TIMERS_HPP

#include <tofu/config.hpp>
#include <tofu/policies/categories.hpp>

#include <chrono>
#include <string_view>

namespace tofu::inline TOFU_ABI {

/// Zero size, zero code: all time limits of the options are off, whatever they say, a bye does not wait for the peer,
/// and there is no update_receiver_after. Choose it where every peer is trusted, or somebody else keeps time. The clock
/// remains, for the timeouts of calls and for the time after which what the system refused is tried again.
struct no_timers {
    using category = timer_category;
    using clock = std::chrono::steady_clock;
    using time_point = clock::time_point;
    static constexpr std::string_view name = "no_timers";
    static constexpr bool has_timers = false;

    /// Any thread.
    [[nodiscard]] static time_point now() noexcept { return clock::now(); }
};

} // namespace tofu::inline TOFU_ABI

#endif
