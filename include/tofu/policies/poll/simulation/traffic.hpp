// SPDX-License-Identifier: BSL-1.0
// What a simulated world keeps of its sockets: open to whoever tests, and kept to the end of the world.
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

/// Names a socket in its world, from 1; never used again. 0 is no socket.
using socket_id = std::uint32_t;

/// Some bytes of a stream may be read from now on.
struct arrival {
    time_point when{};
    std::size_t total = 0; ///< with all that came before them
};

/// One direction of a connection: every byte that was ever written, and how far they have come.
struct stream {
    std::vector<std::byte> bytes;
    std::size_t arrived = 0; ///< may be read; never more than bytes.size()
    std::size_t read = 0;    ///< by the receiving end; never more than `arrived`
    std::size_t window = 0;  ///< most bytes written and not read
    std::vector<arrival> arrivals;
    bool ended = false; ///< nothing more will be written
    bool end_arrived = false;
    bool cut = false;          ///< the last read was given less than there was
    time_point last_arrival{}; ///< what is sent now arrives no earlier

    /// Bytes that had arrived by `when`.
    [[nodiscard]] std::size_t arrived_by(time_point when) const noexcept {
        std::size_t total = 0;
        for (const arrival& one : arrivals)
            if (one.when <= when) total = one.total;
        return (std::min)(total, arrived); // a reset may have taken some away
    }
    [[nodiscard]] std::size_t unread() const noexcept { return arrived - read; }
    [[nodiscard]] std::size_t room() const noexcept {
        const std::size_t under_way = bytes.size() - read;
        return under_way < window ? window - under_way : 0;
    }
};

enum class socket_kind : std::uint8_t { listener, connecting, connected };

/// A listener or one end of a connection.
struct socket_state {
    socket_kind kind = socket_kind::connecting;
    bool open = false;         ///< somebody holds it
    bool in_backlog = false;   ///< a connection nobody has accepted yet
    bool accepted = false;     ///< the end of the listening side, from the start
    bool silent = false;       ///< nothing of this connection arrives any more
    bool found_failed = false; ///< a call has told its holder of `failure`
    bool watched = false;      ///< attached to a poller, and not disarmed
    unsigned holder = 0;       ///< the poller that has watched it, from 1; 0: none has
    int handle = -1;           ///< while it is open; the next that is opened may have the same, see kernel::open
    endpoint local;
    endpoint peer;
    socket_id other = 0;    ///< the other end
    stream in;              ///< what the other end writes
    io_error failure;       ///< refused, reset, timed out: as it has arrived here
    io_error write_failure; ///< every write fails with it; reading does not
    std::deque<socket_id> backlog;
    std::size_t backlog_limit = 0;
    time_point made_at{};
    // When its poller was told to forget it:
    std::size_t left_unread = 0; ///< bytes that had arrived
    time_point shown_until{};    ///< when it had last reported, or had first reported no more than had room since
    bool left_unseen = false;    ///< its last wait was interrupted
};

} // namespace tofu::inline TOFU_ABI::simulation

#endif
