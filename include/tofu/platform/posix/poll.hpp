// SPDX-License-Identifier: BSL-1.0
// poll(2) and its constants, for the policies and calls that wait with it.

#ifndef TOFU_PLATFORM_POSIX_POLL_HPP
#define TOFU_PLATFORM_POSIX_POLL_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/detail/integer_cast.hpp>
#include <tofu/platform/posix/error.hpp>
#include <tofu/platform/wait_milliseconds.hpp>

#include <poll.h>

#include <chrono>
#include <climits>
#include <cstddef>
#include <span>

namespace tofu::inline TOFU_ABI::posix {

using poll_entry = ::pollfd;

/// A timeout for poll(2) and epoll_wait(2), in milliseconds. nanoseconds::max() becomes -1: for ever. Zero and less
/// become
/// 0. Everything else is rounded up, so that a deadline has passed when the wait for it ends. More than 24 days become
/// 24 days. Any thread.
constexpr int to_poll_timeout(std::chrono::nanoseconds timeout) noexcept {
    if (timeout == (std::chrono::nanoseconds::max)()) {
        return -1;
    }
    return static_cast<int>(platform::wait_milliseconds(timeout, std::chrono::milliseconds(INT_MAX)).count());
}

/// Waits with poll(2). Returns the number of entries whose revents is not 0; 0 without an error after the timeout.
/// Error interrupted: a signal ended the call before it checked the entries.
inline std::size_t poll(std::span<poll_entry> entries, std::chrono::nanoseconds timeout, io_error& error) noexcept {
    const int ready =
        ::poll(entries.data(), tofu::detail::integer_cast<nfds_t>(entries.size()), to_poll_timeout(timeout));
    error = ready < 0 ? last_error() : io_error{};
    return ready > 0 ? static_cast<std::size_t>(ready) : 0;
}

/// Sleeps 10 ms after a wait that failed; see the contract in policies/concepts/poll.hpp.
inline void rest() noexcept { ::poll(nullptr, 0, 10); }

} // namespace tofu::inline TOFU_ABI::posix

#endif // TOFU_PLATFORM_POSIX_POLL_HPP
