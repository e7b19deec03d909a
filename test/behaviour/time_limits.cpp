// SPDX-License-Identifier: BSL-1.0
// Every time limit with its status and reason: exactly, with a clock the test moves, and measured with the real one.
#include "support/harness.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <type_traits>

using namespace tofu_test;
using std::chrono::milliseconds;
using std::chrono::minutes;
using tofu::binary_header;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(time_limits)

namespace {

/// Every limit is ten minutes unless the test says otherwise.
tofu::options ten_minutes() {
    return {.connect_time = minutes(10),
            .hello_time = minutes(10),
            .message_time = minutes(10),
            .idle_time = milliseconds(0),
            .bye_time = minutes(10),
            .grace_time = minutes(10)};
}

template <class Value>
tofu::options ten_minutes_but(Value tofu::options::*member, std::type_identity_t<Value> value) {
    tofu::options opts = ten_minutes();
    opts.*member = value;
    return opts;
}

std::vector<std::byte> message(op_code op, std::string_view body = {}) {
    return raw_socket::wire_of({.op = op, .message_id = 5}, "", body);
}

const std::string large(65535, 'l');
constexpr std::uint64_t too_many = 100; ///< large messages, for a peer that does not read

/// An engine whose clock can be moved on.
struct timed : script, scripted_dialogue {
    explicit timed(const setting& where, const tofu::options& opts = ten_minutes())
        : scripted_dialogue(where, *this, opts) {}

    /// Time passes after everything that was posted, and the loop notices.
    void pass(minutes time) {
        turn_loop();
        clock_lead += milliseconds(time).count();
        turn_loop();
    }
    /// An hour passes while the loop does not run.
    void oversleep() { clock_lead += milliseconds(minutes(60)).count(); }
    void expect_nothing(group& from) {
        turn_loop();
        BOOST_TEST(!from.wait_receive(0ms));
    }
    /// Ten minutes that began now are not over nine minutes later, and they are two minutes after that.
    void pass_limit(group& to_be_told) {
        pass(minutes(9));
        expect_nothing(to_be_told);
        pass(minutes(2));
    }
    /// The last message of a client's channel that was never opened.
    void expect_failed_hello(const binary_header& hello, status why, std::string_view reason) {
        expect_failed(client, op_code::hello_response, hello, why, reason);
    }
    /// Sends, and waits until the engine has read it.
    void send(raw_socket& peer, std::span<const std::byte> bytes) {
        const std::uint64_t before = engine.stats().bytes_received;
        peer.send(bytes);
        await([&] { return engine.stats().bytes_received >= before + bytes.size(); });
    }
    void post(op_code op, std::uint16_t number, std::string_view body = {}, std::uint64_t id = 0) {
        server.post(make(engine, op, number, body, id));
    }
    /// The messages that the peer did not read come back, the last with id `last`; then the goodbye comes.
    void expect_unsent(std::uint16_t number, std::uint64_t last, std::string_view reason) {
        for (bool more = true; more;) {
            const tofu::message_ptr m = next(server);
            BOOST_REQUIRE(m->from_engine());
            BOOST_TEST(to_string(m->status()) == to_string(status::communication_failed));
            more = m->header().message_id != last;
        }
        expect_goodbye(server, number, reason);
    }
};

/// The server has accepted a peer of bytes.
struct accepted : timed {
    explicit accepted(const setting& where, const tofu::options& opts = ten_minutes()) : timed(where, opts) {}

    void post_bye() {
        post(op_code::bye_request, number);
        BOOST_REQUIRE(peer.receive());
    }
    void peer_says_bye() {
        send(peer, message(op_code::bye_request));
        expect(server, op_code::bye_request);
    }
    void flood() {
        for (std::uint64_t id = 1; id <= too_many; ++id) post(op_code::signal, number, large, id);
    }

    raw_socket peer{engine, listen()};
    const std::uint16_t number = be_accepted(*this, peer);
};

/// The client has connected to a server of bytes, which has received the hello_request and has not answered.
struct unanswered : timed {
    explicit unanswered(const setting& where, const tofu::options& opts = ten_minutes())
        : timed(where, opts)
        , server_of_bytes(engine, where.new_address())
        , request(hello(server_of_bytes.where()))
        , peer(server_of_bytes.accept()) {
        BOOST_REQUIRE(peer.receive());
    }

    void post_bye() {
        client.post(make(engine, op_code::bye_request, request.channel_number));
        BOOST_REQUIRE(peer.receive());
    }

    raw_listener server_of_bytes;
    binary_header request;
    raw_socket peer;
};

} // namespace

TOFU_TEST_CASE(a_peer_that_never_says_hello_is_closed, here, with_timers) {
    timed talk(here);
    raw_socket peer(talk.engine, talk.listen());
    talk.await([&] { return talk.engine.stats().accepted == 1; });
    talk.pass(minutes(9));
    talk.await_channels(2);
    talk.pass(minutes(2));
    talk.await_channels(1);
    BOOST_TEST(peer.reads_until_end());
    talk.expect_nothing(talk.server);
}

TOFU_TEST_CASE(half_a_hello_does_not_prolong_the_hello_time, here, with_timers) {
    timed talk(here, ten_minutes_but(&tofu::options::message_time, minutes(60)));
    raw_socket peer(talk.engine, talk.listen());
    talk.await([&] { return talk.engine.stats().accepted == 1; });
    talk.pass(minutes(9));
    talk.send(peer, std::span<const std::byte>(message(op_code::hello_request, "...")).first(18));
    talk.await_channels(2);
    talk.pass(minutes(2));
    talk.await_channels(1);
    talk.expect_nothing(talk.server);
}

TOFU_TEST_CASE(a_hello_that_is_never_answered_fails, here, with_timers) {
    unanswered talk(here);
    talk.pass_limit(talk.client);
    talk.expect_failed_hello(talk.request, status::communication_failed, "hello_timeout");
}

TOFU_TEST_CASE(a_bye_posted_before_the_hello_response_does_not_switch_the_hello_time_off, here, with_timers) {
    unanswered talk(here, ten_minutes_but(&tofu::options::bye_time, 0ms));
    talk.post_bye();
    talk.pass(minutes(11));
    talk.expect_failed_hello(talk.request, status::communication_failed, "hello_timeout");
}

TOFU_TEST_CASE(a_bye_posted_before_the_hello_response_has_its_time_from_then_on, here, with_timers) {
    unanswered talk(here);
    talk.post_bye();
    talk.pass(minutes(9)); // until now the hello time was the earlier one
    talk.send(talk.peer, message(op_code::hello_response));
    talk.expect(talk.client, op_code::hello_response);
    talk.pass_limit(talk.client);
    talk.expect_goodbye(talk.client, talk.request.channel_number, "bye_timeout");
}

TOFU_TEST_CASE(a_hello_response_does_not_prolong_the_bye_time, here, with_timers) {
    unanswered talk(here, ten_minutes_but(&tofu::options::bye_time, minutes(5)));
    talk.post_bye();
    talk.pass(minutes(4));
    talk.send(talk.peer, message(op_code::hello_response));
    talk.expect(talk.client, op_code::hello_response);
    talk.pass(minutes(2));
    talk.expect_goodbye(talk.client, talk.request.channel_number, "bye_timeout");
}

TOFU_TEST_CASE(a_refusal_ends_the_hello_time_and_begins_the_bye_time, here, with_timers) {
    unanswered talk(here);
    talk.pass(minutes(9));
    talk.send(talk.peer, message(op_code::bye_request));
    talk.expect(talk.client, op_code::bye_request);
    talk.pass_limit(talk.client);
    talk.expect_failed_hello(talk.request, status::communication_failed, "bye_timeout");
}

TOFU_TEST_CASE(after_the_hellos_an_idle_channel_lives_as_long_as_it_likes, here, with_timers) {
    timed talk(here);
    const auto link = talk.connect();
    talk.pass(minutes(60 * 24));
    talk.expect_nothing(talk.server);
    talk.client.post(make(talk.engine, op_code::request, link.client, "still there?"));
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "still there?");
}

TOFU_TEST_CASE(a_message_that_began_has_to_end, here, with_timers) {
    const std::vector<std::byte> whole = message(op_code::request, "never whole");
    for (const std::size_t part : {std::size_t{1}, binary_header::wire_size, whole.size() - 1}) {
        BOOST_TEST_CONTEXT(part << " bytes") {
            accepted talk(here);
            talk.send(talk.peer, std::span(whole).first(part));
            talk.pass_limit(talk.server);
            talk.expect_goodbye(talk.server, talk.number, "message_timeout");
        }
    }
}

TOFU_TEST_CASE(the_message_time_counts_from_the_first_byte, here, with_timers) {
    accepted talk(here);
    const std::vector<std::byte> whole = message(op_code::request, "a byte a minute, and never whole");
    for (std::size_t i = 0; i < 9; ++i) {
        talk.send(talk.peer, std::span(whole).subspan(i, 1));
        talk.pass(minutes(1));
    }
    talk.send(talk.peer, std::span(whole).subspan(9, 20));
    talk.expect_nothing(talk.server);
    talk.pass(minutes(2));
    talk.expect_goodbye(talk.server, talk.number, "message_timeout");
}

TOFU_TEST_CASE(each_message_has_its_own_time, here, with_timers) {
    accepted talk(here);
    std::vector<std::byte> second_half_and_first_half = message(op_code::request, "m");
    std::rotate(second_half_and_first_half.begin(), second_half_and_first_half.begin() + 8,
                second_half_and_first_half.end());
    talk.send(talk.peer, std::span<const std::byte>(message(op_code::request, "m")).first(8));
    for (int i = 0; i < 5; ++i) {
        talk.pass(minutes(9));
        talk.send(talk.peer, second_half_and_first_half); // one ends and the next begins in one piece
        BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "m");
    }
    talk.pass(minutes(11));
    talk.expect_goodbye(talk.server, talk.number, "message_timeout");
}

TOFU_TEST_CASE(a_message_that_has_to_wait_for_others_is_not_late, here, with_timers) {
    // two messages may be incomplete
    timed talk(here, ten_minutes_but(&tofu::options::max_messages, 4));
    const tofu::address where = talk.listen();
    raw_socket first(talk.engine, where);
    raw_socket second(talk.engine, where);
    raw_socket third(talk.engine, where);
    std::set<std::uint16_t> late;
    for (raw_socket* const peer : {&first, &second}) {
        late.insert(be_accepted(talk, *peer));
        talk.send(*peer, std::span<const std::byte>(message(op_code::request, "never whole")).first(20));
    }
    be_accepted(talk, third);
    const std::vector<std::byte> whole = message(op_code::request, "waits");
    talk.send(third, std::span(whole).first(3));
    const std::uint64_t before = talk.engine.stats().bytes_received;
    third.send(std::span(whole).subspan(3, whole.size() - 4));
    talk.await([&] { return talk.engine.stats().bytes_received >= before + binary_header::wire_size - 3; });
    talk.pass_limit(talk.server);
    for (int i = 0; i < 2; ++i) {
        const tofu::message_ptr goodbye = talk.expect(talk.server, op_code::signal);
        BOOST_TEST(reason_of(*goodbye) == "message_timeout");
        BOOST_TEST(late.erase(goodbye->header().channel_number) == 1U);
    }
    talk.pass(minutes(9)); // now it is read, and has its own time
    talk.expect_nothing(talk.server);
    third.send(std::span(whole).last(1));
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "waits");
}

TOFU_TEST_CASE(a_half_closed_peer_is_not_late_with_its_message, here, with_timers) {
    accepted talk(here, ten_minutes_but(&tofu::options::bye_time, minutes(60)));
    talk.send(talk.peer, message(op_code::request, "question"));
    talk.send(talk.peer, std::span<const std::byte>(message(op_code::request, "never whole")).first(20));
    talk.peer.shutdown_write();
    talk.await([&] { return talk.engine.stats().credit_used == 1; }); // the half one's is free
    talk.pass(minutes(11));
    talk.server.post(answer(talk.expect(talk.server, op_code::request), op_code::response));
    BOOST_TEST(talk.peer.receive().value().body == "question");
    talk.expect_goodbye(talk.server, talk.number, "peer_disconnected");
}

TOFU_TEST_CASE(a_channel_without_traffic_is_idle, here, with_timers) {
    accepted talk(here, ten_minutes_but(&tofu::options::idle_time, minutes(10)));
    for (int i = 0; i < 3; ++i) { // traffic in either direction counts
        talk.pass(minutes(9));
        talk.send(talk.peer, message(op_code::signal, "in"));
        talk.expect(talk.server, op_code::signal);
        talk.pass(minutes(9));
        talk.post(op_code::signal, talk.number, "out");
        BOOST_REQUIRE(talk.peer.receive());
    }
    talk.pass_limit(talk.server);
    talk.expect_goodbye(talk.server, talk.number, "idle_timeout");
}

TOFU_TEST_CASE(a_bye_that_is_never_answered_ends, here, with_timers) {
    accepted talk(here);
    talk.post_bye();
    talk.pass_limit(talk.server);
    talk.expect_goodbye(talk.server, talk.number, "bye_timeout");
}

TOFU_TEST_CASE(a_bye_the_application_never_answers_ends, here, with_timers) {
    accepted talk(here);
    talk.peer_says_bye();
    talk.pass_limit(talk.server);
    talk.expect_goodbye(talk.server, talk.number, "bye_timeout");
}

TOFU_TEST_CASE(the_bye_time_counts_from_the_first_bye_and_bounds_the_flush, here, with_timers) {
    accepted talk(here);
    talk.peer_says_bye();
    talk.flood();
    talk.pass(minutes(9));
    talk.post(op_code::bye_response, talk.number, {}, 1000);
    talk.pass(minutes(2));
    talk.expect_unsent(talk.number, 1000, "bye_timeout");
}

TOFU_TEST_CASE(a_bye_that_crosses_does_not_prolong_the_bye_time, here, with_timers) {
    accepted talk(here);
    talk.flood();
    talk.post(op_code::bye_request, talk.number, {}, 1000);
    talk.pass(minutes(9));
    talk.peer_says_bye();
    talk.pass(minutes(2));
    talk.expect_unsent(talk.number, 1000, "bye_timeout");
}

TOFU_TEST_CASE(the_bye_time_bounds_a_half_closed_peer_that_does_not_read, here, with_timers) {
    accepted talk(here);
    talk.flood();
    talk.peer.shutdown_write();
    talk.expect_silence(talk.server); // past everything of the peer
    talk.pass_limit(talk.server);
    talk.expect_unsent(talk.number, too_many, "bye_timeout");
}

TOFU_TEST_CASE(the_bye_time_bounds_an_application_that_does_not_receive, here, with_timers) {
    accepted talk(here);
    talk.send(talk.peer, message(op_code::signal, "the last"));
    talk.peer.shutdown_write();
    talk.expect_silence(talk.client); // the end of the stream is read, and its marker waits in the group's queue
    talk.pass(minutes(11));
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::signal)) == "the last");
    talk.expect_goodbye(talk.server, talk.number, "bye_timeout");
}

TOFU_TEST_CASE(the_grace_time_ends_a_channel_that_is_done_with_reason_bye, here, with_timers) {
    tofu::options opts = ten_minutes();
    opts.idle_time = minutes(5); // no other limit may spoil the good end
    opts.message_time = minutes(5);
    opts.bye_time = minutes(5);
    accepted talk(here, opts);
    talk.post_bye();
    std::vector<std::byte> crossing = message(op_code::bye_request);
    const std::vector<std::byte> late = message(op_code::bye_response, "late, and never whole");
    crossing.insert(crossing.end(), late.begin(), late.end() - 2);
    talk.send(talk.peer, crossing);
    talk.expect(talk.server, op_code::bye_request);
    BOOST_TEST(talk.peer.reads_until_end());
    talk.send(talk.peer, std::span(late).last(2).first(1)); // in the grace time traffic begins no other limit
    talk.pass_limit(talk.server);
    talk.expect_goodbye(talk.server, talk.number, "bye");
}

// TCP only: a connection to a Unix domain socket stands or fails at once.
TOFU_TEST_CASE(a_connection_that_never_stands_fails, here, tcp_only& with_timers) {
    timed talk(here);
    talk.never_connects = true;
    const binary_header hello = talk.hello(loopback(9));
    talk.pass_limit(talk.client);
    talk.expect_failed_hello(hello, status::connect_failed, "connect_timeout");
}

// The poller has not reported the socket when the connect time ends. (This simulated connection cannot write.)
TOFU_TEST_CASE(a_connecting_socket_is_asked_before_its_time_is_over, here, tcp_only& with_timers) {
    timed talk(here);
    talk.never_connects = true;
    const binary_header hello = talk.hello(loopback(9));
    talk.pass(minutes(9));
    talk.expect_nothing(talk.client);
    talk.connects_unseen = true;
    talk.pass(minutes(2));
    talk.expect_nothing(talk.client);
    talk.pass(minutes(11));
    const tofu::message_ptr answer = talk.expect(talk.client, op_code::hello_response);
    BOOST_TEST(answer->header().message_id == hello.message_id);
    BOOST_TEST(reason_of(*answer) != "connect_timeout");
}

// TCP only: Unix domain sockets need no look-up.
TOFU_TEST_CASE(a_listener_whose_name_was_found_listens_as_long_as_it_likes, here, tcp_only& with_timers) {
    timed talk(here);
    talk.listen_on_name();
    question asked = talk.names.next(talk.engine);
    talk.pass(minutes(9));
    asked.answer({loopback()});
    const tofu::message_ptr ready = talk.expect(talk.server, op_code::welcome_response);
    BOOST_REQUIRE(ready->status() == status::success);
    talk.pass(minutes(60 * 24));
    talk.expect_nothing(talk.server);
    talk.connect(tofu::parse_address(ready->headers().find(tofu::listen_on_header)).value);
}

// TCP only, for the same reason.
TOFU_TEST_CASE(a_listeners_name_has_the_connect_time_to_be_found, here, tcp_only& with_timers) {
    timed talk(here);
    const std::uint16_t listener = talk.listen_on_name();
    const question asked = talk.names.next(talk.engine);
    talk.pass_limit(talk.server);
    talk.expect_failure(talk.server, op_code::welcome_response, listener, status::connect_failed, "connect_timeout");
}

// TCP only: a connection to a Unix domain socket stands or fails at once.
TOFU_TEST_CASE(a_bye_posted_meanwhile_leaves_the_connect_time_alone, here, tcp_only& with_timers) {
    for (const minutes bye_time : {minutes(0), minutes(1)}) {
        tofu::options opts = ten_minutes();
        opts.bye_time = bye_time;
        timed talk(here, opts);
        talk.never_connects = true;
        const binary_header hello = talk.hello(loopback(9));
        talk.client.post(make(talk.engine, op_code::bye_request, hello.channel_number, {}, 70));
        talk.pass_limit(talk.client);
        const tofu::message_ptr bye = talk.expect(talk.client, op_code::bye_request);
        BOOST_TEST(bye->from_engine());
        BOOST_TEST(to_string(bye->status()) == to_string(status::connect_failed));
        talk.expect_failed_hello(hello, status::connect_failed, "connect_timeout");
    }
}

// TCP only: Unix domain sockets need no look-up.
TOFU_TEST_CASE(a_bye_posted_before_the_connection_stands_has_its_time_from_then_on, here, tcp_only& with_timers) {
    timed talk(here, ten_minutes_but(&tofu::options::bye_time, minutes(5)));
    const binary_header hello = talk.hello(tofu::tcp_address{"some.name", 80});
    question asked = talk.names.next(talk.engine);
    talk.client.post(make(talk.engine, op_code::bye_request, hello.channel_number));
    talk.pass(minutes(9)); // of the connect time
    raw_listener server(talk.engine, loopback());
    asked.answer({server.where()});
    raw_socket peer = server.accept();
    BOOST_REQUIRE(peer.receive());
    BOOST_REQUIRE(peer.receive());
    talk.pass(minutes(4));
    talk.expect_nothing(talk.client);
    talk.pass(minutes(2));
    talk.expect_failed_hello(hello, status::communication_failed, "bye_timeout");
}

TOFU_TEST_CASE(a_limit_of_zero_is_off, here, with_timers) {
    constexpr tofu::options off{.connect_time = 0ms,
                                .hello_time = 0ms,
                                .message_time = 0ms,
                                .idle_time = 0ms,
                                .bye_time = 0ms,
                                .grace_time = 0ms};
    const minutes years(60 * 24 * 365 * 10);
    timed talk(here, off);
    const tofu::address where = talk.listen();
    raw_listener slow_server(talk.engine, here.new_address());
    talk.hello(slow_server.where());
    raw_socket answering = slow_server.accept();
    BOOST_REQUIRE(answering.receive());
    raw_socket without_hello(talk.engine, where);
    raw_socket half(talk.engine, where);
    be_accepted(talk, half);
    talk.send(half, std::span<const std::byte>(message(op_code::signal, "late")).first(18));
    raw_socket leaving(talk.engine, where);
    const std::uint16_t left = be_accepted(talk, leaving);
    talk.post(op_code::bye_request, left);
    BOOST_REQUIRE(leaving.receive());
    talk.pass(years);
    talk.expect_nothing(talk.server);
    talk.expect_nothing(talk.client);

    answering.send(message(op_code::hello_response));
    BOOST_TEST(!talk.expect(talk.client, op_code::hello_response)->from_engine());
    be_accepted(talk, without_hello);
    half.send(std::span<const std::byte>(message(op_code::signal, "late")).subspan(18));
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::signal)) == "late");
    leaving.send(message(op_code::bye_response));
    talk.expect(talk.server, op_code::bye_response);
    talk.expect_goodbye(talk.server, left, "bye");
    timed nowhere(here, off);
    nowhere.never_connects = true;
    nowhere.hello(loopback(9));
    nowhere.pass(years);
    nowhere.expect_nothing(nowhere.client);
}

TOFU_TEST_CASE(limits_stand_still_while_there_is_no_credit, here, with_timers) {
    timed talk(here, ten_minutes_but(&tofu::options::max_messages, 4));
    const tofu::address where = talk.listen();
    raw_socket slow(talk.engine, where);
    const std::uint16_t slow_number = be_accepted(talk, slow);
    raw_socket greedy(talk.engine, where);
    be_accepted(talk, greedy);
    raw_socket without_hello(talk.engine, where);
    talk.await([&] { return talk.engine.stats().accepted == 3; });
    talk.send(slow, std::span<const std::byte>(message(op_code::signal, "late")).first(18));
    talk.pass(minutes(6));
    for (int i = 0; i < 4; ++i) greedy.send(message(op_code::signal, "greedy"));
    talk.await([&] { return talk.engine.stats().starvation_episodes == 1; });
    talk.pass(minutes(600));
    for (int i = 0; i < 3; ++i) BOOST_TEST(body_of(*talk.expect(talk.server, op_code::signal)) == "greedy");
    BOOST_TEST(to_string(talk.expect(talk.server, op_code::signal)->status()) == to_string(status::pool_empty));
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::signal)) == "greedy");
    talk.pass(minutes(3)); // nine in all
    talk.expect_nothing(talk.server);
    talk.await_channels(4);
    talk.pass(minutes(2));
    talk.expect_goodbye(talk.server, slow_number, "message_timeout");
    BOOST_TEST(without_hello.reads_until_end());
}

// An engine that nobody drives while time passes. Caller only: an I/O thread would not sleep.

TOFU_TEST_CASE(a_hello_that_is_there_comes_before_the_deadline_that_has_passed, here, caller_only& with_timers) {
    timed talk(here);
    raw_socket peer(talk.engine, talk.listen());
    talk.await([&] { return talk.engine.stats().accepted == 1; });
    peer.say_hello();
    talk.oversleep();
    talk.accept();
}

TOFU_TEST_CASE(a_hello_that_is_there_waits_for_credit_without_a_deadline, here, caller_only& with_timers) {
    timed talk(here, ten_minutes_but(&tofu::options::max_messages, 4));
    const tofu::address where = talk.listen();
    raw_socket first(talk.engine, where);
    be_accepted(talk, first);
    raw_socket second(talk.engine, where);
    talk.await([&] { return talk.engine.stats().accepted == 2; });
    std::vector<tofu::message_ptr> held;
    for (int i = 0; i < 4; ++i) {
        first.send(message(op_code::signal));
        held.push_back(talk.expect(talk.server, op_code::signal));
    }
    BOOST_TEST(talk.engine.stats().starvation_episodes == 0U);
    second.say_hello();
    talk.oversleep();
    BOOST_TEST(to_string(talk.expect(talk.server, op_code::signal)->status()) == to_string(status::pool_empty));
    talk.oversleep();
    talk.expect_nothing(talk.server);
    held.clear();
    talk.accept();
}

TOFU_TEST_CASE(a_hello_response_that_is_there_comes_before_the_deadline_that_has_passed, here,
               caller_only& with_timers) {
    unanswered talk(here);
    talk.peer.send(message(op_code::hello_response));
    talk.oversleep();
    BOOST_TEST(!talk.expect(talk.client, op_code::hello_response)->from_engine());
}

TOFU_TEST_CASE(the_rest_of_a_message_that_is_there_comes_before_the_deadline_that_has_passed, here,
               caller_only& with_timers) {
    accepted talk(here);
    const std::vector<std::byte> whole = message(op_code::request, "whole");
    talk.send(talk.peer, std::span(whole).first(3));
    talk.peer.send(std::span(whole).subspan(3));
    talk.oversleep();
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "whole");
}

TOFU_TEST_CASE(traffic_that_is_there_comes_before_the_idle_deadline_that_has_passed, here, caller_only& with_timers) {
    accepted talk(here, ten_minutes_but(&tofu::options::idle_time, minutes(10)));
    talk.peer.send(message(op_code::request, "in time"));
    talk.oversleep();
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "in time");
    talk.expect_nothing(talk.server);
    talk.post(op_code::signal, talk.number);
    BOOST_TEST(talk.peer.receive().has_value());
}

TOFU_TEST_CASE(a_bye_response_that_is_there_comes_before_the_deadline_that_has_passed, here, caller_only& with_timers) {
    accepted talk(here);
    talk.post_bye();
    talk.peer.send(message(op_code::bye_response));
    talk.peer.shutdown_write();
    talk.oversleep();
    talk.expect(talk.server, op_code::bye_response);
    talk.expect_goodbye(talk.server, talk.number, "bye");
}

TOFU_TEST_CASE(an_end_of_stream_that_is_there_comes_before_the_deadline_that_has_passed, here,
               caller_only& with_timers) {
    unanswered talk(here);
    talk.peer.shutdown_write();
    talk.oversleep();
    talk.expect_failed_hello(talk.request, status::peer_disconnected, "peer_disconnected");
}

namespace {

/// Measures a limit of the real clock: never reached too early, and reached without anybody's help.
class stopwatch {
public:
    static constexpr milliseconds limit{50};
    void expect_limit_passed() const {
        // A turn reads the time once: an event within the turn may be younger, by up to the length of the turn.
        BOOST_TEST((std::chrono::steady_clock::now() - begin_ >= limit - 5ms));
    }

private:
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

} // namespace

TOFU_TEST_CASE(the_hello_time_is_real, here, with_timers) {
    dialogue talk(here, {.hello_time = stopwatch::limit});
    const tofu::address where = talk.listen();
    raw_listener silent(talk.engine, here.new_address());
    stopwatch watch;
    talk.hello(silent.where());
    raw_socket peer(talk.engine, where);
    peer.reads_until_end();
    watch.expect_limit_passed();
    BOOST_TEST(reason_of(*talk.expect(talk.client, op_code::hello_response)) == "hello_timeout");
    watch.expect_limit_passed();
}

TOFU_TEST_CASE(message_bye_and_grace_time_are_real, here, with_timers) {
    using case_type = std::tuple<tofu::options, std::vector<std::byte>, bool, const char*>;
    const case_type cases[] = {
        {{.message_time = stopwatch::limit}, {std::byte{}}, false, "message_timeout"},
        {{.bye_time = stopwatch::limit}, {}, true, "bye_timeout"},
        {{.grace_time = stopwatch::limit}, message(op_code::bye_response), true, "bye"},
    };
    for (const auto& [opts, sent, says_bye, reason] : cases) {
        BOOST_TEST_CONTEXT(reason) {
            dialogue talk(here, opts);
            raw_socket peer(talk.engine, talk.listen());
            const std::uint16_t number = be_accepted(talk, peer);
            const stopwatch watch;
            if (says_bye) {
                talk.server.post(make(talk.engine, op_code::bye_request, number));
                BOOST_REQUIRE(peer.receive());
            }
            peer.send(sent);
            tofu::message_ptr m = talk.next(talk.server);
            if (m->op() == op_code::bye_response) m = talk.next(talk.server);
            watch.expect_limit_passed();
            BOOST_TEST(reason_of(*m) == reason);
        }
    }
}

TOFU_TEST_CASE(the_idle_time_is_real, here, with_timers) {
    dialogue talk(here, {.idle_time = stopwatch::limit});
    raw_listener server(talk.engine, here.new_address());
    const stopwatch watch;
    talk.hello(server.where());
    const tofu::message_ptr m = talk.expect(talk.client, op_code::hello_response);
    watch.expect_limit_passed();
    BOOST_TEST(reason_of(*m) == "idle_timeout");
}

// TCP only: a connection to a Unix domain socket stands or fails at once.
TOFU_TEST_CASE(the_connect_time_is_real, here, tcp_only& with_timers) {
    script play;
    play.never_connects = true;
    scripted_dialogue talk(here, play, {.connect_time = stopwatch::limit});
    const stopwatch watch;
    talk.hello(loopback(9));
    const tofu::message_ptr m = talk.expect(talk.client, op_code::hello_response);
    watch.expect_limit_passed();
    BOOST_TEST(reason_of(*m) == "connect_timeout");
}

BOOST_AUTO_TEST_SUITE_END()
