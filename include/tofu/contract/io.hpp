// SPDX-License-Identifier: BSL-1.0
// Results, errors, buffers and options of a socket's calls, without any header of the system.

#ifndef TOFU_CONTRACT_IO_HPP
#define TOFU_CONTRACT_IO_HPP

#include <tofu/config.hpp>

#include <cstddef>
#include <cstdint>

namespace tofu::inline TOFU_ABI {

/// The kinds of failure that the engine distinguishes. The platform's error.hpp translates the system's numbers.
enum class io_failure : std::uint8_t {
    none,
    would_block,           // not ready; wait for the socket
    interrupted,           // by a signal; call again
    refused,               // no socket listens at the address
    reset,                 // the peer reset the connection, or it broke
    timed_out,             // by the system's own limit
    unreachable,           // no route to the host or its network
    address_in_use,        // another socket listens there
    address_not_available, // not an address of this machine, or no port is free
    permission_denied,     // the system does not allow it
    backlog_full,          // the listener's backlog is full; try again later
    path_not_found,        // no file at the path of a Unix domain socket
    name_not_found,        // the host name has no address
    name_required,         // the host is a name, not a literal: resolve it first
    no_descriptors,        // the process or the system has reached its limit of open files
    no_memory,             // the system has no memory or no buffers
    aborted,               // the operation was cancelled, or a connection was lost before it was accepted
    unsupported,           // the system has no such kind of socket or address
    no_base_handle,        // Windows: a layered service provider hides the socket below it
    other,                 // any other failure; see os_code
};

/// A failure and the system's number for it, 0 if there is none. Converts to true if it is a failure.
struct io_error {
    io_failure kind = io_failure::none;
    int os_code = 0;

    [[nodiscard]] explicit constexpr operator bool() const noexcept { return kind != io_failure::none; }

    friend constexpr bool operator==(const io_error&, const io_error&) noexcept = default;
};

/// Result of a read or a write. No error and no bytes from a read with room is the end of the stream.
struct io_result {
    std::size_t bytes = 0;
    io_error error{};
};

/// Result of a poller's wait; see policies/concepts/poll.hpp.
struct wait_result {
    io_error error{};
    bool full = false;        ///< there was no room for all reports
    bool interrupted = false; ///< a signal ended the wait before it looked at the sockets
};

/// Options of a socket; given to connect, listen and accept of a network. Every network also makes each socket
/// non-blocking, sends small writes without delay, and closes the socket on exec; these are no options.
struct socket_options {
    /// Ask the system to probe an idle connection (SO_KEEPALIVE, with the system's own times).
    bool keep_alive = false;
    /// Permission bits of the file of a listening Unix domain socket. Write permission is permission to connect.
    unsigned file_permissions = 0600;
};

/// Memory to read bytes into; not owned. Has the layout of an iovec on POSIX systems: see is_iovec.
struct mutable_buffer {
    std::byte* data = nullptr;
    std::size_t size = 0;
};

/// Bytes to send; not owned.
struct const_buffer {
    const std::byte* data = nullptr;
    std::size_t size = 0;
};

} // namespace tofu::inline TOFU_ABI

#endif // TOFU_CONTRACT_IO_HPP
