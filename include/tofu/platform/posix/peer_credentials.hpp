// SPDX-License-Identifier: BSL-1.0
// Reads the peer's process, user and group of a Unix domain socket.

#ifndef TOFU_PLATFORM_POSIX_PEER_CREDENTIALS_HPP
#define TOFU_PLATFORM_POSIX_PEER_CREDENTIALS_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/stats.hpp>

#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>

namespace tofu::inline TOFU_ABI::posix {

#if defined(SO_PEERCRED) && defined(__linux__)
/// Process, user and group (unix(7), SO_PEERCRED). For other sockets Linux returns the user -1. For a process outside
/// of this pid namespace it returns the process 0.
inline peer_credentials credentials_of(int handle) noexcept {
    struct ::ucred found {};
    socklen_t length = sizeof found;
    if (::getsockopt(handle, SOL_SOCKET, SO_PEERCRED, &found, &length) != 0) return {};
    if (found.uid == static_cast<uid_t>(-1)) return {};
    const auto process = found.pid == 0 ? peer_credentials::unknown : static_cast<std::int64_t>(found.pid);
    return {.process = process, .user = found.uid, .group = found.gid};
}
#elif defined(__APPLE__) || defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__)
/// User and group (getpeereid(3)).
inline peer_credentials credentials_of(int handle) noexcept {
    uid_t user = 0;
    gid_t group = 0;
    if (::getpeereid(handle, &user, &group) != 0) return {};
    return {.process = peer_credentials::unknown, .user = user, .group = group};
}
#else
inline peer_credentials credentials_of(int) noexcept { return {}; }
#endif

} // namespace tofu::inline TOFU_ABI::posix

#endif // TOFU_PLATFORM_POSIX_PEER_CREDENTIALS_HPP
