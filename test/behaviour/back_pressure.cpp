// SPDX-License-Identifier: BSL-1.0
// The receive credit: the behaviour of the engine without credit, the notice to the groups, and the operations that
// need no credit.
#include "support/harness.hpp"
#include "support/scarce_memory.hpp"

#include <deque>
#include <memory>
#include <thread>

using namespace tofu_test;
using tofu::binary_header;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(back_pressure)

namespace {

std::vector<std::byte> message(op_code op, std::string_view body = {}) {
    return raw_socket::wire_of({.op = op, .message_id = 3}, "", body);
}

/// An engine with little credit, and raw peers that have said hello.
struct starving : dialogue {
    starving(const setting& on, std::size_t credit, std::size_t peers, tofu::options opts = {})
        : dialogue(on, with_credit(opts, credit)), where(listen()) {
        for (std::size_t i = 0; i < peers; ++i) add_peer();
    }
    static tofu::options with_credit(tofu::options opts, std::size_t credit) {
        opts.max_messages = credit;
        return opts;
    }

    raw_socket& add_peer() {
        raw_socket& peer = raw.emplace_back(engine, where);
        peer.say_hello();
        numbers.push_back(accept());
        BOOST_REQUIRE(peer.receive());
        return peer;
    }
    /// Signals with the bodies "0", "1" and so on.
    void send_numbered(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) raw[0].send(message(op_code::signal, std::to_string(sent++)));
    }
    /// The next of them, kept.
    void hold() {
        held.push_back(expect(server, op_code::signal));
        BOOST_TEST(!held.back()->from_engine());
        BOOST_TEST(body_of(*held.back()) == std::to_string(received++));
    }
    void expect_pool_empty(group& from) {
        const tofu::message_ptr m = expect(from, op_code::signal);
        BOOST_TEST(m->from_engine());
        BOOST_TEST(to_string(m->status()) == to_string(status::pool_empty));
        BOOST_TEST(m->header().channel_number == tofu::no_channel);
    }
    /// A peer's next signal, maybe behind a notice.
    void expect_signal(std::string_view body) {
        tofu::message_ptr m = expect(server, op_code::signal);
        while (m->from_engine() && m->status() == status::pool_empty) m = expect(server, op_code::signal);
        BOOST_TEST(body_of(*m) == body);
    }
    std::uint64_t episodes() { return engine.stats().starvation_episodes; }

    tofu::address where;
    std::deque<raw_socket> raw; // a raw_socket stays where it is made
    std::vector<std::uint16_t> numbers;
    std::deque<tofu::message_ptr> held;
    std::size_t sent = 0;
    std::size_t received = 0;
};

} // namespace

TOFU_TEST_CASE(without_credit_nothing_is_read_and_the_group_is_told_once, here) {
    starving talk(here, 8, 1);
    talk.send_numbered(20);
    for (int i = 0; i < 8; ++i) talk.hold();
    talk.expect_pool_empty(talk.server);
    BOOST_TEST(talk.engine.stats().credit_used == 8U);
    talk.expect_silence(talk.server);
    talk.expect_silence(talk.client); // nothing of its was held up
    BOOST_TEST(talk.episodes() == 1U);
}

TOFU_TEST_CASE(exactly_the_credit_is_no_shortage, here) {
    starving talk(here, 8, 1);
    talk.send_numbered(8);
    for (int i = 0; i < 8; ++i) talk.hold();
    talk.expect_silence(talk.server);
    BOOST_TEST(talk.episodes() == 0U);
}

TOFU_TEST_CASE(reading_goes_on_by_itself_when_a_quarter_is_free, here) {
    starving talk(here, 8, 1);
    talk.send_numbered(10);
    for (int i = 0; i < 8; ++i) talk.hold();
    talk.expect_pool_empty(talk.server);
    talk.held.pop_front();
    talk.expect_silence(talk.server);
    talk.held.pop_front();
    talk.hold();
    talk.hold();
    talk.expect_silence(talk.server);
    BOOST_TEST(talk.episodes() == 1U);
}

TOFU_TEST_CASE(each_episode_is_told_of_once, here) {
    starving talk(here, 4, 1);
    talk.send_numbered(20);
    for (int i = 0; i < 4; ++i) talk.hold();
    for (std::uint64_t episode = 1; episode <= 16; ++episode) {
        talk.expect_pool_empty(talk.server);
        BOOST_TEST(talk.episodes() == episode);
        talk.held.pop_front();
        talk.hold();
    }
    talk.expect_silence(talk.server);
}

// Caller only: memory is short on this thread only. A message without text headers and body needs none beside its own.
TOFU_TEST_CASE(each_episode_is_told_of_without_memory_for_one_more_message, here, caller_only) {
    constexpr std::size_t credit = 16;
    starving talk(here, credit, 1);
    std::vector<tofu::message_ptr> all(tofu::engine::message_pool::most_retained(credit));
    for (tofu::message_ptr& m : all) m = talk.engine.get();
    all.clear(); // the pool has one more than the credit
    for (int i = 0; i < 60; ++i) talk.raw[0].send(message(op_code::signal));
    const scarce_memory scarce(0);
    while (talk.held.size() < credit) talk.held.push_back(talk.expect(talk.server, op_code::signal));
    for (int episode = 1; episode <= 5; ++episode) {
        talk.expect_pool_empty(talk.server);
        while (talk.held.size() > credit - credit / 4) talk.held.pop_front();
        while (talk.held.size() < credit) talk.held.push_back(talk.expect(talk.server, op_code::signal));
    }
}

TOFU_TEST_CASE(a_notice_that_was_not_read_is_not_repeated, here) {
    starving talk(here, 8, 1);
    talk.send_numbered(40);
    for (int i = 0; i < 8; ++i) talk.hold();
    for (std::uint64_t episode = 1; episode <= 3; ++episode) {
        talk.await([&] { return talk.episodes() == episode; });
        talk.held.pop_front();
        talk.held.pop_front(); // two more are read, behind the one notice, and again there is no credit
    }
    talk.await([&] { return talk.episodes() == 4; });
    talk.expect_pool_empty(talk.server);
    for (int i = 0; i < 6; ++i) talk.hold();
    talk.expect_silence(talk.server);
    talk.held.pop_front();
    talk.held.pop_front();
    talk.hold();
    talk.hold();
    talk.expect_pool_empty(talk.server); // the fifth is news again
}

TOFU_TEST_CASE(every_group_that_is_held_up_is_told, here) {
    starving talk(here, 8, 1);
    const auto link = talk.connect(talk.where);
    talk.send_numbered(8);
    for (int i = 0; i < 8; ++i) talk.hold();
    talk.server.post(make(talk.engine, op_code::signal, link.server, "for the client"));
    talk.expect_pool_empty(talk.client);
    talk.expect_silence(talk.server);
    talk.send_numbered(1);
    talk.expect_pool_empty(talk.server);
    BOOST_TEST(talk.episodes() == 1U);
    talk.held.pop_front(); // exactly what the two that wait need
    talk.held.pop_front();
    BOOST_TEST(body_of(*talk.expect(talk.client, op_code::signal)) == "for the client");
    talk.hold();
}

TOFU_TEST_CASE(any_thread_may_free_the_credit, here) {
    starving talk(here, 4, 1);
    talk.send_numbered(8);
    for (int i = 0; i < 4; ++i) talk.hold();
    talk.expect_pool_empty(talk.server);
    std::thread other([held = std::move(talk.held)]() mutable { held.clear(); });
    for (int i = 4; i < 8; ++i) talk.expect_signal(std::to_string(i));
    other.join();
}

TOFU_TEST_CASE(posting_a_received_message_frees_its_credit, here) {
    starving talk(here, 4, 1);
    talk.send_numbered(8);
    for (int i = 0; i < 4; ++i) talk.hold();
    talk.expect_pool_empty(talk.server);
    for (int i = 0; i < 4; ++i) {
        talk.server.post(answer(std::move(talk.held.front()), op_code::response));
        talk.held.pop_front();
        talk.hold();
        BOOST_TEST(talk.raw[0].receive().value().body == std::to_string(i));
        if (i != 3) talk.expect_pool_empty(talk.server);
    }
}

TOFU_TEST_CASE(a_starved_engine_still_sends_opens_and_says_goodbye, here) {
    starving talk(here, 4, 2);
    talk.send_numbered(5);
    for (int i = 0; i < 4; ++i) talk.hold();
    talk.expect_pool_empty(talk.server);
    for (int i = 0; i < 100; ++i) {
        talk.server.post(make(talk.engine, op_code::signal, talk.numbers[0], "out"));
        BOOST_TEST(talk.raw[0].receive().value().body == "out");
    }
    talk.server.post(make(talk.engine, op_code::bye_signal, talk.numbers[1]));
    talk.expect_goodbye(talk.server, talk.numbers[1], "aborted");
    raw_listener other(talk.engine, here.new_address());
    talk.hello(other.where());
    BOOST_TEST(other.accept().receive().has_value());
    BOOST_TEST(talk.engine.stats().credit_used == 4U);
}

// Not every pair of poll policy and transport: it takes long.
TOFU_TEST_CASE(peers_that_post_without_receiving_do_not_block_each_other, here, each_once) {
    constexpr std::uint64_t count = 3000;
    for (const std::size_t credit : {std::size_t{4}, std::size_t{8}}) {
        tofu::options opts;
        opts.max_messages = credit;
        opts.max_queued_messages = count;
        dialogue left(here, opts); // two engines, as two programs would have
        dialogue right(here, opts);
        const tofu::address where = right.listen();
        const std::uint16_t from = left.hello(where).channel_number;
        left.turn_loop();
        const std::uint16_t to = right.accept();
        left.expect(left.client, op_code::hello_response);
        const std::string body(1000, 'b');
        for (std::uint64_t id = 1; id <= count; ++id) {
            left.client.post(make(left.engine, op_code::request, from, body, id));
            right.server.post(make(right.engine, op_code::request, to, body, id));
        }
        const auto until = std::chrono::steady_clock::now() + patience;
        std::uint64_t at_left = 0;
        std::uint64_t at_right = 0;
        const auto take = [](auto& group, std::uint64_t& received) {
            const tofu::message_ptr m = group.wait_receive(0ms);
            if (m && !m->from_engine()) BOOST_REQUIRE(m->header().message_id == ++received);
        };
        while (at_left != count || at_right != count) {
            take(left.client, at_left);
            take(right.server, at_right);
            BOOST_REQUIRE(std::chrono::steady_clock::now() < until);
        }
    }
}

TOFU_TEST_CASE(incomplete_messages_leave_half_of_the_credit_to_others, here) {
    starving talk(here, 8, 1);
    const std::vector<std::byte> whole = message(op_code::signal, "whole in the end");
    constexpr std::size_t half_peers = 20;
    for (std::size_t i = 0; i < half_peers; ++i)
        talk.add_peer().send(std::span(whole).first(i % 2 == 0 ? 17 : whole.size() - 1));
    for (int i = 0; i < 50; ++i) { // the healthy one goes on all the same
        talk.send_numbered(1);
        talk.hold();
        talk.held.clear();
    }
    BOOST_TEST(talk.engine.stats().credit_used <= 4U);
    for (std::size_t i = 0; i < half_peers; ++i)
        talk.raw[1 + i].send(std::span(whole).subspan(i % 2 == 0 ? 17 : whole.size() - 1));
    for (std::size_t i = 0; i < half_peers; ++i) talk.expect_signal("whole in the end");
    BOOST_TEST(talk.engine.stats().credit_used == 0U);
}

TOFU_TEST_CASE(half_a_message_right_behind_a_hello_is_counted_too, here) {
    starving talk(here, 8, 1);
    std::vector<std::byte> bytes =
        raw_socket::wire_of({.op = op_code::hello_request, .message_id = 1}, "~connect_to:tcp|127.0.0.1|1\r\n");
    const std::vector<std::byte> whole = message(op_code::signal, "whole in the end");
    bytes.insert(bytes.end(), whole.begin(), whole.end() - 1);
    constexpr std::size_t half_peers = 20;
    for (std::size_t i = 0; i < half_peers; ++i) {
        talk.raw.emplace_back(talk.engine, talk.where).send(bytes);
        talk.accept();
    }
    for (int i = 0; i < 50; ++i) {
        talk.send_numbered(1);
        talk.hold();
        talk.held.clear();
    }
    BOOST_TEST(talk.engine.stats().credit_used <= 4U);
    for (std::size_t i = 0; i < half_peers; ++i) talk.raw[1 + i].send(std::span(whole).last(1));
    for (std::size_t i = 0; i < half_peers; ++i) talk.expect_signal("whole in the end");
}

TOFU_TEST_CASE(peers_leave_while_their_messages_are_incomplete, here) {
    starving talk(here, 4, 1);
    const std::vector<std::byte> whole = message(op_code::signal, "never whole");
    for (int round = 0; round < 10; ++round) {
        raw_socket& peer = talk.add_peer();
        peer.send(std::span(whole).first(20));
        talk.await([&] { return talk.engine.stats().credit_used == 1; });
        if (round % 2 == 0)
            peer.reset();
        else
            peer.close();
        talk.expect_goodbye(talk.server, talk.numbers.back(),
                            round % 2 == 0 ? here.reason_of_abort() : "peer_disconnected");
        talk.await([&] { return talk.engine.stats().credit_used == 0; });
    }
}

TOFU_TEST_CASE(the_largest_messages_get_through_beside_incomplete_ones, here) {
    starving talk(here, 4, 1);
    const std::vector<std::byte> whole = message(op_code::signal, "half");
    for (int i = 0; i < 2; ++i) talk.add_peer().send(std::span(whole).first(17));
    talk.await([&] { return talk.engine.stats().credit_used == 2; });
    const std::string large(30000, 'l'); // fits every system's buffers; a larger message waits for an incomplete one
    for (int i = 0; i < 5; ++i) {
        talk.raw[0].send(message(op_code::signal, large));
        BOOST_TEST((body_of(*talk.expect(talk.server, op_code::signal)) == large));
    }
    const std::string largest(65535, 'L');
    std::thread sender([&] {
        for (int i = 1; i <= 2; ++i) talk.raw[static_cast<std::size_t>(i)].send(std::span(whole).subspan(17));
    });
    sender.join();
    for (int i = 0; i < 2; ++i) BOOST_TEST(body_of(*talk.expect(talk.server, op_code::signal)) == "half");
    talk.raw[0].send(raw_socket::wire_of({.op = op_code::signal}, "n:" + std::string(65531, 'v') + "\r\n", largest));
    BOOST_TEST((body_of(*talk.expect(talk.server, op_code::signal)) == largest));
}

TOFU_TEST_CASE(idle_connections_and_half_headers_cost_no_message, here) {
    starving talk(here, 4, 30);
    talk.turn_loop();
    const std::size_t alive = talk.engine.stats().messages_alive;
    const std::uint64_t before = talk.engine.stats().bytes_received;
    const std::vector<std::byte> whole = message(op_code::signal);
    for (raw_socket& peer : talk.raw) peer.send(std::span(whole).first(15));
    talk.await([&] { return talk.engine.stats().bytes_received == before + talk.raw.size() * 15; });
    BOOST_TEST(talk.engine.stats().credit_used == 0U);
    talk.await([&] { return talk.engine.stats().messages_alive <= alive; });
    BOOST_TEST(talk.episodes() == 0U);
}

TOFU_TEST_CASE(half_hellos_take_no_credit, here) {
    starving talk(here, 32, 0);
    const std::vector<std::byte> hello =
        raw_socket::wire_of({.op = op_code::hello_request, .message_id = 1}, "~connect_to:tcp|127.0.0.1|1\r\n");
    for (int i = 0; i < 20; ++i) talk.raw.emplace_back(talk.engine, talk.where).send(std::span(hello).first(20));
    talk.await([&] { return talk.engine.stats().bytes_received == 20U * 20; });
    BOOST_TEST(talk.engine.stats().credit_used == 0U);
    talk.connect(talk.where); // and keep nobody out
    for (raw_socket& peer : talk.raw) peer.send(std::span(hello).subspan(20));
    for (int i = 0; i < 20; ++i) talk.accept();
    for (raw_socket& peer : talk.raw) BOOST_TEST(peer.receive().has_value());
}

TOFU_TEST_CASE(a_hello_waits_for_credit_and_is_not_lost, here) {
    starving talk(here, 4, 1);
    talk.send_numbered(4);
    for (int i = 0; i < 4; ++i) talk.hold();
    raw_socket late(talk.engine, talk.where);
    late.say_hello();
    late.send(message(op_code::signal, "behind the hello"));
    talk.expect_pool_empty(talk.server);
    talk.expect_silence(talk.server);
    talk.held.clear();
    talk.accept();
    talk.expect_signal("behind the hello");
    BOOST_TEST((late.receive().value().header.op == op_code::hello_response));
}

TOFU_TEST_CASE(a_starved_engine_does_not_spin_for_a_peer_that_is_gone, here) {
    for (const bool by_reset : {true, false}) {
        starving talk(here, 4, 2);
        talk.send_numbered(5);
        for (int i = 0; i < 4; ++i) talk.hold();
        talk.expect_pool_empty(talk.server);
        for (raw_socket& peer : talk.raw) {
            if (by_reset)
                peer.reset();
            else
                peer.close();
        }
        talk.expect_silence(talk.server); // the engine has noticed the ends
        const std::uint64_t turns = talk.engine.stats().turns;
        const std::uint64_t made = talk.engine.stats().messages_allocated;
        talk.expect_silence(talk.server);
        BOOST_TEST(talk.engine.stats().turns <= turns + 10);
        BOOST_TEST(talk.engine.stats().messages_allocated == made);
        talk.held.clear();
        if (!by_reset) talk.hold(); // after a reset not every system gives what had come before
    }
}

TOFU_TEST_CASE(an_idle_engine_does_not_turn, here) {
    starving talk(here, 4, 3);
    talk.expect_silence(talk.server);
    const std::uint64_t turns = talk.engine.stats().turns;
    talk.expect_silence(talk.server);
    BOOST_TEST(talk.engine.stats().turns <= turns + 10);
}

BOOST_AUTO_TEST_SUITE_END()
