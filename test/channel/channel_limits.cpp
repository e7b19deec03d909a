// SPDX-License-Identifier: BSL-1.0
// The time limits of one channel: when each begins, which of them wins, and in which order they are due.
#include <boost/test/unit_test.hpp>

#include <tofu/engine/channel/channel_limits.hpp>
#include <tofu/policies/timer/manual_timer.hpp>
#include <tofu/policies/timer/no_timers.hpp>

#include <chrono>
#include <cstddef>
#include <type_traits>

BOOST_AUTO_TEST_SUITE(channel_limits)

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using tofu::reason;
using tofu::engine::due_limit;
using limits = tofu::engine::channel_limits<tofu::manual_timer>;
using time_point = limits::time_point;

namespace {

constexpr time_point never = (time_point::max)();
constexpr time_point at(time_point::duration since) { return time_point{} + since; }

/// The phase limit runs until then, for this reason.
void check_phase(const limits& l, time_point end, reason why) {
    BOOST_TEST((l.first() == end));
    BOOST_TEST((l.phase_reason() == why));
}

} // namespace

BOOST_AUTO_TEST_CASE(a_new_channel_has_no_limit) {
    const limits l;
    check_phase(l, never, reason::none);
    BOOST_TEST((l.due(at(24h)) == due_limit::none));
    BOOST_TEST(!l.connect_is_over(at(24h)));
}

BOOST_AUTO_TEST_CASE(a_time_of_zero_is_no_limit) {
    limits l;
    l.begin_connect(at(1s), 0ms);
    l.restore_connect();
    check_phase(l, never, reason::connect_timeout);
    l.begin_hello(at(1s), 0ms);
    check_phase(l, never, reason::hello_timeout);
    l.begin_bye(at(1s), 0ms);
    l.begin_message(at(1s), 0ms);
    l.restart_idle(at(1s), 0ms);
    BOOST_TEST((l.first() == never));
    l.begin_grace(at(1s), 0ms);
    check_phase(l, never, reason::bye);
    BOOST_TEST((l.due(at(24h)) == due_limit::none));
}

BOOST_AUTO_TEST_CASE(each_phase_ends_with_a_reason_of_its_own) {
    struct row {
        void (*begin)(limits&);
        reason why;
    };
    const row rows[] = {
        {[](limits& l) { l.begin_address(at(3s), 1); }, reason::connect_timeout},
        {[](limits& l) { l.begin_hello(at(3s), 4s); }, reason::hello_timeout},
        {[](limits& l) { l.begin_bye(at(3s), 4s); }, reason::bye_timeout},
        {[](limits& l) { l.begin_grace(at(3s), 4s); }, reason::bye},
        {[](limits& l) { BOOST_TEST(l.begin_write_grace(at(3s), 4s)); }, reason::os_error},
    };
    for (const row& r : rows) {
        limits l;
        l.begin_connect(at(3s), 4s);
        BOOST_TEST((l.first() == never)); // no phase has begun
        r.begin(l);
        check_phase(l, at(7s), r.why);
        l.end_phase();
        check_phase(l, never, reason::none);
    }
}

BOOST_AUTO_TEST_CASE(each_address_has_an_equal_share_of_the_rest_of_connect_time) {
    limits l;
    l.begin_connect(at(0s), 30s);
    l.begin_address(at(0s), 3);
    check_phase(l, at(10s), reason::connect_timeout);
    l.begin_address(at(4s), 2); // the first address has failed early: the others gain
    check_phase(l, at(17s), reason::connect_timeout);
    l.begin_address(at(17s), 1);
    check_phase(l, at(30s), reason::connect_timeout);
}

BOOST_AUTO_TEST_CASE(a_single_address_has_all_of_connect_time) {
    limits l;
    l.begin_connect(at(5s), 30s);
    l.begin_address(at(9s), 1);
    check_phase(l, at(35s), reason::connect_timeout);
}

BOOST_AUTO_TEST_CASE(the_rest_of_connect_time_is_there_again_after_a_share) {
    limits l;
    l.begin_connect(at(0s), 30s);
    l.begin_address(at(0s), 3);
    l.restore_connect();
    check_phase(l, at(30s), reason::connect_timeout);
}

BOOST_AUTO_TEST_CASE(shares_of_an_unlimited_connect_time_are_unlimited) {
    limits l;
    l.begin_connect(at(5s), 0ms);
    l.begin_address(at(5s), 3);
    check_phase(l, never, reason::connect_timeout);
    BOOST_TEST(!l.connect_is_over(at(24h)));
}

BOOST_AUTO_TEST_CASE(connect_time_is_over_at_its_end_and_not_at_the_end_of_a_share) {
    limits l;
    l.begin_connect(at(0s), 30s);
    l.begin_address(at(0s), 3);
    BOOST_TEST((l.due(at(10s)) == due_limit::phase));
    BOOST_TEST(!l.connect_is_over(at(10s)));
    BOOST_TEST(!l.connect_is_over(at(30s - 1ns)));
    BOOST_TEST(l.connect_is_over(at(30s)));
}

BOOST_AUTO_TEST_CASE(only_an_awaited_hello_ends) {
    limits l;
    BOOST_TEST(!l.end_hello());
    l.begin_bye(at(0s), 5s);
    BOOST_TEST(!l.end_hello());
    check_phase(l, at(5s), reason::bye_timeout);
    l.begin_hello(at(0s), 3s);
    BOOST_TEST(l.end_hello());
    check_phase(l, never, reason::none);
    BOOST_TEST(!l.end_hello());
    l.begin_hello(at(0s), 0ms); // awaited without a limit
    BOOST_TEST(l.end_hello());
}

BOOST_AUTO_TEST_CASE(a_bye_leaves_an_earlier_limit_and_replaces_a_later_one) {
    limits l;
    l.begin_hello(at(0s), 5s);
    l.begin_bye(at(1s), 10s);
    check_phase(l, at(5s), reason::hello_timeout);
    l.begin_bye(at(1s), 0ms);
    check_phase(l, at(5s), reason::hello_timeout);
    l.begin_bye(at(1s), 2s);
    check_phase(l, at(3s), reason::bye_timeout);
    l.begin_bye(at(2s), 2s); // the peer's bye does not extend ours
    check_phase(l, at(3s), reason::bye_timeout);
}

BOOST_AUTO_TEST_CASE(the_grace_cancels_all_other_limits) {
    limits l;
    l.begin_bye(at(0s), 1s);
    l.begin_message(at(0s), 2s);
    l.restart_idle(at(0s), 3s);
    l.begin_grace(at(0s), 60s);
    check_phase(l, at(60s), reason::bye);
    BOOST_TEST((l.due(at(60s - 1ns)) == due_limit::none));
    BOOST_TEST((l.due(at(60s)) == due_limit::phase));
}

BOOST_AUTO_TEST_CASE(a_failed_write_leaves_an_earlier_limit_and_replaces_a_later_one) {
    limits l;
    l.begin_bye(at(0s), 2s);
    BOOST_TEST(l.begin_write_grace(at(1s), 5s));
    check_phase(l, at(2s), reason::bye_timeout);
    BOOST_TEST(l.begin_write_grace(at(1s), 500ms));
    check_phase(l, at(1500ms), reason::os_error);
}

BOOST_AUTO_TEST_CASE(a_failed_write_without_grace_time_changes_nothing) {
    limits l;
    BOOST_TEST(!l.begin_write_grace(at(1s), 0ms));
    check_phase(l, never, reason::none);
    l.begin_bye(at(0s), 2s);
    BOOST_TEST(!l.begin_write_grace(at(1s), 0ms));
    check_phase(l, at(2s), reason::bye_timeout);
}

BOOST_AUTO_TEST_CASE(a_failed_write_keeps_the_limits_for_a_message_and_for_idleness) {
    limits l;
    l.begin_message(at(0s), 2s);
    l.restart_idle(at(0s), 3s);
    BOOST_TEST(l.begin_write_grace(at(0s), 60s));
    BOOST_TEST((l.due(at(2s)) == due_limit::message));
    l.end_message();
    BOOST_TEST((l.due(at(3s)) == due_limit::idle));
}

BOOST_AUTO_TEST_CASE(a_message_is_limited_from_its_first_byte) {
    limits l;
    l.begin_message(at(1s), 5s);
    l.begin_message(at(3s), 5s); // more bytes of it
    BOOST_TEST((l.first() == at(6s)));
    l.end_message();
    BOOST_TEST((l.first() == never));
    l.begin_message(at(7s), 5s);
    BOOST_TEST((l.first() == at(12s)));
    BOOST_TEST((l.due(at(12s)) == due_limit::message));
}

BOOST_AUTO_TEST_CASE(every_byte_restarts_the_limit_for_idleness) {
    limits l;
    l.restart_idle(at(1s), 5s);
    BOOST_TEST((l.first() == at(6s)));
    l.restart_idle(at(3s), 5s);
    BOOST_TEST((l.first() == at(8s)));
    BOOST_TEST((l.due(at(8s)) == due_limit::idle));
}

BOOST_AUTO_TEST_CASE(a_limit_is_due_when_its_time_is_reached_and_not_before) {
    limits l;
    l.begin_hello(at(0s), 1s);
    BOOST_TEST((l.due(at(1s - 1ns)) == due_limit::none));
    BOOST_TEST((l.due(at(1s)) == due_limit::phase));
    l.end_phase();
    l.begin_message(at(0s), 2s);
    BOOST_TEST((l.due(at(2s - 1ns)) == due_limit::none));
    BOOST_TEST((l.due(at(2s)) == due_limit::message));
    l.end_message();
    l.restart_idle(at(0s), 3s);
    BOOST_TEST((l.due(at(3s - 1ns)) == due_limit::none));
    BOOST_TEST((l.due(at(3s)) == due_limit::idle));
}

BOOST_AUTO_TEST_CASE(of_several_due_limits_the_phase_comes_first_and_idleness_last) {
    limits l; // due in the opposite order
    l.begin_hello(at(0s), 3s);
    l.begin_message(at(0s), 2s);
    l.restart_idle(at(0s), 1s);
    BOOST_TEST((l.due(at(1s)) == due_limit::idle));
    BOOST_TEST((l.due(at(2s)) == due_limit::message));
    BOOST_TEST((l.due(at(3s)) == due_limit::phase));
}

BOOST_AUTO_TEST_CASE(the_first_limit_is_the_nearest_of_all) {
    const milliseconds times[] = {1s, 2s, 3s};
    for (std::size_t turned = 0; turned < 3; ++turned) {
        limits l;
        l.begin_hello(at(0s), times[turned]);
        l.begin_message(at(0s), times[(turned + 1) % 3]);
        l.restart_idle(at(0s), times[(turned + 2) % 3]);
        BOOST_TEST((l.first() == at(1s)));
    }
}

BOOST_AUTO_TEST_CASE(without_timers_there_are_no_limits) {
    using timeless = tofu::engine::channel_limits<tofu::no_timers>;
    static_assert(std::is_empty_v<timeless>);
    const timeless::time_point now{};
    const timeless::time_point late = now + 24h;
    timeless l;
    l.begin_connect(now, 1ms);
    l.restore_connect();
    l.begin_address(now, 2);
    BOOST_TEST(!l.connect_is_over(late));
    l.begin_hello(now, 1ms);
    BOOST_TEST(!l.end_hello());
    BOOST_TEST(!l.begin_write_grace(now, 1ms));
    l.begin_bye(now, 1ms);
    l.begin_grace(now, 1ms);
    l.end_phase();
    l.begin_message(now, 1ms);
    l.end_message();
    l.restart_idle(now, 1ms);
}

BOOST_AUTO_TEST_SUITE_END()
