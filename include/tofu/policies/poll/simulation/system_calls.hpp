// SPDX-License-Identifier: BSL-1.0
// The calls of simulated sockets, and how the system refuses them.
#ifndef TOFU_POLICIES_POLL_SIMULATION_SYSTEM_CALLS_HPP
#define TOFU_POLICIES_POLL_SIMULATION_SYSTEM_CALLS_HPP

#include <tofu/config.hpp>
#include <tofu/policies/poll/simulation/kernel.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <initializer_list>
#include <span>
#include <utility>

namespace tofu::inline TOFU_ABI::simulation {

/// Each call behaves like its namesake in posix::socket. One thread at a time.
class system_calls : public kernel {
public:
    using kernel::kernel;

    [[nodiscard]] socket_id connect(const endpoint& to, io_error& error) noexcept {
        error = refuse_descriptor();
        const bool fails = chance.chance(faults.connect_fails);
        const io_failure how = pick({io_failure::unreachable, io_failure::address_not_available,
                                     io_failure::permission_denied, io_failure::refused, io_failure::backlog_full});
        if (!error && fails) error = {how, 1};
        if (error.kind == io_failure::unreachable || error.kind == io_failure::address_not_available) no_way_at = now();
        if (error) return 0;
        const socket_id client = make(socket_kind::connecting);
        const socket_id server = make(socket_kind::connected);
        open(client);
        at(client).local = {loopback, choose_port()};
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
        if (where.port == 0) where.port = choose_port();
        const socket_id id = make(socket_kind::listener);
        open(id);
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
        open(id);
        return id;
    }

    [[nodiscard]] io_error finish_connect(socket_id id) noexcept {
        socket_state& s = at(id);
        if (s.failure) return found(s);
        return s.kind == socket_kind::connected ? io_error{} : io_error{io_failure::would_block, 0};
    }

    [[nodiscard]] io_result read(socket_id id, std::span<const mutable_buffer> into) noexcept {
        socket_state& s = at(id);
        const std::size_t wanted = size_of(into);
        if (wanted == 0) complain("read was called without room for a byte");
        const bool cut = chance.chance(faults.short_reads);
        if (out_of_memory()) return {0, {io_failure::no_memory, 0}};
        std::size_t bytes = (std::min)(wanted, s.in.unread());
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
            const std::size_t part = (std::min)(left, one.size);
            if (part == 0) continue;
            std::memcpy(one.data, from, part);
            from += part;
            left -= part;
        }
        changed(s.other); // the writer has room again
        return {bytes, {}};
    }

    [[nodiscard]] io_result write(socket_id id, std::span<const const_buffer> from) noexcept {
        socket_state& s = at(id);
        const std::size_t wanted = size_of(from);
        if (wanted == 0) complain("write was called without a byte");
        const bool cut = chance.chance(faults.short_writes);
        const bool silence = chance.chance(faults.falls_silent);
        const bool is_refused = chance.chance(faults.writes_fail);
        if (out_of_memory()) return {0, {io_failure::no_memory, 0}};
        if (s.failure) return {0, found(s)};
        if (s.kind == socket_kind::connecting) return {0, {io_failure::would_block, 0}};
        if (is_refused) s.write_failure = {io_failure::permission_denied, 13};
        if (s.write_failure) return {0, s.write_failure};
        stream& out = at(s.other).in;
        if (out.ended) return {0, {io_failure::reset, 0}};
        std::size_t bytes = (std::min)(wanted, out.room());
        if (bytes == 0) return {0, {io_failure::would_block, 0}};
        if (cut) bytes = chance.size_between(1, bytes);
        std::size_t left = bytes;
        for (const const_buffer& one : from) {
            const std::size_t part = (std::min)(left, one.size);
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
        changed(id);
        return {};
    }

    /// Sends a reset if bytes are unread, else the end of the stream, as TCP does.
    void close(socket_id id) noexcept {
        socket_state& s = let_go(id);
        if (s.other == 0 || s.failure.kind == io_failure::reset) return;
        if (s.kind == socket_kind::connecting || s.in.unread() != 0)
            send_reset(s.other);
        else
            end(s.other);
    }

    void abort(socket_id id) noexcept {
        socket_state& s = let_go(id);
        if (s.other != 0 && s.failure.kind != io_failure::reset) send_reset(s.other);
    }

    /// Decides whether the system refuses memory now. After a refusal it refuses for a while, to all sockets.
    [[nodiscard]] bool out_of_memory() noexcept { return refuses(faults.no_memory, memory_short_until_); }
    [[nodiscard]] io_error memory() noexcept {
        return out_of_memory() ? io_error{io_failure::no_memory, 12} : io_error{};
    }

private:
    static constexpr std::uint32_t loopback = 127U << 24 | 1;

    template <class Buffer>
    [[nodiscard]] static std::size_t size_of(std::span<const Buffer> buffers) noexcept {
        std::size_t size = 0;
        for (const Buffer& one : buffers) size += one.size;
        return size;
    }

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

    [[nodiscard]] io_failure pick(std::initializer_list<io_failure> from) noexcept {
        return *(from.begin() + chance.below(from.size()));
    }

    [[nodiscard]] io_error found(socket_state& s) noexcept {
        s.found_failed = true;
        return s.failure;
    }

    [[nodiscard]] socket_state& let_go(socket_id id) noexcept {
        socket_state& s = at(id);
        TOFU_ASSERT(s.open); // closed once
        close_handle(id);
        expect_memory(polls.close(id, chance));
        for (const socket_id waiting : s.backlog) {
            at(waiting).in_backlog = false;
            send_reset(at(waiting).other);
        }
        s.backlog.clear();
        return s;
    }

    /// A port without a listener.
    [[nodiscard]] std::uint16_t choose_port() noexcept {
        constexpr std::uint16_t first = 49152;
        do {
            next_port_ = next_port_ < first ? first : static_cast<std::uint16_t>(next_port_ + 1);
        } while (next_port_ < first || find_listener({0, next_port_}, true) != 0);
        return next_port_;
    }

    std::uint16_t next_port_ = 0; ///< the port chosen last
    time_point memory_short_until_{};
    time_point descriptors_short_until_{};
};

} // namespace tofu::inline TOFU_ABI::simulation

#endif
