// SPDX-License-Identifier: BSL-1.0
// Where one thread sleeps until another wakes it, with what every C++ library has.

#ifndef TOFU_PLATFORM_CONDITION_SLEEPER_HPP
#define TOFU_PLATFORM_CONDITION_SLEEPER_HPP

#include <tofu/config.hpp>
#include <tofu/detail/timed_wait.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace tofu::inline TOFU_ABI::platform {

/// The handshake of a thread that finds nothing to do with those that may have something for it:
///
///     sleeper                                       others
///     prepare(), then look once more                change something, then wake()
///     nothing there: sleep(), prepare() again ...
///     something there: rise()
///
/// All of these are one total order (seq_cst), and so must be the change and the look: then either the look sees the
/// change or the wake sees the sleeper. While nobody sleeps, a wake is one load.
class condition_sleeper {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// The one thread that sleeps here. From now on no wake is lost.
    void prepare() noexcept { asleep_.store(true, std::memory_order_seq_cst); }
    void rise() noexcept { asleep_.store(false, std::memory_order_seq_cst); }

    /// After `prepare`. Returns when it was woken, or for no reason; true: it is `until` (time_point::max(): never).
    [[nodiscard]] bool sleep(time_point until) noexcept {
        std::unique_lock lock(mutex_);
        if (!asleep_.load(std::memory_order_seq_cst)) return false; // woken on the way here
        return tofu::detail::wait_is_late(notice_, lock, until);
    }

    /// Any thread.
    void wake() noexcept {
        if (!asleep_.load(std::memory_order_seq_cst) || !asleep_.exchange(false, std::memory_order_seq_cst)) return;
        { const std::lock_guard passed_through(mutex_); } // the sleeper is inside its wait, not on the way to it
        notice_.notify_one();
    }

private:
    std::atomic<bool> asleep_{false};
    std::mutex mutex_;
    std::condition_variable notice_;
};

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_CONDITION_SLEEPER_HPP
