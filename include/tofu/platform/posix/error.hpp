// SPDX-License-Identifier: BSL-1.0
// Translates errno values to io_failure.
//
// This header is open to policies outside of the library; see doc/writing-policies.md.

#ifndef TOFU_PLATFORM_POSIX_ERROR_HPP
#define TOFU_PLATFORM_POSIX_ERROR_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>

#include <cerrno>

namespace tofu::inline TOFU_ABI::posix {

namespace detail {

constexpr bool is_one_of(int code, int first, int second) noexcept { return code == first || code == second; }

/// Translates names that may have the same number in POSIX. They cannot be cases of one switch, and g++ -Wlogical-op
/// reports an expression that compares with both.
constexpr io_failure failure_of_twins(int code) noexcept {
    if (is_one_of(code, EAGAIN, EWOULDBLOCK)) return io_failure::would_block;
    if (is_one_of(code, EOPNOTSUPP, ENOTSUP)) return io_failure::unsupported;
    return io_failure::other;
}

} // namespace detail

/// Translates an errno value. 0 becomes none, an unknown value other. Any thread.
constexpr io_failure failure_of(int code) noexcept {
    switch (code) {
    case 0: return io_failure::none;
    case EINPROGRESS:
    case EALREADY: return io_failure::would_block;
    case EINTR: return io_failure::interrupted;
    case ECONNREFUSED: return io_failure::refused;
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN: // after a reset
        return io_failure::reset;
    case ETIMEDOUT: return io_failure::timed_out;
    case ENETUNREACH:
    case EHOSTUNREACH:
#if defined(EHOSTDOWN)
    case EHOSTDOWN: // macOS: a neighbour does not answer
#endif
    case ENETDOWN: return io_failure::unreachable;
    case EADDRINUSE: return io_failure::address_in_use;
    case EADDRNOTAVAIL: return io_failure::address_not_available;
    case EACCES:
    case EPERM: return io_failure::permission_denied;
    case ENOENT:
    case ENOTDIR: return io_failure::path_not_found;
    case EMFILE:
    case ENFILE: return io_failure::no_descriptors;
    case ENOBUFS:
    case ENOMEM: return io_failure::no_memory;
    case ECONNABORTED: return io_failure::aborted;
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
    case EPROTOTYPE:
    case ENOPROTOOPT: return io_failure::unsupported;
    default: return detail::failure_of_twins(code);
    }
}

/// As failure_of, and keeps the value. Any thread.
constexpr io_error from_errno(int code) noexcept { return io_error{failure_of(code), code}; }

/// The error of the last system call, from errno. Any thread.
inline io_error last_error() noexcept { return from_errno(errno); }

} // namespace tofu::inline TOFU_ABI::posix

#endif // TOFU_PLATFORM_POSIX_ERROR_HPP
