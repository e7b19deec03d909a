// SPDX-License-Identifier: BSL-1.0
// The timer policy whose time passes when its owner says so: for tests that must be exact and need not wait.
#ifndef TOFU_POLICIES_TIMER_MANUAL_TIMER_HPP
#define TOFU_POLICIES_TIMER_MANUAL_TIMER_HPP

#include <tofu/config.hpp>
#include <tofu/policies/categories.hpp>
#include <tofu/policies/timer/deadline_heap.hpp>

#include <atomic>
#include <chrono>
#include <string_view>

namespace tofu::inline TOFU_ABI {

/// A clock that stands still until it is moved. One may serve several engines; it must outlive them and their groups.
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

    /// Any thread. Time never goes back: a negative duration is not allowed. An engine learns of it in its next turn;
    /// one with an I/O thread that waits in its poller has to be woken, by a post for example.
    void advance(duration time) noexcept { passed_.fetch_add(time.count(), std::memory_order_acq_rel); }

private:
    std::atomic<rep> passed_{0};
};

/// Deadlines of a manual_clock. An engine's `wait_receive` counts its timeout by this clock as well if the caller
/// drives it; one with an I/O thread waits at its mailbox in real time. I/O thread, except now().
class manual_timer : public deadline_heap<manual_clock::time_point> {
public:
    using category = timer_category;
    using clock = manual_clock;
    static constexpr std::string_view name = "manual_timer";
    static constexpr bool has_timers = true;

    explicit manual_timer(const manual_clock& of) noexcept : clock_(&of) {}

    /// Any thread.
    [[nodiscard]] time_point now() const noexcept { return clock_->now(); }

private:
    const manual_clock* clock_;
};

} // namespace tofu::inline TOFU_ABI

#endif
