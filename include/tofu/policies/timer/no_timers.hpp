// SPDX-License-Identifier: BSL-1.0
// The timer policy without deadlines: only a clock.
#ifndef TOFU_POLICIES_TIMER_NO_TIMERS_HPP
#define TOFU_POLICIES_TIMER_NO_TIMERS_HPP

#include <tofu/config.hpp>
#include <tofu/policies/categories.hpp>

#include <chrono>
#include <string_view>

namespace tofu::inline TOFU_ABI {

/// Meets the contract in policies/concepts/timer.hpp. Has no size, and the engine has no code for deadlines. No time
/// limit of the options has an effect, a bye does not wait for the peer, and update_receiver_after does not exist. Use
/// it if all peers are trusted or if the program keeps time itself. The clock serves the timeouts of calls, and the
/// pause before the engine repeats a call that the system refused.
struct no_timers {
    using category = timer_category;
    using clock = std::chrono::steady_clock;
    using time_point = clock::time_point;
    static constexpr std::string_view name = "no_timers";
    static constexpr bool has_timers = false;

    [[nodiscard]] static time_point now() noexcept { return clock::now(); }
};

} // namespace tofu::inline TOFU_ABI

#endif
