// SPDX-License-Identifier: BSL-1.0
// A process is stopped and continued. No deadline expires before the engine has seen the data that came meanwhile.
#include "support/harness.hpp"

#include "guided_process.hpp"

#include <chrono>
#include <string>
#include <thread>
#include <vector>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(pauses)

namespace {

std::chrono::milliseconds time_of(bare_socket& link) { return std::chrono::milliseconds(std::stoi(link.read_line())); }

/// Sends a request, and tells which comes first: its response, or an update after the time that the test sends.
void ask_with_a_limit(const std::vector<std::string>& arguments) {
    orders mine(arguments);
    const auto limit = time_of(mine.link);
    dialogue talk(mine.here);
    const std::uint16_t channel = talk.hello(mine.where).channel_number;
    talk.expect(talk.client, op_code::hello_response);
    talk.client.post(make(talk.engine, op_code::request, channel));
    const any_timer timer = talk.client.update_receiver_after(limit, make(talk.engine, op_code::signal, 0));
    mine.link.write("asked\n");
    mine.link.write(talk.next(talk.client)->op() == op_code::response ? "response\n" : "update\n");
    mine.live_on();
}

/// Connects within the time that the test sends.
void connect_with_a_limit(const std::vector<std::string>& arguments) {
    orders mine(arguments);
    dialogue talk(mine.here, tofu::options{.connect_time = time_of(mine.link)});
    talk.hello(mine.where);
    talk.engine.drain(0ms);
    mine.link.write("asked\n");
    mine.link.write(reason_of(*talk.next(talk.client)) + "\n");
    mine.live_on();
}

const child_role asker("asks_with_a_limit", ask_with_a_limit);
const child_role connecter("connects_with_a_limit", connect_with_a_limit);

} // namespace

TOFU_TEST_CASE(data_that_came_during_a_stop_precedes_deadlines, here, with_timers& each_once) {
    dialogue talk(here);
    const tofu::address where = talk.listen();
    for (auto limit = 200ms;; limit *= 2) {
        BOOST_REQUIRE((limit < patience));
        guided_process peer("asks_with_a_limit", here, where);
        peer.write(std::to_string(limit.count()) + "\n");
        talk.accept();
        BOOST_TEST(peer.hear() == "asked");
        tofu::message_ptr asked = talk.expect(talk.server, op_code::request);
        talk.expect_silence(talk.server); // so that the process most probably waits by now
        peer.stop();
        const bool too_late = peer.has_spoken();
        talk.server.post(answer(std::move(asked), op_code::response));
        BOOST_TEST(talk.engine.drain(patience));
        std::this_thread::sleep_for(limit); // while it is stopped
        peer.go_on();
        if (!too_late) BOOST_TEST(peer.hear() == "response");
        peer.kill();
        talk.expect(talk.server, op_code::signal);
        if (!too_late) return;
    }
}

// A listener whose backlog is full answers when there is room again: Linux sends its SYN again after a second.
TOFU_TEST_CASE(a_connection_made_during_a_stop_is_in_time, here, tcp_only& unvaried_only) {
    for (auto limit = 200ms;; limit *= 2) {
        BOOST_REQUIRE((limit < patience));
        bare_socket listener(AF_INET);
        listener.bind(loopback());
        listener.listen(0);
        bare_socket first(AF_INET);
        first.connect(listener.where()); // and no more
        guided_process peer("connects_with_a_limit", here, listener.where());
        peer.write(std::to_string(limit.count()) + "\n");
        BOOST_TEST(peer.hear() == "asked");
        dialogue talk(here);
        talk.expect_silence(talk.server); // so that the process most probably waits by now
        peer.stop();
        const bool too_late = peer.has_spoken();
        static_cast<void>(listener.accept());
        if (!too_late) {
            bare_socket second = listener.accept(); // it stands
            std::this_thread::sleep_for(limit);
            peer.go_on();
            BOOST_TEST(second.read() == 1); // the hello_request
        }
        peer.kill();
        if (!too_late) return;
    }
}

BOOST_AUTO_TEST_SUITE_END()
