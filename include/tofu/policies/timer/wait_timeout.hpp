// SPDX-License-Identifier: BSL-1.0
// The timer policy of real time: deadlines in a heap; the earliest one is the timeout of the poller.
#ifndef TOFU_POLICIES_TIMER_WAIT_TIMEOUT_HPP
#define TOFU_POLICIES_TIMER_WAIT_TIMEOUT_HPP

#include <tofu/config.hpp>
#include <tofu/policies/categories.hpp>
#include <tofu/policies/timer/deadline_heap.hpp>

#include <chrono>
#include <string_view>

namespace tofu::inline TOFU_ABI {

/// Meets the contract in policies/concepts/timer.hpp, with deadlines of the steady clock.
class wait_timeout : public deadline_heap<std::chrono::steady_clock::time_point> {
public:
    using category = timer_category;
    using clock = std::chrono::steady_clock;
    static constexpr std::string_view name = "wait_timeout";
    static constexpr bool has_timers = true;

    [[nodiscard]] time_point now() const noexcept { return clock::now(); }
};

} // namespace tofu::inline TOFU_ABI

#endif
