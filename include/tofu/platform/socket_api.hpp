// SPDX-License-Identifier: BSL-1.0
// The socket headers of the target system, and common names for the few constants that differ.

#ifndef TOFU_PLATFORM_SOCKET_API_HPP
#define TOFU_PLATFORM_SOCKET_API_HPP

#include <tofu/config.hpp>

#if defined(_WIN32)
#include <tofu/platform/windows/winsock.hpp>
#else
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#endif

#include <cstddef>

namespace tofu::inline TOFU_ABI::platform {

/// The room for the name of a network interface, with its terminator.
#if defined(_WIN32)
inline constexpr std::size_t interface_name_room = IF_MAX_STRING_SIZE + 1; // some Windows headers lack IF_NAMESIZE
#else
inline constexpr std::size_t interface_name_room = IF_NAMESIZE;
#endif

/// The system's numbers for errors of addresses and options.
#if defined(_WIN32)
inline constexpr int family_not_supported = WSAEAFNOSUPPORT;
inline constexpr int name_too_long = WSAENAMETOOLONG;
inline constexpr int invalid_argument = WSAEINVAL;
#else
inline constexpr int family_not_supported = EAFNOSUPPORT;
inline constexpr int name_too_long = ENAMETOOLONG;
inline constexpr int invalid_argument = EINVAL;
#endif

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_SOCKET_API_HPP
