// SPDX-License-Identifier: BSL-1.0
// Raw sockets of a simulated world, as its own suites use them.
#ifndef TOFU_TEST_POLICIES_SIMULATED_SOCKETS_HPP
#define TOFU_TEST_POLICIES_SIMULATED_SOCKETS_HPP

#include <boost/test/unit_test.hpp>

#include <tofu/policies/poll/simulation/world.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

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

/// What is there, and why there is no more: would_block, none for the end of the stream, or a failure.
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

} // namespace tofu_test

#endif
