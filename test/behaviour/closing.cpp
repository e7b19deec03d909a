// SPDX-License-Identifier: BSL-1.0
// The orderly ends of conversations: byes, crossed byes, refusals, half-closed peers, and the effects on TCP.
#include "support/harness.hpp"

#include <initializer_list>

using namespace tofu_test;
using std::chrono::milliseconds;
using tofu::binary_header;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(closing)

namespace {

/// An engine whose raw peer has said hello and was accepted.
struct served : dialogue {
    explicit served(const setting& where, const tofu::options& opts = {}) : served(where, any_reactor(where, opts)) {}
    served(const setting& where, any_reactor made) : dialogue(where, std::move(made)), peer(engine, listen()) {
        peer.say_hello();
        number = accept();
        const auto hello = peer.receive();
        BOOST_REQUIRE((hello && hello->header.op == op_code::hello_response));
    }

    void post(op_code op, std::string_view body = {}, std::uint64_t id = 0) {
        server.post(make(engine, op, number, body, id));
    }
    void expect_refusal(op_code op, status why) {
        tofu::message_ptr m = make(engine, op, number);
        std::error_code error;
        server.post(std::move(m), error);
        BOOST_TEST(to_string(failure(error)) == to_string(why));
        BOOST_TEST(static_cast<bool>(m));
    }
    void expect_from_peer(op_code op, std::string_view body = {}) {
        const tofu::message_ptr m = expect(server, op);
        BOOST_TEST(!m->from_engine());
        BOOST_TEST(body_of(*m) == body);
    }
    /// The raw peer receives this next.
    void expect_at_peer(op_code op, std::string_view body = {}) {
        const auto m = peer.receive();
        BOOST_REQUIRE(m);
        BOOST_TEST(to_string(m->header.op) == to_string(op));
        BOOST_TEST((m->body == body));
    }
    void expect_goodbye_here(std::string_view reason) { expect_goodbye(server, number, reason); }

    raw_socket peer;
    std::uint16_t number = 0;
};

std::vector<std::byte> message(op_code op, std::string_view body = {}) {
    return raw_socket::wire_of({.op = op, .message_id = 9}, "", body);
}

/// A grace that no test lives to see the end of.
constexpr tofu::options long_grace{.bye_time = std::chrono::minutes(10), .grace_time = std::chrono::minutes(10)};

} // namespace

TOFU_TEST_CASE(either_side_may_say_bye, here) {
    for (const bool client_first : {true, false}) {
        dialogue talk(here);
        const auto link = talk.connect();
        auto& asking = client_first ? talk.client : talk.server;
        auto& asked = client_first ? talk.server : talk.client;
        const std::uint16_t ours = client_first ? link.client : link.server;
        const std::uint16_t theirs = client_first ? link.server : link.client;
        asking.post(make(talk.engine, op_code::bye_request, ours, "bye?", 77));
        tofu::message_ptr bye = talk.expect(asked, op_code::bye_request);
        BOOST_TEST(body_of(*bye) == "bye?");
        BOOST_TEST(bye->header().message_id == 77U);
        asked.post(answer(std::move(bye), op_code::bye_response));
        BOOST_TEST(body_of(*talk.expect(asking, op_code::bye_response)) == "bye?");
        talk.expect_goodbye(asking, ours, "bye");
        talk.expect_goodbye(asked, theirs, "bye");
    }
}

TOFU_TEST_CASE(byes_that_cross_close_in_good_order, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    talk.client.post(make(talk.engine, op_code::bye_request, link.client));
    talk.server.post(make(talk.engine, op_code::bye_request, link.server));
    BOOST_TEST(!talk.expect(talk.client, op_code::bye_request)->from_engine());
    BOOST_TEST(!talk.expect(talk.server, op_code::bye_request)->from_engine());
    talk.expect_goodbye(talk.client, link.client, "bye");
    talk.expect_goodbye(talk.server, link.server, "bye");
}

TOFU_TEST_CASE(a_bye_request_may_be_answered_with_one, here) {
    served talk(here);
    talk.peer.send(message(op_code::bye_request));
    talk.expect_from_peer(op_code::bye_request);
    talk.post(op_code::bye_request);
    talk.expect_at_peer(op_code::bye_request);
    BOOST_TEST(talk.peer.reads_until_end());
    talk.peer.close();
    talk.expect_goodbye_here("bye");
}

TOFU_TEST_CASE(the_late_bye_response_of_a_cross_is_tolerated, here, with_timers) {
    served talk(here, long_grace);
    talk.post(op_code::bye_request);
    talk.expect_at_peer(op_code::bye_request);
    talk.peer.send(message(op_code::bye_request));
    talk.expect_from_peer(op_code::bye_request);
    BOOST_TEST(talk.peer.reads_until_end());
    talk.peer.send(message(op_code::bye_response, "late"));
    talk.expect_silence(talk.server);
    talk.peer.close();
    talk.expect_goodbye_here("bye");
}

TOFU_TEST_CASE(a_late_bye_response_is_tolerated_in_one_piece_with_the_request, here) {
    served talk(here);
    talk.post(op_code::bye_request);
    talk.expect_at_peer(op_code::bye_request);
    std::vector<std::byte> both = message(op_code::bye_request);
    for (const std::byte one : message(op_code::bye_response, "late")) both.push_back(one);
    talk.peer.send(both);
    talk.peer.shutdown_write();
    talk.expect_from_peer(op_code::bye_request);
    talk.expect_goodbye_here("bye");
}

TOFU_TEST_CASE(a_late_bye_response_that_never_ends_is_dropped_until_the_grace_is_over, here) {
    served talk(here, {.grace_time = 50ms});
    talk.post(op_code::bye_request);
    talk.expect_at_peer(op_code::bye_request);
    std::vector<std::byte> both = message(op_code::bye_request);
    std::vector<std::byte> late = message(op_code::bye_response, std::string(65535, 'l'));
    late.pop_back();
    both.insert(both.end(), late.begin(), late.end());
    talk.peer.send(both);
    talk.expect_from_peer(op_code::bye_request);
    talk.expect_goodbye_here("bye");
    BOOST_TEST(talk.engine.stats().credit_used == 0U);
}

TOFU_TEST_CASE(a_peer_that_resets_after_both_byes_has_still_said_bye, here) {
    served talk(here, long_grace);
    talk.peer.send(message(op_code::bye_request));
    talk.expect_from_peer(op_code::bye_request);
    talk.post(op_code::bye_response);
    talk.expect_at_peer(op_code::bye_response);
    BOOST_TEST(talk.peer.reads_until_end());
    talk.peer.reset();
    talk.expect_goodbye_here("bye");
}

TOFU_TEST_CASE(a_bye_shows_the_peer_an_orderly_end_and_waits_for_its_own, here, with_timers) {
    served talk(here, long_grace);
    talk.post(op_code::bye_request);
    talk.expect_at_peer(op_code::bye_request);
    talk.peer.send(message(op_code::bye_response));
    BOOST_TEST(talk.peer.reads_until_end());
    talk.expect_from_peer(op_code::bye_response);
    talk.expect_silence(talk.server);
    talk.peer.shutdown_write();
    talk.expect_goodbye_here("bye");
}

TOFU_TEST_CASE(a_grace_time_of_zero_does_not_wait_for_the_peer, here) {
    served talk(here, {.grace_time = 0ms});
    talk.peer.send(message(op_code::bye_request));
    talk.expect_from_peer(op_code::bye_request);
    talk.post(op_code::bye_response);
    talk.expect_goodbye_here("bye");
    talk.expect_at_peer(op_code::bye_response);
    BOOST_TEST(talk.peer.reads_until_end());
}

// TCP only: a Unix domain socket has no reset.
BOOST_TEST_DECORATOR(*needs_told_resets())
TOFU_TEST_CASE(a_bye_signal_shows_the_peer_a_reset, here, tcp_only) {
    served talk(here);
    talk.post(op_code::bye_signal);
    talk.expect_goodbye_here("aborted");
    BOOST_TEST(!talk.peer.reads_until_end());
}

// UDS only: it has no reset, and this is what there is instead.
TOFU_TEST_CASE(a_bye_signal_shows_the_peer_an_end_where_nothing_can_be_reset, here, uds_only) {
    served talk(here);
    talk.post(op_code::bye_signal);
    talk.expect_goodbye_here("aborted");
    BOOST_TEST(talk.peer.reads_until_end());
}

TOFU_TEST_CASE(a_hello_may_be_refused_with_a_bye_request, here) {
    dialogue talk(here);
    const binary_header hello = talk.hello(talk.listen());
    const tofu::message_ptr asked = talk.expect(talk.server, op_code::hello_request);
    const std::uint16_t server = asked->header().channel_number;
    talk.server.post(make(talk.engine, op_code::bye_request, server, "no"));
    tofu::message_ptr bye = talk.expect(talk.client, op_code::bye_request);
    BOOST_TEST(body_of(*bye) == "no");
    talk.client.post(answer(std::move(bye), op_code::bye_response));
    const tofu::message_ptr failed = talk.expect(talk.client, op_code::hello_response);
    BOOST_TEST(failed->from_engine());
    BOOST_TEST(failed->header().channel_number == hello.channel_number);
    BOOST_TEST(failed->header().message_id == hello.message_id);
    BOOST_TEST(to_string(failed->status()) == to_string(status::channel_closed));
    BOOST_TEST(reason_of(*failed) == "bye");
    BOOST_TEST(!talk.expect(talk.server, op_code::bye_response)->from_engine());
    talk.expect_goodbye(talk.server, server, "bye");
    talk.expect_silence(talk.client);
}

TOFU_TEST_CASE(everything_queued_goes_out_before_the_bye, here) {
    served talk(here);
    const std::string large(65535, 'q');
    for (int i = 0; i < 100; ++i) talk.post(op_code::signal, large);
    talk.post(op_code::bye_request, "bye");
    for (int i = 0; i < 100; ++i) talk.expect_at_peer(op_code::signal, large);
    talk.expect_at_peer(op_code::bye_request, "bye");
    talk.peer.send(message(op_code::bye_response));
    BOOST_TEST(talk.peer.reads_until_end());
    talk.peer.close();
    talk.expect_from_peer(op_code::bye_response);
    talk.expect_goodbye_here("bye");
}

TOFU_TEST_CASE(everything_queued_goes_out_before_the_bye_response, here) {
    served talk(here);
    talk.peer.send(message(op_code::bye_request));
    talk.expect_from_peer(op_code::bye_request);
    const std::string large(65535, 'q');
    for (int i = 0; i < 100; ++i) talk.post(op_code::signal, large);
    talk.post(op_code::bye_response);
    for (int i = 0; i < 100; ++i) talk.expect_at_peer(op_code::signal, large);
    talk.expect_at_peer(op_code::bye_response);
    BOOST_TEST(talk.peer.reads_until_end());
    talk.peer.close();
    talk.expect_goodbye_here("bye");
}

TOFU_TEST_CASE(after_the_own_bye_only_a_bye_signal_is_accepted, here) {
    served talk(here);
    talk.post(op_code::bye_request);
    for (const op_code op :
         {op_code::request, op_code::response, op_code::signal, op_code::bye_request, op_code::bye_response})
        talk.expect_refusal(op, status::not_allowed);
    talk.expect_at_peer(op_code::bye_request);
    talk.post(op_code::bye_signal);
    talk.expect_goodbye_here("aborted");
    talk.expect_refusal(op_code::bye_signal, status::invalid_channel_number);
}

TOFU_TEST_CASE(a_peer_may_go_on_talking_until_it_answers_the_bye, here) {
    served talk(here);
    talk.post(op_code::bye_request);
    talk.expect_at_peer(op_code::bye_request);
    for (const op_code op : {op_code::request, op_code::response, op_code::signal}) {
        talk.peer.send(message(op, "not yet"));
        talk.expect_from_peer(op, "not yet");
    }
    talk.peer.send(message(op_code::bye_response));
    talk.peer.shutdown_write();
    talk.expect_from_peer(op_code::bye_response);
    talk.expect_goodbye_here("bye");
}

TOFU_TEST_CASE(after_the_peers_bye_everything_is_accepted_until_the_bye_response, here, with_timers) {
    served talk(here);
    talk.peer.send(message(op_code::bye_request));
    talk.expect_from_peer(op_code::bye_request);
    for (const op_code op : {op_code::request, op_code::response, op_code::signal}) talk.post(op, "one more thing");
    talk.post(op_code::bye_response);
    talk.expect_refusal(op_code::signal, status::not_allowed);
    for (const op_code op : {op_code::request, op_code::response, op_code::signal})
        talk.expect_at_peer(op, "one more thing");
    talk.expect_at_peer(op_code::bye_response);
    BOOST_TEST(talk.peer.reads_until_end());
    talk.peer.close();
    talk.expect_goodbye_here("bye");
}

TOFU_TEST_CASE(a_peer_that_leaves_instead_of_answering_the_bye_has_disconnected, here) {
    served talk(here);
    talk.post(op_code::bye_request);
    talk.expect_at_peer(op_code::bye_request);
    talk.peer.close();
    talk.expect_goodbye_here("peer_disconnected");
}

TOFU_TEST_CASE(a_half_closed_peer_gets_its_answers, here) {
    served talk(here, long_grace);
    for (const std::string_view body : {"one", "two", "three"}) talk.peer.send(message(op_code::request, body));
    talk.peer.shutdown_write();
    talk.turn_loop(); // so that the end of the stream has been read, most likely, when the first answer is posted
    for (int i = 0; i < 3; ++i) talk.server.post(answer(talk.expect(talk.server, op_code::request), op_code::response));
    talk.expect_goodbye_here("peer_disconnected");
    for (const std::string_view body : {"one", "two", "three"}) talk.expect_at_peer(op_code::response, body);
    BOOST_TEST(talk.peer.reads_until_end());
}

TOFU_TEST_CASE(posting_to_a_half_closed_peer_ends_when_everything_of_it_was_received, here) {
    served talk(here, long_grace);
    talk.peer.send(message(op_code::request, "the last"));
    talk.peer.shutdown_write();
    talk.turn_loop();
    talk.expect_from_peer(op_code::request, "the last");
    const std::string large(65535, 'q');
    for (int i = 0; i < 100; ++i) talk.post(op_code::response, large);
    talk.expect_silence(talk.server); // wait_receive is past the last message now
    talk.turn_loop();
    talk.expect_refusal(op_code::response, status::invalid_channel_number);
    for (int i = 0; i < 100; ++i) talk.expect_at_peer(op_code::response, large);
    BOOST_TEST(talk.peer.reads_until_end());
    talk.expect_goodbye_here("peer_disconnected");
}

TOFU_TEST_CASE(a_peer_that_half_closes_behind_its_hello_can_be_welcomed, here) {
    dialogue talk(here, long_grace);
    raw_socket peer(talk.engine, talk.listen());
    peer.say_hello();
    peer.shutdown_write();
    talk.turn_loop();
    const std::uint16_t number = talk.accept();
    talk.server.post(make(talk.engine, op_code::signal, number, "news"));
    talk.expect_goodbye(talk.server, number, "peer_disconnected");
    BOOST_TEST((peer.receive().value().header.op == op_code::hello_response));
    BOOST_TEST(peer.receive().value().body == "news");
    BOOST_TEST(peer.reads_until_end());
}

TOFU_TEST_CASE(a_half_closed_peer_that_has_said_bye_is_answered, here) {
    served talk(here, long_grace);
    talk.peer.send(message(op_code::bye_request));
    talk.peer.shutdown_write();
    talk.expect_from_peer(op_code::bye_request);
    talk.expect_silence(talk.server); // the application owes the answer
    talk.post(op_code::signal, "one more thing");
    talk.post(op_code::bye_response);
    talk.expect_at_peer(op_code::signal, "one more thing");
    talk.expect_at_peer(op_code::bye_response);
    BOOST_TEST(talk.peer.reads_until_end());
    talk.expect_goodbye_here("bye");
}

TOFU_TEST_CASE(a_bye_request_still_reaches_a_half_closed_peer, here) {
    served talk(here, long_grace);
    talk.peer.send(message(op_code::request));
    talk.peer.shutdown_write();
    talk.turn_loop();
    talk.expect_from_peer(op_code::request);
    talk.post(op_code::bye_request);
    talk.expect_at_peer(op_code::bye_request);
    talk.expect_goodbye_here("peer_disconnected"); // no answer can come
}

TOFU_TEST_CASE(a_half_close_in_the_middle_of_a_message_loses_that_message_only, here) {
    const std::vector<std::byte> whole = message(op_code::request, "never whole");
    for (const std::size_t part : {std::size_t{1}, binary_header::wire_size, whole.size() - 1}) {
        BOOST_TEST_CONTEXT(part << " bytes") {
            served talk(here, long_grace);
            talk.peer.send(message(op_code::signal, "whole"));
            talk.peer.send(std::span(whole).first(part));
            talk.peer.shutdown_write();
            talk.expect_from_peer(op_code::signal, "whole");
            talk.expect_goodbye_here("peer_disconnected");
            BOOST_TEST(talk.peer.reads_until_end());
            BOOST_TEST(talk.engine.stats().credit_used == 0U);
        }
    }
}

TOFU_TEST_CASE(a_peer_that_half_closes_before_its_hello_is_forgotten, here) {
    dialogue talk(here);
    raw_socket peer(talk.engine, talk.listen());
    peer.send(std::span<const std::byte>(message(op_code::hello_request)).first(10));
    peer.shutdown_write();
    BOOST_TEST(peer.reads_until_end());
    talk.expect_silence(talk.server);
}

TOFU_TEST_CASE(a_server_that_half_closes_instead_of_answering_fails_the_hello, here) {
    dialogue talk(here);
    raw_listener server(talk.engine, here.new_address());
    const binary_header hello = talk.hello(server.where());
    raw_socket peer = server.accept();
    BOOST_REQUIRE(peer.receive());
    peer.shutdown_write();
    const tofu::message_ptr failed = talk.expect(talk.client, op_code::hello_response);
    BOOST_TEST(failed->from_engine());
    BOOST_TEST(failed->header().message_id == hello.message_id);
    BOOST_TEST(to_string(failed->status()) == to_string(status::peer_disconnected));
    BOOST_TEST(reason_of(*failed) == "peer_disconnected");
}

// Every program answers a bye_request, also one that has crossed its own.
TOFU_TEST_CASE(the_answer_to_a_bye_that_crossed_is_consumed, here) {
    for (const bool closed : {false, true}) {
        if (!closed && here.policies == variation::no_timers) continue; // it does not wait for the peer's end
        served talk(here, long_grace);
        talk.post(op_code::bye_request);
        talk.expect_at_peer(op_code::bye_request);
        talk.peer.send(message(op_code::bye_request));
        if (closed) {
            BOOST_TEST(talk.peer.reads_until_end());
            talk.peer.shutdown_write();
            // Only the listener is left: the goodbye waits behind the bye_request.
            talk.await([&] { return talk.engine.stats().channels == 1; });
        }
        tofu::message_ptr m = talk.expect(talk.server, op_code::bye_request);
        m->header().op = op_code::bye_response;
        const std::uint64_t id = m->header().message_id;
        std::error_code error;
        const binary_header sent = talk.server.post(std::move(m), error);
        BOOST_TEST(!error, error.message());
        BOOST_TEST(!m);
        BOOST_TEST((sent.op == op_code::bye_response));
        BOOST_TEST(sent.message_id == id);
        talk.expect_refusal(op_code::bye_response, closed ? status::invalid_channel_number : status::not_allowed);
        if (!closed) {
            BOOST_TEST(talk.peer.reads_until_end()); // nothing was sent
            talk.peer.shutdown_write();
        }
        talk.expect_goodbye_here("bye");
        talk.expect_refusal(op_code::bye_response, status::invalid_channel_number);
    }
}

TOFU_TEST_CASE(two_programs_that_answer_every_bye_may_cross, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    const auto each = [&](auto act) {
        act(talk.client, link.client);
        act(talk.server, link.server);
    };
    each(
        [&](any_group& group, std::uint16_t channel) { group.post(make(talk.engine, op_code::bye_request, channel)); });
    each([&](any_group& group, std::uint16_t) { // without an error
        group.post(answer(talk.expect(group, op_code::bye_request), op_code::bye_response));
    });
    each([&](any_group& group, std::uint16_t channel) { talk.expect_goodbye(group, channel, "bye"); });
}

TOFU_TEST_CASE(a_bye_response_posted_before_a_bye_request_is_an_ordinary_answer, here) {
    served talk(here);
    talk.peer.send(message(op_code::bye_request));
    talk.expect_from_peer(op_code::bye_request);
    talk.post(op_code::bye_response);
    std::error_code error;
    talk.server.post(make(talk.engine, op_code::bye_response, talk.number), error); // it may have ended
    BOOST_TEST((error == status::not_allowed || error == status::invalid_channel_number));
    talk.expect_at_peer(op_code::bye_response);
}

namespace {

/// A channel on which nothing can be written any more, though it can be read.
struct muted : script, served {
    explicit muted(const setting& where, const tofu::options& opts = {.grace_time = std::chrono::minutes(10)},
                   tofu::io_failure how = tofu::io_failure::permission_denied)
        : served(where, scripted_engine(where, *this, opts)) {
        broken_as = how;
        breaks_writes = true;
    }
    void pass(std::chrono::minutes time) {
        turn_loop();
        clock_lead += milliseconds(time).count();
        turn_loop();
    }
    /// The messages with these ids come back, then the goodbye.
    void expect_end(std::initializer_list<std::uint64_t> ids, status why, std::string_view reason) {
        for (const std::uint64_t id : ids) {
            const tofu::message_ptr m = expect(server, op_code::signal);
            BOOST_TEST(m->from_engine());
            BOOST_TEST(m->header().message_id == id);
            BOOST_TEST(to_string(m->status()) == to_string(why));
        }
        expect_goodbye_here(reason);
    }
};

} // namespace

TOFU_TEST_CASE(a_write_error_that_reading_does_not_explain_ends_the_channel_after_the_grace, here, with_timers) {
    muted talk(here);
    talk.post(op_code::signal, "lost", 41);
    talk.pass(std::chrono::minutes(9));
    talk.post(op_code::signal, "lost too", 42); // it is still open
    talk.expect_silence(talk.server);
    talk.pass(std::chrono::minutes(1));
    talk.expect_end({41, 42}, status::send_failed, "os_error:1");
    BOOST_TEST(talk.engine.drain(patience));
}

TOFU_TEST_CASE(a_write_error_without_a_grace_ends_the_channel_when_all_is_read, here) {
    muted talk(here, {.grace_time = milliseconds(0)});
    talk.breaks_writes = false;
    talk.turn_loop();
    const std::string large(33000, 'q'); // loopback buffers hold it
    for (int i = 0; i < 20; ++i) {       // now the engine expects large messages
        talk.peer.send(message(op_code::request, large));
        talk.expect_from_peer(op_code::request, large);
    }
    talk.peer.send(message(op_code::request, "there before"));
    talk.breaks_writes = true;
    talk.post(op_code::signal, "lost", 41);
    talk.expect_from_peer(op_code::request, "there before");
    talk.expect_end({41}, status::send_failed, "os_error:1");
    BOOST_TEST(talk.engine.drain(patience));
}

TOFU_TEST_CASE(a_write_error_keeps_its_number_when_the_peer_only_leaves, here, with_timers) {
    muted talk(here);
    talk.post(op_code::signal, "lost", 41);
    talk.turn_loop();
    talk.peer.shutdown_write();
    talk.expect_end({41}, status::send_failed, "os_error:1");
}

TOFU_TEST_CASE(a_reset_seen_only_by_a_write_is_reported_as_a_reset, here, with_timers) {
    muted talk(here, {.grace_time = std::chrono::minutes(10)}, tofu::io_failure::reset);
    talk.post(op_code::signal, "lost", 41);
    talk.pass(std::chrono::minutes(10));
    talk.expect_end({41}, status::peer_disconnected, "peer_reset");
}

TOFU_TEST_CASE(the_grace_of_a_write_error_counts_only_while_the_channel_may_be_read, here, with_timers) {
    muted talk(here, {.max_messages = 4, .grace_time = std::chrono::minutes(10)});
    std::vector<tofu::message_ptr> kept;
    for (int i = 0; i < 6; ++i) talk.peer.send(message(op_code::signal));
    while (kept.size() < 4) kept.push_back(talk.expect(talk.server, op_code::signal));
    BOOST_TEST((talk.expect(talk.server, op_code::signal)->status() == status::pool_empty));
    talk.post(op_code::signal, "lost", 41);
    talk.pass(std::chrono::minutes(60));
    BOOST_TEST(!talk.server.wait_receive(0ms)); // nobody reads, so nobody could have told why
    kept.clear();
    for (int received = 0; received < 2;) // it may starve once more meanwhile
        if (!talk.expect(talk.server, op_code::signal)->from_engine()) ++received;
    talk.pass(std::chrono::minutes(10));
    talk.expect_end({41}, status::send_failed, "os_error:1");
}

TOFU_TEST_CASE(a_write_error_stops_writing_only, here, with_timers) {
    script play;
    served talk(here, scripted_engine(here, play));
    play.breaks_writes = true;
    talk.post(op_code::signal, "lost", 41);
    talk.turn_loop();
    talk.post(op_code::signal, "lost too", 42);
    for (const std::string_view body : {"still", "heard"}) {
        talk.peer.send(message(op_code::request, body));
        talk.expect_from_peer(op_code::request, body);
    }
    talk.expect_silence(talk.server);
    talk.peer.shutdown_write();
    for (const std::uint64_t id : {41U, 42U}) {
        const tofu::message_ptr m = talk.expect(talk.server, op_code::signal);
        BOOST_TEST(m->from_engine());
        BOOST_TEST(m->header().message_id == id);
        BOOST_TEST(to_string(m->status()) == to_string(status::peer_disconnected));
    }
    talk.expect_goodbye_here("peer_reset");
}

BOOST_AUTO_TEST_SUITE_END()
