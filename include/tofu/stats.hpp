// SPDX-License-Identifier: BSL-1.0
// The figures of an engine, and of one channel.
#ifndef TOFU_STATS_HPP
#define TOFU_STATS_HPP

#include <tofu/address.hpp>
#include <tofu/config.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tofu::inline TOFU_ABI {

/// A snapshot. Counts begin when the engine starts.
struct engine_stats {
    std::uint64_t messages_sent = 0;     ///< messages that the kernel has taken completely
    std::uint64_t messages_received = 0; ///< messages delivered to groups, without the engine's notices
    std::uint64_t bytes_sent = 0;        ///< all bytes that sockets took, headers included
    std::uint64_t bytes_received = 0;    ///< all bytes that sockets gave
    std::uint64_t turns = 0;           ///< turns of the loop
    std::uint64_t wakes = 0;           ///< system calls made to wake the loop
    std::uint64_t reads = 0;           ///< system calls that read
    std::uint64_t writes = 0;          ///< system calls that write
    std::uint64_t polls_submitted = 0; ///< operations that tell the kernel which events a poller wants; see poll_counts
    std::uint64_t polls_cancelled = 0; ///< see poll_counts
    std::uint64_t accepted = 0;        ///< accepted connections
    std::uint64_t refused =
        0; ///< connections closed before their hello: no channel, no memory, or a bye_signal came first
    std::uint64_t starvation_episodes = 0; ///< how often the receive credit was used up
    std::uint64_t messages_allocated = 0;  ///< how often the pool had to allocate a message
    std::size_t channels = 0;              ///< listeners and connections that hold a slot now
    std::size_t zombies = 0;        ///< how many of these have ended, while the kernel still holds their registration
    std::size_t messages_alive = 0; ///< messages with the application, or on their way
    std::size_t messages_free = 0;  ///< messages in the pool
    std::size_t credit_used = 0;    ///< received messages that were neither released nor posted, and partial messages
    std::size_t messages_counted =
        0; ///< messages that count against max_messages_alive beside the credit; 0 without that limit
    std::string_view policies{}; ///< the names of the policies: poll, pool, key, timer
};

/// The counters of a poller for engine_stats. A poller that does not count has 0.
struct poll_counts {
    std::uint64_t submitted = 0; ///< operations that ask the system when a socket is ready
    std::uint64_t cancelled = 0; ///< submitted operations that were cancelled: more was wanted, or a disarm came
    std::uint64_t wakes = 0;     ///< operations that were submitted to end a wait
};

/// The process at the other end of a Unix domain socket, as the system noted it when the connection was made (on the
/// connecting side: when the listener began to listen). A peer cannot forge these numbers, but the peer may have given
/// its end to another process.
struct peer_credentials {
    static constexpr std::int64_t unknown = -1;
    std::int64_t process = unknown;
    std::int64_t user = unknown;
    std::int64_t group = unknown;

    friend constexpr bool operator==(const peer_credentials&, const peer_credentials&) noexcept = default;
};

/// The figures of one channel, taken between two turns of the loop.
struct channel_stats {
    address peer; ///< the peer's address, none if it has no name; for a listener, the address it is bound to
    peer_credentials credentials; ///< of the peer's process, over Unix domain sockets; else unknown
    bool listener = false; ///< false: a connection
    /// Messages that `post` accepted and the kernel has not taken completely, and the hello_request until it is
    /// answered.
    std::size_t queued_messages = 0;
    std::size_t queued_bytes = 0; ///< the bytes of these messages on the wire
    std::uint64_t bytes_sent = 0;        ///< all bytes that the socket took, headers included
    std::uint64_t bytes_received = 0;    ///< all bytes that the socket gave
    std::uint64_t messages_sent = 0;     ///< messages that the kernel has taken completely
    std::uint64_t messages_received = 0; ///< messages delivered to the group, without the engine's notices
};

} // namespace tofu::inline TOFU_ABI

#endif
