// SPDX-License-Identifier: BSL-1.0
// How long a wait may last, as kevent(2) is best asked for it.

#ifndef TOFU_PLATFORM_BSD_WAIT_TIME_HPP
#define TOFU_PLATFORM_BSD_WAIT_TIME_HPP

#include <tofu/config.hpp>

#include <algorithm>
#include <chrono>

namespace tofu::inline TOFU_ABI::bsd {

/// Nothing or less is 0; everything else is rounded up to microseconds, so that a deadline has passed when the wait for
/// it ends: kevent(2) takes nanoseconds, but clocks tick more slowly (at 24 MHz on Apple's own processors), and the
/// kernel counts in ticks. Beyond a day the wait is cut to a day, which every kernel takes.
constexpr std::chrono::microseconds to_wait_time(std::chrono::nanoseconds timeout) noexcept {
    constexpr std::chrono::nanoseconds none{0};
    constexpr std::chrono::nanoseconds most = std::chrono::hours(24);
    return std::chrono::ceil<std::chrono::microseconds>(std::clamp(timeout, none, most));
}

} // namespace tofu::inline TOFU_ABI::bsd

#endif // TOFU_PLATFORM_BSD_WAIT_TIME_HPP
