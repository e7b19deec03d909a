// SPDX-License-Identifier: BSL-1.0
// Names instead of literals: the engine while a resolver works, with its answer, and without an answer. TCP only: a
// path is no name.
#include "support/harness.hpp"
#include "support/own_ports.hpp"
#include "support/scarce_memory.hpp"

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(names)

namespace {

/// The test answers what the engine asks: talk.names.
struct named : script, scripted_dialogue {
    explicit named(const setting& where, const tofu::options& opts = {}) : scripted_dialogue(where, *this, opts) {}
};

} // namespace

TOFU_TEST_CASE(a_name_is_asked_for_and_its_address_connected_to, here, tcp_only) {
    named talk(here);
    const tofu::address where = talk.listen();
    const std::uint16_t client = talk.hello_to_name("a.name");
    question asked = talk.names.next(talk.engine);
    BOOST_TEST(asked.host == "a.name");
    BOOST_TEST(asked.port == 80);
    BOOST_TEST(!asked.for_listening);
    asked.answer({where});

    tofu::message_ptr m = talk.expect(talk.server, op_code::hello_request);
    BOOST_TEST(m->headers().find(tofu::connect_to_header) == "tcp|a.name|80"); // as it was posted
    talk.server.post(answer(std::move(m), op_code::hello_response));
    m = talk.expect(talk.client, op_code::hello_response);
    BOOST_TEST(m->header().channel_number == client);
    BOOST_TEST(!m->from_engine());
}

TOFU_TEST_CASE(a_literal_never_goes_to_the_resolver, here, tcp_only) {
    named talk(here);
    talk.connect();
    BOOST_TEST(talk.names.idle());
}

TOFU_TEST_CASE(each_address_of_a_name_is_tried_in_turn, here, tcp_only) {
    named talk(here);
    const tofu::address where = talk.listen();
    const std::array<refusing_port, 3> refusing;
    const std::uint16_t client = talk.hello_to_name();
    talk.names.next(talk.engine).answer({refusing[0].where(), refusing[1].where(), where, refusing[2].where()});
    talk.accept();
    const tofu::message_ptr m = talk.expect(talk.client, op_code::hello_response);
    BOOST_TEST(!m->from_engine());
    BOOST_TEST(m->header().channel_number == client);
}

TOFU_TEST_CASE(when_every_address_refuses_so_does_the_name, here, tcp_only) {
    named talk(here);
    const std::array<refusing_port, 2> refusing;
    const std::uint16_t client = talk.hello_to_name();
    talk.names.next(talk.engine).answer({refusing[0].where(), refusing[1].where()});
    talk.expect_failure(talk.client, op_code::hello_response, client, status::connect_failed, "connect_refused");
    talk.expect_silence(talk.client);
}

TOFU_TEST_CASE(an_unknown_name_fails_the_connect, here, tcp_only) {
    named talk(here);
    const tofu::binary_header hello = talk.hello(tofu::tcp_address{"un.known", 1});
    talk.names.next(talk.engine).fail(tofu::io_failure::name_not_found);
    const tofu::message_ptr m = talk.expect(talk.client, op_code::hello_response);
    BOOST_TEST(m->from_engine());
    BOOST_TEST(m->header().message_id == hello.message_id);
    BOOST_TEST(m->header().channel_number == hello.channel_number);
    BOOST_TEST(to_string(m->status()) == to_string(status::connect_failed));
    BOOST_TEST(reason_of(*m) == "name_not_found");
    talk.expect_silence(talk.client);
}

TOFU_TEST_CASE(an_answer_without_addresses_is_an_unknown_name, here, tcp_only) {
    named talk(here);
    const std::uint16_t client = talk.hello_to_name();
    talk.names.next(talk.engine).answer({});
    talk.expect_failure(talk.client, op_code::hello_response, client, status::connect_failed, "name_not_found");
}

TOFU_TEST_CASE(a_question_dropped_unanswered_is_an_unknown_name, here, tcp_only) {
    named talk(here);
    const std::uint16_t client = talk.hello_to_name();
    { const question dropped = talk.names.next(talk.engine); }
    talk.expect_failure(talk.client, op_code::hello_response, client, status::connect_failed, "name_not_found");
    const std::uint16_t listener = talk.listen_on_name();
    { const question dropped = talk.names.next(talk.engine); }
    talk.expect_failure(talk.server, op_code::welcome_response, listener, status::listen_failed, "name_not_found");
}

TOFU_TEST_CASE(without_memory_for_its_answer_a_name_ends_with_out_of_memory, here, tcp_only) {
    named talk(here);
    const tofu::address where = talk.listen();
    const std::uint16_t client = talk.hello_to_name();
    const std::uint16_t listener = talk.listen_on_name();
    for (int i = 0; i < 2; ++i) {
        question asked = talk.names.next(talk.engine);
        const scarce_memory scarce(0);
        asked.answer({asked.for_listening ? loopback() : where});
    }
    talk.expect_failure(talk.client, op_code::hello_response, client, status::allocation_failed, "out_of_memory");
    talk.expect_failure(talk.server, op_code::welcome_response, listener, status::allocation_failed, "out_of_memory");
}

TOFU_TEST_CASE(an_answer_may_come_from_another_thread, here, tcp_only) {
    named talk(here);
    const tofu::address where = talk.listen();
    talk.hello_to_name();
    question asked = talk.names.next(talk.engine);
    std::thread resolver([&] { asked.answer({where}); });
    talk.accept(); // in a caller-driven engine this thread waits in the poller meanwhile
    resolver.join();
    BOOST_TEST(!talk.expect(talk.client, op_code::hello_response)->from_engine());
}

TOFU_TEST_CASE(others_go_on_while_a_name_is_asked_for, here, tcp_only) {
    named talk(here);
    const auto link = talk.connect();
    talk.hello_to_name();
    const std::uint16_t listener = talk.listen_on_name();
    const question first = talk.names.next(talk.engine);
    const question second = talk.names.next(talk.engine);
    BOOST_TEST(second.for_listening);
    for (int i = 0; i < 10; ++i) {
        talk.client.post(make(talk.engine, op_code::request, link.client, "still there?"));
        talk.server.post(answer(talk.expect(talk.server, op_code::request), op_code::response));
        BOOST_TEST(body_of(*talk.expect(talk.client, op_code::response)) == "still there?");
    }
    BOOST_TEST(talk.server.stats(listener).has_value());
}

TOFU_TEST_CASE(what_was_posted_meanwhile_follows_the_hello, here, tcp_only) {
    named talk(here);
    const tofu::address where = talk.listen();
    const std::uint16_t client = talk.hello_to_name();
    question asked = talk.names.next(talk.engine);
    talk.client.post(make(talk.engine, op_code::request, client, "first"));
    talk.client.post(make(talk.engine, op_code::signal, client, "second"));
    asked.answer({where});
    talk.accept();
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "first");
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::signal)) == "second");
}

TOFU_TEST_CASE(what_was_posted_meanwhile_comes_back_when_the_name_is_unknown, here, tcp_only) {
    named talk(here);
    const std::uint16_t client = talk.hello_to_name();
    question asked = talk.names.next(talk.engine);
    talk.client.post(make(talk.engine, op_code::request, client, "in vain", 77));
    asked.fail(tofu::io_failure::name_not_found);
    const tofu::message_ptr m = talk.expect(talk.client, op_code::request);
    BOOST_TEST(m->from_engine());
    BOOST_TEST(body_of(*m) == "in vain");
    BOOST_TEST(m->header().message_id == 77U);
    BOOST_TEST(to_string(m->status()) == to_string(status::connect_failed));
    talk.expect_failure(talk.client, op_code::hello_response, client, status::connect_failed, "name_not_found");
}

TOFU_TEST_CASE(a_resolver_that_never_answers_is_a_connect_timeout, here, tcp_only& with_timers) {
    named talk(here, {.connect_time = 50ms});
    const auto before = std::chrono::steady_clock::now();
    const std::uint16_t client = talk.hello_to_name();
    talk.expect_failure(talk.client, op_code::hello_response, client, status::connect_failed, "connect_timeout");
    BOOST_TEST((std::chrono::steady_clock::now() - before >= 50ms));
    question late = talk.names.next(talk.engine);
    late.answer({talk.listen()});
    talk.expect_silence(talk.client);
    talk.expect_silence(talk.server);
}

TOFU_TEST_CASE(an_abort_ends_the_wait_for_a_name, here, tcp_only) {
    named talk(here);
    const tofu::address where = talk.listen();
    const std::uint16_t client = talk.hello_to_name();
    question late = talk.names.next(talk.engine);
    talk.client.post(make(talk.engine, op_code::bye_signal, client));
    talk.expect_failure(talk.client, op_code::hello_response, client, status::channel_closed, "aborted");
    late.answer({where});
    talk.expect_silence(talk.client);
    talk.expect_silence(talk.server);
    talk.connect(where);
}

TOFU_TEST_CASE(an_abort_ends_a_listener_that_waits_for_its_name, here, tcp_only) {
    named talk(here);
    const std::uint16_t listener = talk.listen_on_name();
    question late = talk.names.next(talk.engine);
    talk.server.post(make(talk.engine, op_code::bye_signal, listener));
    talk.expect_failure(talk.server, op_code::welcome_response, listener, status::channel_closed, "aborted");
    late.answer({loopback()});
    talk.expect_silence(talk.server);
}

TOFU_TEST_CASE(a_late_answer_does_not_reach_the_next_owner_of_the_slot, here, tcp_only) {
    named talk(here);
    const tofu::address where = talk.listen();
    const std::uint16_t first = talk.hello_to_name("first");
    question late = talk.names.next(talk.engine);
    talk.client.post(make(talk.engine, op_code::bye_signal, first));
    talk.expect_failure(talk.client, op_code::hello_response, first, status::channel_closed, "aborted");
    const std::uint16_t second = talk.hello_to_name("second"); // the free slot was used last
    question present = talk.names.next(talk.engine);
    late.answer({where});
    talk.expect_silence(talk.server);
    present.fail(tofu::io_failure::name_not_found);
    talk.expect_failure(talk.client, op_code::hello_response, second, status::connect_failed, "name_not_found");
}

TOFU_TEST_CASE(a_listener_may_have_a_name, here, tcp_only) {
    named talk(here);
    const std::uint16_t listener = talk.listen_on_name();
    question asked = talk.names.next(talk.engine);
    BOOST_TEST(asked.for_listening);
    asked.answer({loopback()});
    const tofu::message_ptr m = talk.expect(talk.server, op_code::welcome_response);
    BOOST_TEST(m->from_engine());
    BOOST_TEST(m->header().channel_number == listener);
    BOOST_TEST(to_string(m->status()) == to_string(status::success));
    talk.connect(tofu::parse_address(m->headers().find(tofu::listen_on_header)).value);
}

TOFU_TEST_CASE(each_address_of_a_listeners_name_is_tried_in_turn, here, tcp_only) {
    named talk(here);
    const tofu::address taken = talk.listen();
    talk.listen_on_name();
    talk.names.next(talk.engine).answer({taken, tofu::tcp_address{"192.0.2.1", 0}, loopback()}); // 192.0.2.1: nobody's
    const tofu::message_ptr m = talk.expect(talk.server, op_code::welcome_response);
    BOOST_TEST(to_string(m->status()) == to_string(status::success));
    talk.connect(tofu::parse_address(m->headers().find(tofu::listen_on_header)).value);
}

TOFU_TEST_CASE(a_group_may_go_while_its_name_is_asked_for, here, tcp_only) {
    named talk(here);
    const tofu::address where = talk.listen();
    talk.hello_to_name();
    question late = talk.names.next(talk.engine);
    talk.client = talk.engine.create_group();
    late.answer({where});
    talk.expect_silence(talk.server);
    talk.connect(where);
}

TOFU_TEST_CASE(an_engine_may_stop_while_names_are_asked_for, here, tcp_only) {
    script play;
    std::optional<scripted_dialogue> talk(std::in_place, here, play);
    const std::uint16_t client = talk->hello_to_name();
    const std::uint16_t listener = talk->listen_on_name();
    question to_connect = play.names.next(talk->engine);
    question to_listen = play.names.next(talk->engine);
    auto clients = std::move(talk->client);
    auto servers = std::move(talk->server);
    talk.reset();

    tofu::message_ptr m = clients.wait_receive(patience);
    BOOST_REQUIRE(m);
    BOOST_TEST((m->op() == op_code::hello_response));
    BOOST_TEST(m->header().channel_number == client);
    BOOST_TEST(to_string(m->status()) == to_string(status::shutdown_started));
    BOOST_TEST(reason_of(*m) == "engine_stopped");
    m = servers.wait_receive(patience);
    BOOST_REQUIRE(m);
    BOOST_TEST((m->op() == op_code::welcome_response));
    BOOST_TEST(m->header().channel_number == listener);
    BOOST_TEST(to_string(m->status()) == to_string(status::shutdown_started));

    to_connect.answer({loopback(9)}); // after the end: dropped
    std::error_code error;
    BOOST_TEST(!clients.wait_receive(patience, error));
    BOOST_TEST((error == status::shutdown_started));
    // The remaining question is the last owner of the engine: it may outlive reactor, groups and messages.
    clients = {};
    servers = {};
    m.reset();
    to_listen.answer({loopback()});
}

TOFU_TEST_CASE(questions_of_a_dead_engine_may_be_dropped, here, tcp_only) {
    script play;
    std::vector<question> unanswered;
    {
        scripted_dialogue talk(here, play);
        talk.hello_to_name();
        unanswered.push_back(play.names.next(talk.engine));
        talk.listen_on_name();
        unanswered.push_back(play.names.next(talk.engine));
    }
    unanswered.clear(); // the last hold on the engine: the sanitizers see a forbidden access
    BOOST_TEST(play.names.idle());
}

// Caller only, so that the inbox is drained only when the engine already stops: the answer must not hide the reason why
// its channels end.
TOFU_TEST_CASE(an_answer_that_comes_while_the_engine_stops_changes_nothing, here, tcp_only& caller_only) {
    script play;
    std::optional<scripted_dialogue> talk(std::in_place, here, play);
    talk->hello_to_name();
    question asked = play.names.next(talk->engine);
    auto clients = std::move(talk->client);
    const auto servers = std::move(talk->server); // the end of a group would turn the loop
    asked.fail(tofu::io_failure::aborted);
    talk.reset();
    const tofu::message_ptr m = clients.wait_receive(patience);
    BOOST_REQUIRE(m);
    BOOST_TEST(to_string(m->status()) == to_string(status::shutdown_started));
    BOOST_TEST(reason_of(*m) == "engine_stopped");
}

BOOST_AUTO_TEST_SUITE_END()
