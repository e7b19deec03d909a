// SPDX-License-Identifier: BSL-1.0
// The network of a simulated world: connections, the bytes in flight between them, and their delays.
#ifndef TOFU_POLICIES_POLL_SIMULATION_KERNEL_HPP
#define TOFU_POLICIES_POLL_SIMULATION_KERNEL_HPP

#include <tofu/config.hpp>
#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/detail/integer_cast.hpp>
#include <tofu/policies/poll/simulation/faults.hpp>
#include <tofu/policies/poll/simulation/operations.hpp>
#include <tofu/policies/poll/simulation/random.hpp>
#include <tofu/policies/poll/simulation/timeline.hpp>
#include <tofu/policies/poll/simulation/traffic.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <string_view>
#include <utility>
#include <vector>

namespace tofu::inline TOFU_ABI::simulation {

/// A world and everything in it share one kernel. One thread at a time. If its own memory runs out, the program ends.
class kernel {
public:
    explicit kernel(std::uint64_t seed) noexcept : chance(seed) {}
    kernel(const kernel&) = delete;
    kernel& operator=(const kernel&) = delete;

    timeline time;
    random chance;
    simulation::faults faults;
    simulation::names names;
    operations polls;
    time_point no_way_at = (time_point::min)(); ///< when a connect last failed as unreachable or not available
    std::string_view complaint;                 ///< the first rule of a contract that was broken; empty if none was

    [[nodiscard]] time_point now() const noexcept { return time.now(); }
    [[nodiscard]] socket_state& at(socket_id id) noexcept {
        TOFU_ASSERT(id != 0 && id <= sockets_.size());
        return sockets_[id - 1];
    }
    [[nodiscard]] std::size_t socket_count() const noexcept { return sockets_.size(); }

    void complain(std::string_view rule) noexcept {
        if (complaint.empty()) complaint = rule;
    }

    void expect_memory(bool is_there) noexcept {
        if (!is_there) complain("a registration was used again while the poller still held it");
    }

    /// A random time of at most `most`.
    [[nodiscard]] duration up_to(duration most) noexcept {
        return duration(static_cast<duration::rep>(chance.below(static_cast<std::uint64_t>(most.count()) + 1)));
    }

    /// Completes operations of a socket whose readiness may have grown.
    void changed(socket_id id) noexcept {
        if (polls.wait_for(id)) expect_memory(polls.look(id, state_of(id)));
    }

    // Time.

    void schedule(duration delay, event what) noexcept { time.schedule(now() + delay, what); }

    /// Runs all events that are due.
    void settle() noexcept {
        for (event due; time.take_due(due);) {
            happen(due);
            if (due.whom == 0) continue;
            changed(due.whom);
            if (at(due.whom).other != 0) changed(at(due.whom).other);
        }
    }

    /// Advances the clock to the next event, or to `until` if that is earlier. Returns false if there is neither.
    bool pass(time_point until) noexcept {
        const time_point next = (std::min)(until, time.next());
        if (next == (time_point::max)()) return false;
        if (next > now()) time.clock.advance(next - now());
        settle();
        return true;
    }

    /// The readiness of a socket as a poller reports it.
    [[nodiscard]] readiness state_of(socket_id id) noexcept {
        const socket_state& s = at(id);
        readiness state = readiness::none;
        if (s.kind == socket_kind::listener) return s.backlog.empty() ? readiness::none : readiness::readable;
        if (s.failure) return readiness::failed | readiness::readable | readiness::writable;
        if (s.kind == socket_kind::connecting) return readiness::none;
        if (s.in.unread() != 0 || s.in.end_arrived) state |= readiness::readable;
        const stream& out = at(s.other).in;
        if (out.room() != 0 || out.ended) state |= readiness::writable;
        return state;
    }

protected:
    [[nodiscard]] duration travel() noexcept {
        const auto least = static_cast<std::uint64_t>(faults.least_delay.count());
        const auto most = static_cast<std::uint64_t>((std::max)(faults.least_delay, faults.most_delay).count());
        return duration(static_cast<duration::rep>(chance.between(least, most)));
    }

    [[nodiscard]] socket_id make(socket_kind kind) noexcept {
        sockets_.emplace_back().kind = kind;
        sockets_.back().made_at = now();
        const std::size_t most = (std::max)(faults.least_window, faults.most_window);
        sockets_.back().in.window = chance.size_between(faults.least_window, most);
        const auto id = tofu::detail::integer_cast<socket_id>(sockets_.size());
        if (kind == socket_kind::listener) listeners_.push_back(id);
        return id;
    }

    /// Gives a socket the lowest free handle, as POSIX requires of descriptors (pubs.opengroup.org, "File Descriptor
    /// Allocation"). That is often the handle of the socket closed last.
    void open(socket_id id) noexcept {
        TOFU_ASSERT(!at(id).open && at(id).handle == -1);
        const auto free = std::find(handles_.begin(), handles_.end(), false);
        at(id).handle = tofu::detail::integer_cast<int>(free - handles_.begin());
        if (free == handles_.end())
            handles_.push_back(true);
        else
            *free = true;
        at(id).open = true;
    }

    void close_handle(socket_id id) noexcept {
        socket_state& s = at(id);
        if (s.open) handles_[static_cast<std::size_t>(std::exchange(s.handle, -1))] = false;
        s.open = false;
    }

    [[nodiscard]] socket_id find_listener(const endpoint& where, bool overlapping) noexcept {
        for (const socket_id id : listeners_) {
            const socket_state& s = at(id);
            if (!s.open || s.local.port != where.port) continue;
            if (s.local.host == where.host || s.local.host == 0 || (overlapping && where.host == 0)) return id;
        }
        return 0;
    }

    /// Schedules an arrival after a random delay, never before an earlier one of this direction.
    void send(socket_id to, event what) noexcept {
        const duration delay = travel();
        socket_state& s = at(to);
        if (s.silent) return;
        s.in.last_arrival = (std::max)(s.in.last_arrival, now() + delay);
        time.schedule(s.in.last_arrival, what);
    }

    void send_reset(socket_id to) noexcept { send(to, {.what = event::kind::reset, .whom = to}); }

    void end(socket_id reader) noexcept {
        stream& in = at(reader).in;
        if (std::exchange(in.ended, true)) return;
        send(reader, {.what = event::kind::end, .whom = reader});
    }

    [[nodiscard]] bool enter_backlog(socket_id server) noexcept {
        const socket_id listener = find_listener(at(server).local, false);
        if (listener == 0 || at(listener).backlog.size() >= at(listener).backlog_limit) return false;
        at(listener).backlog.push_back(server);
        at(server).in_backlog = true;
        changed(listener);
        return true;
    }

private:
    void happen(const event& what) noexcept {
        switch (what.what) {
        case event::kind::connect: arrive_at_listener(what.whom); break;
        case event::kind::established:
            if (at(what.whom).kind == socket_kind::connecting && !at(what.whom).failure)
                at(what.whom).kind = socket_kind::connected;
            break;
        case event::kind::refused: fail_connect(what.whom, {io_failure::refused, 111}); break;
        case event::kind::gave_up: fail_connect(what.whom, {io_failure::timed_out, 110}); break;
        case event::kind::data: arrive(what.whom, what.amount); break;
        case event::kind::end:
            if (!at(what.whom).silent && !at(what.whom).failure) at(what.whom).in.end_arrived = true;
            break;
        case event::kind::reset: arrive_reset(what.whom); break;
        case event::kind::answer: what.question->finish(*what.question, true); break;
        case event::kind::cancelled: expect_memory(polls.complete(what.amount, readiness::none)); break;
        case event::kind::nothing: break;
        }
    }

    /// A full backlog drops the connect; the client tries again after a second, as TCP does.
    void arrive_at_listener(socket_id client) noexcept {
        socket_state& s = at(client);
        if (!s.open || s.kind != socket_kind::connecting || s.failure) return;
        const duration delay = travel();
        if (enter_backlog(s.other))
            send(client, {.what = event::kind::established, .whom = client});
        else if (find_listener(s.peer, false) != 0)
            schedule(std::chrono::seconds(1), {.what = event::kind::connect, .whom = client});
        else
            schedule(delay, {.what = event::kind::refused, .whom = client});
    }

    void fail_connect(socket_id client, io_error why) noexcept {
        socket_state& s = at(client);
        if (s.kind == socket_kind::connecting && !s.failure) s.failure = why;
    }

    void arrive(socket_id id, std::size_t bytes) noexcept {
        const bool breaks = chance.chance(faults.breaks);
        socket_state& s = at(id);
        if (s.silent || s.failure.kind == io_failure::reset) return;
        if ((!s.open && !s.in_backlog) || s.failure) { // the socket is closed
            if (!at(s.other).failure) send_reset(s.other);
            return;
        }
        if (breaks) {
            arrive_reset(id);
            arrive_reset(s.other);
            return;
        }
        s.in.arrived += bytes;
        TOFU_ASSERT(s.in.arrived <= s.in.bytes.size()); // no byte arrives that was not written
        s.in.arrivals.push_back({now(), s.in.arrived});
    }

    void arrive_reset(socket_id id) noexcept {
        const bool discards = chance.chance(faults.reset_discards);
        socket_state& s = at(id);
        if (s.silent || s.failure) return;
        s.failure = {io_failure::reset, 104};
        if (discards) s.in.arrived = s.in.read;
    }

    std::deque<socket_state> sockets_;
    std::vector<socket_id> listeners_; ///< also closed ones
    std::vector<bool> handles_;        ///< true for a handle of an open socket
};

} // namespace tofu::inline TOFU_ABI::simulation

#endif
