// SPDX-License-Identifier: BSL-1.0
// The addresses of a name: each gets its share of the connect time, and the most telling failure becomes the failure of
// the name. TCP only: a path is no name.
#include "support/harness.hpp"
#include "support/own_ports.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

BOOST_AUTO_TEST_SUITE(name_addresses)

using namespace tofu_test;
using std::chrono::minutes;
using tofu::io_failure;
using tofu::op_code;
using tofu::status;

namespace {

/// Two hours to connect, of a clock that the test moves.
struct clocked : script, scripted_dialogue {
    explicit clocked(const setting& where) : scripted_dialogue(where, *this, {.connect_time = minutes(120)}) {}

    void pass(minutes time) {
        turn_loop();
        clock_lead += std::chrono::milliseconds(time).count();
        turn_loop();
    }
    /// The number of addresses that were connected to so far.
    [[nodiscard]] std::size_t attempts() {
        const auto all = sockets.all();
        return static_cast<std::size_t>(std::count_if(
            all.begin(), all.end(), [](const asked_socket& one) { return one.made == asked_socket::how::connects; }));
    }
    void expect_attempts(std::size_t count) { BOOST_TEST(attempts() == count); }
    void expect_failed(std::uint16_t number, std::string_view reason, status why = status::connect_failed) {
        expect_failure(client, op_code::hello_response, number, why, reason);
    }
    /// The reason of a name whose addresses fail at once, in this order.
    std::string reason_of_name(std::initializer_list<io_failure> failures) {
        connects_as.clear();
        std::vector<tofu::address> found;
        for (const io_failure one : failures) {
            connects_as.emplace_back(tofu::tcp_address{"192.0.2.1", static_cast<std::uint16_t>(1 + found.size())}, one);
            found.push_back(connects_as.back().first);
        }
        const std::uint16_t number = hello_to_name();
        names.next(engine).answer(found);
        const tofu::message_ptr m = expect(client, op_code::hello_response);
        BOOST_TEST(m->header().channel_number == number);
        return std::string(reason_of(*m));
    }
};

constexpr tofu::tcp_address silent{"192.0.2.1", 80};
constexpr tofu::tcp_address silent_too{"192.0.2.2", 80};
constexpr tofu::tcp_address busy{"192.0.2.3", 80};

} // namespace

TOFU_TEST_CASE(an_address_that_does_not_answer_leaves_the_others_their_share, here, tcp_only& with_timers) {
    clocked talk(here);
    const tofu::address where = talk.listen();
    talk.connects_as = {{silent, io_failure::would_block}, {silent_too, io_failure::would_block}};
    talk.hello_to_name();
    talk.names.next(talk.engine).answer({silent, silent_too, where});
    talk.pass(minutes(39)); // the first has a third of 120 minutes
    talk.expect_attempts(1);
    talk.pass(minutes(2)); // the second has half of 79 minutes
    talk.expect_attempts(2);
    talk.pass(minutes(39));
    talk.expect_attempts(2);
    talk.pass(minutes(1));
    talk.accept();
    BOOST_TEST(!talk.expect(talk.client, op_code::hello_response)->from_engine());
    talk.expect_attempts(3);
}

TOFU_TEST_CASE(all_addresses_together_have_the_connect_time, here, tcp_only& with_timers) {
    clocked talk(here);
    talk.connects_as = {{silent, io_failure::would_block}, {silent_too, io_failure::would_block}};
    const std::uint16_t client = talk.hello_to_name();
    talk.names.next(talk.engine).answer({silent, silent_too});
    talk.pass(minutes(61));
    talk.expect_attempts(2);
    talk.pass(minutes(58));
    talk.expect_silence(talk.client);
    talk.pass(minutes(2));
    talk.expect_failed(client, "connect_timeout");
    talk.expect_attempts(2);
}

TOFU_TEST_CASE(the_look_up_takes_its_part_of_the_connect_time, here, tcp_only& with_timers) {
    clocked talk(here);
    talk.connects_as = {{silent, io_failure::would_block}, {silent_too, io_failure::would_block}};
    const std::uint16_t client = talk.hello_to_name();
    question asked = talk.names.next(talk.engine);
    talk.pass(minutes(100));
    asked.answer({silent, silent_too});
    talk.pass(minutes(9));
    talk.expect_attempts(1);
    talk.pass(minutes(2));
    talk.expect_attempts(2);
    talk.pass(minutes(10));
    talk.expect_failed(client, "connect_timeout");
}

TOFU_TEST_CASE(an_address_that_fails_at_once_leaves_its_share_to_the_others, here, tcp_only& with_timers) {
    clocked talk(here);
    const std::array<refusing_port, 2> refusing;
    talk.connects_as = {{silent, io_failure::would_block}};
    const std::uint16_t client = talk.hello_to_name();
    talk.names.next(talk.engine).answer({refusing[0].where(), refusing[1].where(), silent});
    talk.await([&] { return talk.attempts() == 3; });
    talk.pass(minutes(119));
    talk.expect_silence(talk.client);
    talk.pass(minutes(2));
    talk.expect_failed(client, "connect_refused"); // more telling than the silence of the last
}

TOFU_TEST_CASE(a_busy_listener_leaves_the_other_addresses_their_share, here, tcp_only& with_timers) {
    clocked talk(here);
    const tofu::address where = talk.listen();
    talk.connects_as = {{busy, io_failure::backlog_full}};
    talk.hello_to_name();
    talk.names.next(talk.engine).answer({busy, where});
    talk.pass(minutes(59));
    talk.expect_silence(talk.server);
    talk.pass(minutes(2));
    talk.accept();
    BOOST_TEST(!talk.expect(talk.client, op_code::hello_response)->from_engine());
}

TOFU_TEST_CASE(a_listener_that_is_always_busy_is_a_connect_timeout, here, tcp_only& with_timers) {
    clocked talk(here);
    talk.connects_as = {{busy, io_failure::backlog_full}};
    const std::uint16_t client = talk.hello(busy).channel_number;
    talk.pass(minutes(119));
    talk.expect_silence(talk.client);
    talk.pass(minutes(2));
    talk.expect_failed(client, "connect_timeout");
    const std::uint16_t by_name = talk.hello_to_name();
    talk.names.next(talk.engine).answer({busy, busy});
    talk.pass(minutes(61));
    talk.expect_silence(talk.client);
    talk.pass(minutes(60));
    talk.expect_failed(by_name, "connect_timeout");
}

// Every address fails at once, so this case needs no timers.
TOFU_TEST_CASE(the_failure_that_tells_most_is_the_reason, here, tcp_only) {
    clocked talk(here);
    using enum io_failure;
    BOOST_TEST(talk.reason_of_name({refused, unreachable}) == "connect_refused");
    BOOST_TEST(talk.reason_of_name({unreachable, refused}) == "connect_refused");
    BOOST_TEST(talk.reason_of_name({unreachable, refused, address_not_available}) == "connect_refused");
    BOOST_TEST(talk.reason_of_name({reset, timed_out}) == "peer_reset");
    BOOST_TEST(talk.reason_of_name({permission_denied, unreachable}) == "permission_denied");
    BOOST_TEST(talk.reason_of_name({timed_out, permission_denied}) == "permission_denied");
    BOOST_TEST(talk.reason_of_name({unreachable, timed_out, unsupported}) == "connect_timeout");
    BOOST_TEST(talk.reason_of_name({unsupported, other}) == "os_error:1");
    BOOST_TEST(talk.reason_of_name({unsupported, unreachable}) == "address_not_available");
    BOOST_TEST(talk.reason_of_name({no_descriptors, refused}) == "os_error:1");
    BOOST_TEST(talk.reason_of_name({refused, no_memory}) == "out_of_memory");
}

TOFU_TEST_CASE(no_way_to_an_address_is_address_not_available, here, tcp_only) {
    clocked talk(here);
    talk.connects_as = {{silent, io_failure::unreachable}};
    talk.expect_failed(talk.hello(silent).channel_number, "address_not_available");
    BOOST_TEST(talk.reason_of_name({io_failure::unreachable}) == "address_not_available");
}

TOFU_TEST_CASE(a_listener_whose_addresses_all_fail_tells_the_most_telling_failure, here, tcp_only) {
    script play;
    scripted_dialogue talk(here, play);
    const tofu::address taken = talk.listen();
    std::uint16_t listener = talk.listen_on_name();
    play.names.next(talk.engine).answer({tofu::tcp_address{"192.0.2.1", 0}, taken, tofu::tcp_address{"192.0.2.1", 0}});
    talk.expect_failure(talk.server, op_code::welcome_response, listener, status::listen_failed, "address_in_use");
    listener = talk.listen_on_name();
    play.names.next(talk.engine).answer({tofu::tcp_address{"192.0.2.1", 0}});
    talk.expect_failure(talk.server, op_code::welcome_response, listener, status::listen_failed,
                        "address_not_available");
    listener = talk.listen_on_name();
    play.names.next(talk.engine).fail(tofu::io_failure::name_not_found);
    talk.expect_failure(talk.server, op_code::welcome_response, listener, status::listen_failed, "name_not_found");
    talk.expect_silence(talk.server);
}

// The answer to a welcome_request with a name says which of its addresses is listened at.
TOFU_TEST_CASE(a_listener_with_a_name_says_which_address_it_took, here, tcp_only) {
    clocked talk(here);
    const tofu::address taken = talk.listen();
    talk.listen_on_name("localhost");
    question asked = talk.names.next(talk.engine);
    BOOST_TEST(asked.host == "localhost");
    asked.answer({taken, tofu::tcp_address{"127.0.0.1", 0}});
    const tofu::message_ptr m = talk.expect(talk.server, op_code::welcome_response);
    const tofu::address told = tofu::parse_address(m->headers().find(tofu::listen_on_header)).value;
    BOOST_TEST(told.host() == "127.0.0.1");
    BOOST_TEST(told.port() != 0);
    BOOST_TEST(!(told == taken));
    talk.connect(told);
}

BOOST_AUTO_TEST_SUITE_END()
