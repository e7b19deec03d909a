// SPDX-License-Identifier: BSL-1.0
// poll(2) and its constants, for the policy that waits with it.

#ifndef TOFU_PLATFORM_POSIX_POLL_HPP
#define TOFU_PLATFORM_POSIX_POLL_HPP

#include <tofu/io.hpp>
#include <tofu/platform/posix/error.hpp>

#include <poll.h>

#include <cerrno>
#include <chrono>
#include <climits>
#include <cstddef>
#include <span>

namespace tofu::posix {

using poll_entry = ::pollfd;

/// Milliseconds as poll(2) takes them: nanoseconds::max() is for ever (-1), nothing or less is 0, everything else is
/// rounded up, so that a deadline has passed when the wait for it ends. Beyond 24 days the wait is cut to 24 days.
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

/// How many entries have something to tell; 0 with `error` none when time ran out or a signal came.
inline std::size_t poll(std::span<poll_entry> entries, std::chrono::nanoseconds timeout, io_error& error) noexcept {
    const int ready = ::poll(entries.data(), static_cast<nfds_t>(entries.size()), to_poll_timeout(timeout));
    error = ready < 0 && errno != EINTR ? last_error() : io_error{};
    return ready > 0 ? static_cast<std::size_t>(ready) : 0;
}

} // namespace tofu::posix

#endif // TOFU_PLATFORM_POSIX_POLL_HPP
