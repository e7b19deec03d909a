// SPDX-License-Identifier: BSL-1.0
// What a socket tells the engine about one read, write, connect or listen, without any header of the system.

#ifndef TOFU_CONTRACT_IO_HPP
#define TOFU_CONTRACT_IO_HPP

#include <tofu/config.hpp>

#include <cstddef>
#include <cstdint>

namespace tofu::inline TOFU_ABI {

/// The kinds of failure the engine tells apart. The platform translates its own error numbers into these, in one place.
enum class io_failure : std::uint8_t {
    none,
    would_block,           // nothing to do now; wait until the socket is ready
    interrupted,           // by a signal; try again at once
    refused,               // nobody listens at the address
    reset,                 // the peer reset the connection, or it broke
    timed_out,             // by the system's own limit
    unreachable,           // no route to the host or its network
    address_in_use,        // another socket listens there
    address_not_available, // not an address of this machine, or no port is left
    permission_denied,     // the system does not allow it
    backlog_full,          // somebody listens at the address, but takes no more for now; try again later
    path_not_found,        // there is nothing at the path of a Unix domain socket
    name_not_found,        // the host's name has no address
    name_required,         // the host is not a literal: it must be resolved first
    no_descriptors,        // the limit of open files of the process or the system is reached
    no_memory,             // the system has no memory or no buffers
    aborted,               // the operation was cancelled, or a connection was gone before it was accepted
    unsupported,           // the system does not have this kind of socket or address
    no_base_handle,        // Windows: a layered service provider hides the socket below it
    other,                 // anything else; os_code tells
};

/// A failure and the system's own number for it (0 when there is none). True means failure.
struct io_error {
    io_failure kind = io_failure::none;
    int os_code = 0;

    [[nodiscard]] explicit constexpr operator bool() const noexcept { return kind != io_failure::none; }

    friend constexpr bool operator==(const io_error&, const io_error&) noexcept = default;
};

/// Outcome of a read or a write. No error and no bytes from a read that offered room is the end of the stream.
struct io_result {
    std::size_t bytes = 0;
    io_error error{};
};

/// Outcome of a poller's wait.
struct wait_result {
    io_error error{};
    bool full = false;        ///< a whole batch was filled: there may be more to report at once
    bool interrupted = false; ///< a signal ended the wait, and the sockets were not looked at
};

/// Room for bytes, owned by somebody else. POSIX systems take it as it is: see is_iovec.
struct mutable_buffer {
    std::byte* data = nullptr;
    std::size_t size = 0;
};

/// Bytes to send, owned by somebody else.
struct const_buffer {
    const std::byte* data = nullptr;
    std::size_t size = 0;
};

} // namespace tofu::inline TOFU_ABI

#endif // TOFU_CONTRACT_IO_HPP
