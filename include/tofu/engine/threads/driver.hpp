// SPDX-License-Identifier: BSL-1.0
// The role of the thread that turns the loop. The I/O thread has the role for its whole life. In an engine without an
// I/O thread, a thread of the application has the role while it waits for something.
#ifndef TOFU_ENGINE_THREADS_DRIVER_HPP
#define TOFU_ENGINE_THREADS_DRIVER_HPP

#include <tofu/config.hpp>
#include <tofu/engine/threads/wait_gate.hpp>

#include <atomic>
#include <thread>

namespace tofu::inline TOFU_ABI::engine {

/// One thread at a time has the role. Other threads wait here for the role, or for a change that the driver makes. Any
/// thread.
class driver {
public:
    using time_point = wait_gate::time_point;

    /// True: the caller has the role until `release`. Never waits.
    [[nodiscard]] bool try_acquire() noexcept {
        if (taken_.load(std::memory_order_relaxed) || taken_.exchange(true, std::memory_order_seq_cst)) return false;
        last_.store(std::this_thread::get_id(), std::memory_order_relaxed);
        return true;
    }

    /// The caller gives up the role.
    void release() noexcept {
        TOFU_ASSERT(is_acquired());
        taken_.store(false, std::memory_order_seq_cst);
        waiting_.notify();
    }

    /// True: some thread has the role.
    [[nodiscard]] bool is_acquired() const noexcept { return taken_.load(std::memory_order_relaxed); }

    /// True if this thread drove last, so contention is unlikely.
    [[nodiscard]] bool was_last() const noexcept {
        return last_.load(std::memory_order_relaxed) == std::this_thread::get_id();
    }

    /// Waits until `ready()` or, if `or_free`, until no thread has the role. Ends at `until` at the latest.
    template <class Ready>
    void wait(time_point until, bool or_free, Ready ready) noexcept {
        waiting_.wait_until(until, [&] { return ready() || (or_free && !taken_.load(std::memory_order_seq_cst)); });
    }

    /// Wakes the waiting threads after a change: each asks its `ready()` again.
    void notify() noexcept { waiting_.notify(); }

private:
    std::atomic<bool> taken_{false};
    std::atomic<std::thread::id> last_{};
    wait_gate waiting_;
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
