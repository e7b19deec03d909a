// SPDX-License-Identifier: BSL-1.0
// Answers of an application that has taken all its mail. The application's thread sends them while the engine's thread
// sleeps.
#include "support/harness.hpp"

#include <cstdint>
#include <string>
#include <utility>

using namespace tofu_test;

namespace {

/// A server of the engine and a peer of bytes, which have said hello.
struct conversation_of_bytes {
    explicit conversation_of_bytes(const setting& here) : talk(here), peer(talk.engine, talk.listen()) {
        peer.read_ahead();
        channel = be_accepted(talk, peer);
    }

    /// A request of the peer's, as the server has received it.
    tofu::message_ptr ask(std::uint64_t id) {
        peer.send({.op = tofu::op_code::request, .message_id = id}, {}, "?");
        return talk.expect(talk.server, tofu::op_code::request);
    }

    dialogue talk;
    raw_socket peer;
    std::uint16_t channel = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(answers)

TOFU_TEST_CASE(an_answer_leaves_without_waking_the_io_thread, here, io_thread_only) {
    conversation_of_bytes with(here);
    for (std::uint64_t id = 1; id <= 50; ++id) {
        tofu::message_ptr request = with.ask(id);
        const std::uint64_t wakes = with.talk.engine.stats().wakes;
        with.talk.server.post(answer(std::move(request), tofu::op_code::response));
        BOOST_TEST(with.talk.engine.stats().messages_sent == id + 1); // with the hello_response: it is out already
        const auto got = with.peer.receive();
        BOOST_REQUIRE(got.has_value());
        BOOST_TEST(got->header.message_id == id);
        BOOST_TEST(with.talk.engine.stats().wakes == wakes);
    }
}

TOFU_TEST_CASE(a_hello_is_answered_without_waking_the_io_thread, here, io_thread_only) {
    dialogue talk(here);
    raw_socket peer(talk.engine, talk.listen());
    peer.read_ahead();
    peer.say_hello();
    tofu::message_ptr hello = talk.expect(talk.server, tofu::op_code::hello_request);
    const std::uint64_t wakes = talk.engine.stats().wakes;
    talk.server.post(answer(std::move(hello), tofu::op_code::hello_response));
    BOOST_TEST(talk.engine.stats().messages_sent == 1U); // it is out already
    const auto got = peer.receive();
    BOOST_REQUIRE(got.has_value());
    BOOST_TEST((got->header.op == tofu::op_code::hello_response));
    BOOST_TEST(talk.engine.stats().wakes == wakes);
}

TOFU_TEST_CASE(what_is_posted_after_an_answer_comes_after_it, here, io_thread_only) {
    conversation_of_bytes with(here);
    for (std::uint64_t id = 1; id <= 200; id += 4) {
        with.talk.server.post(answer(with.ask(id), tofu::op_code::response));
        for (std::uint64_t more = 1; more < 4; ++more)
            with.talk.server.post(make(with.talk.engine, tofu::op_code::signal, with.channel, "more", id + more));
        for (std::uint64_t expected = id; expected < id + 4; ++expected) {
            const auto got = with.peer.receive();
            BOOST_REQUIRE(got.has_value());
            BOOST_TEST(got->header.message_id == expected);
        }
    }
}

// Here the application's thread begins a message that the engine's has to finish.
TOFU_TEST_CASE(an_answer_the_socket_does_not_take_whole_is_sent_on, here, io_thread_only) {
    conversation_of_bytes with(here);
    const std::string body(tofu::max_part_length, 'a');
    const auto is_stuck = [&with] { return with.talk.server.stats(with.channel)->queued_bytes != 0; };
    std::uint64_t answered = 0;
    while (answered < 1000 && !is_stuck()) {
        tofu::message_ptr m = answer(with.ask(++answered), tofu::op_code::response);
        BOOST_REQUIRE(m->body().assign(std::as_bytes(std::span(body))));
        with.talk.server.post(std::move(m));
    }
    BOOST_TEST(is_stuck());
    for (std::uint64_t id = 1; id <= answered; ++id) {
        const auto got = with.peer.receive();
        BOOST_REQUIRE(got.has_value());
        BOOST_TEST(got->header.message_id == id);
        BOOST_TEST((got->body == body));
    }
    with.talk.await([&] { return !is_stuck(); });
}

// The answer is cut off by the end of its channel: nothing is lost, and nobody waits.
TOFU_TEST_CASE(an_answer_to_a_peer_that_is_gone_comes_back_or_is_refused, here, io_thread_only) {
    conversation_of_bytes with(here);
    tofu::message_ptr request = with.ask(1);
    with.peer.reset();
    std::error_code refused;
    with.talk.server.post(answer(std::move(request), tofu::op_code::response), refused);
    tofu::message_ptr last = with.talk.next(with.talk.server);
    if (last->op() == tofu::op_code::response) last = with.talk.next(with.talk.server); // it came back
    BOOST_TEST(last->from_engine());
    BOOST_TEST(last->status() == tofu::status::channel_closed);
}

BOOST_AUTO_TEST_SUITE_END()
