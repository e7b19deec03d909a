// SPDX-License-Identifier: BSL-1.0
// A simulated world with one poller and connections for it to watch: what the suites of that poller begin with.
#ifndef TOFU_TEST_POLICIES_SIMULATED_SCENE_HPP
#define TOFU_TEST_POLICIES_SIMULATED_SCENE_HPP

#include "simulated_sockets.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/policies/poll/simulated_poll.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace tofu_test {

using keys = std::vector<std::uintptr_t>;

inline constexpr tofu::interest read_and_write = tofu::interest::read | tofu::interest::write;
inline constexpr tofu::readiness in_and_out = tofu::readiness::readable | tofu::readiness::writable;

/// One connection, its server side known to the poller.
struct watched {
    sim::socket client;
    sim::socket server;
    sim::registration entry;

    void send(std::string_view text = "x") { BOOST_REQUIRE_EQUAL(tofu_test::send(client, text).bytes, text.size()); }
    /// How many bytes there were, at most so many.
    std::size_t receive(std::size_t most) {
        std::string text;
        return read_some(server, text, most).bytes;
    }
};

/// A world with one poller and a listener.
template <std::size_t Batch>
struct poll_scene {
    using poller_type = tofu::basic_simulated_poll<Batch>;

    sim::world world;
    std::deque<watched> all; // lent to the poller: they stay until it is gone
    poller_type poll{world};
    sim::socket listener;

    explicit poll_scene(std::uint64_t seed, const sim::faults& faults = {}) : world(seed, faults) {
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
    void arm(watched& one, tofu::interest wanted) { BOOST_REQUIRE(!poll.arm(one.entry, wanted)); }
};

} // namespace tofu_test

#endif
