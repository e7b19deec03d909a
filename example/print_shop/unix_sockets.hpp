// SPDX-License-Identifier: BSL-1.0
// Whether the system has Unix domain sockets: every POSIX has, not every Windows.
#ifndef TOFU_EXAMPLE_PRINT_SHOP_UNIX_SOCKETS_HPP
#define TOFU_EXAMPLE_PRINT_SHOP_UNIX_SOCKETS_HPP

#if defined(_WIN32)
#include <tofu/platform/windows/winsock.hpp>
#endif

namespace print_shop {

/// Asks the system. On Windows, a reactor has to be alive: it is what starts the sockets there.
[[nodiscard]] inline bool has_unix_sockets() {
#if defined(_WIN32)
    const SOCKET tried = ::socket(AF_UNIX, SOCK_STREAM, 0);
    return tried != INVALID_SOCKET && ::closesocket(tried) == 0;
#else
    return true;
#endif
}

} // namespace print_shop

#endif
