// SPDX-License-Identifier: BSL-1.0
// Hellos with and without an answer: every order in which a server may accept, and the messages that each side may send
// before that.
#include "support/harness.hpp"

#include <initializer_list>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(hellos)

namespace {

constexpr std::initializer_list<op_code> regular{op_code::request, op_code::response, op_code::signal};

/// An engine that has said hello to a server of bytes.
struct asked {
    explicit asked(const setting& here, const tofu::options& opts = {})
        : talk(here, opts)
        , listener(talk.engine, here.new_address())
        , hello(talk.hello(listener.where(), "hello"))
        , peer(listener.accept()) {
        const auto got = peer.receive();
        BOOST_REQUIRE(got);
        BOOST_TEST(got->body == "hello");
    }

    void send(op_code op, std::string_view body = {}, std::uint8_t status_byte = 0) {
        peer.send({.op = op, .status_byte = status_byte, .message_id = 7}, "", body);
    }
    /// The next event of the client, which is not the engine's.
    tofu::message_ptr expect(op_code op, std::string_view body = {}) {
        tofu::message_ptr m = talk.expect(talk.client, op);
        BOOST_TEST(!m->from_engine());
        BOOST_TEST(body_of(*m) == body);
        return m;
    }
    void post(op_code op, std::string_view body = {}) {
        talk.client.post(make(talk.engine, op, hello.channel_number, body));
    }
    void expect_at_peer(op_code op) {
        const auto got = peer.receive();
        BOOST_REQUIRE(got);
        BOOST_TEST(to_string(got->header.op) == to_string(op));
    }
    /// The channel has opened, and works.
    void expect_open() {
        post(op_code::request, "are you there?");
        expect_at_peer(op_code::request);
        send(op_code::response, "yes");
        expect(op_code::response, "yes");
    }
    void expect_not_opened(status why, std::string_view reason) {
        talk.expect_failed(talk.client, op_code::hello_response, hello, why, reason);
    }

    dialogue talk;
    raw_listener listener;
    tofu::binary_header hello;
    raw_socket peer;
};

/// An engine that is asked, with options::implicit_hello, and one that asks it.
struct implicit {
    explicit implicit(const setting& here, const tofu::options& opts = {.implicit_hello = true}) : talk(here, opts) {
        client = talk.hello(talk.listen(), "hello").channel_number;
        hello = talk.expect(talk.server, op_code::hello_request);
        server = hello->header().channel_number;
    }
    void post(op_code op, std::string_view body = {}) { talk.server.post(make(talk.engine, op, server, body)); }
    status refusal(op_code op) {
        tofu::message_ptr m = make(talk.engine, op, server);
        std::error_code error;
        talk.server.post(std::move(m), error);
        BOOST_TEST(static_cast<bool>(m) == static_cast<bool>(error));
        return failure(error);
    }

    dialogue talk;
    std::uint16_t client = 0;
    std::uint16_t server = 0;
    tofu::message_ptr hello;
};

} // namespace

// The connecting side: a server that does not answer, as in the dialogue of Zig programs.

TOFU_TEST_CASE(the_first_regular_message_of_a_server_accepts, here) {
    for (const op_code op : regular) {
        asked a(here);
        a.send(op, "just started");
        const tofu::message_ptr m = a.expect(op, "just started"); // the first event: no hello_response is made up
        BOOST_TEST(m->header().channel_number == a.hello.channel_number);
        a.expect_open();
        a.post(op_code::bye_request);
        a.expect_at_peer(op_code::bye_request);
        a.send(op_code::bye_response);
        a.expect(op_code::bye_response);
        a.peer.shutdown_write();
        a.talk.expect_goodbye(a.talk.client, a.hello.channel_number, "bye");
    }
}

TOFU_TEST_CASE(one_hello_response_may_follow_with_any_status_and_changes_nothing, here) {
    for (const std::uint8_t status_byte : {std::uint8_t{0}, std::uint8_t{3}, std::uint8_t{200}}) {
        asked a(here);
        a.send(op_code::signal, "first");
        a.send(op_code::hello_response, "late", status_byte);
        a.expect(op_code::signal, "first");
        BOOST_TEST(a.expect(op_code::hello_response, "late")->header().status_byte == status_byte);
        a.expect_open();
        a.send(op_code::hello_response, "once too often");
        a.talk.expect_goodbye(a.talk.client, a.hello.channel_number, "violation:invalid_op_code");
    }
}

TOFU_TEST_CASE(a_hello_response_before_regular_messages_is_the_only_one, here) {
    asked a(here);
    a.send(op_code::hello_response, "welcome");
    a.expect(op_code::hello_response, "welcome");
    a.expect_open();
    a.send(op_code::hello_response);
    a.talk.expect_goodbye(a.talk.client, a.hello.channel_number, "violation:invalid_op_code");
}

TOFU_TEST_CASE(a_hello_response_with_a_status_is_delivered_and_opens, here) {
    asked a(here);
    a.send(op_code::hello_response, "no", 3);
    BOOST_TEST(a.expect(op_code::hello_response, "no")->header().status_byte == 3U);
    a.expect_open();
}

TOFU_TEST_CASE(a_hello_response_after_the_servers_bye_is_a_violation, here) {
    asked a(here);
    a.send(op_code::signal);
    a.send(op_code::bye_request);
    a.send(op_code::hello_response);
    a.expect(op_code::signal);
    a.expect(op_code::bye_request);
    a.talk.expect_goodbye(a.talk.client, a.hello.channel_number, "violation:invalid_op_code");
}

TOFU_TEST_CASE(an_implicit_acceptance_that_is_not_complete_does_not_open, here) {
    asked a(here);
    std::vector<std::byte> part = raw_socket::wire_of({.op = op_code::signal}, "", "cut off");
    part.pop_back();
    a.peer.send(part);
    a.peer.shutdown_write();
    a.expect_not_opened(status::peer_disconnected, "peer_disconnected");
}

TOFU_TEST_CASE(a_bye_request_as_an_answer_does_not_open, here) {
    asked a(here);
    a.send(op_code::bye_request);
    a.talk.client.post(answer(a.expect(op_code::bye_request), op_code::bye_response));
    a.expect_at_peer(op_code::bye_response);
    a.peer.shutdown_write();
    a.expect_not_opened(status::channel_closed, "bye");
}

TOFU_TEST_CASE(a_bye_response_as_an_answer_does_not_open, here) {
    asked a(here);
    a.post(op_code::bye_request);
    a.expect_at_peer(op_code::bye_request);
    a.send(op_code::bye_response);
    a.expect(op_code::bye_response);
    a.peer.shutdown_write();
    a.expect_not_opened(status::channel_closed, "bye");
}

TOFU_TEST_CASE(a_bye_signal_as_an_answer_does_not_open, here) {
    asked a(here);
    a.send(op_code::bye_signal);
    a.expect_not_opened(status::channel_closed, "peer_aborted");
}

TOFU_TEST_CASE(the_hello_limit_ends_with_an_implicit_acceptance, here, with_timers) {
    script play;
    dialogue talk(here, scripted_engine(here, play));
    raw_listener listener(talk.engine, here.new_address());
    const std::uint16_t channel = talk.hello(listener.where()).channel_number;
    raw_socket peer = listener.accept();
    BOOST_REQUIRE(peer.receive());
    peer.send({.op = op_code::signal, .message_id = 1});
    talk.expect(talk.client, op_code::signal);
    play.clock_lead += 60'000;
    talk.turn_loop();
    talk.turn_loop();
    talk.client.post(make(talk.engine, op_code::request, channel));
    BOOST_REQUIRE(peer.receive()); // it is still there
}

TOFU_TEST_CASE(a_server_that_stays_silent_runs_into_the_hello_limit, here, with_timers) {
    script play;
    dialogue talk(here, scripted_engine(here, play));
    raw_listener listener(talk.engine, here.new_address());
    const tofu::binary_header hello = talk.hello(listener.where());
    raw_socket peer = listener.accept();
    BOOST_REQUIRE(peer.receive());
    play.clock_lead += 11'000;
    talk.turn_loop();
    talk.expect_failed(talk.client, op_code::hello_response, hello, status::communication_failed, "hello_timeout");
}

// The peer's bye_signal.

TOFU_TEST_CASE(a_bye_signal_of_the_peer_ends_the_channel_and_the_queue_comes_back, here) {
    dialogue talk(here);
    raw_socket peer(talk.engine, talk.listen());
    const std::uint16_t channel = be_accepted(talk, peer);
    std::size_t posted = 0;
    std::error_code error;
    do {
        while (!error) {
            talk.server.post(make(talk.engine, op_code::signal, channel, std::string(60'000, 'q')), error);
            if (!error) ++posted;
        }
        error.clear();
    } while (talk.engine.drain(moment));
    peer.send({.op = op_code::request, .message_id = 1}, "", "before");
    peer.send({.op = op_code::bye_signal, .message_id = 2});
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "before");
    std::size_t returned = 0;
    tofu::message_ptr m = talk.next(talk.server);
    for (; !m->why(); m = talk.next(talk.server), ++returned) BOOST_TEST((m->status() == status::channel_closed));
    BOOST_TEST(returned != 0U);
    BOOST_TEST(returned < posted);
    BOOST_TEST((m->op() == op_code::signal)); // the goodbye, and not the peer's message
    BOOST_TEST((*m->why() == tofu::cause::of(tofu::reason::peer_aborted)));
    BOOST_TEST(reason_of(*m) == "peer_aborted");
    BOOST_TEST(m->header().channel_number == channel);
}

TOFU_TEST_CASE(a_bye_signal_need_not_be_whole, here) {
    dialogue talk(here);
    raw_socket peer(talk.engine, talk.listen());
    const std::uint16_t channel = be_accepted(talk, peer);
    std::vector<std::byte> header = raw_socket::wire_of({.op = op_code::bye_signal}, "a:b\r\n", "body");
    header.resize(tofu::binary_header::wire_size);
    peer.send(header);
    talk.expect_goodbye(talk.server, channel, "peer_aborted");
}

TOFU_TEST_CASE(a_bye_signal_is_an_abort_also_after_a_bye_request, here) {
    dialogue talk(here);
    raw_socket peer(talk.engine, talk.listen());
    const std::uint16_t channel = be_accepted(talk, peer);
    peer.send({.op = op_code::bye_request, .message_id = 1});
    peer.send({.op = op_code::bye_signal, .message_id = 2});
    talk.expect(talk.server, op_code::bye_request);
    talk.expect_goodbye(talk.server, channel, "peer_aborted");
}

TOFU_TEST_CASE(a_bye_signal_after_both_byes_spoils_nothing, here) {
    dialogue talk(here, {.grace_time = 60s});
    raw_socket peer(talk.engine, talk.listen());
    const std::uint16_t channel = be_accepted(talk, peer);
    peer.send({.op = op_code::bye_request, .message_id = 1});
    talk.server.post(answer(talk.expect(talk.server, op_code::bye_request), op_code::bye_response));
    BOOST_REQUIRE(peer.receive());
    static_cast<void>(peer.try_send(raw_socket::wire_of({.op = op_code::bye_signal})));
    talk.expect_goodbye(talk.server, channel, "bye");
}

TOFU_TEST_CASE(a_bye_signal_instead_of_a_hello_is_counted_and_not_announced, here) {
    dialogue talk(here);
    const tofu::address where = talk.listen();
    for (std::uint64_t i = 1; i <= 3; ++i) {
        raw_socket peer(talk.engine, where);
        peer.send({.op = op_code::bye_signal});
        peer.reads_until_end();
        talk.await([&] { return talk.engine.stats().refused == i; });
    }
    talk.expect_silence(talk.server);
    talk.connect(where);
    BOOST_TEST(talk.engine.stats().refused == 3U);
}

// The accepting side.

TOFU_TEST_CASE(without_the_option_a_server_answers_the_hello_first, here) {
    implicit i(here, {});
    for (const op_code op : regular) BOOST_TEST(to_string(i.refusal(op)) == "not_allowed");
    BOOST_TEST(to_string(i.refusal(op_code::bye_response)) == "not_allowed");
    i.post(op_code::hello_response);
    for (const op_code op : regular) i.post(op);
    for (const op_code op : {op_code::hello_response, op_code::request, op_code::response, op_code::signal})
        i.talk.expect(i.talk.client, op);
}

TOFU_TEST_CASE(with_the_option_a_regular_message_accepts, here) {
    for (const op_code op : regular) {
        implicit i(here);
        i.post(op, "just started");
        BOOST_TEST(body_of(*i.talk.expect(i.talk.client, op)) == "just started");
        i.talk.client.post(make(i.talk.engine, op_code::request, i.client, "go on"));
        i.talk.server.post(answer(i.talk.expect(i.talk.server, op_code::request), op_code::response));
        i.talk.expect(i.talk.client, op_code::response);
    }
}

TOFU_TEST_CASE(with_the_option_one_hello_response_may_come_before_or_behind, here) {
    for (const bool first : {true, false}) {
        implicit i(here);
        if (first) i.post(op_code::hello_response);
        i.post(op_code::signal);
        if (!first) i.post(op_code::hello_response);
        BOOST_TEST(to_string(i.refusal(op_code::hello_response)) == "not_allowed");
        i.post(op_code::request);
        i.talk.expect(i.talk.client, first ? op_code::hello_response : op_code::signal);
        i.talk.expect(i.talk.client, first ? op_code::signal : op_code::hello_response);
        i.talk.expect(i.talk.client, op_code::request);
    }
}

TOFU_TEST_CASE(with_the_option_a_bye_is_answered_once_the_hello_is, here) {
    implicit i(here);
    i.talk.client.post(make(i.talk.engine, op_code::bye_request, i.client));
    i.talk.expect(i.talk.server, op_code::bye_request);
    BOOST_TEST(to_string(i.refusal(op_code::bye_response)) == "not_allowed");
    i.post(op_code::signal, "accepted");
    i.post(op_code::bye_response);
    BOOST_TEST(body_of(*i.talk.expect(i.talk.client, op_code::signal)) == "accepted");
    i.talk.expect(i.talk.client, op_code::bye_response);
    i.talk.expect_goodbye(i.talk.client, i.client, "bye");
    i.talk.expect_goodbye(i.talk.server, i.server, "bye");
}

TOFU_TEST_CASE(with_the_option_a_hello_can_still_be_refused, here) {
    implicit i(here);
    i.post(op_code::bye_request);
    BOOST_TEST(to_string(i.refusal(op_code::signal)) == "not_allowed");
    i.talk.client.post(answer(i.talk.expect(i.talk.client, op_code::bye_request), op_code::bye_response));
    i.talk.expect(i.talk.server, op_code::bye_response);
    i.talk.expect_goodbye(i.talk.server, i.server, "bye");
    BOOST_TEST(reason_of(*i.talk.expect(i.talk.client, op_code::hello_response)) == "bye");
}

// The hello decides who may speak, so a server that checks it must not act on what came behind it yet.
TOFU_TEST_CASE(what_a_client_posts_before_it_is_answered_comes_behind_its_hello, here) {
    dialogue talk(here);
    const std::uint16_t client = talk.hello(talk.listen(), "who I am").channel_number;
    for (const op_code op : regular) talk.client.post(make(talk.engine, op, client, to_string(op)));
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::hello_request)) == "who I am");
    for (const op_code op : regular) BOOST_TEST(body_of(*talk.expect(talk.server, op)) == to_string(op));
}

BOOST_AUTO_TEST_SUITE_END()
