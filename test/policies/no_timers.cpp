// SPDX-License-Identifier: BSL-1.0
// Tests of an engine without timers: it carries no timers, keeps no time, and talks like any other engine.
#include "support/dialogue.hpp"

#include <tofu/tofu.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <system_error>
#include <type_traits>
#include <utility>

using namespace tofu_test;
using tofu::op_code;

BOOST_AUTO_TEST_SUITE(no_timers)

namespace {

using reactor = tofu::reactor_with<tofu::no_timers>;

// Zero size.
static_assert(std::is_empty_v<tofu::no_timers>);
static_assert(std::is_empty_v<tofu::engine::timer_item<tofu::no_timers>>);
static_assert(std::is_empty_v<tofu::engine::channel_limits<tofu::no_timers>>);
static_assert(sizeof(tofu::engine::channel<reactor::policies>) + sizeof(tofu::wait_timeout::node) <
              sizeof(tofu::engine::channel<tofu::reactor::policies>));

template <class Group>
concept sends_itself_messages_later = requires(Group& group, tofu::message_ptr m, std::error_code& error) {
    group.update_receiver_after(std::chrono::seconds(1), std::move(m), error);
};
static_assert(sends_itself_messages_later<tofu::channel_group>);
static_assert(!sends_itself_messages_later<reactor::group_type>);

/// Every limit would be over before anybody could do anything.
constexpr tofu::options impatient{
    .connect_time = 1ms, .hello_time = 1ms, .message_time = 1ms, .idle_time = 1ms, .bye_time = 1ms, .grace_time = 1h};

/// A client and a server in one engine, which the test drives.
struct pair {
    pair() {
        tofu::message_ptr welcome = engine.get();
        BOOST_REQUIRE(welcome->listen_on(loopback()) == tofu::status::success);
        server.post(std::move(welcome));
        const tofu::message_ptr ready = expect(server, op_code::welcome_response);
        const tofu::address where = tofu::parse_address(ready->headers().find(tofu::listen_on_header)).value;
        tofu::message_ptr hello = engine.get();
        BOOST_REQUIRE(hello->connect_to(where) == tofu::status::success);
        channel = client.post(std::move(hello)).channel_number;
    }

    tofu::message_ptr expect(reactor::group_type& from, op_code op) {
        tofu::message_ptr m = from.wait_receive(patience);
        BOOST_REQUIRE(m);
        BOOST_REQUIRE(to_string(m->header().op) == to_string(op));
        return m;
    }
    void let_time_pass() {
        for (const auto until = std::chrono::steady_clock::now() + 20ms; std::chrono::steady_clock::now() < until;)
            engine.run_once(5ms);
    }

    reactor engine{impatient, tofu::driven_by::caller};
    reactor::group_type server = engine.create_group();
    reactor::group_type client = engine.create_group();
    std::uint16_t channel = 0;
};

} // namespace

BOOST_AUTO_TEST_CASE(no_limit_ends_anybody) {
    pair talk;
    tofu::message_ptr hello = talk.expect(talk.server, op_code::hello_request);
    talk.let_time_pass(); // hello_time and connect_time are over
    talk.server.post(answer(std::move(hello), op_code::hello_response));
    talk.expect(talk.client, op_code::hello_response);
    talk.let_time_pass(); // idle_time, too
    talk.client.post(make(talk.engine, op_code::request, talk.channel, "still there?"));
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "still there?");
    BOOST_TEST(talk.engine.stats().channels == 3U);
}

// A grace of an hour, if there were a timer for it.
BOOST_AUTO_TEST_CASE(a_bye_that_is_answered_ends_at_once_on_both_sides) {
    pair talk;
    talk.server.post(answer(talk.expect(talk.server, op_code::hello_request), op_code::hello_response));
    talk.expect(talk.client, op_code::hello_response);
    talk.client.post(make(talk.engine, op_code::bye_request, talk.channel));
    talk.let_time_pass(); // bye_time is over
    talk.server.post(answer(talk.expect(talk.server, op_code::bye_request), op_code::bye_response));
    talk.expect(talk.client, op_code::bye_response);
    for (reactor::group_type* group : {&talk.client, &talk.server})
        BOOST_TEST(reason_of(*talk.expect(*group, op_code::signal)) == "bye");
    BOOST_TEST(talk.engine.stats().channels == 1U); // the listener
}

BOOST_AUTO_TEST_CASE(the_set_says_so) {
    BOOST_TEST(pair().engine.stats().policies.ends_with(", fixed_channel_pool<1024>, slot_index_key, no_timers"));
}

BOOST_AUTO_TEST_SUITE_END()
