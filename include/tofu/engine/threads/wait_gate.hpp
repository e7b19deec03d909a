// SPDX-License-Identifier: BSL-1.0
// Where threads wait for something the loop changes, at no cost to the loop while nobody waits.
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

/// The waiter counts itself, then looks; the notifier changes the state, then looks at the count. With both pairs
/// seq_cst one of the two sees the other (so the watched state must be changed and read seq_cst, too).
class wait_gate {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// Waits until `ready()` (time_point::max(): for ever). What `ready` gives at the end.
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
        waiters_.fetch_sub(1, std::memory_order_seq_cst);
        return is_ready;
    }

    /// After a change. Any thread.
    void notify() noexcept {
        if (waiters_.load(std::memory_order_seq_cst) == 0) return;
        { const std::lock_guard passed_through(mutex_); } // the waiters are inside their wait, not on the way to it
        changed_.notify_all();
    }

private:
    std::atomic<std::size_t> waiters_{0};
    std::mutex mutex_;
    std::condition_variable changed_;
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
