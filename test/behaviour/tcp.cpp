// SPDX-License-Identifier: BSL-1.0
// Properties of TCP only: both address families, ports and their owners, and the largest number of channels.
#include "support/harness.hpp"
#include "support/own_ports.hpp"

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(tcp)

/// Some machines have no IPv6, not even on loopback.
bool has_v6() {
    tofu::platform::network<> net;
    endpoint at;
    tofu::io_error error;
    BOOST_REQUIRE(!net.to_endpoint(tofu::tcp_address{"::1", 0}, true, at));
    const auto listener = net.listen(at, {}, 1, error);
    if (error) BOOST_TEST_MESSAGE("no IPv6 here: not tested");
    return !error;
}

/// Round trip on a fresh connection; how the server sees the client.
std::string talk_through(dialogue& talk, const tofu::address& where) {
    const auto link = talk.connect(where);
    talk.client.post(make(talk.engine, op_code::request, link.client, "through"));
    tofu::message_ptr m = talk.expect(talk.server, op_code::request);
    BOOST_TEST(body_of(*m) == "through");
    talk.server.post(answer(std::move(m), op_code::response));
    talk.expect(talk.client, op_code::response);
    const auto figures = talk.server.stats(link.server);
    BOOST_REQUIRE(figures);
    return std::string(figures->peer.host());
}

void expect_listen_failure(dialogue& talk, const tofu::address& where, std::string_view reason) {
    const tofu::binary_header posted = talk.server.post(welcome_request(talk.engine, where));
    talk.expect_failed(talk.server, op_code::welcome_response, posted, status::listen_failed, reason);
}

TOFU_TEST_CASE(port_zero_tells_the_real_one, here, tcp_only) {
    dialogue talk(here);
    const tofu::address first = talk.listen();
    const tofu::address second = talk.listen();
    BOOST_TEST(first.host() == "127.0.0.1");
    BOOST_TEST(first.port() != 0);
    BOOST_TEST(second.port() != 0);
    BOOST_TEST(first.port() != second.port());
    talk_through(talk, first);
    talk_through(talk, second);
}

TOFU_TEST_CASE(a_v4_literal_is_listened_on_and_connected_to, here, tcp_only) {
    dialogue talk(here);
    BOOST_TEST(talk_through(talk, talk.listen()) == "127.0.0.1");
}

TOFU_TEST_CASE(a_v6_literal_is_listened_on_and_connected_to, here, tcp_only) {
    if (!has_v6()) return;
    dialogue talk(here);
    const tofu::address where = talk.listen(tofu::tcp_address{"::1", 0});
    BOOST_TEST(where.host() == "::1");
    BOOST_TEST(where.port() != 0);
    BOOST_TEST(talk_through(talk, where) == "::1");
}

TOFU_TEST_CASE(an_empty_host_is_reached_by_both_families, here, tcp_only) {
    dialogue talk(here);
    const tofu::address where = talk.listen(tofu::tcp_address{"", 0});
    BOOST_TEST(where.port() != 0);
    BOOST_TEST(talk_through(talk, loopback(where.port())) == "127.0.0.1"); // not ::ffff:127.0.0.1
    if (has_v6()) BOOST_TEST(talk_through(talk, tofu::tcp_address{"::1", where.port()}) == "::1");
}

TOFU_TEST_CASE(a_port_is_listened_on_once, here, tcp_only) {
    dialogue talk(here);
    const tofu::address taken = talk.listen();
    expect_listen_failure(talk, taken, "address_in_use");
    dialogue other(here);
    expect_listen_failure(other, taken, "address_in_use");
    talk_through(talk, taken);
}

TOFU_TEST_CASE(an_aborted_listener_gives_its_port_back, here, tcp_only) {
    dialogue talk(here);
    const tofu::address where = talk.listen(tofu::tcp_address{own_loopback(), 0});
    const std::uint16_t listener = talk.listener;
    talk.server.post(make(talk.engine, op_code::bye_signal, listener));
    talk.expect_goodbye(talk.server, listener, "aborted");
    BOOST_TEST((talk.listen(where) == where));
    talk_through(talk, where);
}

TOFU_TEST_CASE(a_restarted_server_gets_its_port_at_once, here, tcp_only) {
    tofu::address where;
    {
        dialogue talk(here);
        where = talk.listen(tofu::tcp_address{own_loopback(), 0});
        const auto link = talk.connect(where);
        // The server ends first in every way there is: with a bye, and in the middle.
        talk.server.post(make(talk.engine, op_code::bye_request, link.server));
        talk.client.post(answer(talk.expect(talk.client, op_code::bye_request), op_code::bye_response));
        talk.expect(talk.server, op_code::bye_response);
        talk.expect_goodbye(talk.server, link.server, "bye");
        talk.expect_goodbye(talk.client, link.client, "bye");
        talk.connect(where);
        talk.server = talk.engine.create_group();
        BOOST_TEST(talk.expect(talk.client, op_code::signal)->from_engine());
        BOOST_TEST((talk.listen(where) == where));
        talk.connect(where);
    }
    dialogue again(here);
    BOOST_TEST((again.listen(where) == where));
    talk_through(again, where);
}

TOFU_TEST_CASE(an_address_of_another_machine_can_not_be_listened_on, here, tcp_only) {
    dialogue talk(here);
    expect_listen_failure(talk, tofu::tcp_address{"192.0.2.1", 0}, "address_not_available"); // RFC 5737: nobody's
    expect_listen_failure(talk, tofu::tcp_address{"2001:db8::1", 0},
                          "address_not_available"); // RFC 3849: nobody's either
}

TOFU_TEST_CASE(a_port_nobody_listens_on_refuses, here, tcp_only) {
    dialogue talk(here);
    const refusing_port refusing;
    const tofu::binary_header hello = talk.hello(refusing.where());
    talk.expect_failed(talk.client, op_code::hello_response, hello, status::connect_failed, "connect_refused");
}

// Names that are never answered take channels without sockets: the limit of open files does not matter here.
TOFU_TEST_CASE(every_channel_of_the_pool_works_and_no_more, here, tcp_only& with_fixed_pool) {
    constexpr std::size_t all = 1024;
    script play;
    scripted_dialogue talk(here, play, {.connect_time = 0ms});
    const tofu::address where = talk.listen();
    std::uint16_t last = 0;
    for (std::size_t taken = 1; taken < all - 1; ++taken) last = talk.hello_to_name();
    const auto until = std::chrono::steady_clock::now() + patience;
    while (talk.engine.stats().channels != all - 1) {
        static_cast<void>(talk.client.wait_receive(1ms));
        BOOST_REQUIRE((std::chrono::steady_clock::now() < until));
    }

    raw_socket peer(talk.engine, where); // channel 1,024
    const std::uint16_t channel = be_accepted(talk, peer);
    talk.await_channels(all);
    peer.send({.op = op_code::request, .message_id = 2}, {}, "as good as the first");
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "as good as the first");

    {
        raw_socket one_too_many(talk.engine, where);
        BOOST_TEST(one_too_many.receive_bytes(1).empty()); // closed without a word
    }
    BOOST_TEST(talk.engine.stats().refused == 1U);
    const std::uint16_t number = talk.hello(where).channel_number;
    talk.expect_failure(talk.client, op_code::hello_response, number, status::allocation_failed, "out_of_channels");

    talk.client.post(make(talk.engine, op_code::bye_signal, last)); // makes room for one
    talk.expect_failure(talk.client, op_code::hello_response, last, status::channel_closed, "aborted");
    raw_socket next(talk.engine, where);
    be_accepted(talk, next);
    peer.send({.op = op_code::signal, .message_id = 3}, {}, "still here");
    const tofu::message_ptr m = talk.expect(talk.server, op_code::signal);
    BOOST_TEST(m->header().channel_number == channel);
    BOOST_TEST(body_of(*m) == "still here");
}

BOOST_AUTO_TEST_SUITE_END()
