// SPDX-License-Identifier: BSL-1.0
// Tells whether the running system has Unix domain sockets.

#ifndef TOFU_PLATFORM_UNIX_SOCKETS_HPP
#define TOFU_PLATFORM_UNIX_SOCKETS_HPP

#include <tofu/config.hpp>

#if defined(_WIN32)
#include <tofu/platform/windows/unix_sockets.hpp>
#endif

namespace tofu::inline TOFU_ABI::platform {

#if defined(_WIN32)
using windows::has_unix_sockets;
#else
/// Any thread.
constexpr bool has_unix_sockets() noexcept { return true; }
#endif

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_UNIX_SOCKETS_HPP
