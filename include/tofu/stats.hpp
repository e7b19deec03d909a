// SPDX-License-Identifier: BSL-1.0
// Figures an engine gives about itself and about one channel.
#ifndef TOFU_STATS_HPP
#define TOFU_STATS_HPP

#include <tofu/address.hpp>
#include <tofu/config.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tofu::inline TOFU_ABI {

/// A snapshot; counts are since the engine was made.
struct engine_stats {
    std::uint64_t messages_sent = 0;     ///< handed to the kernel completely
    std::uint64_t messages_received = 0; ///< delivered to groups, engine notices not counted
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
    std::uint64_t turns = 0;           ///< of the loop
    std::uint64_t wakes = 0;           ///< system calls made to wake the loop
    std::uint64_t reads = 0;           ///< system calls
    std::uint64_t writes = 0;          ///< system calls
    std::uint64_t polls_submitted = 0; ///< system calls to tell a poller's system what is wanted; see poll_counts
    std::uint64_t polls_cancelled = 0; ///< see poll_counts
    std::uint64_t accepted = 0;        ///< connections
    std::uint64_t refused = 0; ///< connections closed unannounced: no channel, no memory, or a bye_signal came first
    std::uint64_t starvation_episodes = 0; ///< how often the receive credit was used up
    std::uint64_t messages_allocated = 0;  ///< how often the pool had to make a message
    std::size_t channels = 0;              ///< listeners and connections that hold a slot now
    std::size_t zombies = 0;               ///< of these, closed ones whose registration the kernel still holds
    std::size_t messages_alive = 0;        ///< with the application or on their way
    std::size_t messages_free = 0;         ///< in the pool
    std::size_t credit_used = 0;           ///< received messages neither released nor posted, and partial ones
    std::size_t messages_counted = 0;      ///< against max_messages_alive, beside the credit; 0 without that limit
    std::string_view policies{};           ///< what the engine is made of: poll, pool, key and timer, by name
};

/// What a poller may count and engine_stats then shows; 0 for pollers that do not.
struct poll_counts {
    std::uint64_t submitted = 0; ///< operations asked of the system to learn when a socket is ready
    std::uint64_t cancelled = 0; ///< of these, the ones taken back: more was wanted, or the socket was let go
    std::uint64_t wakes = 0;     ///< posted to end a wait
};

/// Who is at the other end of a Unix domain socket, as the system noted when the connection was made (for the side
/// that connected: when the other began to listen). A peer cannot forge it, but may have handed its end on since.
struct peer_credentials {
    static constexpr std::int64_t unknown = -1;
    std::int64_t process = unknown;
    std::int64_t user = unknown;
    std::int64_t group = unknown;

    friend constexpr bool operator==(const peer_credentials&, const peer_credentials&) noexcept = default;
};

/// About one channel, as it was during one turn of the loop.
struct channel_stats {
    address peer; ///< of a connection, none when it has no name; for a listener, the address it is bound to
    peer_credentials credentials; ///< of the peer's process, over Unix domain sockets; else all unknown
    bool listener = false;
    /// Accepted by `post` and not yet handed to the kernel completely; and the hello_request until it is answered.
    std::size_t queued_messages = 0;
    std::size_t queued_bytes = 0; ///< of these messages, as they are on the wire
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
    std::uint64_t messages_sent = 0;
    std::uint64_t messages_received = 0;
};

} // namespace tofu::inline TOFU_ABI

#endif
