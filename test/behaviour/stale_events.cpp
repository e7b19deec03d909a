// SPDX-License-Identifier: BSL-1.0
// With every key policy: events of an ended channel come when its slot, address and handle belong to another channel.
// They reach no channel.
#include "support/all_keys.hpp"
#include "support/harness.hpp"
#include "support/reactor_of.hpp"
#include "support/simulated_engine.hpp"

#include "../../example/policies/resource_pool.hpp"

#include <tofu/policies/poll/simulated_poll.hpp>
#include <tofu/policies/pool/growing_channel_pool.hpp>
#include <tofu/policies/timer/manual_timer.hpp>
#include <tofu/reactor_with.hpp>

#include <algorithm>
#include <cstddef>
#include <list>
#include <memory>
#include <memory_resource>

using namespace tofu_test;
using tofu::op_code;
using tofu::simulation::socket_id;

BOOST_AUTO_TEST_SUITE(stale_events)

namespace {

using keys = tofu_test::all_keys;

struct world_owner {
    tofu::simulation::world world;
};

/// Late events come while the next connection is being made.
tofu::simulation::faults slow(tofu::simulation::faults more) {
    more.least_delay = more.most_delay = 20ms;
    more.most_owed = 60ms;
    return more;
}

template <class Key>
struct talk_with : world_owner, dialogue {
    using reactor = tofu::basic_reactor<tofu::simulated_poll, tofu::growing_channel_pool<3>, Key, tofu::manual_timer>;

    explicit talk_with(const tofu::simulation::faults& faults)
        : world_owner{tofu::simulation::world(1, slow(faults))}
        , dialogue(in_simulation, any_reactor(std::make_unique<reactor_of<reactor>>(
                                      tofu::options{}, in_simulation.who, nullptr, tofu::simulated_poll(world),
                                      tofu::manual_timer(world.clock())))) {}
    ~talk_with() { BOOST_TEST(world.complaint() == ""); }

    /// The highest handle that is open.
    [[nodiscard]] int highest_handle() const {
        int highest = -1;
        for (socket_id id = 1; id <= world.socket_count(); ++id) highest = std::max(highest, world.socket(id).handle);
        return highest;
    }

    /// Connects and lets go, again and again; each conversation is whole.
    void go_round(int rounds) {
        const tofu::address where = listen();
        for (int i = 0; i < rounds; ++i) {
            const link both = connect(where);
            client.post(make(engine, op_code::request, both.client, "question"));
            server.post(answer(expect(server, op_code::request), op_code::response));
            BOOST_TEST(body_of(*expect(client, op_code::response)) == "question");
            BOOST_TEST(highest_handle() <= 6);
            client.post(make(engine, op_code::bye_signal, both.client));
            expect_goodbye(client, both.client, "aborted");
            expect_goodbye(server, both.server, "peer_reset");
        }
    }
};

} // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_late_event_reaches_no_next_owner, Key, keys) {
    talk_with<Key> talk({.stale = 1000});
    talk.go_round(50);
    BOOST_TEST(talk.world.poller(1).inventions >= 90U);
    talk.await_channels(1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(nor_does_one_of_a_registration_that_is_held_for_a_while, Key, keys) {
    talk_with<Key> talk({.stale = 500, .owes = 1000});
    talk.go_round(50);
    talk.await_channels(1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(nor_does_a_completion, Key, keys) {
    talk_with<Key> talk({.spurious = 50, .completions = true});
    talk.go_round(50);
    talk.await_channels(1);
}

// The slots are given up with what they own, so they lie where that can be found for ever: it is nobody's loss.
BOOST_AUTO_TEST_CASE_TEMPLATE(sockets_whose_registrations_are_never_released_are_closed_with_the_engine, Key, keys) {
    using reactor = tofu::reactor_with<tofu::simulated_poll, example::resource_pool, Key, tofu::manual_timer>;
    struct room {
        alignas(std::max_align_t) std::byte bytes[16 * 1024];
    };
    static auto& rooms = *new std::list<room>; // one a run
    room& here = rooms.emplace_back();
    std::pmr::monotonic_buffer_resource memory(here.bytes, sizeof here.bytes, std::pmr::null_memory_resource());
    tofu::simulation::world world(1, {.owes = 1000, .owes_for_good = 1000});
    {
        dialogue talk(in_simulation, any_reactor(std::make_unique<reactor_of<reactor>>(
                                         tofu::options{}, in_simulation.who, nullptr, tofu::simulated_poll(world),
                                         tofu::manual_timer(world.clock()), example::resource_pool(memory, 8))));
        talk.connect();
    }
    BOOST_TEST(world.socket_count() == 3U);
    for (socket_id id = 1; id <= world.socket_count(); ++id) BOOST_TEST(!world.socket(id).open);
    BOOST_TEST(world.complaint() == "");
}

BOOST_AUTO_TEST_SUITE_END()
