// SPDX-License-Identifier: BSL-1.0
// Tests of the read budget: a channel's share of a turn, and a due limit that waits for bytes that had arrived before.
#include <boost/test/unit_test.hpp>

#include <tofu/engine/channel/read_budget.hpp>

#include <cstddef>

BOOST_AUTO_TEST_SUITE(read_budget)

namespace {

using budget = tofu::engine::read_budget;

/// One turn of a channel that takes `taken` of 100 bytes.
void read(budget& b, std::size_t taken, bool more) {
    b.begin(100);
    b.take(taken);
    b.end(more);
}

} // namespace

BOOST_AUTO_TEST_CASE(a_channel_that_never_read_has_nothing_left_and_spent_nothing) {
    const budget b;
    BOOST_TEST(b.left() == 0U);
    BOOST_TEST(!b.spent());
    BOOST_TEST(!b.has_goal());
    BOOST_TEST(b.goal() == 0U);
}

BOOST_AUTO_TEST_CASE(what_is_taken_is_no_longer_left) {
    budget b;
    b.begin(100);
    BOOST_TEST(b.left() == 100U);
    b.take(30);
    BOOST_TEST(b.left() == 70U);
    b.take(70);
    BOOST_TEST(b.left() == 0U);
}

BOOST_AUTO_TEST_CASE(more_work_than_is_left_leaves_nothing) {
    budget b;
    b.begin(100);
    b.take(1000);
    BOOST_TEST(b.left() == 0U);
    b.take(1);
    BOOST_TEST(b.left() == 0U);
}

BOOST_AUTO_TEST_CASE(the_budget_is_spent_when_it_ended_the_reading_before_the_socket_did) {
    struct row {
        std::size_t taken;
        bool more;
        bool spent;
    };
    for (const row& r : {row{100, true, true}, row{250, true, true}, row{100, false, false}, row{99, true, false},
                         row{0, false, false}}) {
        budget b;
        read(b, r.taken, r.more);
        BOOST_TEST(b.spent() == r.spent);
    }
}

BOOST_AUTO_TEST_CASE(each_turn_begins_with_a_whole_budget) {
    budget b;
    read(b, 100, true);
    b.begin(100);
    BOOST_TEST(b.left() == 100U);
    BOOST_TEST(!b.spent());
    b.end(true);
    BOOST_TEST(!b.spent());
}

BOOST_AUTO_TEST_CASE(a_due_limit_waits_until_the_goal_is_read) {
    budget b;
    b.set_goal(250);
    BOOST_TEST(b.has_goal());
    BOOST_TEST(b.goal() == 250U);
    read(b, 100, true);
    BOOST_TEST(b.goal_is_ahead(100));
    read(b, 100, true);
    BOOST_TEST(b.goal_is_ahead(200));
    BOOST_TEST(b.goal() == 250U);
    read(b, 100, true);
    BOOST_TEST(!b.goal_is_ahead(300));
    BOOST_TEST(!b.has_goal());
    BOOST_TEST(b.goal() == 0U);
}

BOOST_AUTO_TEST_CASE(a_goal_is_reached_with_its_last_byte) {
    budget b;
    b.set_goal(100);
    read(b, 100, true);
    BOOST_TEST(b.goal_is_ahead(99));
    BOOST_TEST(!b.goal_is_ahead(100));
}

BOOST_AUTO_TEST_CASE(a_goal_is_forgotten_when_something_else_ends_the_reading) {
    budget b;
    b.set_goal(250);
    read(b, 60, true); // the credit ran out, for example
    BOOST_TEST(!b.goal_is_ahead(60));
    BOOST_TEST(!b.has_goal());
    read(b, 100, true);
    BOOST_TEST(!b.goal_is_ahead(160));
}

BOOST_AUTO_TEST_CASE(a_goal_may_be_set_between_turns) {
    budget b;
    read(b, 100, true);
    b.set_goal(150); // spent before the limit was due
    BOOST_TEST(b.goal_is_ahead(100));
}

BOOST_AUTO_TEST_SUITE_END()
