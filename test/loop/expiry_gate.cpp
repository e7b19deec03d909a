// SPDX-License-Identifier: BSL-1.0
// Tests of the expiry of deadlines: only after a look at the sockets that began no earlier, even if waits fail.
#include <boost/test/unit_test.hpp>

#include <tofu/engine/loop/expiry_gate.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

BOOST_AUTO_TEST_SUITE(expiry_gate)

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;
using time_point = clock_type::time_point;
using tofu::io_failure;
using tofu::wait_result;

namespace {

constexpr time_point none = (time_point::min)();
constexpr time_point never = (time_point::max)();
constexpr wait_result complete{};
constexpr wait_result full{{}, true, false};
constexpr wait_result interrupted{{}, false, true};
constexpr wait_result failed{{io_failure::no_memory, 12}, false, false};

time_point at(std::chrono::milliseconds since) { return time_point{} + since; }

struct loop {
    /// One wait of one turn; the moment up to which deadlines may expire then.
    time_point wait(time_point began, std::size_t reports, const wait_result& result, time_point deadline,
                    std::size_t all_reports = 3) {
        gate.begin_wait(began);
        for (std::size_t i = 0; i < reports; ++i) gate.reported();
        return gate.end_wait(result, deadline, all_reports, ++turn);
    }

    tofu::engine::expiry_gate<time_point> gate;
    std::uint64_t turn = 0;
};

} // namespace

BOOST_AUTO_TEST_CASE(what_was_due_when_a_complete_wait_began_may_expire) {
    loop l;
    BOOST_TEST((l.wait(at(10ms), 0, complete, at(10ms)) == at(10ms)));
    BOOST_TEST((l.wait(at(20ms), 2, complete, at(15ms)) == at(20ms)));
    BOOST_TEST(l.gate.look_began_in() == 2U);
}

BOOST_AUTO_TEST_CASE(what_became_due_during_a_wait_may_not) {
    loop l;
    BOOST_TEST((l.wait(at(10ms), 0, complete, at(11ms)) == none));
    BOOST_TEST((l.wait(none, 0, complete, at(11ms)) == none)); // the clock was not read
    BOOST_TEST((l.wait(at(10ms), 0, complete, never) == none));
}

BOOST_AUTO_TEST_CASE(full_batches_are_a_look_when_they_could_have_named_everybody) {
    loop l;
    BOOST_TEST((l.wait(at(10ms), 2, full, at(5ms), 5) == none));
    BOOST_TEST((l.wait(at(20ms), 2, full, at(5ms), 5) == none));
    BOOST_TEST((l.wait(at(30ms), 2, full, at(5ms), 5) == at(10ms))); // by the first of them
    BOOST_TEST(l.gate.look_began_in() == 1U);
    BOOST_TEST((l.wait(at(40ms), 2, full, at(15ms), 5) == none)); // a new look
    BOOST_TEST((l.wait(at(50ms), 1, complete, at(15ms), 5) == at(50ms)));
    BOOST_TEST(l.gate.look_began_in() == 4U);
}

BOOST_AUTO_TEST_CASE(how_many_are_to_be_named_is_settled_when_the_look_begins) {
    loop l;
    BOOST_TEST((l.wait(at(10ms), 2, full, at(5ms), 4) == none));
    BOOST_TEST((l.wait(at(20ms), 2, full, at(5ms), 100) == at(10ms)));
}

BOOST_AUTO_TEST_CASE(a_look_is_given_up_when_nothing_is_due_any_more) {
    loop l;
    BOOST_TEST((l.wait(at(10ms), 2, full, at(5ms), 4) == none));
    BOOST_TEST((l.wait(at(20ms), 2, full, never, 4) == none));
    BOOST_TEST((l.wait(at(30ms), 2, full, at(25ms), 4) == none)); // begins anew
    BOOST_TEST((l.wait(at(40ms), 2, full, at(25ms), 4) == at(30ms)));
}

BOOST_AUTO_TEST_CASE(a_wait_that_has_seen_nothing_lets_nothing_expire) {
    for (const wait_result& blind : {interrupted, failed}) {
        loop l;
        BOOST_TEST((l.wait(at(10ms), 0, blind, at(5ms)) == none));
        BOOST_TEST((l.wait(at(20ms), 0, complete, at(5ms)) == at(20ms)));
        BOOST_TEST(l.gate.look_began_in() == 2U);
        // A blind wait spoils no look either.
        BOOST_TEST((l.wait(at(30ms), 2, full, at(5ms), 4) == none));
        BOOST_TEST((l.wait(at(40ms), 0, blind, at(5ms), 4) == none));
        BOOST_TEST((l.wait(at(50ms), 2, full, at(5ms), 4) == at(30ms)));
    }
}

BOOST_AUTO_TEST_CASE(after_many_waits_without_a_look_deadlines_expire) {
    for (const wait_result& blind : {interrupted, failed}) {
        loop l;
        for (int i = 1; i < 8; ++i) BOOST_TEST((l.wait(at(10ms), 0, blind, at(5ms)) == none));
        BOOST_TEST((l.wait(at(20ms), 0, blind, at(5ms)) == at(20ms)));
        BOOST_TEST((l.wait(at(30ms), 0, blind, at(5ms)) == at(30ms)));
        BOOST_TEST((l.wait(at(40ms), 0, complete, never) == none)); // that is over
        BOOST_TEST((l.wait(at(50ms), 0, blind, at(45ms)) == none));
    }
}

BOOST_AUTO_TEST_CASE(another_wait_is_wanted_after_an_interruption_and_when_a_deadline_was_reached) {
    struct row {
        wait_result result;
        std::size_t reports;
        time_point deadline;
        time_point now;
        bool wanted;
    };
    const row rows[] = {
        {interrupted, 0, never, at(11ms), true},  {complete, 0, at(12ms), at(12ms), true},
        {complete, 0, at(12ms), at(500ms), true}, {complete, 0, at(12ms), at(11ms), false}, // woken early
        {complete, 0, at(10ms), at(12ms), false}, // due before: this wait was the look
        {complete, 1, at(12ms), at(12ms), false}, // first what was reported
        {full, 1, at(12ms), at(12ms), false},     {failed, 0, at(12ms), at(12ms), false},
        {complete, 0, never, at(12ms), false},
    };
    for (const row& r : rows) {
        loop l;
        l.gate.begin_wait(at(10ms));
        for (std::size_t i = 0; i < r.reports; ++i) l.gate.reported();
        BOOST_TEST(l.gate.wants_another_wait(r.result, r.deadline, r.now) == r.wanted);
    }
}

BOOST_AUTO_TEST_SUITE_END()
