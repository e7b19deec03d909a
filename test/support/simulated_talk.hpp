// SPDX-License-Identifier: BSL-1.0
// A dialogue in a simulated world: turns are made one by one, time passes when the test says so, and raw peers send any
// bytes. So limits can be counted instead of timed.
#ifndef TOFU_TEST_SUPPORT_SIMULATED_TALK_HPP
#define TOFU_TEST_SUPPORT_SIMULATED_TALK_HPP

#include "harness.hpp"
#include "simulated_engine.hpp"

#include <tofu/policies/poll/simulated_poll.hpp>
#include <tofu/policies/timer/manual_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace tofu_test {

/// Long enough for everything that is under way to arrive.
inline constexpr std::chrono::milliseconds a_while{1};

/// Connections that take megabytes before their writer has to wait.
inline constexpr tofu::simulation::faults wide{.least_window = 4 * 1024 * 1024, .most_window = 4 * 1024 * 1024};
inline constexpr tofu::simulation::faults no_faults{};

/// A base class, so that the world exists before its engines.
struct simulated_ground {
    tofu::simulation::world world;
};

/// An engine in a world of its own.
template <std::size_t Slots = 16>
struct simulated_talk : simulated_ground, dialogue {
    explicit simulated_talk(const tofu::options& opts = {}, const tofu::simulation::faults& faults = no_faults)
        : simulated_ground{tofu::simulation::world(1, faults)}
        , dialogue(in_simulation, simulated_engine<Slots>(world, opts)) {}
    ~simulated_talk() { BOOST_TEST(world.complaint() == ""); }

    /// One turn, and no time passes.
    void turn() { engine.run_once(std::chrono::nanoseconds(0)); }
    void turn_after(std::chrono::nanoseconds time) {
        world.advance(time);
        turn();
    }
};

/// A raw peer. It does not wait: its bytes arrive when time passes.
class raw_end {
public:
    raw_end(tofu::simulation::world& world, const tofu::address& peer) : world_(world), socket_(connect(world, peer)) {
        BOOST_REQUIRE(socket_.is_open());
        world.advance(a_while);
    }

    void send(std::span<const std::byte> bytes) {
        const tofu::const_buffer all{bytes.data(), bytes.size()};
        BOOST_REQUIRE(socket_.write({&all, 1}).bytes == bytes.size());
    }
    void send(tofu::binary_header header, std::string_view body = {}) { send(raw_socket::wire_of(header, "", body)); }
    void say_hello() {
        send(raw_socket::wire_of({.op = tofu::op_code::hello_request, .message_id = 1},
                                 "~connect_to:tcp|127.0.0.1|1\r\n"));
    }
    /// True: its side is connected.
    [[nodiscard]] bool is_connected() const {
        return world_.socket(socket_.id()).kind == tofu::simulation::socket_kind::connected;
    }

private:
    static tofu::simulation::socket connect(tofu::simulation::world& world, const tofu::address& peer) {
        tofu::simulation::endpoint where;
        BOOST_REQUIRE(!tofu::simulation::to_endpoint(peer, false, where));
        tofu::io_error in_progress;
        return world.network().connect(where, {}, in_progress);
    }

    const tofu::simulation::world& world_;
    tofu::simulation::socket socket_;
};

} // namespace tofu_test

#endif
