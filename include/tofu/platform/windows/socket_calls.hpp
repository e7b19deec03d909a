// SPDX-License-Identifier: BSL-1.0
// Winsock calls that sockets and socket files share.

#ifndef TOFU_PLATFORM_WINDOWS_SOCKET_CALLS_HPP
#define TOFU_PLATFORM_WINDOWS_SOCKET_CALLS_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/windows/error.hpp>
#include <tofu/platform/windows/socket_handle.hpp>
#include <tofu/platform/windows/winsock.hpp>

namespace tofu::inline TOFU_ABI::windows::detail {

inline io_error set_option(SOCKET handle, int level, int name, int value) noexcept {
    const int failed = ::setsockopt(handle, level, name, reinterpret_cast<const char*>(&value), sizeof value);
    return failed == 0 ? io_error{} : last_error();
}

inline io_error make_non_blocking(SOCKET handle) noexcept {
    u_long yes = 1;
    return ::ioctlsocket(handle, static_cast<long>(FIONBIO), &yes) == 0 ? io_error{} : last_error();
}

/// Keeps child processes from inheriting a socket.
inline io_error make_private(SOCKET handle) noexcept {
    return ::SetHandleInformation(reinterpret_cast<HANDLE>(handle), HANDLE_FLAG_INHERIT, 0) != 0 ? io_error{}
                                                                                                 : last_error();
}

/// Makes a non-blocking stream socket for a completion port; no child process inherits it. AF_UNSPEC is unsupported
/// here; the system would choose a family.
inline socket_handle open_stream(int family, io_error& error) noexcept {
    if (family == AF_UNSPEC) {
        error = from_wsa(WSAEAFNOSUPPORT);
        return {};
    }
    socket_handle made(
        ::WSASocketW(family, SOCK_STREAM, 0, nullptr, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT));
    error = made.is_open() ? make_non_blocking(made.get()) : last_error();
    if (error) made.reset();
    return made;
}

} // namespace tofu::inline TOFU_ABI::windows::detail

#endif // TOFU_PLATFORM_WINDOWS_SOCKET_CALLS_HPP
