// SPDX-License-Identifier: BSL-1.0
// Peers that are no engines: they speak the protocol byte by byte, well at first, and then less and less.
#ifndef TOFU_TEST_SIMULATION_RAW_PEERS_HPP
#define TOFU_TEST_SIMULATION_RAW_PEERS_HPP

#include "frames.hpp"
#include "trace.hpp"

#include <tofu/policies/poll/simulation/world.hpp>

#include <cstdint>
#include <deque>
#include <span>

namespace tofu_simulation {

/// All raw peers of a world.
class raw_peers {
public:
    raw_peers(tofu::simulation::world& where, trace& log) : world_(where), log_(log) {}

    /// A listener that accepts every connection.
    void listen(const tofu::simulation::endpoint& at) {
        tofu::io_error error;
        auto made = world_.network().listen(at, {}, 8, error);
        if (!error) listeners_.push_back(std::move(made));
    }

    void connect(const tofu::simulation::endpoint& to) {
        tofu::io_error error;
        auto made = world_.network().connect(to, {}, error);
        if (made.is_open()) add(std::move(made), true);
    }

    [[nodiscard]] std::size_t count() const { return peers_.size(); }

    /// A random peer takes a random action.
    void step() {
        accept_all();
        if (peers_.empty()) return;
        peer& p = peers_[chance().size_below(peers_.size())];
        if (!p.s.is_open()) return;
        const std::uint64_t what = chance().below(100);
        if (what < 3) {
            log_.line("  raw ", p.s.id(), " closes");
            p.s.close();
        } else if (what < 5) {
            log_.line("  raw ", p.s.id(), " resets");
            p.s.abort();
        } else if (what < 8) {
            log_.line("  raw ", p.s.id(), " half-closes");
            p.s.shutdown_write();
        } else if (what < 35) {
            read(p);
        } else {
            for (std::uint64_t parts = chance().between(1, 6); parts != 0; --parts) write(p);
        }
    }

    /// Nobody misbehaves any more: they read what comes and say nothing. True: something had come.
    bool be_quiet() {
        accept_all();
        bool has_read = false;
        for (peer& p : peers_)
            if (p.s.is_open()) has_read = read(p) || has_read;
        return has_read;
    }

    /// All of them close.
    void go() {
        peers_.clear();
        listeners_.clear();
    }

private:
    struct peer {
        tofu::simulation::socket s;
        bool client = false;
        bool said_hello = false;
        bool owes_hello = false; ///< it accepts without a hello_response, which may still follow
        bool slow = false;       ///< writes byte by byte
        bool heard_bye = false;  ///< was sent a bye_request
        std::uint64_t asked = 0; ///< the last id it was sent
        bytes out;               ///< not written yet
        bytes in;                ///< not parsed yet
    };

    [[nodiscard]] tofu::simulation::random& chance() { return world_.chance(); }

    void add(tofu::simulation::socket s, bool client) {
        peer& p = peers_.emplace_back();
        p.s = std::move(s);
        p.client = client;
        p.slow = chance().chance(200);
    }

    void accept_all() {
        for (auto& listener : listeners_)
            for (;;) {
                tofu::io_error error;
                auto s = listener.accept({}, error);
                if (error) break;
                add(std::move(s), false);
            }
    }

    bool read(peer& p) {
        std::array<std::byte, 4096> room;
        const tofu::mutable_buffer into{room.data(), room.size()};
        const tofu::io_result result = p.s.read(std::span(&into, 1));
        log_.line("  raw ", p.s.id(), " reads ", result.bytes);
        p.in.insert(p.in.end(), room.data(), room.data() + result.bytes);
        while (p.in.size() >= header_size) {
            const frame_header h = get_header(p.in);
            if (p.in.size() < h.size()) break;
            p.asked = h.id;
            p.heard_bye = p.heard_bye || h.op == 5;
            p.in.erase(p.in.begin(), p.in.begin() + static_cast<std::ptrdiff_t>(h.size()));
        }
        return result.bytes != 0;
    }

    void write(peer& p) {
        if (p.out.empty()) compose(p);
        const std::size_t part = p.slow ? 1 : chance().size_between(1, p.out.size());
        const tofu::const_buffer from{p.out.data(), part};
        const tofu::io_result result = p.s.write(std::span(&from, 1));
        log_.line("  raw ", p.s.id(), " writes ", result.bytes, " of ", p.out.size());
        p.out.erase(p.out.begin(), p.out.begin() + static_cast<std::ptrdiff_t>(result.bytes));
    }

    void compose(peer& p) {
        frame_header h;
        h.number = static_cast<unsigned>(chance().below(65536));
        h.id = p.asked != 0 && chance().chance(500) ? p.asked : ++last_id_;
        h.internal = static_cast<unsigned>(chance().below(8) == 0 ? chance().below(4) : 0);
        h.status = static_cast<unsigned>(chance().below(4) == 0 ? chance().below(256) : 0);
        h.text = 0;
        h.body = chance().size_below(100) == 0 ? chance().size_below(65536) : chance().size_below(64);
        const bool accepts_silently = !p.client && chance().chance(300);
        const bool aborts = chance().chance(10);
        const bool pays_hello = !p.client && p.said_hello && chance().chance(p.owes_hello ? 200 : 40);
        if (!p.said_hello && !accepts_silently) {
            h.op = p.client ? 3 : 4;
            if (p.client) h.id = ++last_id_;
            p.said_hello = true;
        } else if (aborts) {
            h.op = 7;
        } else if (pays_hello) {
            h.op = 4;
            p.owes_hello = false;
        } else {
            if (!p.said_hello) p.said_hello = p.owes_hello = true;
            const std::array<unsigned, 6> usual{0, 1, 2, 2, 5, 6};
            h.op =
                usual[chance().size_below(p.heard_bye ? 3 : 40) == 0 ? chance().size_below(6) : chance().size_below(4)];
            h.more = h.op < 3 && chance().chance(200);
        }
        if (chance().chance(120)) spoil(h);
        log_.line("  raw ", p.s.id(), " begins op ", h.op, h.engine ? ", origin engine" : "", h.more ? ", more" : "",
                  ", ", h.text + h.body, " bytes");
        put(p.out, h);
        for (std::size_t i = 0; i < h.text; ++i) p.out.push_back(std::byte{'t'});
        for (std::size_t i = 0; i < h.body; ++i) p.out.push_back(static_cast<std::byte>(i));
    }

    void spoil(frame_header& h) {
        switch (chance().below(16)) {
        case 0: h.text = chance().size_below(65536); break;
        case 1: h.body = 65535; break;
        case 2:
        case 3:
        case 4: h.more = true; break;
        case 5:
        case 6:
        case 7: h.op = static_cast<unsigned>(chance().below(16)); break;
        case 8:
        case 9:
        case 10: h.op = static_cast<unsigned>(chance().between(3, 9)); break;
        default: h.engine = true; break;
        }
    }

    tofu::simulation::world& world_;
    trace& log_;
    std::deque<tofu::simulation::socket> listeners_;
    std::deque<peer> peers_;
    std::uint64_t last_id_ = std::uint64_t{1} << 50;
};

} // namespace tofu_simulation

#endif
