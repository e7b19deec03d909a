// SPDX-License-Identifier: BSL-1.0
// Protocol 3.2 and 3.3: every channel ends with exactly one message of the engine, its last. Tests the effects on
// posting and on the channel's number; 3.4, order.
#include "support/harness.hpp"
#include "support/refusing_address.hpp"
#include "support/rounds.hpp"

#include <algorithm>
#include <initializer_list>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(goodbye)

using talk_holder = std::optional<dialogue>;

/// Stops the engine and looks through everything it still leaves: nothing is about a channel that has ended before.
void expect_nothing_more_about(talk_holder& talk, std::initializer_list<std::uint16_t> channels) {
    std::array<any_group, 2> groups{std::move(talk->server), std::move(talk->client)};
    talk.reset();
    for (any_group& group : groups) {
        std::error_code error;
        while (const tofu::message_ptr m = group.wait_receive(patience, error)) {
            const std::uint16_t about = m->header().channel_number;
            BOOST_TEST(std::count(channels.begin(), channels.end(), about) == 0,
                       "after its goodbye channel " << about << " had a " << to_string(m->op()));
        }
        BOOST_TEST((error == status::shutdown_started));
    }
}

tofu::binary_header welcome(dialogue& talk, const tofu::address& where) {
    return talk.server.post(welcome_request(talk.engine, where));
}

void abort(dialogue& talk, any_group& group, std::uint16_t channel) {
    group.post(make(talk.engine, op_code::bye_signal, channel));
}

// Every way to end.

TOFU_TEST_CASE(a_bye_ends_both_sides_with_one_goodbye_each, here) {
    talk_holder talk(std::in_place, here);
    const auto link = talk->connect();
    talk->client.post(make(talk->engine, op_code::bye_request, link.client));
    talk->server.post(answer(talk->expect(talk->server, op_code::bye_request), op_code::bye_response));
    talk->expect(talk->client, op_code::bye_response);
    talk->expect_goodbye(talk->client, link.client, "bye");
    talk->expect_goodbye(talk->server, link.server, "bye");
    expect_nothing_more_about(talk, {link.client, link.server});
}

TOFU_TEST_CASE(an_aborted_channel_says_goodbye_once, here) {
    talk_holder talk(std::in_place, here);
    const auto link = talk->connect();
    abort(*talk, talk->client, link.client);
    talk->expect_goodbye(talk->client, link.client, "aborted");
    talk->expect_goodbye(talk->server, link.server, here.reason_of_abort());
    expect_nothing_more_about(talk, {link.client, link.server});
}

TOFU_TEST_CASE(two_bye_signals_make_one_goodbye, here) {
    talk_holder talk(std::in_place, here);
    const auto link = talk->connect();
    std::error_code error;
    for (int i = 0; i < 3; ++i)
        talk->client.post(make(talk->engine, op_code::bye_signal, link.client), error); // the later ones may be refused
    talk->expect_goodbye(talk->client, link.client, "aborted");
    talk->expect_goodbye(talk->server, link.server, here.reason_of_abort());
    expect_nothing_more_about(talk, {link.client, link.server});
}

TOFU_TEST_CASE(a_peer_that_leaves_ends_the_channel_once, here) {
    for (const bool resets : {false, true}) {
        talk_holder talk(std::in_place, here);
        raw_socket peer(talk->engine, talk->listen());
        const std::uint16_t channel = be_accepted(*talk, peer);
        if (resets)
            peer.reset();
        else
            peer.close();
        talk->expect_goodbye(talk->server, channel, resets ? here.reason_of_abort() : "peer_disconnected");
        expect_nothing_more_about(talk, {channel});
    }
}

TOFU_TEST_CASE(a_violation_ends_the_channel_once, here) {
    talk_holder talk(std::in_place, here);
    raw_socket peer(talk->engine, talk->listen());
    const std::uint16_t channel = be_accepted(*talk, peer);
    peer.send({.op = static_cast<op_code>(12)});
    // The channel may have ended before this one is sent.
    static_cast<void>(peer.try_send(raw_socket::wire_of({.op = static_cast<op_code>(13)})));
    talk->expect_goodbye(talk->server, channel, "violation:invalid_op_code");
    expect_nothing_more_about(talk, {channel});
}

TOFU_TEST_CASE(a_refused_connection_ends_with_a_failed_hello_response, here) {
    talk_holder talk(std::in_place, here);
    const refusing_address refusing(here);
    const tofu::binary_header hello = talk->hello(refusing.where());
    talk->expect_failed(talk->client, op_code::hello_response, hello, status::connect_failed, "connect_refused");
    expect_nothing_more_about(talk, {hello.channel_number});
}

TOFU_TEST_CASE(a_second_listener_on_an_address_ends_with_a_failed_welcome_response, here) {
    talk_holder talk(std::in_place, here);
    const tofu::address where = talk->listen();
    const tofu::binary_header second = welcome(*talk, where);
    talk->expect_failed(talk->server, op_code::welcome_response, second, status::listen_failed, "address_in_use");
    talk->connect(where); // the first is unharmed
    expect_nothing_more_about(talk, {second.channel_number});
}

TOFU_TEST_CASE(an_aborted_listener_says_goodbye_once_and_its_connections_live_on, here) {
    talk_holder talk(std::in_place, here);
    const auto link = talk->connect();
    const std::uint16_t listener = talk->listener;
    abort(*talk, talk->server, listener);
    talk->expect_goodbye(talk->server, listener, "aborted");
    talk->client.post(make(talk->engine, op_code::request, link.client, "still there?"));
    BOOST_TEST(body_of(*talk->expect(talk->server, op_code::request)) == "still there?");
    expect_nothing_more_about(talk, {listener});
}

TOFU_TEST_CASE(a_stopped_engine_says_goodbye_for_every_channel, here) {
    talk_holder talk(std::in_place, here);
    const auto link = talk->connect();
    const std::uint16_t listener = talk->listener;
    any_group server = std::move(talk->server);
    any_group client = std::move(talk->client);
    talk.reset();
    const auto goodbyes_of = [](any_group& group) {
        std::vector<std::uint16_t> channels;
        std::error_code error;
        while (const tofu::message_ptr m = group.wait_receive(patience, error)) {
            BOOST_TEST((m->op() == op_code::signal));
            BOOST_TEST(m->from_engine());
            BOOST_TEST(to_string(m->status()) == to_string(status::channel_closed));
            BOOST_TEST(reason_of(*m) == "engine_stopped");
            channels.push_back(m->header().channel_number);
        }
        BOOST_TEST((error == status::shutdown_started));
        std::sort(channels.begin(), channels.end());
        return channels;
    };
    std::vector<std::uint16_t> expected{listener, link.server};
    std::sort(expected.begin(), expected.end());
    BOOST_TEST(goodbyes_of(server) == expected, boost::test_tools::per_element());
    BOOST_TEST(goodbyes_of(client) == std::vector<std::uint16_t>{link.client}, boost::test_tools::per_element());
}

TOFU_TEST_CASE(a_destroyed_group_leaves_its_peers_a_goodbye, here) {
    talk_holder talk(std::in_place, here);
    const auto link = talk->connect();
    { const any_group gone = std::move(talk->client); }
    talk->expect_goodbye(talk->server, link.server, "peer_disconnected");
    talk->client = talk->engine.create_group();
    talk->server.post(make(talk->engine, op_code::bye_signal, talk->listener));
    talk->expect_goodbye(talk->server, talk->listener, "aborted");
    expect_nothing_more_about(talk, {link.client, link.server});
}

// Before the conversation stands.

TOFU_TEST_CASE(aborting_the_hello_on_either_side_fails_the_hello_request, here) {
    for (const bool by_client : {true, false}) {
        talk_holder talk(std::in_place, here);
        const tofu::binary_header hello = talk->hello(talk->listen());
        const std::uint16_t server = talk->expect(talk->server, op_code::hello_request)->header().channel_number;
        if (by_client) {
            abort(*talk, talk->client, hello.channel_number);
            talk->expect_failed(talk->client, op_code::hello_response, hello, status::channel_closed, "aborted");
            talk->expect_goodbye(talk->server, server, here.reason_of_abort());
        } else {
            abort(*talk, talk->server, server);
            talk->expect_goodbye(talk->server, server, "aborted");
            talk->expect_failed(talk->client, op_code::hello_response, hello, status::peer_disconnected,
                                here.reason_of_abort());
        }
        expect_nothing_more_about(talk, {hello.channel_number, server});
    }
}

TOFU_TEST_CASE(a_hello_refused_with_a_bye_request_ends_with_a_failed_hello_response, here) {
    talk_holder talk(std::in_place, here);
    const tofu::binary_header hello = talk->hello(talk->listen());
    tofu::message_ptr m = talk->expect(talk->server, op_code::hello_request);
    const std::uint16_t server = m->header().channel_number;
    talk->server.post(answer(std::move(m), op_code::bye_request));
    m = talk->expect(talk->client, op_code::bye_request);
    BOOST_TEST(m->header().channel_number == hello.channel_number);
    talk->client.post(answer(std::move(m), op_code::bye_response));
    talk->expect(talk->server, op_code::bye_response);
    talk->expect_goodbye(talk->server, server, "bye");
    talk->expect_failed(talk->client, op_code::hello_response, hello, status::channel_closed, "bye");
    expect_nothing_more_about(talk, {hello.channel_number, server});
}

TOFU_TEST_CASE(a_peers_hello_response_with_a_status_leaves_the_channel_open, here) {
    talk_holder talk(std::in_place, here);
    const tofu::binary_header hello = talk->hello(talk->listen());
    tofu::message_ptr m = talk->expect(talk->server, op_code::hello_request);
    const std::uint16_t server = m->header().channel_number;
    m->header().op = op_code::hello_response;
    m->header().status_byte = static_cast<std::uint8_t>(status::connect_failed);
    talk->server.post(std::move(m));
    m = talk->expect(talk->client, op_code::hello_response);
    BOOST_TEST(!m->from_engine());
    BOOST_TEST(to_string(m->status()) == to_string(status::connect_failed));
    BOOST_TEST(m->header().message_id == hello.message_id);

    talk->client.post(make(talk->engine, op_code::request, hello.channel_number, "all the same"));
    BOOST_TEST(body_of(*talk->expect(talk->server, op_code::request)) == "all the same");
    abort(*talk, talk->client, hello.channel_number);
    talk->expect_goodbye(talk->client, hello.channel_number, "aborted"); // a signal: it was open
    talk->expect_goodbye(talk->server, server, here.reason_of_abort());
    expect_nothing_more_about(talk, {hello.channel_number, server});
}

TOFU_TEST_CASE(a_bye_signal_right_behind_a_hello_request_ends_it_once, here) {
    talk_holder talk(std::in_place, here);
    const tofu::address where = talk->listen();
    for (int round = 0; round < 20; ++round) {
        const tofu::binary_header hello = talk->hello(where);
        abort(*talk, talk->client, hello.channel_number);
        talk->expect_failed(talk->client, op_code::hello_response, hello, status::channel_closed, "aborted");
        std::error_code error;
        talk->client.post(make(talk->engine, op_code::bye_signal, hello.channel_number), error);
        BOOST_TEST((error == status::invalid_channel_number));
    }
    talk->expect_silence(talk->client);
}

TOFU_TEST_CASE(a_bye_signal_right_behind_a_welcome_request_ends_it_once, here) {
    talk_holder talk(std::in_place, here);
    for (int round = 0; round < 20; ++round) {
        const tofu::binary_header request = welcome(*talk, here.new_address());
        abort(*talk, talk->server, request.channel_number);
        tofu::message_ptr m = talk->expect(talk->server, op_code::welcome_response);
        BOOST_TEST(m->from_engine());
        BOOST_TEST(m->header().message_id == request.message_id);
        if (m->status() == status::success)
            talk->expect_goodbye(talk->server, request.channel_number, "aborted");
        else
            BOOST_TEST(reason_of(*m) == "aborted");
    }
    talk->expect_silence(talk->server);
}

TOFU_TEST_CASE(a_bye_signal_works_after_ones_own_bye_and_after_the_peers, here) {
    talk_holder talk(std::in_place, here);
    auto link = talk->connect();
    talk->client.post(make(talk->engine, op_code::bye_request, link.client));
    talk->expect(talk->server, op_code::bye_request);
    abort(*talk, talk->client, link.client);
    talk->expect_goodbye(talk->client, link.client, "aborted");
    if (here.tells_aborts()) {
        talk->expect_goodbye(talk->server, link.server, "peer_reset");
    } else { // an end of stream, behind which the answer to the bye is still owed
        abort(*talk, talk->server, link.server);
        talk->expect_goodbye(talk->server, link.server, "aborted");
    }

    link = talk->connect();
    talk->client.post(make(talk->engine, op_code::bye_request, link.client));
    talk->expect(talk->server, op_code::bye_request);
    abort(*talk, talk->server, link.server);
    talk->expect_goodbye(talk->server, link.server, "aborted");
    talk->expect_goodbye(talk->client, link.client, here.reason_of_abort());
    expect_nothing_more_about(talk, {link.client, link.server});
}

TOFU_TEST_CASE(a_bye_signal_works_while_a_half_closed_peer_is_served, here) {
    dialogue talk(here, {.max_queued_bytes = 1024 * 1024, .bye_time = 0ms});
    raw_socket peer(talk.engine, talk.listen());
    const std::uint16_t channel = be_accepted(talk, peer);
    const std::string large(tofu::max_part_length, 'x');
    std::error_code error;
    do {
        while (!error) talk.server.post(make(talk.engine, op_code::signal, channel, large), error);
        BOOST_REQUIRE((error == status::send_failed));
        error.clear();
    } while (talk.engine.drain(moment));
    peer.shutdown_write();
    talk.expect_silence(talk.server); // the peer does not read, so queued messages stay; posting is over
    talk.server.post(make(talk.engine, op_code::signal, channel), error);
    BOOST_TEST((error == status::invalid_channel_number));
    error.clear();
    talk.server.post(make(talk.engine, op_code::bye_signal, channel), error);
    BOOST_REQUIRE_MESSAGE(!error, "a bye_signal works in every state, but: " << error.message());
    std::size_t returned = 0;
    tofu::message_ptr m = talk.next(talk.server);
    for (; !m->headers().contains(tofu::reason_header); m = talk.next(talk.server)) ++returned;
    BOOST_TEST(returned != 0U);
    BOOST_TEST(reason_of(*m) == "aborted");
}

// Channels there is no room for.

TOFU_TEST_CASE(a_hello_request_without_a_free_channel_is_answered, here, unvaried_only) {
    dialogue talk(here, narrow_engine(here));
    const tofu::address where = talk.listen();
    const auto link = talk.connect(where);
    const tofu::binary_header hello = talk.hello(where);
    std::error_code error;
    const tofu::binary_header behind =
        talk.client.post(make(talk.engine, op_code::request, hello.channel_number, "and?"), error);
    if (!error) {
        const tofu::message_ptr m = talk.expect(talk.client, op_code::request);
        BOOST_TEST(m->from_engine());
        BOOST_TEST(m->header().message_id == behind.message_id);
        BOOST_TEST(body_of(*m) == "and?");
        BOOST_TEST(to_string(m->status()) == to_string(status::allocation_failed));
    }
    talk.expect_failed(talk.client, op_code::hello_response, hello, status::allocation_failed, "out_of_channels");
    const tofu::binary_header second = welcome(talk, here.new_address());
    talk.expect_failed(talk.server, op_code::welcome_response, second, status::allocation_failed, "out_of_channels");
    talk.client.post(make(talk.engine, op_code::request, link.client, "the others live on"));
    talk.expect(talk.server, op_code::request);
    talk.expect_silence(talk.client);
}

// Post and close.

TOFU_TEST_CASE(a_post_after_the_goodbye_is_refused_and_stays_with_the_caller, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    abort(talk, talk.client, link.client);
    talk.expect_goodbye(talk.client, link.client, "aborted");
    for (const op_code op : {op_code::request, op_code::signal, op_code::bye_request, op_code::bye_signal}) {
        tofu::message_ptr m = make(talk.engine, op, link.client, "too late");
        std::error_code error;
        talk.client.post(std::move(m), error);
        BOOST_TEST((error == status::invalid_channel_number));
        BOOST_REQUIRE(m);
        BOOST_TEST((m->op() == op));
        BOOST_TEST(body_of(*m) == "too late");
    }
    talk.expect_silence(talk.client);
}

/// Has numbers given out until `last` was; as there is no free channel, each ends at once. `reserved` must not be among
/// them. (No Boost.Test check where all is well: there are 65,534 of them.)
void use_up_numbers(dialogue& talk, any_group& group, const tofu::address& where, std::uint16_t last,
                    std::uint16_t reserved) {
    for (bool done = false; !done;) {
        std::size_t asked = 0;
        for (; asked < 1000 && !done; ++asked) {
            const std::uint16_t number = group.post(hello_request(talk.engine, where)).channel_number;
            if (number == reserved) BOOST_FAIL("number " << number << " was given out before its goodbye was taken");
            done = number == last;
        }
        for (; asked > 0; --asked) {
            const tofu::message_ptr m = group.wait_receive(patience);
            if (!m || m->op() != op_code::hello_response || reason_of(*m) != "out_of_channels")
                BOOST_FAIL("expected no channel, got " << (m ? m->headers().wire() : "nothing"));
        }
    }
}

// Two hundred thousand numbers, which neither poll policies nor transports know of: one of each is enough.
TOFU_TEST_CASE(a_number_is_free_after_its_goodbye_and_a_late_answer_reaches_nobody, here, defaults_only& tcp_only) {
    dialogue talk(here, narrow_engine(here));
    const tofu::address where = talk.listen();
    const std::uint16_t number = talk.hello(where).channel_number;
    std::uint16_t server = talk.accept();
    tofu::message_ptr late = talk.expect(talk.client, op_code::hello_response);
    abort(talk, talk.client, number);
    talk.expect_goodbye(talk.server, server, here.reason_of_abort()); // the client leaves its goodbye where it is

    auto others = talk.engine.create_group(); // its connection takes the free channels
    const std::uint16_t others_number = others.post(hello_request(talk.engine, where)).channel_number;
    const std::uint16_t others_server = talk.accept();
    talk.expect(others, op_code::hello_response);

    use_up_numbers(talk, others, where, tofu::last_channel, number); // once round
    use_up_numbers(talk, others, where, server, number);
    talk.expect_goodbye(talk.client, number, "aborted");
    std::error_code error;
    late->header().op = op_code::request;
    talk.client.post(std::move(late), error);
    BOOST_TEST((error == status::invalid_channel_number));
    BOOST_REQUIRE(late);
    use_up_numbers(talk, others, where, tofu::last_channel, 0); // and once more, until it is the number's turn again

    abort(talk, others, others_number);
    talk.expect_goodbye(others, others_number, "aborted");
    talk.expect_goodbye(talk.server, others_server, here.reason_of_abort());
    BOOST_REQUIRE(talk.hello(where).channel_number == number);
    server = talk.accept();
    talk.expect(talk.client, op_code::hello_response);
    talk.client.post(std::move(late), error);
    BOOST_TEST((error == status::invalid_channel_number));
    BOOST_TEST(static_cast<bool>(late));
    talk.client.post(make(talk.engine, op_code::request, number, "written by hand"), error);
    BOOST_TEST(!error);
    const tofu::message_ptr m = talk.expect(talk.server, op_code::request);
    BOOST_TEST(m->header().channel_number == server);
    BOOST_TEST(body_of(*m) == "written by hand");
}

// Order.

/// The message with this number, of any size up to the largest.
tofu::message_ptr make_numbered(any_reactor& engine, std::uint16_t channel, std::size_t index) {
    const bool largest = index % 500 == 7;
    const std::size_t body = largest ? tofu::max_part_length : index * 37 % 1500;
    const std::size_t value = largest ? tofu::max_part_length - std::string_view("n:\r\n").size() : index * 11 % 700;
    const char fill = static_cast<char>('a' + index % 26);
    tofu::message_ptr m = make(engine, op_code::signal, channel, std::string(body, fill), index + 1);
    BOOST_REQUIRE(m->headers().append("n", std::string(value, fill)) == status::success);
    return m;
}

/// One side of a conversation in which both post as fast as they can.
struct talker {
    static constexpr std::size_t count = rounds(10'000);

    bool post_some(dialogue& talk) {
        std::error_code error;
        for (; posted < count; ++posted) {
            if (!next) next = make_numbered(talk.engine, channel, posted);
            group.post(std::move(next), error);
            if (error == status::send_failed) return false;
            BOOST_REQUIRE(!error);
        }
        return true;
    }
    void receive_some(dialogue& talk) {
        while (const tofu::message_ptr m = group.wait_receive(0ms)) {
            if (m->from_engine() && m->status() == status::pool_empty) continue;
            const tofu::message_ptr expected = make_numbered(talk.engine, channel, received);
            const bool as_posted = !m->from_engine() && m->header().message_id == expected->header().message_id &&
                                   m->headers().wire() == expected->headers().wire() &&
                                   body_of(*m) == body_of(*expected);
            BOOST_REQUIRE_MESSAGE(as_posted, "message " << received << " is not what was posted");
            ++received;
        }
    }

    any_group& group;
    std::uint16_t channel;
    tofu::message_ptr next = nullptr;
    std::size_t posted = 0;
    std::size_t received = 0;
};

// Not every pair of poll policy and transport: it takes long.
TOFU_TEST_CASE(messages_of_all_sizes_arrive_in_order_both_ways, here, each_once) {
    dialogue talk(here);
    const auto link = talk.connect();
    std::array<talker, 2> sides{
        {{.group = talk.client, .channel = link.client}, {.group = talk.server, .channel = link.server}}};
    auto until = std::chrono::steady_clock::now() + patience;
    std::size_t received = 0;
    const auto all_here = [](const auto& side) { return side.received == side.count; };
    while (!std::all_of(sides.begin(), sides.end(), all_here)) {
        BOOST_REQUIRE_MESSAGE(std::chrono::steady_clock::now() < until, "it does not go on");
        for (auto& side : sides) side.post_some(talk);
        for (auto& side : sides) side.receive_some(talk);
        const std::size_t now = sides[0].received + sides[1].received;
        if (now != received) until = std::chrono::steady_clock::now() + patience;
        received = now;
    }
}

BOOST_AUTO_TEST_SUITE_END()
