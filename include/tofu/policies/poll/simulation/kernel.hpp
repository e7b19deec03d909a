// SPDX-License-Identifier: BSL-1.0
// The system below simulated sockets: connections, what is under way between them, and the time it takes.
#ifndef TOFU_POLICIES_POLL_SIMULATION_KERNEL_HPP
#define TOFU_POLICIES_POLL_SIMULATION_KERNEL_HPP

#include <tofu/interest.hpp>
#include <tofu/policies/poll/simulation/faults.hpp>
#include <tofu/policies/poll/simulation/random.hpp>
#include <tofu/policies/poll/simulation/timeline.hpp>
#include <tofu/policies/poll/simulation/traffic.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <deque>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace tofu::simulation {

/// Shared by a world and everything in it. One thread at a time. It takes its own memory for granted: without any left,
/// the program ends.
class kernel {
public:
    explicit kernel(std::uint64_t seed) noexcept : chance(seed) {}
    kernel(const kernel&) = delete;
    kernel& operator=(const kernel&) = delete;

    timeline time;
    random chance;
    simulation::faults faults;
    simulation::names names;
    std::string_view complaint; ///< the first rule of a contract somebody has broken; empty: none

    [[nodiscard]] time_point now() const noexcept { return time.now(); }
    [[nodiscard]] socket_state& at(socket_id id) noexcept { return sockets_[id - 1]; }
    [[nodiscard]] std::size_t socket_count() const noexcept { return sockets_.size(); }

    void complain(std::string_view rule) noexcept {
        if (complaint.empty()) complaint = rule;
    }

    // Time.

    void schedule(duration delay, event what) noexcept { time.schedule(now() + delay, what); }

    /// Everything that is due now happens.
    void settle() noexcept {
        for (event due; time.take_due(due);) happen(due);
    }

    /// Time passes to the next event, or to `until` if that comes first. False: there is neither.
    bool pass(time_point until) noexcept {
        const time_point next = std::min(until, time.next());
        if (next == time_point::max()) return false;
        if (next > now()) time.clock.advance(next - now());
        settle();
        return true;
    }

    // Calls.

    [[nodiscard]] socket_id connect(const endpoint& to, io_error& error) noexcept {
        error = refuse_descriptor();
        const bool fails = chance.chance(faults.connect_fails);
        const io_failure how = pick({io_failure::unreachable, io_failure::address_not_available,
                                     io_failure::permission_denied, io_failure::refused});
        if (!error && fails) error = {how, 1};
        if (error) return 0;
        const socket_id client = make(socket_kind::connecting);
        const socket_id server = make(socket_kind::connected);
        at(client).open = true;
        at(client).local = {loopback, next_port_++};
        at(client).peer = to;
        at(server).accepted = true;
        at(server).local = to;
        at(server).peer = at(client).local;
        at(client).other = server;
        at(server).other = client;
        schedule(std::chrono::minutes(2), {.what = event::kind::gave_up, .whom = client});
        const bool hangs = chance.chance(faults.connect_hangs);
        const bool at_once = chance.chance(faults.connect_at_once);
        const duration delay = travel();
        error = {io_failure::would_block, 0};
        if (hangs) return client;
        if (at_once && enter_backlog(server)) {
            at(client).kind = socket_kind::connected;
            error = {};
        } else {
            schedule(delay, {.what = event::kind::connect, .whom = client});
        }
        return client;
    }

    [[nodiscard]] socket_id listen(endpoint where, int backlog, io_error& error) noexcept {
        error = refuse_descriptor();
        const bool fails = chance.chance(faults.listen_fails);
        const io_failure how = pick({io_failure::permission_denied, io_failure::address_in_use,
                                     io_failure::address_not_available, io_failure::other});
        if (!error && fails) error = {how, 1};
        if (!error && !is_own(where.host)) error = {io_failure::address_not_available, 0};
        if (!error && where.port != 0 && find_listener(where, true) != 0) error = {io_failure::address_in_use, 0};
        if (error) return 0;
        if (where.port == 0) where.port = next_port_++;
        const socket_id id = make(socket_kind::listener);
        at(id).open = true;
        at(id).local = where;
        at(id).backlog_limit = static_cast<std::size_t>(backlog);
        return id;
    }

    [[nodiscard]] socket_id accept(socket_id listener, io_error& error) noexcept {
        error = refuse_descriptor();
        const bool aborts = chance.chance(faults.accept_aborts);
        const bool fails = chance.chance(faults.accept_fails);
        if (!error && fails) error = {io_failure::other, 1};
        if (error) return 0;
        auto& waiting = at(listener).backlog;
        if (waiting.empty()) {
            error = {io_failure::would_block, 0};
            return 0;
        }
        const socket_id id = waiting.front();
        waiting.pop_front();
        at(id).in_backlog = false;
        if (aborts) {
            send_reset(at(id).other);
            error = {io_failure::aborted, 0};
            return 0;
        }
        at(id).open = true;
        return id;
    }

    /// How connecting ended.
    [[nodiscard]] io_error finish_connect(socket_id id) noexcept {
        socket_state& s = at(id);
        if (s.failure) return found(s);
        if (s.kind == socket_kind::connected) return {};
        // A real system answers "no error" here, and is believed.
        complain("finish_connect was asked of a socket that was not reported ready");
        return {io_failure::would_block, 0};
    }

    [[nodiscard]] io_result read(socket_id id, std::span<const mutable_buffer> into) noexcept {
        socket_state& s = at(id);
        std::size_t wanted = 0;
        for (const mutable_buffer& one : into) wanted += one.size;
        if (wanted == 0) complain("read was called without room for a byte");
        const bool cut = chance.chance(faults.short_reads);
        if (out_of_memory()) return {0, {io_failure::no_memory, 0}};
        std::size_t bytes = std::min(wanted, s.in.unread());
        if (bytes == 0) {
            if (s.failure) return {0, found(s)};
            return s.in.end_arrived ? io_result{} : io_result{0, {io_failure::would_block, 0}};
        }
        s.in.cut = false;
        if (cut) {
            const std::size_t there = std::exchange(bytes, chance.between(1, bytes));
            s.in.cut = bytes < there;
        }
        const std::byte* from = s.in.bytes.data() + s.in.read;
        s.in.read += bytes;
        std::size_t left = bytes;
        for (const mutable_buffer& one : into) {
            const std::size_t part = std::min(left, one.size);
            if (part == 0) continue;
            std::memcpy(one.data, from, part);
            from += part;
            left -= part;
        }
        return {bytes, {}};
    }

    [[nodiscard]] io_result write(socket_id id, std::span<const const_buffer> from) noexcept {
        socket_state& s = at(id);
        std::size_t wanted = 0;
        for (const const_buffer& one : from) wanted += one.size;
        if (wanted == 0) complain("write was called without a byte");
        const bool cut = chance.chance(faults.short_writes);
        const bool silence = chance.chance(faults.falls_silent);
        if (out_of_memory()) return {0, {io_failure::no_memory, 0}};
        if (s.failure) return {0, found(s)};
        if (s.kind == socket_kind::connecting) return {0, {io_failure::would_block, 0}};
        stream& out = at(s.other).in;
        if (out.ended) return {0, {io_failure::reset, 0}};
        std::size_t bytes = std::min(wanted, out.room());
        if (bytes == 0) return {0, {io_failure::would_block, 0}};
        if (cut) bytes = chance.between(1, bytes);
        std::size_t left = bytes;
        for (const const_buffer& one : from) {
            const std::size_t part = std::min(left, one.size);
            out.bytes.insert(out.bytes.end(), one.data, one.data + part);
            left -= part;
        }
        if (silence) s.silent = at(s.other).silent = true;
        send(s.other, {.what = event::kind::data, .whom = s.other, .amount = bytes});
        return {bytes, {}};
    }

    [[nodiscard]] io_error shutdown_write(socket_id id) noexcept {
        socket_state& s = at(id);
        if (s.failure) return found(s);
        if (s.kind != socket_kind::connected) return {io_failure::other, 0};
        end(s.other);
        return {};
    }

    /// As TCP does: unread data makes it a reset, else it is the end of the stream.
    void close(socket_id id) noexcept {
        socket_state& s = let_go(id);
        for (const socket_id waiting : s.backlog) {
            at(waiting).in_backlog = false;
            send_reset(at(waiting).other);
        }
        s.backlog.clear();
        if (s.other == 0 || s.failure) return;
        if (s.kind == socket_kind::connecting || s.in.unread() != 0)
            send_reset(s.other);
        else
            end(s.other);
    }

    void abort(socket_id id) noexcept {
        socket_state& s = let_go(id);
        if (s.other != 0 && !s.failure) send_reset(s.other);
    }

    /// As a poller would report it.
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

    /// The system refuses memory: now, and to everybody for a while.
    [[nodiscard]] bool out_of_memory() noexcept { return refuses(faults.no_memory, memory_short_until_); }

private:
    static constexpr std::uint32_t loopback = 127U << 24 | 1;

    [[nodiscard]] io_error refuse_descriptor() noexcept {
        const bool full = refuses(faults.no_descriptors, descriptors_short_until_);
        const bool short_of_memory = out_of_memory();
        if (full) return {io_failure::no_descriptors, 24};
        return short_of_memory ? io_error{io_failure::no_memory, 12} : io_error{};
    }

    [[nodiscard]] bool refuses(unsigned rate, time_point& until) noexcept {
        const bool begins = chance.chance(rate);
        const duration lasts(
            static_cast<duration::rep>(chance.below(static_cast<std::uint64_t>(faults.most_shortage.count()) + 1)));
        if (begins && until <= now()) until = now() + lasts;
        return begins || (rate != 0 && now() < until);
    }

    [[nodiscard]] io_failure pick(std::array<io_failure, 4> from) noexcept { return from[chance.below(from.size())]; }

    [[nodiscard]] duration travel() noexcept {
        const auto least = static_cast<std::uint64_t>(faults.least_delay.count());
        const auto most = static_cast<std::uint64_t>(std::max(faults.least_delay, faults.most_delay).count());
        return duration(static_cast<duration::rep>(chance.between(least, most)));
    }

    [[nodiscard]] socket_id make(socket_kind kind) noexcept {
        sockets_.emplace_back().kind = kind;
        sockets_.back().made_at = now();
        sockets_.back().in.window =
            chance.between(faults.least_window, std::max(faults.least_window, faults.most_window));
        return static_cast<socket_id>(sockets_.size());
    }

    [[nodiscard]] io_error found(socket_state& s) noexcept {
        s.found_failed = true;
        return s.failure;
    }

    [[nodiscard]] socket_state& let_go(socket_id id) noexcept {
        socket_state& s = at(id);
        s.open = false;
        return s;
    }

    [[nodiscard]] socket_id find_listener(const endpoint& where, bool overlapping) noexcept {
        for (socket_id id = 1; id <= sockets_.size(); ++id) {
            const socket_state& s = at(id);
            if (s.kind != socket_kind::listener || !s.open || s.local.port != where.port) continue;
            if (s.local.host == where.host || s.local.host == 0 || (overlapping && where.host == 0)) return id;
        }
        return 0;
    }

    /// What one end sends arrives at the other in the order in which it was sent, after a while.
    void send(socket_id to, event what) noexcept {
        const duration delay = travel();
        socket_state& s = at(to);
        if (s.silent) return;
        s.in.last_arrival = std::max(s.in.last_arrival, now() + delay);
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
        return true;
    }

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
        case event::kind::nothing: break;
        }
    }

    /// A full backlog drops the wish; TCP tries again after a second.
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
        if (s.silent || s.failure) return;
        if (!s.open && !s.in_backlog) { // nobody is there any more
            if (!at(s.other).failure) send_reset(s.other);
            return;
        }
        if (breaks) {
            arrive_reset(id);
            arrive_reset(s.other);
            return;
        }
        s.in.arrived += bytes;
    }

    void arrive_reset(socket_id id) noexcept {
        const bool discards = chance.chance(faults.reset_discards);
        socket_state& s = at(id);
        if (s.silent || s.failure) return;
        s.failure = {io_failure::reset, 104};
        if (discards) s.in.arrived = s.in.read;
    }

    std::deque<socket_state> sockets_;
    std::uint16_t next_port_ = 49152;
    time_point memory_short_until_{};
    time_point descriptors_short_until_{};
};

} // namespace tofu::simulation

#endif
