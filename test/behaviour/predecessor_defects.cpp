// SPDX-License-Identifier: BSL-1.0
// Measured defects of the implementation that this one follows: each defect is a test here.
#include "support/harness.hpp"
#include "support/own_directory.hpp"

#include <filesystem>
#include <fstream>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(predecessor_defects)

using raw_header = std::array<std::byte, tofu::binary_header::wire_size>;

/// A header whose proto byte is what no encoder writes.
raw_header with_proto(unsigned proto, std::uint64_t id = 1) {
    raw_header wire{};
    tofu::encode({.channel_number = 7, .message_id = id}, wire);
    wire[2] = static_cast<std::byte>(proto);
    return wire;
}

/// An accepted raw peer.
struct visitor {
    visitor(dialogue& talk, const tofu::address& where) : socket(talk.engine, where) {
        channel = be_accepted(talk, socket);
    }
    raw_socket socket;
    std::uint16_t channel = 0;
};

// TCP_NODELAY never set, parts sent separately: 88 ms per round trip.
BOOST_TEST_DECORATOR(*tofu_test::needs_own_processor())
TOFU_TEST_CASE(a_round_trip_waits_for_no_delayed_acknowledgement, here) {
    constexpr std::uint64_t rounds = 100;
    dialogue talk(here);
    const auto link = talk.connect();
    const tofu::engine_stats before = talk.engine.stats();
    const auto start = std::chrono::steady_clock::now();
    for (std::uint64_t i = 0; i < rounds; ++i) {
        tofu::message_ptr m = make(talk.engine, op_code::request, link.client, "a body");
        BOOST_REQUIRE(m->headers().append("a", "header") == status::success);
        talk.client.post(std::move(m));
        talk.server.post(answer(talk.expect(talk.server, op_code::request), op_code::response));
        talk.expect(talk.client, op_code::response);
    }
    BOOST_TEST((std::chrono::steady_clock::now() - start < rounds * 40ms)); // the shortest delayed acknowledgement
    const tofu::engine_stats after = talk.engine.stats();
    BOOST_TEST(after.messages_sent - before.messages_sent == 2 * rounds);
    BOOST_TEST(after.writes - before.writes == 2 * rounds); // one gathered write each
}

// The 65,534th connection hangs the engine. (Numbers know of neither poll policies nor transports: one of each is
// enough for this many connections.)
TOFU_TEST_CASE(channel_numbers_return, here, defaults_only& tcp_only) {
    dialogue talk(here);
    const tofu::address where = talk.listen();
    talk.connect(where);
    talk.use_up_numbers(66'000);
    const auto link = talk.connect(where);
    BOOST_TEST(link.client < 1000);
    BOOST_TEST(link.client != 0);
}

TOFU_TEST_CASE(more_connections_one_after_another_than_there_are_channels, here, unvaried_only) {
    dialogue talk(here, narrow_engine(here)); // three channels
    const tofu::address where = talk.listen();
    for (int i = 0; i < 50; ++i) {
        const auto link = talk.connect(where);
        talk.client.post(make(talk.engine, op_code::bye_signal, link.client)); // a reset leaves no TIME_WAIT
        talk.expect_goodbye(talk.client, link.client, "aborted");
        talk.expect_goodbye(talk.server, link.server, here.reason_of_abort());
    }
    BOOST_TEST(talk.engine.stats().refused == 0U);
}

// `post` on a closed channel succeeds and the message is lost.
TOFU_TEST_CASE(a_post_on_a_closed_channel_is_refused_and_the_message_stays, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    talk.client.post(make(talk.engine, op_code::bye_signal, link.client));
    talk.expect_goodbye(talk.server, link.server, here.reason_of_abort());
    tofu::message_ptr m = make(talk.engine, op_code::request, link.server, "keep me");
    std::error_code error;
    talk.server.post(std::move(m), error);
    BOOST_TEST((error == status::invalid_channel_number));
    BOOST_REQUIRE(m);
    BOOST_TEST(body_of(*m) == "keep me");
}

// Every idle connection holds a pool message; with an empty pool the loop spins and floods the group.
TOFU_TEST_CASE(an_idle_connection_costs_no_credit, here) {
    dialogue talk(here, {.max_messages = 4});
    const tofu::address where = talk.listen();
    std::vector<std::unique_ptr<visitor>> idle;
    for (int i = 0; i < 8; ++i) idle.push_back(std::make_unique<visitor>(talk, where));
    const raw_header half = with_proto(0);
    for (const auto& one : idle) one->socket.send(std::span(half).first(15));
    const auto link = talk.connect(where);
    talk.client.post(make(talk.engine, op_code::request, link.client, "through"));
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "through");
    BOOST_TEST(talk.engine.stats().credit_used == 0U);
    BOOST_TEST(talk.engine.stats().starvation_episodes == 0U);
}

TOFU_TEST_CASE(an_empty_pool_is_told_once_and_the_loop_rests, here) {
    dialogue talk(here, {.max_messages = 4});
    const auto link = talk.connect();
    for (int i = 0; i < 20; ++i) talk.client.post(make(talk.engine, op_code::signal, link.client));
    std::vector<tofu::message_ptr> kept;
    for (int i = 0; i < 4; ++i) {
        kept.push_back(talk.expect(talk.server, op_code::signal));
        BOOST_TEST(!kept.back()->from_engine());
    }
    const tofu::message_ptr notice = talk.expect(talk.server, op_code::signal);
    BOOST_TEST(notice->from_engine());
    BOOST_TEST(to_string(notice->status()) == to_string(status::pool_empty));
    const std::uint64_t turns = talk.engine.stats().turns;
    talk.expect_silence(talk.server);
    BOOST_TEST(talk.engine.stats().turns - turns < 10U);
    kept.clear();
    for (int received = 4; received < 20;) // with further episodes, each told once
        if (!talk.expect(talk.server, op_code::signal)->from_engine()) ++received;
}

// Op codes 10 to 15 crash or reach the application; so do origin engine and welcome_*.
TOFU_TEST_CASE(what_a_peer_must_not_say_closes_its_channel, here) {
    dialogue talk(here);
    const tofu::address where = talk.listen();
    const auto link = talk.connect(where);
    const auto check = [&](unsigned proto, std::string_view reason) {
        visitor peer(talk, where);
        peer.socket.send(with_proto(proto));
        talk.expect_goodbye(talk.server, peer.channel, reason);
        peer.socket.reads_until_end();
    };
    for (unsigned op = 10; op <= 15; ++op) check(op, "violation:invalid_op_code");
    for (unsigned op = 8; op <= 9; ++op) check(op, "violation:invalid_op_code");
    check(0x10, "violation:invalid_message");
    check(0x12, "violation:invalid_message");
    talk.client.post(make(talk.engine, op_code::request, link.client, "unharmed"));
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "unharmed");
}

// So does a request before hello.
TOFU_TEST_CASE(a_peer_that_does_not_begin_with_hello_is_never_announced, here) {
    dialogue talk(here);
    const tofu::address where = talk.listen();
    for (const unsigned proto : {0U, 1U, 2U, 4U, 5U, 6U, 7U, 8U, 9U, 12U, 0x13U}) {
        raw_socket peer(talk.engine, where);
        peer.send(with_proto(proto));
        peer.reads_until_end();
    }
    talk.expect_silence(talk.server);
    talk.connect(where);
}

// Internal bits 6 and 7 leak from wire to application and back.
TOFU_TEST_CASE(internal_bits_end_at_the_engine, here) {
    dialogue talk(here);
    visitor peer(talk, talk.listen());
    for (const unsigned bits : {0x40U, 0x80U, 0xC0U}) {
        peer.socket.send(with_proto(bits, 42));
        tofu::message_ptr m = talk.expect(talk.server, op_code::request);
        BOOST_TEST(!m->from_engine());
        BOOST_TEST(!m->header().more);
        talk.server.post(answer(std::move(m), op_code::response));
        const std::vector<std::byte> wire = peer.socket.receive_bytes(tofu::binary_header::wire_size);
        BOOST_REQUIRE(wire.size() == tofu::binary_header::wire_size);
        BOOST_TEST(std::to_integer<unsigned>(wire[2]) == 1U);
    }
}

// A half-sent message comes back with its header byte-swapped.
TOFU_TEST_CASE(a_half_sent_message_comes_back_as_it_was_posted, here) {
    dialogue talk(here);
    raw_listener listener(talk.engine, here.new_address());
    const std::uint16_t client = talk.hello(listener.where()).channel_number;
    raw_socket peer = listener.accept();
    BOOST_REQUIRE(peer.receive());
    peer.send({.op = op_code::hello_response, .message_id = 1});
    talk.expect(talk.client, op_code::hello_response);

    const std::string body(60'000, 'x');
    constexpr std::uint64_t first_id = 0x0102030405060708; // another number in every byte order
    std::uint64_t posted = 0;
    std::error_code full;
    for (;; ++posted) { // until the socket and the queue are full
        tofu::message_ptr m = make(talk.engine, op_code::request, client, body, first_id + posted);
        talk.client.post(std::move(m), full);
        if (full) break;
    }
    BOOST_TEST((full == status::send_failed));
    BOOST_TEST(peer.receive_bytes(1).size() == 1U);
    peer.reset();
    std::uint64_t returned = 0;
    for (std::uint64_t expected = 0;;) {
        const tofu::message_ptr m = talk.next(talk.client);
        if (m->op() == op_code::signal) {
            BOOST_TEST(reason_of(*m) == "peer_reset");
            break;
        }
        const std::uint64_t id = m->header().message_id;
        if (returned == 0) expected = id;
        BOOST_REQUIRE((m->op() == op_code::request));
        BOOST_REQUIRE(m->from_engine());
        BOOST_REQUIRE(m->header().channel_number == client);
        BOOST_REQUIRE(id == expected++);
        BOOST_REQUIRE(m->header().body_length == body.size());
        BOOST_REQUIRE(body_of(*m) == body);
        ++returned;
    }
    BOOST_TEST(returned != 0U);
    BOOST_TEST(returned + talk.engine.stats().messages_sent == posted + 1); // the hello_request was sent
}

// Crossing bye_requests hang for ever.
TOFU_TEST_CASE(byes_that_cross_end_in_good_order, here) {
    dialogue talk(here);
    raw_listener listener(talk.engine, here.new_address());
    const std::uint16_t client = talk.hello(listener.where()).channel_number;
    raw_socket peer = listener.accept();
    BOOST_REQUIRE(peer.receive());
    peer.send({.op = op_code::hello_response, .message_id = 1});
    talk.expect(talk.client, op_code::hello_response);

    talk.client.post(make(talk.engine, op_code::bye_request, client));
    const auto ours = peer.receive(); // it is on its way before theirs comes: they cross
    BOOST_REQUIRE(ours);
    BOOST_TEST((ours->header.op == op_code::bye_request));
    peer.send({.op = op_code::bye_request, .message_id = 2});
    talk.expect(talk.client, op_code::bye_request);
    BOOST_TEST(peer.reads_until_end());
    peer.close();
    talk.expect_goodbye(talk.client, client, "bye");
}

// Half-close, or data followed by a reset, loses data already received.
TOFU_TEST_CASE(what_was_received_before_a_half_close_is_delivered, here) {
    dialogue talk(here);
    visitor peer(talk, talk.listen());
    for (std::uint64_t id = 1; id <= 50; ++id) peer.socket.send({.message_id = id}, {}, "still worth reading");
    peer.socket.shutdown_write();
    for (std::uint64_t id = 1; id <= 50; ++id)
        BOOST_TEST(talk.expect(talk.server, op_code::request)->header().message_id == id);
    talk.expect_goodbye(talk.server, peer.channel, "peer_disconnected");
}

TOFU_TEST_CASE(what_was_received_before_a_reset_is_delivered, here) {
    dialogue talk(here);
    visitor peer(talk, talk.listen());
    const std::uint64_t before = talk.engine.stats().bytes_received;
    for (std::uint64_t id = 1; id <= 50; ++id) peer.socket.send({.message_id = id});
    const auto until = std::chrono::steady_clock::now() + patience;
    while (talk.engine.stats().bytes_received - before < 50 * tofu::binary_header::wire_size) {
        std::error_code has_thread; // the engine has it, the application has not
        talk.engine.run_once(1ms, has_thread);
        if (has_thread) std::this_thread::yield();
        BOOST_REQUIRE((std::chrono::steady_clock::now() < until));
    }
    peer.socket.reset();
    for (std::uint64_t id = 1; id <= 50; ++id)
        BOOST_TEST(talk.expect(talk.server, op_code::request)->header().message_id == id);
    talk.expect_goodbye(talk.server, peer.channel, here.reason_of_abort());
}

// A bye_signal yields two notifications, and a signal posted just before it vanishes.
TOFU_TEST_CASE(an_abort_is_told_once_and_gives_back_what_was_not_sent, here) {
    script play;
    scripted_dialogue talk(here, play);
    const std::uint16_t client = talk.hello_to_name();
    const question pending = play.names.next(talk.engine); // nothing can be sent while the name is asked for
    talk.client.post(make(talk.engine, op_code::signal, client, "just before", 9));
    talk.client.post(make(talk.engine, op_code::bye_signal, client));
    const tofu::message_ptr m = talk.expect(talk.client, op_code::signal);
    BOOST_TEST(m->from_engine());
    BOOST_TEST(body_of(*m) == "just before");
    BOOST_TEST(m->header().message_id == 9U);
    BOOST_TEST(to_string(m->status()) == to_string(status::channel_closed));
    talk.expect_failure(talk.client, op_code::hello_response, client, status::channel_closed, "aborted");
    talk.expect_silence(talk.client);
}

TOFU_TEST_CASE(an_abort_of_an_open_channel_is_told_once, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    talk.client.post(make(talk.engine, op_code::signal, link.client, "sent or back"));
    talk.client.post(make(talk.engine, op_code::bye_signal, link.client));
    tofu::message_ptr m = talk.next(talk.client);
    if (body_of(*m) == "sent or back") m = talk.next(talk.client);
    BOOST_TEST(reason_of(*m) == "aborted");
    talk.expect_silence(talk.client);
}

// SO_REUSEPORT always on: two servers "listen" on one TCP port. (TCP only: only that has ports.)
TOFU_TEST_CASE(a_port_has_one_listener, here, tcp_only) {
    dialogue talk(here);
    const tofu::address taken = talk.listen();
    dialogue second(here);
    tofu::message_ptr m = second.engine.get();
    BOOST_REQUIRE(m->listen_on(taken) == status::success);
    second.server.post(std::move(m));
    m = second.expect(second.server, op_code::welcome_response);
    BOOST_TEST(m->from_engine());
    BOOST_TEST(to_string(m->status()) == to_string(status::listen_failed));
    BOOST_TEST(reason_of(*m) == "address_in_use");
    talk.connect(taken);
}

// A listener unlinks any file at its path, even a live server's socket. (uds.cpp and socket_file.cpp have all of the
// rules.)
TOFU_TEST_CASE(a_path_belongs_to_who_listens_there, here, uds_only) {
    const own_directory home;
    dialogue first(here);
    first.listen(home.address());
    dialogue second(here);
    std::ofstream(home.file("precious")) << "data";
    for (const tofu::address& taken : {home.address(), home.address("precious")}) {
        const auto request = second.server.post(welcome_request(second.engine, taken));
        second.expect_failed(second.server, op_code::welcome_response, request, status::listen_failed,
                             "address_in_use");
    }
    BOOST_TEST(std::filesystem::file_size(home.file("precious")) == 4U);
    first.connect(home.address());
}

// A listener's DNS name is resolved on the I/O thread and blocks every channel. (TCP only: a path is no name.)
TOFU_TEST_CASE(a_listeners_name_blocks_nobody, here, tcp_only) {
    script play;
    scripted_dialogue talk(here, play);
    const std::uint16_t named = talk.listen_on_name();
    question slow = play.names.next(talk.engine);
    talk.connect();
    slow.answer({here.new_address()});
    BOOST_TEST(talk.expect(talk.server, op_code::welcome_response)->header().channel_number == named);
}

// A successful welcome_response has origin application.
TOFU_TEST_CASE(a_welcome_response_is_the_engines, here) {
    dialogue talk(here);
    talk.server.post(welcome_request(talk.engine, here.new_address()));
    const tofu::message_ptr m = talk.expect(talk.server, op_code::welcome_response);
    BOOST_TEST(to_string(m->status()) == to_string(status::success));
    BOOST_TEST(m->from_engine());
}

// A request with id 0 from a peer cannot be answered.
TOFU_TEST_CASE(a_request_with_id_zero_can_be_answered, here) {
    dialogue talk(here);
    visitor peer(talk, talk.listen());
    peer.socket.send({.op = op_code::request, .message_id = 0}, {}, "anonymous");
    tofu::message_ptr m = talk.expect(talk.server, op_code::request);
    BOOST_TEST(m->header().message_id == 0U);
    talk.server.post(answer(std::move(m), op_code::response));
    const auto response = peer.socket.receive();
    BOOST_REQUIRE(response);
    BOOST_TEST((response->header.op == op_code::response));
    BOOST_TEST(response->header.message_id == 0U);
    BOOST_TEST(response->body == "anonymous");
}

BOOST_AUTO_TEST_SUITE_END()
