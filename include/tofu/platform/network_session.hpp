// SPDX-License-Identifier: BSL-1.0
// Selects the object that a thread must hold while it uses the network of the target system.

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
/// Keeps Winsock started.
using network_session = windows::winsock_session;
#else
/// Has no effect: POSIX systems need no start.
struct network_session {
    [[nodiscard]] static constexpr io_error open() noexcept { return {}; }
};
#endif

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_NETWORK_SESSION_HPP
