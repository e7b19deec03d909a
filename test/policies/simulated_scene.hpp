// SPDX-License-Identifier: BSL-1.0
// Shared by the suites of the simulated world: raw sockets, connections, and a poller that watches some of them.
#ifndef TOFU_TEST_POLICIES_SIMULATED_SCENE_HPP
#define TOFU_TEST_POLICIES_SIMULATED_SCENE_HPP

#include <boost/test/unit_test.hpp>

#include <tofu/policies/poll/simulated_poll.hpp>
#include <tofu/policies/poll/simulation/world.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tofu_test {

namespace sim = tofu::simulation;
using namespace std::chrono_literals;
using tofu::io_failure;

/// Of a world in which nothing goes wrong: from one end to the other.
inline constexpr std::chrono::nanoseconds latency = 50us;
inline constexpr std::uint32_t loopback_host = 0x7F00'0001;

constexpr sim::endpoint at(std::uint16_t port, std::uint32_t host = loopback_host) { return {host, port}; }

inline sim::socket listen(sim::world& where, io_failure& how, const sim::endpoint& at_this = at(0), int backlog = 8) {
    tofu::io_error error;
    sim::socket made = where.network().listen(at_this, {}, backlog, error);
    BOOST_TEST(made.is_open() == !error);
    how = error.kind;
    return made;
}

inline io_failure listening_fails(sim::world& where, const sim::endpoint& at_this = at(0)) {
    io_failure how{};
    static_cast<void>(listen(where, how, at_this));
    return how;
}

inline sim::socket connect(sim::world& where, const sim::endpoint& to, io_failure& how) {
    tofu::io_error error;
    sim::socket made = where.network().connect(to, {}, error);
    BOOST_TEST(made.is_open() == (!error || error.kind == io_failure::would_block));
    how = error.kind;
    return made;
}

inline sim::socket accept(sim::socket& listener, io_failure& how) {
    tofu::io_error error;
    sim::socket made = listener.accept({}, error);
    BOOST_TEST(made.is_open() == !error);
    how = error.kind;
    return made;
}

inline io_failure accepting_fails(sim::socket& listener) {
    io_failure how{};
    static_cast<void>(accept(listener, how));
    return how;
}

inline tofu::io_result send(sim::socket& to, std::string_view text) {
    const tofu::const_buffer piece{reinterpret_cast<const std::byte*>(text.data()), text.size()};
    return to.write({&piece, 1});
}

/// The bytes that were read, and why no more came: would_block, none for the end of the stream, or a failure.
struct heard {
    std::string text;
    io_failure ending = io_failure::none;

    friend bool operator==(const heard&, const heard&) = default;
    friend std::ostream& operator<<(std::ostream& out, const heard& h) {
        return out << '"' << h.text << "\" ending " << static_cast<unsigned>(h.ending);
    }
};

inline const heard nothing_yet{"", io_failure::would_block};
inline const heard reset{"", io_failure::reset};
inline const heard end_of_stream{"", io_failure::none};

inline tofu::io_result read_some(sim::socket& from, std::string& text, std::size_t most) {
    std::string room(most, '\0');
    const tofu::mutable_buffer piece{reinterpret_cast<std::byte*>(room.data()), room.size()};
    const tofu::io_result got = from.read({&piece, 1});
    text.append(room, 0, got.bytes);
    return got;
}

inline heard listen_to(sim::socket& from) {
    heard all;
    for (;;) {
        const tofu::io_result got = read_some(from, all.text, 1024);
        if (got.bytes != 0) continue;
        all.ending = got.error.kind;
        return all;
    }
}

/// A listener and connections to it.
struct wires {
    sim::world world;
    sim::socket listener;

    explicit wires(std::uint64_t seed = 1, const sim::faults& faults = {}, int backlog = 8) : world(seed) {
        io_failure how{};
        listener = listen(world, how, at(0), backlog);
        BOOST_REQUIRE(listener.is_open());
        world.faults() = faults;
    }

    struct pair {
        sim::socket client;
        sim::socket server;
    };
    /// Both ends of a new connection; nothing of it is under way any more.
    pair link() {
        pair made;
        io_failure how{};
        made.client = connect(world, listener.local_endpoint(), how);
        world.advance(2 * std::max(world.faults().least_delay, world.faults().most_delay));
        BOOST_REQUIRE(!made.client.finish_connect());
        made.server = accept(listener, how);
        BOOST_REQUIRE(made.server.is_open());
        return made;
    }
};

// ---- with a poller ----

using keys = std::vector<std::uintptr_t>;
using reports = std::vector<std::pair<std::uintptr_t, tofu::readiness>>;

inline constexpr tofu::interest read_and_write = tofu::interest::read | tofu::interest::write;
inline constexpr tofu::readiness in_and_out = tofu::readiness::readable | tofu::readiness::writable;

/// One connection, its server side known to the poller.
struct watched {
    sim::socket client;
    sim::socket server;
    sim::registration entry;

    void send(std::string_view text = "x") { BOOST_REQUIRE_EQUAL(tofu_test::send(client, text).bytes, text.size()); }
    /// Reads at most `most` bytes; the number of bytes that there were.
    std::size_t receive(std::size_t most) {
        std::string text;
        return read_some(server, text, most).bytes;
    }
};

/// The results and the length of one wait. As a sink it knows no registration.
struct outcome {
    tofu_test::reports reports;
    keys releases;
    io_failure error = io_failure::none;
    bool full = false;
    bool interrupted = false;
    std::chrono::nanoseconds took{};

    void ready(std::uintptr_t key, tofu::readiness bits) noexcept { reports.emplace_back(key, bits); }
    void released(std::uintptr_t key) noexcept { releases.push_back(key); }
    sim::registration* registration_of(std::uintptr_t) noexcept { return nullptr; }

    [[nodiscard]] keys ready_keys() const {
        keys all;
        for (const auto& report : reports) all.push_back(report.first);
        return all;
    }
    [[nodiscard]] keys sorted_keys() const {
        keys all = ready_keys();
        std::sort(all.begin(), all.end());
        return all;
    }
    [[nodiscard]] bool silent() const { return reports.empty() && releases.empty(); }
};

/// A world with one poller and a listener.
template <std::size_t Batch = 0>
struct scene {
    sim::world world;
    std::deque<watched> all; // lent to the poller: they stay until it is gone
    tofu::basic_simulated_poll<Batch> poll{world};
    sim::socket listener;

    explicit scene(std::uint64_t seed = 1, const sim::faults& faults = {}) : world(seed, faults) {
        BOOST_REQUIRE(!poll.open());
        tofu::io_error error;
        listener = poll.network().listen({0, 80}, {}, 64, error);
        BOOST_REQUIRE(!error);
    }

    sim::socket begin_connect(std::uint16_t port = 80) {
        tofu::io_error error;
        sim::socket made = poll.network().connect(at(port), {}, error);
        BOOST_REQUIRE((error.kind == io_failure::would_block));
        return made;
    }
    /// A new connection that nobody watches yet.
    watched& link() {
        watched& one = all.emplace_back();
        one.client = begin_connect();
        world.advance(2 * latency);
        BOOST_REQUIRE(!one.client.finish_connect());
        tofu::io_error error;
        one.server = listener.accept({}, error);
        BOOST_REQUIRE(!error);
        return one;
    }
    watched& link(std::uintptr_t key, tofu::interest wanted) {
        watched& one = link();
        watch(one, key, wanted);
        return one;
    }
    void watch(watched& one, std::uintptr_t key, tofu::interest wanted) { watch(one.entry, one.server, key, wanted); }
    void watch(sim::registration& entry, const sim::socket& which, std::uintptr_t key, tofu::interest wanted) {
        BOOST_REQUIRE(!poll.attach(entry, which, key));
        BOOST_REQUIRE(!poll.arm(entry, wanted));
    }
    void arm(watched& one, tofu::interest wanted) { BOOST_REQUIRE(!poll.arm(one.entry, wanted)); }

    outcome wait(std::chrono::nanoseconds timeout) { return wait(poll, timeout); }
    template <class Poll>
    outcome wait(Poll& by, std::chrono::nanoseconds timeout) {
        outcome seen;
        wait(by, timeout, seen, seen);
        return seen;
    }
    /// Reports go to the sink, the rest to `seen`.
    template <class Poll, class Sink>
    void wait(Poll& by, std::chrono::nanoseconds timeout, Sink& sink, outcome& seen) {
        const sim::time_point begin = world.now();
        const tofu::wait_result result = by.wait(timeout, sink);
        seen.error = result.error.kind;
        seen.full = result.full;
        seen.interrupted = result.interrupted;
        seen.took = world.now() - begin;
    }

    /// The present report of the only socket that has anything to tell; none when silent.
    tofu::readiness only_report() {
        const outcome seen = wait(0ns);
        BOOST_REQUIRE(seen.reports.size() <= 1);
        BOOST_TEST(seen.releases.empty());
        return seen.reports.empty() ? tofu::readiness::none : seen.reports[0].second;
    }
    /// True when nothing ends a wait of a second before its time.
    bool is_silent() {
        const outcome seen = wait(1s);
        return seen.silent() && seen.took == 1s && seen.error == io_failure::none;
    }
};

} // namespace tofu_test

#endif
