// SPDX-License-Identifier: BSL-1.0
// Tests of the accept pace: the attempts of a listener in a turn, and the number of failures that ends it.
#include <boost/test/unit_test.hpp>

#include <tofu/engine/channel/accept_pace.hpp>
#include <tofu/policies/timer/manual_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

BOOST_AUTO_TEST_SUITE(accept_pace)

using namespace std::chrono_literals;
using time_point = tofu::manual_timer::time_point;
using pace = tofu::engine::accept_pace<time_point>;

namespace {

constexpr time_point at(time_point::duration since) { return time_point{} + since; }

/// Fails `times` times, a retry time of 100 ms apart. The number of failures that ended the listener; 0: it goes on.
unsigned fail(pace& p, time_point from, unsigned times) {
    for (unsigned i = 1; i <= times; ++i)
        if (p.failed(from + i * 100ms, 100ms)) return i;
    return 0;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_listener_begins_with_one_attempt_in_whatever_turn) {
    for (const std::uint64_t turn : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{1'000'000}}) {
        pace p;
        BOOST_TEST(p.attempts(turn, 64) == 1U);
    }
}

BOOST_AUTO_TEST_CASE(attempts_double_while_turns_follow_each_other_up_to_the_budget) {
    pace p;
    std::uint64_t turn = 7;
    for (const std::size_t expected : {1U, 2U, 4U, 8U, 10U, 10U}) BOOST_TEST(p.attempts(turn++, 10) == expected);
}

BOOST_AUTO_TEST_CASE(a_turn_without_an_attempt_begins_anew) {
    pace p;
    static_cast<void>(p.attempts(1, 64));
    static_cast<void>(p.attempts(2, 64));
    BOOST_TEST(p.attempts(3, 64) == 4U);
    BOOST_TEST(p.attempts(5, 64) == 1U);
    BOOST_TEST(p.attempts(6, 64) == 2U);
}

BOOST_AUTO_TEST_CASE(a_budget_of_one_stays_one) {
    pace p;
    for (std::uint64_t turn = 1; turn < 5; ++turn) BOOST_TEST(p.attempts(turn, 1) == 1U);
}

BOOST_AUTO_TEST_CASE(thirty_failures_in_a_row_end_a_listener) {
    pace p;
    BOOST_TEST(fail(p, at(0s), 100) == 30U);
    BOOST_TEST(pace::most_failures == 30U);
}

BOOST_AUTO_TEST_CASE(failures_within_one_retry_time_count_once) {
    pace p;
    for (int i = 0; i < 100; ++i) BOOST_TEST(!p.failed(at(i * 1ms), 100ms)); // counts once, at 0 ms
    BOOST_TEST(fail(p, at(0s), 28) == 0U);
    BOOST_TEST(!p.failed(at(2900ms - 1ns), 100ms));
    BOOST_TEST(p.failed(at(2900ms), 100ms));
}

BOOST_AUTO_TEST_CASE(the_retry_time_begins_with_a_failure_that_counts) {
    pace p;
    for (int i = 0; i < 29; ++i) { // at 0 ms and at 60 ms of each 120 ms: the second does not count
        BOOST_TEST(!p.failed(at(i * 120ms), 100ms));
        BOOST_TEST(!p.failed(at(i * 120ms + 60ms), 100ms));
    }
    BOOST_TEST(p.failed(at(29 * 120ms), 100ms));
}

BOOST_AUTO_TEST_CASE(an_answer_of_the_system_forgets_all_failures) {
    pace p;
    BOOST_TEST(fail(p, at(0s), 29) == 0U);
    p.succeeded();
    BOOST_TEST(fail(p, at(10s), 29) == 0U);
    p.succeeded();
    BOOST_TEST(fail(p, at(20s), 100) == 30U);
}

BOOST_AUTO_TEST_CASE(failures_do_not_change_the_pace) {
    pace p;
    BOOST_TEST(p.attempts(1, 64) == 1U);
    BOOST_TEST(!p.failed(at(0s), 100ms));
    BOOST_TEST(p.attempts(2, 64) == 2U);
    p.succeeded();
    BOOST_TEST(p.attempts(3, 64) == 4U);
}

BOOST_AUTO_TEST_SUITE_END()
