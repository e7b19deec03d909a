// SPDX-License-Identifier: BSL-1.0
// Translates the error numbers of Winsock and Win32 to io_failure.

#ifndef TOFU_PLATFORM_WINDOWS_ERROR_HPP
#define TOFU_PLATFORM_WINDOWS_ERROR_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/windows/nt_status.hpp>
#include <tofu/platform/windows/winsock.hpp>

namespace tofu::inline TOFU_ABI::windows {

namespace detail {

/// Translates numbers of Win32: of file calls, and of layers below Winsock.
constexpr io_failure failure_of_win32(int code) noexcept {
    switch (code) {
    case ERROR_IO_PENDING: return io_failure::would_block;
    case ERROR_CONNECTION_REFUSED: return io_failure::refused;
    case ERROR_NETNAME_DELETED: // ends an operation in flight of a connection that was reset
    case ERROR_CONNECTION_ABORTED:
    case ERROR_BROKEN_PIPE: return io_failure::reset;
    case ERROR_SEM_TIMEOUT:
    case WAIT_TIMEOUT: return io_failure::timed_out;
    case ERROR_NETWORK_UNREACHABLE:
    case ERROR_HOST_UNREACHABLE: return io_failure::unreachable;
    case ERROR_SHARING_VIOLATION:
    case ERROR_LOCK_VIOLATION: return io_failure::address_in_use;
    case ERROR_ACCESS_DENIED:
    case ERROR_PRIVILEGE_NOT_HELD: return io_failure::permission_denied;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_INVALID_DRIVE:
    case ERROR_BAD_PATHNAME:
    case ERROR_BAD_NETPATH:
    case ERROR_DIRECTORY: return io_failure::path_not_found; // ERROR_DIRECTORY: a file where a directory should be
    case ERROR_TOO_MANY_OPEN_FILES: return io_failure::no_descriptors;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_WORKING_SET_QUOTA:
    case ERROR_COMMITMENT_LIMIT:
    case ERROR_NOT_ENOUGH_QUOTA: return io_failure::no_memory;
    case ERROR_OPERATION_ABORTED: return io_failure::aborted;
    case ERROR_NOT_SUPPORTED: return io_failure::unsupported;
    default: return io_failure::other;
    }
}

} // namespace detail

/// Translates a number of Winsock or Win32; WSAGetLastError and GetLastError share one range of numbers. 0 becomes
/// none, an unknown number other. Any thread.
constexpr io_failure failure_of(int code) noexcept {
    switch (code) {
    case 0: return io_failure::none;
    case WSAEWOULDBLOCK:
    case WSAEINPROGRESS:
    case WSAEALREADY: return io_failure::would_block;
    case WSAEINTR: return io_failure::interrupted;
    case WSAECONNREFUSED: return io_failure::refused;
    case WSAECONNRESET:
    case WSAENETRESET:    // keep-alive probes had no answer
    case WSAECONNABORTED: // no acknowledgement, or a reset
    case WSAEDISCON:
    case WSAESHUTDOWN: // as EPIPE elsewhere
    case WSAENOTCONN: return io_failure::reset;
    case WSAETIMEDOUT: return io_failure::timed_out;
    case WSAENETUNREACH:
    case WSAEHOSTUNREACH:
    case WSAEHOSTDOWN:
    case WSAENETDOWN: return io_failure::unreachable;
    case WSAEADDRINUSE: return io_failure::address_in_use;
    case WSAEADDRNOTAVAIL: return io_failure::address_not_available;
    case WSAEACCES: return io_failure::permission_denied;
    case WSAEMFILE: return io_failure::no_descriptors;
    case WSAENOBUFS: return io_failure::no_memory;
    case WSAEAFNOSUPPORT:
    case WSAEPFNOSUPPORT:
    case WSAEPROTONOSUPPORT:
    case WSAESOCKTNOSUPPORT:
    case WSAEPROTOTYPE:
    case WSAENOPROTOOPT:
    case WSAEOPNOTSUPP:
    case WSAVERNOTSUPPORTED: return io_failure::unsupported;
    default: return detail::failure_of_win32(code);
    }
}

/// As failure_of, and keeps the number. Any thread.
constexpr io_error from_wsa(int code) noexcept { return io_error{failure_of(code), code}; }

/// The same for GetLastError. Any thread.
constexpr io_error from_win32(DWORD code) noexcept { return from_wsa(static_cast<int>(code)); }

/// The error of the last Winsock or Win32 call. Any thread.
inline io_error last_error() noexcept { return from_win32(::GetLastError()); }

} // namespace tofu::inline TOFU_ABI::windows

#endif // TOFU_PLATFORM_WINDOWS_ERROR_HPP
