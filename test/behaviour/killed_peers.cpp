// SPDX-License-Identifier: BSL-1.0
// A peer is killed in the middle of a message, in either direction. Complete messages are delivered, unsent messages
// come back, and the goodbye has the reason.
#include "support/harness.hpp"

#include "guided_process.hpp"
#include "support/bare_socket.hpp"
#include "support/socket_pairs.hpp"

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(killed_peers)

namespace {

constexpr std::size_t large = 65'535;

constexpr std::uint64_t whole = 10;

std::vector<std::byte> large_message(std::uint64_t number) {
    const std::string text_headers = "x:" + std::string(large - 4, 'v') + "\r\n";
    return raw_socket::wire_of({.op = op_code::signal, .message_id = number}, text_headers, std::string(large, 'x'));
}

void write_all(tofu::platform::socket& to, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const tofu::const_buffer piece{bytes.data(), bytes.size()};
        const tofu::io_result result = to.write({&piece, 1});
        if (result.error) await(to.native_handle(), POLLOUT);
        bytes = bytes.subspan(result.bytes);
    }
}

/// The `~reason` at this end when the other was killed with something unread: a reset then, where one is told.
std::string_view reason_of_kill(const setting& here) {
    return here.over == transport::uds ? "peer_reset" : here.reason_of_abort();
}

/// Says hello, sends some messages and the first half of another.
void send_half(const std::vector<std::string>& arguments) {
    orders mine(arguments);
    tofu::platform::endpoint target;
    BOOST_REQUIRE(!tofu::platform::to_endpoint(mine.where, false, target));
    tofu::platform::socket socket;
    BOOST_REQUIRE(!connect_to(target, socket));
    write_all(socket, raw_socket::wire_of({.op = op_code::hello_request, .message_id = 1}, "~connect_to:uds|x\r\n"));
    for (std::uint64_t number = 1; number <= whole; ++number) write_all(socket, large_message(number));
    const std::vector<std::byte> next = large_message(whole + 1);
    write_all(socket, std::span(next).first(next.size() / 2));
    mine.link.write("half\n");
    mine.live_on();
}

/// Accepts, and takes nothing more.
void accept_and_stop(const std::vector<std::string>& arguments) {
    orders mine(arguments);
    mine.here.who = tofu::driven_by::caller; // so that nobody reads any more
    any_reactor engine(mine.here);
    any_group group = engine.create_group();
    group.post(welcome_request(engine, mine.where));
    tofu::message_ptr m = group.wait_receive(patience);
    BOOST_REQUIRE((m && m->op() == op_code::welcome_response && m->status() == status::success));
    mine.link.write(std::string(m->headers().find(tofu::listen_on_header)) + '\n');
    m = group.wait_receive(patience);
    BOOST_REQUIRE((m && m->op() == op_code::hello_request));
    group.post(answer(std::move(m), op_code::hello_response));
    BOOST_REQUIRE(engine.drain(patience));
    mine.live_on();
}

const child_role sender("sends_half", send_half);
const child_role accepter("accepts_and_stops", accept_and_stop);

} // namespace

TOFU_TEST_CASE(what_a_killed_peer_sent_whole_is_delivered_before_the_goodbye, here) {
    dialogue talk(here);
    const tofu::address where = talk.listen();
    guided_process peer("sends_half", here, where);
    const std::uint16_t channel = talk.accept();
    for (std::uint64_t number = 1; number <= whole; ++number) {
        const tofu::message_ptr m = talk.expect(talk.server, op_code::signal);
        BOOST_TEST(!m->from_engine());
        BOOST_TEST(m->header().message_id == number);
        BOOST_TEST(m->wire_size() == large_message(number).size());
    }
    BOOST_TEST(peer.hear() == "half");
    peer.kill();
    talk.expect_goodbye(talk.server, channel, reason_of_kill(here)); // it had not read the hello_response
    talk.expect_silence(talk.server);
}

TOFU_TEST_CASE(what_a_killed_peer_did_not_take_comes_back_before_the_goodbye, here) {
    guided_process peer("accepts_and_stops", here, here.new_address());
    const tofu::address where = tofu::parse_address(peer.hear()).value;
    dialogue talk(here);
    const std::uint16_t channel = talk.hello(where).channel_number;
    BOOST_REQUIRE((talk.expect(talk.client, op_code::hello_response)->status() == status::success));
    constexpr std::uint64_t posted = 100;
    const std::string body(large, 'x');
    for (std::uint64_t i = 1; i <= posted; ++i) talk.client.post(make(talk.engine, op_code::request, channel, body, i));
    // Stuck: the kernel has taken what it takes, and that is not everything.
    std::uint64_t before = 0;
    std::uint64_t now = talk.client.stats(channel)->bytes_sent;
    while (now != before) {
        before = now;
        talk.expect_silence(talk.client);
        now = talk.client.stats(channel)->bytes_sent;
    }
    peer.kill();
    const std::uint64_t sent = talk.engine.stats().messages_sent - 1; // without the hello
    BOOST_REQUIRE(sent < posted);
    for (std::uint64_t i = sent + 1; i <= posted; ++i) {
        const tofu::message_ptr m = talk.expect(talk.client, op_code::request);
        BOOST_TEST(m->from_engine());
        BOOST_TEST((m->status() == status::peer_disconnected));
        BOOST_TEST(m->header().message_id == i);
        BOOST_TEST((body_of(*m) == body));
    }
    talk.expect_goodbye(talk.client, channel, "peer_reset"); // there was something it had not read, and writing tells
}

BOOST_AUTO_TEST_SUITE_END()
