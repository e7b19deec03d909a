// SPDX-License-Identifier: BSL-1.0
// How long a wait may last, in the unit and range of poll(2) and epoll_wait(2).

#ifndef TOFU_PLATFORM_POSIX_POLL_TIMEOUT_HPP
#define TOFU_PLATFORM_POSIX_POLL_TIMEOUT_HPP

#include <chrono>
#include <climits>

namespace tofu::posix {

/// Milliseconds as poll(2) and epoll_wait(2) take them: nanoseconds::max() is for ever (-1), nothing or less is 0,
/// everything else is rounded up, so that a deadline has passed when the wait for it ends. Beyond 24 days the wait is
/// cut to 24 days.
constexpr int to_poll_timeout(std::chrono::nanoseconds timeout) noexcept {
    using std::chrono::milliseconds;
    if (timeout == std::chrono::nanoseconds::max()) {
        return -1;
    }
    if (timeout <= std::chrono::nanoseconds::zero()) {
        return 0;
    }
    const auto whole = std::chrono::duration_cast<milliseconds>(timeout);
    const auto rounded = whole < timeout ? whole + milliseconds(1) : whole;
    return rounded < milliseconds(INT_MAX) ? static_cast<int>(rounded.count()) : INT_MAX;
}

} // namespace tofu::posix

#endif // TOFU_PLATFORM_POSIX_POLL_TIMEOUT_HPP
