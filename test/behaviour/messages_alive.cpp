// SPDX-License-Identifier: BSL-1.0
// The hard limit on living messages, in whole engines: the calls that fail at the limit, the calls that never fail, and
// that the count is right on every path of a message.
#include "alive_walk.hpp"
#include "support/own_ports.hpp"
#include "support/simulated_talk.hpp"

#include <thread>

using namespace tofu_test;
using tofu::allocation;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(messages_alive)

namespace {

/// Counting knows nothing of poll policies and transports.
constexpr settings one_system = defaults_only & tcp_only;

constexpr std::size_t credit = 4;

constexpr tofu::options limited(std::size_t room) {
    return {.initial_messages = 0, .max_messages = credit, .max_messages_alive = credit + room};
}

/// Soon nothing counts any more.
template <class Talk>
void expect_none_counted(Talk& talk) {
    talk.await([&] { return counted(talk) == 0; });
    BOOST_TEST(counted(talk) == 0U);
}

tofu::message_ptr as(tofu::message_ptr m, op_code op, std::uint16_t channel) {
    m->reset();
    m->header().op = op;
    m->header().channel_number = channel;
    return m;
}

} // namespace

TOFU_TEST_CASE(an_application_that_holds_the_limit_gets_no_more_and_says_which_way, here, one_system) {
    dialogue talk(here, limited(3));
    std::vector<tofu::message_ptr> held = take_all(talk.engine);
    BOOST_TEST(held.size() == 3U);
    BOOST_TEST(counted(talk) == 3U);
    std::error_code error;
    BOOST_TEST(!talk.engine.get(allocation::pool_only, error));
    BOOST_TEST((error == status::pool_empty));
    BOOST_TEST(!tofu::clone(*held.front(), error));
    BOOST_TEST((error == status::allocation_failed));
    talk.client.update_receiver(error);
    BOOST_TEST((error == status::allocation_failed));
    BOOST_CHECK_THROW(static_cast<void>(talk.engine.get()), std::system_error);

    std::thread other([&held] { held.pop_back(); });
    other.join();
    const tofu::message_ptr copy = tofu::clone(*held.front(), error);
    BOOST_TEST(static_cast<bool>(copy));
    BOOST_TEST(counted(talk) == 3U);
    BOOST_TEST(!talk.engine.get(allocation::always, error));
}

TOFU_TEST_CASE(at_the_limit_the_engine_goes_on, here, one_system) {
    dialogue talk(here, limited(3));
    const tofu::address where = talk.listen();
    raw_socket peer(talk.engine, where);
    const std::uint16_t number = be_accepted(talk, peer);
    expect_none_counted(talk);
    std::vector<tofu::message_ptr> held = take_all(talk.engine);

    raw_socket late(talk.engine, where); // it accepts, reads, posts on, tells of a shortage, and says goodbye
    const std::uint16_t another = be_accepted(talk, late);
    for (int i = 0; i < 20; ++i) {
        peer.send({.op = op_code::request, .message_id = 5}, "", "question");
        talk.server.post(answer(talk.expect(talk.server, op_code::request), op_code::response));
        BOOST_TEST(peer.receive().value().body == "question");
    }
    std::vector<tofu::message_ptr> received;
    for (std::size_t i = 0; i <= credit; ++i) peer.send({.op = op_code::signal}, "", "much");
    for (std::size_t i = 0; i < credit; ++i) received.push_back(talk.expect(talk.server, op_code::signal));
    BOOST_TEST((talk.expect(talk.server, op_code::signal)->status() == status::pool_empty));
    talk.server.post(as(std::move(held.back()), op_code::bye_signal, another));
    held.pop_back();
    talk.expect_goodbye(talk.server, another, "aborted");
    talk.await_channels(2);
    received.clear();
    BOOST_TEST(talk.expect(talk.server, op_code::signal)->header().channel_number == number);
    BOOST_TEST(counted(talk) == 2U);
}

TOFU_TEST_CASE(what_is_given_on_counts_beyond_the_limit_and_get_waits_for_it, here, one_system) {
    dialogue talk(here, limited(3));
    raw_socket peer(talk.engine, talk.listen());
    be_accepted(talk, peer);
    expect_none_counted(talk);
    for (std::size_t i = 0; i < 10; ++i) { // each is received, and given on to a receiver that does not look yet
        peer.send({.op = op_code::signal}, "", "update");
        talk.client.update_receiver(talk.expect(talk.server, op_code::signal));
        BOOST_TEST(counted(talk) == i + 1);
    }
    BOOST_TEST(talk.engine.stats().credit_used == 0U);
    std::error_code error;
    for (std::size_t left = 10; left > 0; --left) {
        BOOST_TEST(static_cast<bool>(talk.engine.get(allocation::always, error)) == (left < 3));
        BOOST_TEST(talk.expect(talk.client, op_code::signal)->status() == status::receiver_update);
    }
    BOOST_TEST(counted(talk) == 0U);
}

TOFU_TEST_CASE(a_notice_that_is_posted_counts_from_then_on, here, one_system) {
    dialogue talk(here, limited(20));
    const auto link = talk.connect();
    const auto other = talk.connect();
    talk.client.post(make(talk.engine, op_code::bye_signal, link.client));
    tofu::message_ptr goodbye = talk.expect(talk.client, op_code::signal);
    talk.expect(talk.server, op_code::signal);
    expect_none_counted(talk);
    talk.client.update_receiver(as(std::move(goodbye), op_code::signal, 0));
    BOOST_TEST(counted(talk) == 1U);
    goodbye = talk.next(talk.client);
    BOOST_TEST(counted(talk) == 1U);
    talk.client.post(as(std::move(goodbye), op_code::request, other.client));
    talk.expect(talk.server, op_code::request);
    expect_none_counted(talk);
}

BOOST_AUTO_TEST_CASE(what_is_posted_on_counts_in_the_send_queue_and_when_it_comes_back) {
    simulated_talk<> talk(limited(5));
    const auto link = talk.connect();
    const auto other = talk.connect();
    talk.world.faults().connect_hangs = 1000;
    const std::uint16_t stuck = talk.hello(tofu::tcp_address{"10.0.0.1", 1}).channel_number;
    talk.client.post(make(talk.engine, op_code::bye_signal, other.client));
    tofu::message_ptr goodbye = talk.expect(talk.client, op_code::signal);
    talk.server.post(make(talk.engine, op_code::signal, link.server));
    tofu::message_ptr received = talk.expect(talk.client, op_code::signal);
    BOOST_TEST(counted(talk) == 1U); // the hello_request, which waits with the others
    BOOST_TEST(talk.engine.stats().credit_used == 1U);
    talk.client.post(as(std::move(received), op_code::signal, stuck));
    BOOST_TEST(talk.engine.stats().credit_used == 0U);
    BOOST_TEST(counted(talk) == 2U);
    talk.client.post(as(std::move(goodbye), op_code::signal, stuck));
    BOOST_TEST(counted(talk) == 3U);
    talk.client.post(make(talk.engine, op_code::bye_signal, stuck));
    const tofu::message_ptr first = talk.expect(talk.client, op_code::signal);
    tofu::message_ptr second = talk.expect(talk.client, op_code::signal);
    talk.expect(talk.client, op_code::hello_response);
    BOOST_TEST(counted(talk) == 2U);
    second.reset();
    BOOST_TEST(counted(talk) == 1U);
}

// Every way a message can go.

namespace {

/// An engine with a limit that is never reached, in which nothing counts at first.
struct roomy : dialogue {
    explicit roomy(const setting& at, const tofu::options& more = {}) : dialogue(at, with_limit(more)) {}
    roomy(const setting& at, any_reactor made) : dialogue(at, std::move(made)) {}
    static tofu::options with_limit(tofu::options opts) {
        opts.max_messages_alive = opts.max_messages + 10'000;
        return opts;
    }
    ~roomy() { expect_none_counted(*this); }
};

/// The channel's queue is full of messages that the system does not take.
template <class Talk>
std::size_t fill_queue(Talk& talk, std::uint16_t channel) {
    std::error_code error;
    do {
        while (!error) talk.client.post(make(talk.engine, op_code::signal, channel, std::string(60'000, 'q')), error);
        BOOST_REQUIRE((error == status::send_failed));
        error.clear();
    } while (talk.engine.drain(moment));
    return talk.client.stats(channel).value().queued_messages;
}

} // namespace

TOFU_TEST_CASE(what_is_sent_and_received_counts_no_more, here, one_system) {
    roomy talk(here);
    const auto link = talk.connect();
    for (int i = 0; i < 100; ++i) {
        talk.client.post(make(talk.engine, op_code::request, link.client));
        talk.server.post(answer(talk.expect(talk.server, op_code::request), op_code::response));
        talk.expect(talk.client, op_code::response);
    }
    talk.client.post(make(talk.engine, op_code::bye_request, link.client));
    talk.server.post(answer(talk.expect(talk.server, op_code::bye_request), op_code::bye_response));
    talk.expect(talk.client, op_code::bye_response);
    talk.expect_goodbye(talk.client, link.client, "bye");
    talk.expect_goodbye(talk.server, link.server, "bye");
}

TOFU_TEST_CASE(a_refused_post_counts_as_before, here, one_system) {
    roomy talk(here);
    const auto link = talk.connect();
    expect_none_counted(talk);
    std::error_code error;
    tofu::message_ptr own = make(talk.engine, op_code::bye_response, link.client); // nobody has asked for it
    talk.client.post(std::move(own), error);
    BOOST_TEST((error == status::not_allowed));
    BOOST_TEST(counted(talk) == 1U);
    own.reset();
    talk.client.post(make(talk.engine, op_code::signal, link.client));
    tofu::message_ptr received = talk.expect(talk.server, op_code::signal);
    expect_none_counted(talk);
    received->header().op = op_code::bye_response;
    talk.server.post(std::move(received), error);
    BOOST_TEST((error == status::not_allowed));
    BOOST_TEST(counted(talk) == 0U); // it still holds its credit
    BOOST_TEST(talk.engine.stats().credit_used == 1U);
}

TOFU_TEST_CASE(what_comes_back_counts_until_it_is_released, here, one_system) {
    roomy talk(here, {.max_queued_messages = 5});
    raw_listener silent(talk.engine, loopback());
    const std::uint16_t channel = talk.hello(silent.where()).channel_number;
    const raw_socket peer = silent.accept();
    const std::size_t queued = fill_queue(talk, channel);
    BOOST_TEST(counted(talk) == queued);
    talk.client.post(make(talk.engine, op_code::bye_signal, channel));
    std::vector<tofu::message_ptr> back;
    for (std::size_t i = 1; i < queued; ++i) {
        back.push_back(talk.expect(talk.client, op_code::signal));
        BOOST_TEST(back.back()->from_engine());
    }
    back.push_back(talk.expect(talk.client, op_code::hello_response)); // the hello_request that was not answered
    talk.await([&] { return counted(talk) == queued; });               // the bye_signal is consumed
    back.clear();
    BOOST_TEST(counted(talk) == 0U);
}

TOFU_TEST_CASE(a_destroyed_group_leaves_nothing_counted, here, one_system) {
    roomy talk(here, {.max_queued_messages = 5});
    raw_listener silent(talk.engine, loopback());
    const std::uint16_t channel = talk.hello(silent.where()).channel_number;
    const raw_socket peer = silent.accept();
    fill_queue(talk, channel);
    talk.client.update_receiver();
    talk.client.update_receiver(talk.engine.get());
    const auto later = talk.client.update_receiver_after(1h, talk.engine.get());
    const auto soon = talk.client.update_receiver_after(0ms, talk.engine.get());
    talk.client = {};
}

TOFU_TEST_CASE(updates_and_timers_count_until_they_are_received_or_taken_back, here, one_system) {
    roomy talk(here);
    std::error_code error;
    talk.client.update_receiver();
    talk.client.update_receiver(talk.engine.get());
    talk.client.update_receiver_after(1ms, talk.engine.get());
    BOOST_TEST(counted(talk) == 3U);
    for (int i = 0; i < 3; ++i) talk.next(talk.client);
    BOOST_TEST(counted(talk) == 0U);

    auto at_once = talk.client.update_receiver_after(1h, talk.engine.get()); // the loop may not have seen it
    BOOST_TEST(static_cast<bool>(at_once.cancel()));
    auto scheduled = talk.client.update_receiver_after(1h, talk.engine.get());
    talk.turn_loop();
    tofu::message_ptr back = scheduled.cancel();
    BOOST_TEST(static_cast<bool>(back));
    BOOST_TEST(counted(talk) == 1U);
    back.reset();
    BOOST_TEST(counted(talk) == 0U);
    auto too_late = talk.client.update_receiver_after(0ms, talk.engine.get());
    talk.next(talk.client);
    BOOST_TEST(!too_late.cancel());
    BOOST_TEST(counted(talk) == 0U);
    tofu::message_ptr refused = talk.engine.get();
    any_group none = talk.engine.group_without_engine();
    none.update_receiver(std::move(refused), error);
    BOOST_TEST((error == status::shutdown_started));
    none.update_receiver_after(1h, std::move(refused), error);
    BOOST_TEST((error == status::shutdown_started));
    BOOST_TEST(static_cast<bool>(refused));
}

TOFU_TEST_CASE(failed_openings_leave_nothing_counted, here, one_system) {
    roomy talk(here, narrow_engine(here, roomy::with_limit({}))); // three channels
    const refusing_port nobody;
    talk.hello(nobody.where(), "refused");
    talk.expect(talk.client, op_code::hello_response);
    const tofu::address where = talk.listen();
    tofu::message_ptr again = talk.engine.get();
    BOOST_REQUIRE(again->listen_on(where) == status::success);
    talk.server.post(std::move(again));
    BOOST_TEST((talk.expect(talk.server, op_code::welcome_response)->status() == status::listen_failed));
    talk.hello(nowhere());
    talk.expect(talk.client, op_code::hello_response);
    raw_listener silent(talk.engine, loopback());
    const std::uint16_t unanswered = talk.hello(silent.where()).channel_number;
    const std::uint16_t last = talk.hello(silent.where()).channel_number;
    const std::uint16_t none = talk.hello(where, "no slot is left").channel_number;
    const tofu::message_ptr failed = talk.expect(talk.client, op_code::hello_response);
    BOOST_TEST(failed->header().channel_number == none);
    BOOST_TEST((failed->status() == status::allocation_failed));
    talk.client.post(make(talk.engine, op_code::signal, last)); // behind a hello that is not answered
    talk.client.post(make(talk.engine, op_code::bye_signal, last));
    while (talk.next(talk.client)->op() != op_code::hello_response) {
    }
    talk.client.post(make(talk.engine, op_code::bye_signal, unanswered)); // its hello_request is kept until then
    talk.expect(talk.client, op_code::hello_response);
}

TOFU_TEST_CASE(a_message_counts_at_home_wherever_it_is_posted, here, one_system) {
    roomy home(here);
    roomy abroad(here);
    const auto link = abroad.connect();
    const auto domestic = home.connect();
    expect_none_counted(home);
    expect_none_counted(abroad);
    abroad.client.post(make(home.engine, op_code::signal, link.client));
    abroad.expect(abroad.server, op_code::signal);
    expect_none_counted(home);
    abroad.client.update_receiver(home.engine.get());
    BOOST_TEST(counted(home) == 1U);
    BOOST_TEST(counted(abroad) == 0U);
    abroad.next(abroad.client);
    BOOST_TEST(counted(home) == 0U);

    home.client.post(make(home.engine, op_code::signal, domestic.client));
    tofu::message_ptr received = home.expect(home.server, op_code::signal);
    expect_none_counted(home);
    abroad.client.update_receiver(std::move(received)); // it was received by the one and is given on by the other
    BOOST_TEST(home.engine.stats().credit_used == 0U);
    BOOST_TEST(counted(home) == 1U);
    abroad.next(abroad.client);
    BOOST_TEST(counted(home) == 0U);
}

// When the engine is gone there are no figures. The owner of one message can still see how many copies may be made.
TOFU_TEST_CASE(a_stopped_engine_leaves_nothing_counted, here, one_system) {
    constexpr std::size_t room = 30;
    tofu::options opts = limited(room);
    opts.max_queued_messages = 5;
    tofu::message_ptr witness;
    {
        std::optional<dialogue> talk(std::in_place, here, opts);
        raw_listener silent(talk->engine, loopback());
        const std::uint16_t channel = talk->hello(silent.where()).channel_number;
        const raw_socket peer = silent.accept();
        fill_queue(*talk, channel);
        talk->server.update_receiver();
        const auto later = talk->client.update_receiver_after(1h, talk->engine.get());
        const auto soon = talk->client.update_receiver_after(0ms, talk->engine.get());
        talk->hello(nowhere());
        witness = talk->engine.get();
        auto group = std::move(talk->client);
        talk.reset();
        std::error_code error;
        while (group.wait_receive(patience, error)) {
        } // everything comes back, and is released
        BOOST_TEST((error == status::shutdown_started));
        witness->header().op = op_code::signal;
        witness->header().channel_number = channel;
        group.post(std::move(witness), error);
        BOOST_TEST((error == status::shutdown_started));
    }
    std::vector<tofu::message_ptr> copies;
    std::error_code error;
    while (tofu::message_ptr copy = tofu::clone(*witness, error)) {
        copies.push_back(std::move(copy));
        BOOST_REQUIRE(copies.size() < 100'000);
    }
    BOOST_TEST((error == status::allocation_failed));
    BOOST_TEST(copies.size() == room - 1);
}

BOOST_AUTO_TEST_CASE(whatever_happens_the_count_is_right) {
    std::size_t refused = 0;
    for (unsigned seed = 1; seed <= 30; ++seed) {
        alive_walk one(seed);
        for (int i = 0; i < 1000; ++i) {
            one.step();
            if (i % 100 == 99) one.come_to_rest();
        }
        one.end();
        refused += one.refused;
    }
    BOOST_TEST(refused > 1000U); // the limit was met all the time
}

BOOST_AUTO_TEST_SUITE_END()
