// SPDX-License-Identifier: BSL-1.0
// What a thread has to hold before it may use the network of the system this is built for.

#ifndef TOFU_PLATFORM_NETWORK_SESSION_HPP
#define TOFU_PLATFORM_NETWORK_SESSION_HPP

#include <tofu/config.hpp>

#if defined(_WIN32)
#include <tofu/platform/windows/session.hpp>
#else
#include <tofu/contract/io.hpp>
#endif

namespace tofu::inline TOFU_ABI::platform {

#if defined(_WIN32)
/// Winsock, started.
using network_session = windows::winsock_session;
#else
/// Nothing: POSIX systems have their sockets ready.
struct network_session {
    [[nodiscard]] static constexpr io_error open() noexcept { return {}; }
};
#endif

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_NETWORK_SESSION_HPP
