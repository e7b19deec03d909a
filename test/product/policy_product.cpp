// SPDX-License-Identifier: BSL-1.0
// Tests of a few behaviours that use every policy, on every combination that this system has: see product/lists.hpp.
#include "lists.hpp"
#include "smoke.hpp"

#include <iostream>
#include <set>
#include <string>
#include <vector>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(policy_product)

namespace {

constexpr bool has_timers(const combination& one) { return one.time != timekeeping::none; }
constexpr bool is_bounded(const combination& one) { return one.most_channels != 0; }
constexpr bool is_unbounded(const combination& one) { return one.most_channels == 0; }

/// A peer is gone, and another one there: which of the two the engine sees first is open.
smoke::link connect_while_one_goes(smoke& talk, const tofu::address& where, std::uint16_t going,
                                   std::string_view reason) {
    smoke::link link{talk.hello(where).channel_number, 0};
    for (int i = 0; i < 2; ++i) {
        tofu::message_ptr m = talk.next(talk.server);
        if (m->op() == op_code::hello_request) {
            link.server = m->header().channel_number;
            talk.server.post(answer(std::move(m), op_code::hello_response));
        } else {
            BOOST_TEST(m->from_engine());
            BOOST_TEST(m->header().channel_number == going);
            BOOST_TEST(reason_of(*m) == reason);
        }
    }
    BOOST_TEST(link.server != 0);
    BOOST_TEST(talk.expect(talk.client, op_code::hello_response)->header().channel_number == link.client);
    return link;
}

/// From the first hello to the goodbyes.
void converse(smoke& talk) {
    const tofu::address where = talk.listen();
    const tofu::binary_header hello = talk.hello(where, "may I?");
    tofu::message_ptr m = talk.expect(talk.server, op_code::hello_request);
    BOOST_TEST(body_of(*m) == "may I?");
    const smoke::link link{hello.channel_number, m->header().channel_number};
    talk.server.post(answer(std::move(m), op_code::hello_response));
    talk.expect(talk.client, op_code::hello_response);
    talk.talk_on(link, 1);
    talk.talk_on(link, 2);
    talk.end(link);
    talk.await_channels(1);
}

} // namespace

BOOST_AUTO_TEST_CASE(every_combination_has_its_engines) {
    const auto& all = combinations();
    std::set<std::string> names;
    for (const combination& one : all) names.insert(one.name);
    BOOST_TEST(all.size() == mp::mp_size<product>::value);
    BOOST_TEST(names.size() == all.size());
    std::cout << "combinations of policies: " << all.size() << " of " << mp::mp_size<whole_product>::value << std::endl;
}

TOFU_SMOKE_CASE(a_conversation, at) {
    smoke talk(at);
    converse(talk);
}

TOFU_SMOKE_CASE(a_conversation_over_a_socket_file, at, transport::uds) {
    smoke talk(at);
    converse(talk);
}

TOFU_SMOKE_CASE(an_update_for_oneself, at) {
    smoke talk(at);
    talk.client.update_receiver(make(talk.engine, op_code::signal, 0, "news"));
    BOOST_TEST(body_of(*talk.next(talk.client)) == "news");
}

// Slots, their addresses, handles and numbers are used again and again, while another connection goes on.
TOFU_SMOKE_CASE(connections_one_after_another, at) {
    smoke talk(at);
    const tofu::address where = talk.listen();
    const auto lasting = talk.connect(where);
    for (std::uint64_t i = 1; i <= 25; ++i) {
        const auto link = talk.connect(where);
        talk.talk_on(link, i);
        talk.client.post(make(talk.engine, op_code::bye_signal, link.client));
        talk.expect_goodbye(talk.client, link.client, "aborted");
        talk.expect_goodbye(talk.server, link.server, at.where.reason_of_abort());
        talk.talk_on(lasting, i);
    }
    talk.end(lasting);
    talk.await_channels(1);
}

// Their last bytes may still be under way to the engine when their slots have new owners.
TOFU_SMOKE_CASE(peers_that_are_reset_do_not_disturb_those_that_come_after_them, at) {
    smoke talk(at);
    const tofu::address where = talk.listen();
    for (std::uint64_t i = 1; i <= 10; ++i) {
        raw_socket rude(talk.engine, where);
        rude.say_hello();
        const std::uint16_t number = talk.accept();
        BOOST_REQUIRE(rude.receive());
        rude.reset();
        const auto link = connect_while_one_goes(talk, where, number, at.where.reason_of_abort());
        talk.talk_on(link, i);
        talk.end(link);
    }
    talk.await_channels(1);
}

TOFU_SMOKE_CASE(a_full_pool_refuses_cleanly_and_serves_again, at, transport::tcp, is_bounded) {
    smoke talk(at);
    const tofu::address where = talk.listen();
    std::vector<smoke::link> links;
    while (1 + 2 * (links.size() + 1) <= at.policies.most_channels) links.push_back(talk.connect(where));
    // The last slot is the client's, or there is none: the peer finds a closed door.
    const tofu::binary_header hello = talk.hello(where);
    const tofu::message_ptr refusal = talk.expect(talk.client, op_code::hello_response);
    BOOST_TEST(refusal->from_engine());
    BOOST_TEST(refusal->header().channel_number == hello.channel_number);
    BOOST_TEST((refusal->status() != status::success));
    for (const auto& link : links) talk.talk_on(link, link.client);
    talk.end(links.back());
    talk.await_channels(1 + 2 * (links.size() - 1));
    links.back() = talk.connect(where);
    for (const auto& link : links) talk.end(link);
    talk.await_channels(1);
}

TOFU_SMOKE_CASE(a_growing_pool_has_room_for_all, at, transport::tcp, is_unbounded) {
    smoke talk(at);
    const tofu::address where = talk.listen();
    for (int round = 0; round < 2; ++round) {
        std::vector<smoke::link> links;
        for (int i = 0; i < 10; ++i) links.push_back(talk.connect(where));
        talk.await_channels(1 + 2 * links.size());
        for (const auto& link : links) talk.talk_on(link, link.client);
        for (const auto& link : links) talk.end(link);
        talk.await_channels(1);
    }
}

TOFU_SMOKE_CASE(a_limit_is_kept, at, transport::tcp, has_timers) {
    smoke talk(at, {.hello_time = smoke::soon});
    raw_listener silent(talk.engine, at.where.new_address());
    const tofu::binary_header hello = talk.hello(silent.where());
    raw_socket peer = silent.accept();
    if (at.policies.time == timekeeping::manual) BOOST_REQUIRE(peer.receive());
    talk.pass();
    talk.expect_failed(talk.client, op_code::hello_response, hello, status::communication_failed, "hello_timeout");
}

TOFU_SMOKE_CASE(an_update_for_later_comes_or_is_taken_back, at, transport::tcp, has_timers) {
    smoke talk(at);
    const auto begun = std::chrono::steady_clock::now();
    any_timer never = talk.client.update_receiver_after(1h, make(talk.engine, op_code::signal, 0, "never"));
    any_timer later = talk.client.update_receiver_after(smoke::soon, make(talk.engine, op_code::signal, 0, "later"));
    any_timer first =
        talk.client.update_receiver_after(smoke::soon / 2, make(talk.engine, op_code::signal, 0, "first"));
    // In real time, `first` may be requested so late that its deadline is after the deadline of `later`.
    const bool overtakes =
        at.policies.time == timekeeping::manual || std::chrono::steady_clock::now() - begun < smoke::soon / 2;
    talk.pass();
    const std::string one(body_of(*talk.next(talk.client)));
    const std::string other(body_of(*talk.next(talk.client)));
    BOOST_TEST(((one == "first" && other == "later") || (!overtakes && one == "later" && other == "first")));
    BOOST_TEST(!later.cancel());
    BOOST_TEST(!first.cancel());
    const tofu::message_ptr back = never.cancel();
    BOOST_REQUIRE(back);
    BOOST_TEST(body_of(*back) == "never");
}

BOOST_AUTO_TEST_SUITE_END()
