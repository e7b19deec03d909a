// SPDX-License-Identifier: BSL-1.0
// poll(2) and its constants, for the policy that waits with it.

#ifndef TOFU_PLATFORM_POSIX_POLL_HPP
#define TOFU_PLATFORM_POSIX_POLL_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/detail/integer_cast.hpp>
#include <tofu/platform/posix/error.hpp>
#include <tofu/platform/posix/poll_timeout.hpp>

#include <poll.h>

#include <chrono>
#include <cstddef>
#include <span>

namespace tofu::inline TOFU_ABI::posix {

using poll_entry = ::pollfd;

/// How many entries have something to tell; 0 with `error` none when time ran out. interrupted: a signal came, and
/// nothing was looked at.
inline std::size_t poll(std::span<poll_entry> entries, std::chrono::nanoseconds timeout, io_error& error) noexcept {
    const int ready =
        ::poll(entries.data(), tofu::detail::integer_cast<nfds_t>(entries.size()), to_poll_timeout(timeout));
    error = ready < 0 ? last_error() : io_error{};
    return ready > 0 ? static_cast<std::size_t>(ready) : 0;
}

} // namespace tofu::inline TOFU_ABI::posix

#endif // TOFU_PLATFORM_POSIX_POLL_HPP
