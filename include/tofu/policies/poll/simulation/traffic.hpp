// SPDX-License-Identifier: BSL-1.0
// The state of sockets in a simulated world. Tests may read it; it is kept to the end of the world.
#ifndef TOFU_POLICIES_POLL_SIMULATION_TRAFFIC_HPP
#define TOFU_POLICIES_POLL_SIMULATION_TRAFFIC_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/policies/poll/simulation/endpoint.hpp>
#include <tofu/policies/timer/manual_timer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace tofu::inline TOFU_ABI::simulation {

using time_point = manual_clock::time_point;
using duration = manual_clock::duration;

/// The number of a socket in its world, from 1; never used again. 0 is no socket.
using socket_id = std::uint32_t;

/// The arrival of some bytes of a stream.
struct arrival {
    time_point when{};
    std::size_t total = 0; ///< bytes that have arrived, including earlier ones
};

/// One direction of a connection: all bytes that were written, and how many have arrived and were read.
struct stream {
    std::vector<std::byte> bytes;
    std::size_t arrived = 0; ///< at most bytes.size()
    std::size_t read = 0;    ///< at most `arrived`
    std::size_t window = 0;  ///< most bytes written and not read
    std::vector<arrival> arrivals;
    bool ended = false; ///< no more bytes will be written
    bool end_arrived = false;
    bool cut = false;          ///< the last read got fewer bytes than had arrived
    time_point last_arrival{}; ///< later bytes do not arrive before this time

    /// Bytes that had arrived by `when`.
    [[nodiscard]] std::size_t arrived_by(time_point when) const noexcept {
        std::size_t total = 0;
        for (const arrival& one : arrivals)
            if (one.when <= when) total = one.total;
        return (std::min)(total, arrived); // a reset may have discarded some
    }
    [[nodiscard]] std::size_t unread() const noexcept {
        TOFU_ASSERT(read <= arrived && arrived <= bytes.size());
        return arrived - read;
    }
    [[nodiscard]] std::size_t room() const noexcept {
        const std::size_t under_way = bytes.size() - read;
        return under_way < window ? window - under_way : 0;
    }
};

enum class socket_kind : std::uint8_t { listener, connecting, connected };

/// A listener or one end of a connection.
struct socket_state {
    socket_kind kind = socket_kind::connecting;
    bool open = false;         ///< a socket object holds it
    bool in_backlog = false;   ///< a connection that is not accepted yet
    bool accepted = false;     ///< the listening side's end, also before accept
    bool silent = false;       ///< no byte of this connection arrives any more
    bool found_failed = false; ///< a call has returned `failure`
    bool watched = false;      ///< attached to a poller and not disarmed
    unsigned holder = 0;       ///< the poller it was attached to, from 1; 0 if to none
    int handle = -1;           ///< -1 exactly when not open; see kernel::open
    endpoint local;
    endpoint peer;
    socket_id other = 0;    ///< the other end
    stream in;              ///< bytes that the other end writes
    io_error failure;       ///< refused, reset or timed out, after it has arrived at this end
    io_error write_failure; ///< every write fails with it; reads do not
    std::deque<socket_id> backlog;
    std::size_t backlog_limit = 0;
    time_point made_at{};
    // At the time of disarm:
    std::size_t left_unread = 0; ///< bytes that had arrived and were not read
    time_point shown_until{};    ///< of the poller's last report, or of the first one in a row of full batches
    bool left_unseen = false;    ///< the poller's last wait was interrupted
};

} // namespace tofu::inline TOFU_ABI::simulation

#endif
