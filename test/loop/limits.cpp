// SPDX-License-Identifier: BSL-1.0
// Tests of the limits on counts, for the engine and its peers: exactly at the limit, one too many, and the share of a
// turn that one channel can take. Time limits and the receive credit (back_pressure) have suites of their own.
#include "support/simulated_talk.hpp"

#include <deque>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(limits)

namespace {

/// Peers that have said hello and were accepted.
template <class Talk>
std::deque<raw_end> join(Talk& talk, std::size_t count) {
    const tofu::address where = talk.listen();
    std::deque<raw_end> peers; // a raw_end stays where it is made
    for (std::size_t i = 0; i < count; ++i) {
        peers.emplace_back(talk.world, where).say_hello();
        talk.accept();
    }
    talk.turn_after(a_while);
    return peers;
}

/// A hello_request to an address where nobody ever answers: the channel stands, and what is posted on it stays queued.
std::uint16_t unanswered(simulated_talk<>& talk) {
    talk.world.faults().connect_hangs = 1000;
    return talk.hello(tofu::tcp_address{"10.0.0.1", 1}).channel_number;
}

status try_post(simulated_talk<>& talk, std::uint16_t channel, std::size_t text, std::size_t body,
                op_code op = op_code::signal) {
    tofu::message_ptr m = make(talk.engine, op, channel, std::string(body, 'b'));
    BOOST_REQUIRE(m->headers().assign_wire(std::string(text, 't')));
    std::error_code error;
    talk.client.post(std::move(m), error);
    BOOST_TEST(static_cast<bool>(m) == static_cast<bool>(error)); // a refused message stays with its caller
    return failure(error);
}

} // namespace

// A turn.

BOOST_AUTO_TEST_CASE(a_peer_that_sends_much_has_its_share_of_a_turn_and_no_more) {
    constexpr std::size_t budget = 100'000;
    constexpr std::size_t one_read = 4 * 1024; // at least
    constexpr std::size_t peers = 3;
    simulated_talk<> talk({.max_messages = 10'000, .read_budget = budget}, wide);
    std::deque<raw_end> busy = join(talk, peers);
    const std::string body(984, 'b'); // a message is 1000 bytes
    for (raw_end& peer : busy)
        for (int i = 0; i < 1000; ++i) peer.send({.op = op_code::signal}, body);
    talk.world.advance(a_while);

    for (int i = 0; i < 6; ++i) {
        const std::uint64_t before = talk.engine.stats().bytes_received;
        talk.turn();
        const std::uint64_t taken = talk.engine.stats().bytes_received - before;
        BOOST_TEST(taken >= peers * budget); // nobody is left out
        BOOST_TEST(taken <= peers * (budget + one_read));
    }

    // Messages were handed over turn by turn: the peers take turns, too.
    std::uint16_t last = 0;
    std::size_t runs = 0;
    for (std::uint64_t left = talk.engine.stats().messages_received - peers; left != 0; --left) {
        const tofu::message_ptr m = talk.expect(talk.server, op_code::signal);
        runs += m->header().channel_number != last ? 1 : 0;
        last = m->header().channel_number;
    }
    BOOST_TEST(runs >= 4 * peers);
}

BOOST_AUTO_TEST_CASE(a_read_budget_of_one_byte_is_one_read_for_everybody) {
    constexpr std::size_t peers = 4;
    simulated_talk<> talk({.max_messages = 10'000, .read_budget = 1}, wide);
    std::deque<raw_end> busy = join(talk, peers);
    for (raw_end& peer : busy)
        for (int i = 0; i < 300; ++i) peer.send({.op = op_code::signal}, std::string(984, 'b'));
    talk.world.advance(a_while);
    for (int i = 0; i < 4; ++i) {
        const std::uint64_t reads = talk.engine.stats().reads;
        talk.turn();
        BOOST_TEST(talk.engine.stats().reads == reads + peers);
    }
}

BOOST_AUTO_TEST_CASE(a_long_queue_has_its_share_of_a_turn_and_no_more) {
    constexpr std::size_t budget = 100'000;
    constexpr std::size_t one_write = 1000; // a whole message
    constexpr std::size_t channels = 3;
    simulated_talk<> talk({.write_budget = budget}, wide);
    const tofu::address where = talk.listen();
    const std::string body(984, 'b');
    for (std::size_t i = 0; i < channels; ++i) { // nothing goes out before the connection stands
        const std::uint16_t number = talk.hello(where).channel_number;
        for (int k = 0; k < 1000; ++k) talk.client.post(make(talk.engine, op_code::signal, number, body));
    }
    BOOST_TEST(talk.engine.stats().bytes_sent == 0U);
    talk.world.advance(a_while);
    for (int i = 0; i < 7; ++i) {
        const std::uint64_t before = talk.engine.stats().bytes_sent;
        talk.turn();
        const std::uint64_t sent = talk.engine.stats().bytes_sent - before;
        BOOST_TEST(sent >= channels * budget);
        BOOST_TEST(sent <= channels * (budget + one_write));
    }
}

BOOST_AUTO_TEST_CASE(a_write_budget_of_one_byte_is_one_write_for_everybody) {
    constexpr std::size_t channels = 4;
    simulated_talk<> talk({.write_budget = 1}, wide);
    const tofu::address where = talk.listen();
    for (std::size_t i = 0; i < channels; ++i) {
        const std::uint16_t number = talk.hello(where).channel_number;
        for (int k = 0; k < 300; ++k)
            talk.client.post(make(talk.engine, op_code::signal, number, std::string(984, 'b')));
    }
    talk.world.advance(a_while);
    for (int i = 0; i < 4; ++i) {
        const std::uint64_t writes = talk.engine.stats().writes;
        talk.turn();
        BOOST_TEST(talk.engine.stats().writes == writes + channels);
    }
}

BOOST_AUTO_TEST_CASE(a_crowd_is_accepted_a_few_at_a_turn) {
    simulated_talk<> talk({.accept_budget = 3});
    const tofu::address where = talk.listen();
    std::deque<raw_end> crowd;
    for (int i = 0; i < 10; ++i) crowd.emplace_back(talk.world, where);
    for (const std::uint64_t accepted : {1U, 3U, 6U, 9U, 10U, 10U}) { // it may have been one alone, at first
        talk.turn();
        BOOST_TEST(talk.engine.stats().accepted == accepted);
    }
}

// Connections before hello.

BOOST_AUTO_TEST_CASE(no_more_connections_than_allowed_wait_for_their_hello) {
    simulated_talk<> talk({.max_awaiting_hello = 3});
    const tofu::address where = talk.listen();
    std::deque<raw_end> crowd;
    for (int i = 0; i < 6; ++i) crowd.emplace_back(talk.world, where);
    for (int i = 0; i < 3; ++i) talk.turn();
    BOOST_TEST(talk.engine.stats().accepted == 3U);
    const std::vector<std::byte> hello =
        raw_socket::wire_of({.op = op_code::hello_request, .message_id = 1}, "~connect_to:tcp|127.0.0.1|1\r\n");
    crowd[1].send(std::span(hello).first(hello.size() - 1));
    for (int i = 0; i < 3; ++i) talk.turn_after(a_while);
    BOOST_TEST(talk.engine.stats().accepted == 3U); // half a hello is none
    crowd[1].send(std::span(hello).last(1));
    talk.accept();
    for (int i = 0; i < 3; ++i) talk.turn();
    BOOST_TEST(talk.engine.stats().accepted == 4U);
}

BOOST_AUTO_TEST_CASE(who_is_not_accepted_yet_waits_in_a_backlog_of_the_given_length) {
    simulated_talk<> talk({.max_awaiting_hello = 1, .backlog = 2});
    const tofu::address where = talk.listen();
    raw_end accepted(talk.world, where);
    talk.turn();
    std::deque<raw_end> waiting;
    for (int i = 0; i < 3; ++i) waiting.emplace_back(talk.world, where);
    BOOST_TEST(talk.engine.stats().accepted == 1U);
    BOOST_TEST(waiting[0].is_connected());
    BOOST_TEST(waiting[1].is_connected());
    BOOST_TEST(!waiting[2].is_connected());
}

// The send queue.

BOOST_AUTO_TEST_CASE(a_send_queue_holds_exactly_so_many_messages) {
    simulated_talk<> talk({.max_queued_messages = 3});
    const std::uint16_t channel = unanswered(talk);
    for (int i = 0; i < 3; ++i) BOOST_TEST(to_string(try_post(talk, channel, 0, 0)) == "success");
    BOOST_TEST(to_string(try_post(talk, channel, 0, 0)) == to_string(status::send_failed));
    // The hello_request needs no room, but it is there until it is answered.
    BOOST_TEST(talk.client.stats(channel).value().queued_messages == 4U);
    BOOST_TEST(to_string(try_post(talk, channel, 0, 0, op_code::bye_request)) == "success"); // nor does the end
}

BOOST_AUTO_TEST_CASE(a_send_queue_holds_exactly_so_many_bytes) {
    constexpr std::size_t most = tofu::max_message_size + 1000;
    simulated_talk<> talk({.max_queued_bytes = most});
    const std::uint16_t channel = unanswered(talk);
    BOOST_TEST(to_string(try_post(talk, channel, 65'535, 65'535)) == "success");
    BOOST_TEST(to_string(try_post(talk, channel, 500, 485)) == to_string(status::send_failed)); // one byte too many
    const std::size_t hello =
        tofu::binary_header::wire_size + std::string_view("~connect_to:tcp|10.0.0.1|1\r\n").size();
    BOOST_TEST(talk.client.stats(channel).value().queued_bytes == tofu::max_message_size + hello);
    BOOST_TEST(to_string(try_post(talk, channel, 500, 484)) == "success");
    BOOST_TEST(talk.client.stats(channel).value().queued_bytes == most + hello);
    BOOST_TEST(to_string(try_post(talk, channel, 0, 0)) == to_string(status::send_failed)); // a header is 16 bytes
    BOOST_TEST(to_string(try_post(talk, channel, 0, 0, op_code::bye_request)) == "success");
}

BOOST_AUTO_TEST_CASE(the_smallest_send_queue_takes_the_largest_message) {
    simulated_talk<> talk({.max_queued_messages = 1, .max_queued_bytes = tofu::max_message_size});
    const auto link = talk.connect();
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(to_string(try_post(talk, link.client, 65'535, 65'535)) == "success");
        BOOST_TEST(talk.expect(talk.server, op_code::signal)->wire_size() == tofu::max_message_size);
    }
}

// Refusals of the system.

BOOST_AUTO_TEST_CASE(what_the_system_refuses_is_tried_again_after_the_retry_time_and_not_before) {
    for (const auto pause : {1ms, 70ms, 5'000ms}) {
        simulated_talk<> talk({.retry_time = pause});
        const tofu::address where = talk.listen();
        talk.world.faults().most_shortage = 0ns;
        raw_end peer(talk.world, where);
        talk.world.faults().no_descriptors = 1000;
        talk.turn();
        talk.world.faults().no_descriptors = 0;
        for (int i = 0; i < 3; ++i) talk.turn();
        talk.turn_after(pause - 1ns);
        BOOST_TEST(talk.engine.stats().accepted == 0U);
        talk.turn_after(1ns);
        talk.turn(); // the listener is listened to again
        BOOST_TEST(talk.engine.stats().accepted == 1U);
    }
}

// Buffers.

BOOST_AUTO_TEST_CASE(a_message_keeps_buffers_up_to_the_retained_capacity_exactly) {
    simulated_talk<> talk({.initial_messages = 0, .retained_capacity = 1000});
    for (const std::size_t capacity : {1000U, 1001U}) {
        tofu::message_ptr m = talk.engine.get();
        const tofu::message* const same = m.get();
        m->body().release();
        BOOST_REQUIRE(m->body().reserve(capacity));
        m.reset();
        while (m.get() != same) m = talk.engine.get(); // the pool is a queue
        BOOST_TEST(m->body().capacity() == (capacity == 1000 ? 1000U : 0U));
    }
}

TOFU_TEST_CASE(no_more_messages_are_made_with_the_engine_than_its_pool_keeps, here) {
    const any_reactor engine(here, {.initial_messages = 100, .max_messages = 4});
    BOOST_TEST(engine.stats().messages_allocated == 4U);
    BOOST_TEST(engine.stats().messages_free == 4U);
}

BOOST_AUTO_TEST_SUITE_END()
