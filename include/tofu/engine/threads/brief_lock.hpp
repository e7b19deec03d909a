// SPDX-License-Identifier: BSL-1.0
// A lock for a few instructions.
//
// Benefit: a std::mutex makes a system call whenever another thread waits, which costs more than the instructions that
// it protects. Taking this lock is one exchange, releasing it one store.
#ifndef TOFU_ENGINE_THREADS_BRIEF_LOCK_HPP
#define TOFU_ENGINE_THREADS_BRIEF_LOCK_HPP

#include <tofu/config.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

namespace tofu::inline TOFU_ABI::engine {

/// A thread that finds the lock taken tries again for some microseconds. After that, the holder was probably preempted.
/// So the thread yields, and then sleeps, longer each time: the holder can run even if its priority is lower. Works
/// with std::lock_guard. Any thread.
class brief_lock {
public:
    brief_lock() noexcept = default;
    brief_lock(const brief_lock&) = delete;
    brief_lock& operator=(const brief_lock&) = delete;

    void lock() noexcept {
        if (!try_lock()) wait();
    }
    [[nodiscard]] bool try_lock() noexcept { return !taken_.exchange(true, std::memory_order_acquire); }
    void unlock() noexcept {
        TOFU_ASSERT(taken_.load(std::memory_order_relaxed));
        taken_.store(false, std::memory_order_release);
    }

private:
    void wait() noexcept {
        using std::chrono::microseconds;
        constexpr int tries = 4000;
        constexpr int yields = 20;
        constexpr microseconds longest(1000);
        for (int i = 0; i < tries; ++i)
            if (!taken_.load(std::memory_order_relaxed) && try_lock()) return;
        for (int i = 0; i < yields; ++i) {
            std::this_thread::yield();
            if (try_lock()) return;
        }
        for (microseconds nap(10); !try_lock(); nap = (std::min)(2 * nap, longest)) std::this_thread::sleep_for(nap);
    }

    std::atomic<bool> taken_{false};
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
