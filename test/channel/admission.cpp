// SPDX-License-Identifier: BSL-1.0
// Tests of admission: the decision about a posted message, and the state after a refusal.
#include "support/eight_threads.hpp"
#include "support/rounds.hpp"
#include "support/scarce_memory.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/engine/channel/admission.hpp>
#include <tofu/engine/channel/channel_directory.hpp>
#include <tofu/engine/channel/channel_word.hpp>
#include <tofu/engine/channel/group_core.hpp>
#include <tofu/message.hpp>
#include <tofu/options.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>

BOOST_AUTO_TEST_SUITE(admission)

using tofu::op_code;
using tofu::status;
using tofu::engine::channel_directory;
using tofu::engine::group_core;
using tofu::engine::route_of;
using verdict = tofu::engine::admission::verdict;
namespace word = tofu::engine::channel_word;

namespace {

constexpr std::uint32_t engine = 7;

/// An engine with two groups, whose channels hold two messages.
struct entrance {
    verdict admit(tofu::message& m) { return admission.admit(group, m); }
    verdict admit(op_code op, std::uint16_t number) {
        tofu::message m;
        m.header() = {.channel_number = number, .op = op};
        return admit(m);
    }

    std::uint16_t open(std::uint64_t flags = 0) { return directory.open(group.id, flags, false).number; }
    std::uint16_t open_full() {
        const std::uint16_t number = open();
        for (int i = 0; i < 2; ++i)
            BOOST_REQUIRE(directory.reserve(number, 16, opts.max_queued_messages, opts.max_queued_bytes));
        return number;
    }

    group_core group{3, nullptr, tofu::engine::handoff::between::one_thread};
    group_core other_group{4, nullptr, tofu::engine::handoff::between::one_thread};
    channel_directory directory;
    tofu::options opts{.max_queued_messages = 2, .max_queued_bytes = 1000};
    std::atomic<bool> stopping{false};
    tofu::engine::admission admission{directory, opts, engine, stopping};
};

/// The message is in, and its post is in flight.
void check_admitted(const verdict& given) {
    BOOST_TEST((given.result == status::success));
    BOOST_TEST(!given.consumed);
    BOOST_TEST(!given.wakes);
}
void check_refused(const verdict& given, status why) {
    BOOST_TEST((given.result == why));
    BOOST_TEST(!given.consumed);
    BOOST_TEST(!given.wakes);
}

} // namespace

BOOST_AUTO_TEST_CASE(a_message_for_a_channel_of_its_group_is_in_flight_and_takes_room) {
    entrance e;
    const std::uint16_t number = e.open();
    tofu::message m;
    m.header() = {.channel_number = number, .op = op_code::request};
    BOOST_REQUIRE(m.body().append("four"));
    check_admitted(e.admit(m));
    BOOST_TEST(e.directory.posts_in_flight(number));
    BOOST_TEST(e.directory.queued_messages(number) == 1U);
    BOOST_TEST(e.directory.queued_bytes(number) == 16U + 4U);
    BOOST_TEST(!e.directory.exit(number, op_code::request));
    BOOST_TEST(!e.directory.posts_in_flight(number));
}

BOOST_AUTO_TEST_CASE(a_message_for_another_groups_channel_is_refused) {
    entrance e;
    const std::uint16_t number = e.directory.open(e.other_group.id, 0, false).number;
    check_refused(e.admit(op_code::request, number), status::invalid_channel_group);
    BOOST_TEST(!e.directory.posts_in_flight(number));
    BOOST_TEST(e.directory.queued_messages(number) == 0U);
}

BOOST_AUTO_TEST_CASE(a_hello_opens_a_channel_and_is_bound_to_it) {
    entrance e;
    tofu::message m;
    m.header().op = op_code::hello_request;
    route_of(m).engine = 99; // it was received by another engine
    check_admitted(e.admit(m));
    const std::uint16_t number = m.header().channel_number;
    BOOST_REQUIRE(number != tofu::no_channel);
    BOOST_TEST(route_of(m).number == number);
    BOOST_TEST(route_of(m).engine == 0U); // not received: it is no answer
    BOOST_TEST(e.directory.is_live(number, route_of(m).generation));
    BOOST_TEST(e.directory.posts_in_flight(number));
    BOOST_TEST(!e.directory.exit(number, op_code::hello_request));
    check_admitted(e.admit(op_code::request, number));
    BOOST_TEST((e.admission.admit(e.other_group, m).result == status::success)); // another channel
    BOOST_TEST(m.header().channel_number != number);
}

BOOST_AUTO_TEST_CASE(on_a_listener_only_a_bye_signal_is_admitted) {
    entrance e;
    tofu::message m;
    m.header().op = op_code::welcome_request;
    check_admitted(e.admit(m));
    const std::uint16_t number = m.header().channel_number;
    check_refused(e.admit(op_code::request, number), status::not_allowed);
    check_refused(e.admit(op_code::bye_request, number), status::not_allowed);
    check_admitted(e.admit(op_code::bye_signal, number));
}

BOOST_AUTO_TEST_CASE(a_message_that_opens_a_channel_has_room_for_the_reason_of_its_failure) {
    entrance e;
    for (const op_code op : {op_code::hello_request, op_code::welcome_request}) {
        tofu::message m;
        m.header().op = op;
        BOOST_REQUIRE((m.headers().append("name", std::string(100, 'x')) == status::success));
        const std::size_t size = m.headers().size_bytes();
        check_admitted(e.admit(m));
        BOOST_TEST(m.headers().size_bytes() == size);
        BOOST_TEST(m.headers().buffer().capacity() >= size + tofu::engine::reason_room);
    }
}

BOOST_AUTO_TEST_CASE(without_memory_no_channel_is_opened) {
    entrance e;
    tofu::message m;
    const auto attempt = [&] {
        m.reset();
        m.headers().buffer().release();
        m.header().op = op_code::hello_request;
        return e.admit(m);
    };
    int refusals = 0;
    const verdict given = tofu_test::with_each_refusal(attempt, [&](const verdict& refused) {
        ++refusals;
        check_refused(refused, status::allocation_failed);
        BOOST_TEST(m.header().channel_number == tofu::no_channel);
    });
    check_admitted(given);
    BOOST_TEST(refusals == 2); // the room for the reason, the directory's page
}

BOOST_AUTO_TEST_CASE(without_a_free_number_no_channel_is_opened) {
    entrance e;
    for (unsigned i = 0; i < tofu::last_channel; ++i) BOOST_REQUIRE(e.open() != tofu::no_channel);
    tofu::message m;
    m.header().op = op_code::hello_request;
    check_refused(e.admit(m), status::allocation_failed);
    BOOST_TEST(m.header().channel_number == tofu::no_channel);
}

BOOST_AUTO_TEST_CASE(a_stopping_engine_opens_no_channel_and_keeps_no_number) {
    entrance e;
    e.stopping = true;
    tofu::message m;
    m.header().op = op_code::hello_request;
    check_refused(e.admit(m), status::shutdown_started);
    BOOST_TEST(m.header().channel_number == tofu::no_channel);
    BOOST_TEST(!e.directory.close_all()); // no post is in flight
    unsigned given_out = 0;
    for (unsigned i = 0; i < tofu::last_channel; ++i) given_out += e.open() != tofu::no_channel ? 1 : 0;
    BOOST_TEST(given_out == tofu::last_channel);
}

BOOST_AUTO_TEST_CASE(a_stopping_engine_explains_a_closed_channel_by_the_stop_and_nothing_else) {
    entrance e;
    const std::uint16_t closed = e.open();
    e.directory.close(closed);
    const std::uint16_t live = e.open();
    const std::uint16_t foreign = e.directory.open(e.other_group.id, 0, false).number;
    check_refused(e.admit(op_code::request, closed), status::invalid_channel_number);
    e.stopping = true;
    check_refused(e.admit(op_code::request, closed), status::shutdown_started);
    check_refused(e.admit(op_code::request, foreign), status::invalid_channel_group);
    check_admitted(e.admit(op_code::request, live)); // until the loop closes it
}

BOOST_AUTO_TEST_CASE(a_full_queue_refuses_messages_and_leaves_none_in_flight) {
    entrance e;
    const std::uint16_t number = e.open_full();
    check_refused(e.admit(op_code::request, number), status::send_failed);
    BOOST_TEST(!e.directory.posts_in_flight(number));
    BOOST_TEST(e.directory.queued_messages(number) == 2U);
    e.directory.unreserve(number, 1, 16);
    check_admitted(e.admit(op_code::request, number));
}

BOOST_AUTO_TEST_CASE(a_queue_is_full_by_its_bytes_as_well) {
    entrance e;
    const std::uint16_t number = e.open();
    tofu::message m;
    m.header() = {.channel_number = number, .op = op_code::signal};
    BOOST_REQUIRE(m.body().append(std::string(1000 - 16, 'x')));
    check_admitted(e.admit(m));
    check_refused(e.admit(op_code::signal, number), status::send_failed);
}

BOOST_AUTO_TEST_CASE(a_full_queue_admits_what_opens_or_ends_a_conversation) {
    for (const op_code op : {op_code::bye_request, op_code::bye_signal}) {
        entrance e;
        const std::uint16_t number = e.open_full();
        check_admitted(e.admit(op, number));
        BOOST_TEST(e.directory.queued_messages(number) == 2U);
        BOOST_TEST(e.directory.posts_in_flight(number));
    }
}

BOOST_AUTO_TEST_CASE(a_post_that_a_full_queue_refuses_wakes_the_loop_that_waits_for_its_end) {
    entrance e;
    constexpr std::uint16_t none = tofu::no_channel;
    std::atomic<std::uint16_t> current{none}; // the full channel of this round
    std::atomic<int> wakes{0};
    std::atomic<int> wrong{0};
    std::atomic<bool> over{false};
    tofu_test::side_thread poster([&] {
        while (!over) {
            const std::uint16_t number = current;
            if (number == none) {
                std::this_thread::yield();
                continue;
            }
            const verdict given = e.admit(op_code::request, number);
            if (given.wakes) ++wakes;
            if (given.result == status::invalid_channel_number) {
                current = none;
            } else if (given.result != status::send_failed) {
                ++wrong;
            }
        }
    });
    int seen_in_flight = 0;
    for (std::size_t round = 0; round < tofu_test::rounds(500); ++round) {
        const std::uint16_t number = e.open_full();
        wakes = 0;
        current = number;
        if (round % 2 == 0) std::this_thread::yield();
        e.directory.close(number);
        const bool in_flight = e.directory.posts_in_flight(number);
        // Not current.wait(number): without a futex, libstdc++ 12 loses notifications (atomic_wait.h, _M_do_wait).
        while (current == number) std::this_thread::yield();
        seen_in_flight += in_flight ? 1 : 0;
        if (wakes > 1 || (in_flight && wakes == 0) || e.directory.posts_in_flight(number)) ++wrong;
        e.directory.free(number);
    }
    over = true;
    poster.join();
    BOOST_TEST(wrong == 0);
    BOOST_TEST_MESSAGE("posts in flight during a close: " << seen_in_flight);
}

BOOST_AUTO_TEST_CASE(after_byes_that_crossed_one_answer_is_consumed) {
    entrance e;
    const std::uint16_t number = e.open(word::bye_asked | word::bye_posted);
    const verdict given = e.admit(op_code::bye_response, number);
    BOOST_TEST((given.result == status::success));
    BOOST_TEST(given.consumed);
    BOOST_TEST(!given.wakes);
    BOOST_TEST(!e.directory.posts_in_flight(number));
    BOOST_TEST(e.directory.queued_messages(number) == 0U);
    check_refused(e.admit(op_code::bye_response, number), status::not_allowed);
}

BOOST_AUTO_TEST_CASE(an_answer_is_consumed_after_the_close_as_well) {
    entrance e;
    const std::uint16_t number = e.open(word::bye_asked | word::bye_posted);
    e.directory.close(number);
    BOOST_TEST(e.admit(op_code::bye_response, number).consumed);
    check_refused(e.admit(op_code::bye_response, number), status::invalid_channel_number);
}

BOOST_AUTO_TEST_CASE(an_answer_is_refused_when_its_number_has_a_later_owner) {
    entrance e;
    const auto first = e.directory.open(e.group.id, 0, false);
    tofu::message answer;
    answer.header() = {.channel_number = first.number, .op = op_code::response};
    route_of(answer).bind(engine, first.number, first.generation);
    check_admitted(e.admit(answer));
    BOOST_TEST(!e.directory.exit(first.number, op_code::response));

    e.directory.close(first.number);
    e.directory.free(first.number);
    channel_directory::opened second;
    do second = e.directory.open(e.group.id, 0, false);
    while (second.number != first.number);
    check_refused(e.admit(answer), status::invalid_channel_number);
    BOOST_TEST(!e.directory.posts_in_flight(second.number));

    // The application has redirected the message, or another engine has received it: it is no answer.
    tofu::message redirected;
    redirected.header() = {.channel_number = second.number, .op = op_code::request};
    route_of(redirected).bind(engine, static_cast<std::uint16_t>(second.number + 1), first.generation);
    check_admitted(e.admit(redirected));
    tofu::message foreign;
    foreign.header() = {.channel_number = second.number, .op = op_code::request};
    route_of(foreign).bind(engine + 1, second.number, first.generation);
    check_admitted(e.admit(foreign));
}

BOOST_AUTO_TEST_CASE(a_waiter_for_room_learns_of_room_of_the_end_and_of_the_stop) {
    entrance e;
    const std::uint16_t number = e.open();
    BOOST_TEST(e.admission.has_room(number, 1000));
    BOOST_TEST(!e.admission.has_room(number, 1001));
    const std::uint16_t full = e.open_full();
    BOOST_TEST(!e.admission.has_room(full, 16));
    e.directory.unreserve(full, 1, 16);
    BOOST_TEST(e.admission.has_room(full, 16));

    const std::uint16_t closed = e.open_full();
    BOOST_TEST(!e.admission.has_room(closed, 16));
    e.directory.close(closed);
    BOOST_TEST(e.admission.has_room(closed, 16));

    const std::uint16_t stopped = e.open_full();
    BOOST_TEST(!e.admission.has_room(stopped, 16));
    e.stopping = true;
    BOOST_TEST(e.admission.has_room(stopped, 16));
}

BOOST_AUTO_TEST_SUITE_END()
