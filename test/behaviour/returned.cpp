// SPDX-License-Identifier: BSL-1.0
// Returned messages are whole, and the engine's additions to them are not sent when they are posted again.
#include "support/harness.hpp"
#include "support/refusing_address.hpp"

#include <tofu/engine/protocol/post_checks.hpp>

#include <algorithm>
#include <memory>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(returned)

namespace {

std::uint8_t byte_of(status what) { return static_cast<std::uint8_t>(what); }

/// A peer of bytes that has said hello and was welcomed.
struct watched_wire {
    explicit watched_wire(const setting& here, const tofu::options& opts = {})
        : talk(here, scripted_engine(here, play, opts)) {
        peer = std::make_unique<raw_socket>(talk.engine, talk.listen());
        channel = be_accepted(talk, *peer);
    }

    /// Posts `m` as a signal on the watched channel. Returns the message that the peer receives.
    raw_socket::received post(tofu::message_ptr m) {
        m->header().op = op_code::signal;
        m->header().channel_number = channel;
        talk.server.post(std::move(m));
        const auto got = peer->receive();
        BOOST_REQUIRE(got);
        BOOST_REQUIRE((got->header.op == op_code::signal));
        return *got;
    }

    /// A signal that was not sent, because the channel still waited for its address.
    tofu::message_ptr come_back(std::uint8_t own_status) {
        const std::uint16_t number = talk.hello(tofu::tcp_address{"some.name", 80}).channel_number;
        tofu::message_ptr m = make(talk.engine, op_code::signal, number, "not sent", 9);
        m->header().status_byte = own_status;
        talk.client.post(std::move(m));
        talk.client.post(make(talk.engine, op_code::bye_signal, number));
        m = talk.expect(talk.client, op_code::signal);
        BOOST_REQUIRE(m->from_engine());
        talk.expect(talk.client, op_code::hello_response);
        return m;
    }

    script play;
    dialogue talk;
    std::unique_ptr<raw_socket> peer;
    std::uint16_t channel = 0;
};

/// Text headers, body and user pointer that are told apart from others.
struct belongings {
    tofu::message_ptr give(tofu::message_ptr m) {
        BOOST_REQUIRE(m->headers().append("name", "value") == status::success);
        BOOST_REQUIRE(m->headers().append(tofu::reason_header, "the application's own") == status::success);
        BOOST_REQUIRE(m->body().append("the body"));
        m->user(this);
        m->header().message_id = 4711;
        m->header().status_byte = 200;
        headers = m->headers().wire();
        return m;
    }
    /// `m` is what was given, as the failed answer with this reason.
    void expect_in(const tofu::message& m, std::string_view reason) const {
        BOOST_TEST(m.from_engine());
        BOOST_TEST(m.header().message_id == 4711U);
        BOOST_TEST(m.headers().wire() == headers + "~reason:" + std::string(reason) + "\r\n");
        BOOST_TEST(m.header().text_headers_length == m.headers().size_bytes());
        BOOST_TEST(body_of(m) == "the body");
        BOOST_TEST(m.user() == this);
        BOOST_REQUIRE(m.why());
        BOOST_TEST(std::string(to_text(*m.why()).view()) == reason);
    }
    std::string headers;
};

} // namespace

// Statuses of the engine.

TOFU_TEST_CASE(the_status_of_what_came_back_does_not_travel, here) {
    watched_wire w(here);
    for (const std::uint8_t own : {std::uint8_t{0}, std::uint8_t{5}}) {
        tofu::message_ptr m = w.come_back(own);
        BOOST_TEST((m->status() == status::channel_closed));
        const auto got = w.post(std::move(m));
        BOOST_TEST(got.header.status_byte == 0U);
        BOOST_TEST((got.header.origin == tofu::origin::application));
        BOOST_TEST(got.header.message_id == 9U);
        BOOST_TEST(got.body == "not sent");
    }
}

TOFU_TEST_CASE(a_status_that_the_application_sets_travels, here) {
    watched_wire w(here);
    tofu::message_ptr m = w.talk.engine.get();
    m->header().status_byte = byte_of(status::connect_failed);
    BOOST_TEST(w.post(std::move(m)).header.status_byte == byte_of(status::connect_failed));
    const std::uint16_t number = w.talk.hello(nowhere()).channel_number;
    m = w.talk.expect(w.talk.client, op_code::hello_response);
    BOOST_TEST(m->header().channel_number == number);
    m->header().status_byte = 77; // in place of the engine's
    BOOST_TEST(w.post(std::move(m)).header.status_byte == 77U);
}

TOFU_TEST_CASE(a_goodbye_is_an_empty_message_when_it_is_posted, here) {
    watched_wire w(here);
    const auto link = w.talk.connect();
    w.talk.client.post(make(w.talk.engine, op_code::bye_signal, link.client));
    for (any_group* const group : {&w.talk.client, &w.talk.server}) {
        tofu::message_ptr m = w.talk.expect(*group, op_code::signal);
        BOOST_REQUIRE(m->why());
        const auto got = w.post(std::move(m));
        BOOST_TEST(got.header.status_byte == 0U);
        BOOST_TEST(got.text_headers == "");
        BOOST_TEST(got.body == "");
    }
}

TOFU_TEST_CASE(an_update_is_an_ordinary_message_when_it_is_posted, here) {
    watched_wire w(here);
    for (const bool empty : {false, true}) {
        if (empty)
            w.talk.client.update_receiver();
        else
            w.talk.client.update_receiver(make(w.talk.engine, op_code::signal, 0, "for later"));
        tofu::message_ptr m = w.talk.expect(w.talk.client, op_code::signal);
        BOOST_TEST((m->status() == status::receiver_update));
        BOOST_TEST(w.post(std::move(m)).header.status_byte == 0U);
    }
}

TOFU_TEST_CASE(an_update_that_was_taken_back_is_an_ordinary_message, here, with_timers) {
    watched_wire w(here);
    auto timer = w.talk.client.update_receiver_after(1h, make(w.talk.engine, op_code::signal, 0, "taken back"));
    tofu::message_ptr m = timer.cancel();
    BOOST_REQUIRE(m);
    BOOST_TEST(w.post(std::move(m)).header.status_byte == 0U);
}

TOFU_TEST_CASE(a_notice_of_an_empty_pool_is_an_ordinary_message_when_it_is_posted, here) {
    watched_wire w(here, {.max_messages = 4});
    std::vector<tofu::message_ptr> kept;
    for (int i = 0; i < 5; ++i) w.peer->send({.op = op_code::signal});
    while (kept.size() < 4) kept.push_back(w.talk.expect(w.talk.server, op_code::signal));
    tofu::message_ptr notice = w.talk.expect(w.talk.server, op_code::signal);
    BOOST_REQUIRE((notice->status() == status::pool_empty));
    BOOST_TEST(w.post(std::move(notice)).header.status_byte == 0U);
}

TOFU_TEST_CASE(the_status_of_a_peer_passes_through, here) {
    watched_wire w(here);
    w.peer->send({.op = op_code::request, .status_byte = byte_of(status::shutdown_started), .message_id = 3});
    tofu::message_ptr m = w.talk.expect(w.talk.server, op_code::request);
    BOOST_TEST((m->status() == status::shutdown_started));
    BOOST_TEST(w.post(std::move(m)).header.status_byte ==
               byte_of(status::shutdown_started)); // the application's choice
}

TOFU_TEST_CASE(a_copy_of_what_came_back_does_not_carry_its_status_on, here) {
    watched_wire w(here);
    w.talk.hello(nowhere());
    const tofu::message_ptr failed = w.talk.expect(w.talk.client, op_code::hello_response);
    std::error_code error;
    tofu::message_ptr copy = tofu::clone(*failed, error);
    BOOST_REQUIRE(copy);
    BOOST_TEST((copy->why() == failed->why()));
    const auto got = w.post(std::move(copy));
    BOOST_TEST(got.header.status_byte == 0U);
    BOOST_TEST(got.text_headers.find("~reason") == std::string::npos);
}

TOFU_TEST_CASE(a_refused_message_keeps_what_the_engine_added, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    talk.hello(nowhere(), "body");
    tofu::message_ptr m = talk.expect(talk.client, op_code::hello_response);
    const auto why = m->why();
    const std::string headers(m->headers().wire());
    const status was = m->status();
    m->header().op = op_code::bye_response;
    m->header().channel_number = link.client;
    std::error_code error;
    talk.client.post(std::move(m), error); // nobody has asked for it
    BOOST_TEST((error == status::not_allowed));
    BOOST_REQUIRE(m);
    BOOST_TEST((m->status() == was));
    BOOST_TEST((m->why() == why));
    BOOST_TEST(m->headers().wire() == headers);
}

// Reasons.

TOFU_TEST_CASE(a_peer_cannot_fake_a_goodbye, here) {
    watched_wire w(here);
    w.peer->send({.op = op_code::signal, .status_byte = byte_of(status::channel_closed)}, "~reason:bye\r\n");
    tofu::message_ptr m = w.talk.expect(w.talk.server, op_code::signal);
    BOOST_TEST(!m->why());
    BOOST_TEST(m->headers().find(tofu::reason_header) == "bye");
    BOOST_TEST(w.post(std::move(m)).text_headers == "~reason:bye\r\n"); // it is a header like any other
}

TOFU_TEST_CASE(a_forwarded_reason_is_no_goodbye, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    const auto other = talk.connect();
    talk.client.post(make(talk.engine, op_code::bye_signal, other.client));
    tofu::message_ptr m = talk.expect(talk.client, op_code::signal);
    BOOST_TEST((m->why() == std::optional(tofu::cause::of(tofu::reason::aborted))));
    talk.expect(talk.server, op_code::signal); // the other side's goodbye
    const std::string reason = reason_of(*m);
    m->headers().clear();
    BOOST_REQUIRE(m->headers().append(tofu::reason_header, "retold: " + reason) == status::success);
    m->header().channel_number = link.client;
    talk.client.post(std::move(m));
    m = talk.expect(talk.server, op_code::signal);
    BOOST_TEST(reason_of(*m) == "retold: aborted");
    BOOST_TEST(!m->why());
}

// Hellos and welcomes.

TOFU_TEST_CASE(a_hello_that_is_refused_comes_back_whole, here) {
    dialogue talk(here);
    const refusing_address refusing(here);
    belongings mine;
    talk.client.post(mine.give(hello_request(talk.engine, refusing.where())));
    const tofu::message_ptr m = talk.expect(talk.client, op_code::hello_response);
    BOOST_TEST((m->status() == status::connect_failed));
    mine.expect_in(*m, "connect_refused");
}

TOFU_TEST_CASE(a_hello_comes_back_whole_whatever_becomes_of_it_before_it_is_answered, here) {
    enum class fate { aborted, left, reset, wrong, refused, engine_stopped };
    for (const fate end : {fate::aborted, fate::left, fate::reset, fate::wrong, fate::refused, fate::engine_stopped}) {
        std::optional<dialogue> talk(std::in_place, here);
        belongings mine;
        raw_listener silent(talk->engine, here.new_address());
        const std::uint16_t channel =
            talk->client.post(mine.give(hello_request(talk->engine, silent.where()))).channel_number;
        raw_socket peer = silent.accept();
        BOOST_REQUIRE(peer.receive());
        std::string reason;
        any_group group = std::move(talk->client);
        switch (end) {
        case fate::aborted:
            group.post(make(talk->engine, op_code::bye_signal, channel));
            reason = "aborted";
            break;
        case fate::left:
            peer.close();
            reason = "peer_disconnected";
            break;
        case fate::reset:
            peer.reset();
            reason = here.reason_of_abort();
            break;
        case fate::wrong:
            peer.send({.op = op_code::hello_request});
            reason = "violation:invalid_op_code";
            break;
        case fate::refused:
            peer.send({.op = op_code::bye_request, .message_id = 5});
            group.post(answer(talk->next(group), op_code::bye_response));
            BOOST_REQUIRE(peer.receive());
            peer.close();
            reason = "bye";
            break;
        case fate::engine_stopped: reason = "engine_stopped"; break;
        }
        BOOST_TEST_CONTEXT(reason) {
            if (end == fate::engine_stopped) {
                peer.close();
                silent.close();
                talk.reset();
            }
            const tofu::message_ptr m = group.wait_receive(patience);
            BOOST_REQUIRE(m);
            BOOST_TEST((m->op() == op_code::hello_response));
            if (end == fate::engine_stopped && m->why() && m->why()->why != tofu::reason::engine_stopped)
                reason = to_text(*m->why()).view(); // it has seen its peer go
            mine.expect_in(*m, reason);
        }
    }
}

TOFU_TEST_CASE(a_hello_without_a_slot_comes_back_whole, here, with_fixed_pool& unvaried_only) {
    dialogue talk(here, narrow_engine(here));
    raw_listener silent(talk.engine, loopback());
    std::error_code error;
    tofu::message_ptr failed;
    belongings mine;
    for (int i = 0; !failed && i < 10; ++i) {
        talk.client.post(mine.give(hello_request(talk.engine, silent.where())));
        failed = talk.client.wait_receive(0ms);
    }
    if (!failed) failed = talk.next(talk.client);
    BOOST_TEST((failed->status() == status::allocation_failed));
    mine.expect_in(*failed, "out_of_channels");
}

TOFU_TEST_CASE(a_hello_to_an_unknown_name_comes_back_whole, here, unvaried_only) {
    script play;
    dialogue talk(here, scripted_engine(here, play));
    belongings mine;
    talk.client.post(mine.give(hello_request(talk.engine, tofu::tcp_address{"no.such.name", 80})));
    play.names.next(talk.engine).fail(tofu::io_failure::name_not_found);
    const tofu::message_ptr m = talk.expect(talk.client, op_code::hello_response);
    BOOST_TEST((m->status() == status::connect_failed));
    mine.expect_in(*m, "name_not_found");
}

TOFU_TEST_CASE(a_welcome_that_fails_comes_back_whole, here) {
    dialogue talk(here);
    const tofu::address taken = talk.listen();
    belongings mine;
    talk.server.post(mine.give(welcome_request(talk.engine, taken)));
    const tofu::message_ptr m = talk.expect(talk.server, op_code::welcome_response);
    BOOST_TEST((m->status() == status::listen_failed));
    mine.expect_in(*m, "address_in_use");
}

TOFU_TEST_CASE(a_welcome_that_works_keeps_all_but_its_address, here) {
    dialogue talk(here);
    belongings mine;
    tofu::message_ptr m = mine.give(welcome_request(talk.engine, here.new_address()));
    talk.server.post(std::move(m));
    m = talk.expect(talk.server, op_code::welcome_response);
    BOOST_TEST((m->status() == status::success));
    BOOST_TEST(!m->why());
    BOOST_TEST(m->header().message_id == 4711U);
    BOOST_TEST(m->headers().find("name") == "value");
    BOOST_TEST(m->headers().find(tofu::reason_header) == "the application's own");
    BOOST_TEST(body_of(*m) == "the body");
    BOOST_TEST(m->user() == &mine);
    BOOST_TEST(m->header().text_headers_length == m->headers().size_bytes());
    talk.connect(tofu::parse_address(m->headers().find(tofu::listen_on_header)).value);
}

TOFU_TEST_CASE(a_failed_hello_is_posted_again_with_a_new_address, here) {
    dialogue talk(here);
    const refusing_address refusing(here);
    const tofu::address where = talk.listen();
    tofu::message_ptr m = hello_request(talk.engine, refusing.where());
    BOOST_REQUIRE(m->headers().append("name", "value") == status::success);
    BOOST_REQUIRE(m->body().append("the body"));
    const std::uint64_t id = talk.client.post(std::move(m)).message_id;
    m = talk.expect(talk.client, op_code::hello_response);
    BOOST_REQUIRE(m->connect_to(where) == status::success);
    talk.client.post(std::move(m));
    m = talk.expect(talk.server, op_code::hello_request);
    BOOST_TEST(m->header().message_id == id);
    BOOST_TEST(m->header().status_byte == 0U);
    BOOST_TEST(m->headers().wire() == "~connect_to:" + std::string(tofu::to_text(where).view()) + "\r\nname:value\r\n");
    BOOST_TEST(body_of(*m) == "the body");
}

TOFU_TEST_CASE(the_text_headers_of_a_hello_and_a_welcome_leave_room_for_a_reason, here) {
    dialogue talk(here);
    const refusing_address refusing(here);
    const tofu::address taken = talk.listen();
    constexpr std::size_t most = tofu::max_part_length - tofu::engine::reason_room;
    static_assert(most == 65'471);
    for (const bool connects : {true, false}) {
        tofu::message_ptr m =
            connects ? hello_request(talk.engine, refusing.where()) : welcome_request(talk.engine, taken);
        const std::size_t left = most - m->headers().size_bytes() - std::string_view("n:\r\n").size();
        BOOST_REQUIRE(m->headers().append("n", std::string(left + 1, 'v')) == status::success);
        std::error_code error;
        talk.client.post(std::move(m), error);
        BOOST_TEST((error == status::invalid_headers_len));
        BOOST_REQUIRE(m);
        BOOST_REQUIRE(m->headers().set("n", std::string(left, 'v')) == status::success);
        const std::string posted(m->headers().wire());
        BOOST_REQUIRE(posted.size() == most);
        talk.client.post(std::move(m));
        m = talk.next(talk.client);
        BOOST_REQUIRE(m->why());
        BOOST_TEST((m->headers().wire() == posted + "~reason:" + reason_of(*m) + "\r\n"));
        if (!connects) continue;
        BOOST_REQUIRE(m->connect_to(refusing.where()) == status::success); // and again
        BOOST_TEST(m->headers().size_bytes() == most);
        talk.client.post(std::move(m));
        BOOST_TEST((talk.expect(talk.client, op_code::hello_response)->status() == status::connect_failed));
    }
}

TOFU_TEST_CASE(a_hello_is_queued_until_it_is_answered, here) {
    dialogue talk(here);
    raw_listener listener(talk.engine, here.new_address());
    for (const op_code first : {op_code::hello_response, op_code::signal}) {
        tofu::message_ptr m = hello_request(talk.engine, listener.where());
        const std::size_t size = m->wire_size();
        const std::uint16_t channel = talk.client.post(std::move(m)).channel_number;
        raw_socket peer = listener.accept();
        BOOST_REQUIRE(peer.receive());
        auto figures = talk.client.stats(channel);
        BOOST_REQUIRE(figures);
        BOOST_TEST(figures->queued_messages == 1U);
        BOOST_TEST(figures->queued_bytes == size);
        BOOST_TEST(figures->messages_sent == 1U);
        BOOST_TEST(talk.engine.drain(patience)); // it is with the kernel
        peer.send({.op = first, .message_id = 1});
        talk.expect(talk.client, first);
        figures = talk.client.stats(channel);
        BOOST_REQUIRE(figures);
        BOOST_TEST(figures->queued_messages == 0U);
        BOOST_TEST(figures->queued_bytes == 0U);
        talk.client.post(make(talk.engine, op_code::bye_signal, channel));
        talk.expect_goodbye(talk.client, channel, "aborted");
    }
}

BOOST_AUTO_TEST_SUITE_END()
