// SPDX-License-Identifier: BSL-1.0
// How long a wait may last, in the unit and range of poll(2) and epoll_wait(2).

#ifndef TOFU_PLATFORM_POSIX_POLL_TIMEOUT_HPP
#define TOFU_PLATFORM_POSIX_POLL_TIMEOUT_HPP

#include <tofu/config.hpp>
#include <tofu/platform/wait_milliseconds.hpp>

#include <chrono>
#include <climits>

namespace tofu::inline TOFU_ABI::posix {

/// Milliseconds as poll(2) and epoll_wait(2) take them: nanoseconds::max() is for ever (-1), nothing or less is 0,
/// everything else is rounded up, so that a deadline has passed when the wait for it ends. Beyond 24 days the wait is
/// cut to 24 days.
constexpr int to_poll_timeout(std::chrono::nanoseconds timeout) noexcept {
    if (timeout == (std::chrono::nanoseconds::max)()) {
        return -1;
    }
    return static_cast<int>(platform::wait_milliseconds(timeout, std::chrono::milliseconds(INT_MAX)).count());
}

} // namespace tofu::inline TOFU_ABI::posix

#endif // TOFU_PLATFORM_POSIX_POLL_TIMEOUT_HPP
