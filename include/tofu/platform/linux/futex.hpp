// SPDX-License-Identifier: BSL-1.0
// futex(2) on one word, with a deadline, on 64-bit and on 32-bit systems.

#ifndef TOFU_PLATFORM_LINUX_FUTEX_HPP
#define TOFU_PLATFORM_LINUX_FUTEX_HPP

#include <tofu/config.hpp>

#include <linux/futex.h>
#include <linux/types.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <limits>

namespace tofu::inline TOFU_ABI::linux_api {
namespace detail {

/// The kernel's time structure. Its width belongs to the system call; the width of `timespec` belongs to the C
/// library's time_t, which has 64 bits in a 32-bit program built with -D_TIME_BITS=64.
template <class Count>
struct futex_time {
    Count seconds;
    Count nanoseconds;
};

/// Waits by the system call `number`, whose time has two fields of type `Count`. A moment that does not fit in `Count`
/// never comes: the clock starts with the system, and 31 bits of seconds are 68 years.
template <class Count>
long futex_wait_call(long number, std::uint32_t* word, std::uint32_t value, std::chrono::nanoseconds until) noexcept {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(until);
    const bool for_ever =
        until == (std::chrono::nanoseconds::max)() || seconds.count() > (std::numeric_limits<Count>::max)();
    const futex_time<Count> when{static_cast<Count>(seconds.count()), static_cast<Count>((until - seconds).count())};
    // FUTEX_WAIT_BITSET takes a moment of CLOCK_MONOTONIC; FUTEX_WAIT takes a duration.
    return ::syscall(number, word, FUTEX_WAIT_BITSET_PRIVATE, value, for_ever ? nullptr : &when, nullptr,
                     FUTEX_BITSET_MATCH_ANY);
}

} // namespace detail

/// Sleeps while `*word` is `value`, but not longer than `until`, a moment of CLOCK_MONOTONIC (nanoseconds::max(): for
/// ever). Returns true when that moment has come. Returns false when another thread woke this one, when `*word` has
/// another value, or spuriously.
///
/// 32-bit systems have two calls. A kernel without CONFIG_COMPAT_32BIT_TIME has only futex_time64 (since Linux 5.1). An
/// older kernel refuses futex_time64 with ENOSYS; then this function uses the old call, and each wait costs one refused
/// call more.
[[nodiscard]] inline bool futex_wait(std::uint32_t* word, std::uint32_t value,
                                     std::chrono::nanoseconds until) noexcept {
    if (until.count() < 0) return true; // the kernel refuses such a time
#if defined(SYS_futex_time64)
    long result = detail::futex_wait_call<std::int64_t>(SYS_futex_time64, word, value, until);
#if defined(SYS_futex)
    if (result != 0 && errno == ENOSYS)
        result = detail::futex_wait_call<__kernel_long_t>(SYS_futex, word, value, until);
#endif
#else
    const long result = detail::futex_wait_call<__kernel_long_t>(SYS_futex, word, value, until);
#endif
    return result != 0 && errno == ETIMEDOUT;
}

/// Wakes one thread that sleeps in futex_wait() on `word`, if there is one. Any thread. On 32-bit systems the calls are
/// tried in the same order: a kernel without CONFIG_COMPAT_32BIT_TIME refuses the old call for wakes, too.
inline void futex_wake_one(std::uint32_t* word) noexcept {
#if defined(SYS_futex_time64)
    const long woken = ::syscall(SYS_futex_time64, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
#if defined(SYS_futex)
    if (woken < 0 && errno == ENOSYS) ::syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
#else
    static_cast<void>(woken);
#endif
#else
    ::syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
#endif
}

} // namespace tofu::inline TOFU_ABI::linux_api

#endif // TOFU_PLATFORM_LINUX_FUTEX_HPP
