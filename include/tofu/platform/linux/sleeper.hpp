// SPDX-License-Identifier: BSL-1.0
// Lets one thread sleep until another wakes it, by futex(2): one system call to sleep, one to wake.

#ifndef TOFU_PLATFORM_LINUX_SLEEPER_HPP
#define TOFU_PLATFORM_LINUX_SLEEPER_HPP

#include <tofu/config.hpp>
#include <tofu/platform/linux/futex.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace tofu::inline TOFU_ABI::linux_api {

/// Has the interface and protocol of platform::condition_sleeper. A condition variable of glibc costs one system call
/// more for each sleep: after the wait its mutex counts as contended, so the unlock calls the system although no thread
/// waits.
class sleeper {
public:
    using time_point = std::chrono::steady_clock::time_point;

    sleeper() noexcept = default;
    sleeper(const sleeper&) = delete;
    sleeper& operator=(const sleeper&) = delete;

    void prepare() noexcept { asleep_.store(1, std::memory_order_seq_cst); }
    void rise() noexcept { asleep_.store(0, std::memory_order_seq_cst); }

    // The steady clock is CLOCK_MONOTONIC.
    [[nodiscard]] bool sleep(time_point until) noexcept { return futex_wait(word(), 1, until.time_since_epoch()); }

    void wake() noexcept {
        if (asleep_.load(std::memory_order_seq_cst) == 0 || asleep_.exchange(0, std::memory_order_seq_cst) == 0) return;
        futex_wake_one(word());
    }

private:
    static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t), "a futex is a word");

    [[nodiscard]] std::uint32_t* word() noexcept { return reinterpret_cast<std::uint32_t*>(&asleep_); }

    std::atomic<std::uint32_t> asleep_{0};
};

} // namespace tofu::inline TOFU_ABI::linux_api

#endif // TOFU_PLATFORM_LINUX_SLEEPER_HPP
