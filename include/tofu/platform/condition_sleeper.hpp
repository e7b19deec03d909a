// SPDX-License-Identifier: BSL-1.0
// Lets one thread sleep until another wakes it, by a condition variable.

#ifndef TOFU_PLATFORM_CONDITION_SLEEPER_HPP
#define TOFU_PLATFORM_CONDITION_SLEEPER_HPP

#include <tofu/config.hpp>
#include <tofu/detail/timed_wait.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace tofu::inline TOFU_ABI::platform {

/// The protocol between a thread that has no work and the threads that give it work:
///
///     sleeping thread                               other threads
///     prepare(), then check for work                publish work, then wake()
///     no work: sleep(), prepare() again ...
///     work: rise()
///
/// These operations have one total order (seq_cst); the check and the publication must take part in it. Then either the
/// check finds the work or wake() finds the sleeping thread. While no thread sleeps, wake() costs one load. prepare,
/// rise and sleep: the sleeping thread only.
class condition_sleeper {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// After this call no wake() is lost.
    void prepare() noexcept { asleep_.store(true, std::memory_order_seq_cst); }
    void rise() noexcept { asleep_.store(false, std::memory_order_seq_cst); }

    /// Sleeps after prepare(), at most until `until`; time_point::max() is for ever. Returns true if `until` has
    /// passed. Returns false after wake(), or spuriously.
    [[nodiscard]] bool sleep(time_point until) noexcept {
        std::unique_lock lock(mutex_);
        if (!asleep_.load(std::memory_order_seq_cst)) return false; // woken before the lock
        return tofu::detail::wait_is_late(notice_, lock, until);
    }

    /// Any thread.
    void wake() noexcept {
        if (!asleep_.load(std::memory_order_seq_cst) || !asleep_.exchange(false, std::memory_order_seq_cst)) return;
        { const std::lock_guard passed_through(mutex_); } // now the thread is in its wait, not before it
        notice_.notify_one();
    }

private:
    std::atomic<bool> asleep_{false};
    std::mutex mutex_;
    std::condition_variable notice_;
};

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_CONDITION_SLEEPER_HPP
