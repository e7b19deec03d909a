// SPDX-License-Identifier: BSL-1.0
// Where one thread sleeps until another wakes it, by futex(2): one system call to sleep, one to wake.

#ifndef TOFU_PLATFORM_LINUX_SLEEPER_HPP
#define TOFU_PLATFORM_LINUX_SLEEPER_HPP

#include <tofu/config.hpp>
#include <tofu/integer_cast.hpp>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <utility>

namespace tofu::inline TOFU_ABI::linux_api {

/// The same as platform::condition_sleeper, which says what it is for. A condition variable of the C library costs one
/// call more for each sleep: its mutex is taken back as one that others wait for, and whoever unlocks such a mutex
/// calls the system, though nobody waits.
class sleeper {
public:
    using time_point = std::chrono::steady_clock::time_point;

    sleeper() noexcept = default;
    sleeper(const sleeper&) = delete;
    sleeper& operator=(const sleeper&) = delete;

    void prepare() noexcept { asleep_.store(1, std::memory_order_seq_cst); }
    void rise() noexcept { asleep_.store(0, std::memory_order_seq_cst); }

    [[nodiscard]] bool sleep(time_point until) noexcept {
        const std::chrono::nanoseconds since_boot = until.time_since_epoch();
        if (since_boot.count() < 0) return true; // futex(2) refuses such a time
        const auto seconds = std::chrono::floor<std::chrono::seconds>(since_boot);
        const bool for_ever = !std::in_range<std::time_t>(seconds.count()) || until == (time_point::max)();
        timespec when{};
        when.tv_sec = tofu::detail::integer_cast<std::time_t>(seconds.count());
        when.tv_nsec = tofu::detail::integer_cast<decltype(when.tv_nsec)>((since_boot - seconds).count());
        // The wait with a bit set is the one that takes a moment of CLOCK_MONOTONIC, which is the steady clock.
        return ::syscall(SYS_futex, word(), FUTEX_WAIT_BITSET_PRIVATE, 1, for_ever ? nullptr : &when, nullptr,
                         FUTEX_BITSET_MATCH_ANY) != 0 &&
               errno == ETIMEDOUT;
    }

    void wake() noexcept {
        if (asleep_.load(std::memory_order_seq_cst) == 0 || asleep_.exchange(0, std::memory_order_seq_cst) == 0) return;
        ::syscall(SYS_futex, word(), FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    }

private:
    static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t), "a futex is a word");

    [[nodiscard]] std::uint32_t* word() noexcept { return reinterpret_cast<std::uint32_t*>(&asleep_); }

    std::atomic<std::uint32_t> asleep_{0};
};

} // namespace tofu::inline TOFU_ABI::linux_api

#endif // TOFU_PLATFORM_LINUX_SLEEPER_HPP
