// SPDX-License-Identifier: BSL-1.0
// The timer policy whose clock moves only when the program moves it: for tests that are exact and do not wait.
#ifndef TOFU_POLICIES_TIMER_MANUAL_TIMER_HPP
#define TOFU_POLICIES_TIMER_MANUAL_TIMER_HPP

#include <tofu/config.hpp>
#include <tofu/policies/categories.hpp>
#include <tofu/policies/timer/deadline_heap.hpp>

#include <atomic>
#include <chrono>
#include <string_view>

namespace tofu::inline TOFU_ABI {

/// A clock that stands still until advance(). Several engines may share a clock. It must outlive them and their groups.
class manual_clock {
public:
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<manual_clock>;
    static constexpr bool is_steady = true;

    manual_clock() noexcept = default;
    manual_clock(const manual_clock&) = delete;
    manual_clock& operator=(const manual_clock&) = delete;

    /// Any thread.
    [[nodiscard]] time_point now() const noexcept {
        return time_point(duration(passed_.load(std::memory_order_acquire)));
    }

    /// Moves the clock forward; `time` must not be negative. Any thread. An engine reads the clock in its next turn.
    /// This call does not wake an engine that waits in its poller; a post does.
    void advance(duration time) noexcept {
        TOFU_ASSERT(time >= duration::zero());
        passed_.fetch_add(time.count(), std::memory_order_acq_rel);
    }

private:
    std::atomic<rep> passed_{0};
};

/// Meets the contract in policies/concepts/timer.hpp, with deadlines of a manual_clock. If the caller drives the
/// engine, wait_receive() counts its timeout by this clock too. With an I/O thread wait_receive() waits in real time.
class manual_timer : public deadline_heap<manual_clock::time_point> {
public:
    using category = timer_category;
    using clock = manual_clock;
    static constexpr std::string_view name = "manual_timer";
    static constexpr bool has_timers = true;

    explicit manual_timer(const manual_clock& of) noexcept : clock_(&of) {}

    [[nodiscard]] time_point now() const noexcept { return clock_->now(); }

private:
    const manual_clock* clock_;
};

} // namespace tofu::inline TOFU_ABI

#endif
