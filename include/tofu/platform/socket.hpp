// SPDX-License-Identifier: BSL-1.0
// Selects the socket of the target system.

#ifndef TOFU_PLATFORM_SOCKET_HPP
#define TOFU_PLATFORM_SOCKET_HPP

#include <tofu/config.hpp>

#if defined(_WIN32)
#include <tofu/platform/windows/socket.hpp>
#else
#include <tofu/platform/posix/socket.hpp>
#endif

namespace tofu::inline TOFU_ABI::platform {

/// See posix/socket.hpp and windows/socket.hpp.
#if defined(_WIN32)
using socket = windows::socket;
#else
using socket = posix::socket;
#endif

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_SOCKET_HPP
