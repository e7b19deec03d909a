// SPDX-License-Identifier: BSL-1.0
// Threads wait here for a change that the loop makes. While no thread waits, a change costs the loop one load.
#ifndef TOFU_ENGINE_THREADS_WAIT_GATE_HPP
#define TOFU_ENGINE_THREADS_WAIT_GATE_HPP

#include <tofu/config.hpp>
#include <tofu/detail/timed_wait.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace tofu::inline TOFU_ABI::engine {

/// The waiter counts itself, then looks at the state. The notifier changes the state, then looks at the count. All four
/// are seq_cst, so one of the two sees the other: the waiter sees the change, or the notifier sees the waiter. The
/// watched state must be changed and read seq_cst as well.
class wait_gate {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// Waits until `ready()`, or until the moment `until` (max(): no limit). Returns the last result of `ready()`.
    template <class Ready>
    bool wait_until(time_point until, Ready ready) noexcept {
        std::unique_lock lock(mutex_);
        waiters_.fetch_add(1, std::memory_order_seq_cst);
        bool is_ready = ready();
        while (!is_ready) {
            const bool late = detail::wait_is_late(changed_, lock, until);
            is_ready = ready();
            if (late) break;
        }
        const std::size_t before = waiters_.fetch_sub(1, std::memory_order_seq_cst);
        TOFU_ASSERT(before != 0);
        static_cast<void>(before);
        return is_ready;
    }

    /// Call after a change. Any thread.
    void notify() noexcept {
        if (waiters_.load(std::memory_order_seq_cst) == 0) return;
        { const std::lock_guard passed_through(mutex_); } // a waiter that has looked is inside its wait now
        changed_.notify_all();
    }

private:
    std::atomic<std::size_t> waiters_{0};
    std::mutex mutex_;
    std::condition_variable changed_;
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
