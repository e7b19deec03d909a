// SPDX-License-Identifier: BSL-1.0
// Tests of incomplete messages: the limit on channels that hold one, and the order in which other channels begin one.
#include <boost/test/unit_test.hpp>

#include <tofu/detail/intrusive_list.hpp>
#include <tofu/engine/loop/partial_messages.hpp>

#include <cstddef>
#include <vector>

BOOST_AUTO_TEST_SUITE(partial_messages)

namespace {

struct fake_channel {
    bool holds_partial = false;
    tofu::detail::list_hook<fake_channel> pause_hook;
};
using partials = tofu::engine::partial_messages<fake_channel>;
using channels = std::vector<const fake_channel*>;

/// Notes it, and says which channels are resumed.
channels note(partials& p, fake_channel& ch, bool holds) {
    channels resumed;
    p.note(ch, holds, [&resumed](fake_channel& each) { resumed.push_back(&each); });
    return resumed;
}

} // namespace

BOOST_AUTO_TEST_CASE(incomplete_messages_hold_at_most_half_of_the_credit) {
    for (const std::size_t credit : {8U, 9U}) {
        partials p(credit);
        fake_channel ch[4];
        for (fake_channel& each : ch) {
            BOOST_TEST(p.has_room());
            note(p, each, true);
            BOOST_TEST(each.holds_partial);
        }
        BOOST_TEST(p.count() == 4U);
        BOOST_TEST(!p.has_room());
        note(p, ch[2], false);
        BOOST_TEST(!ch[2].holds_partial);
        BOOST_TEST(p.count() == 3U);
        BOOST_TEST(p.has_room());
    }
}

BOOST_AUTO_TEST_CASE(a_channel_counts_once) {
    partials p(8);
    fake_channel one;
    fake_channel other;
    note(p, one, true);
    note(p, one, true);
    note(p, other, true);
    BOOST_TEST(p.count() == 2U);
    note(p, one, false);
    note(p, one, false);
    BOOST_TEST(p.count() == 1U);
}

BOOST_AUTO_TEST_CASE(messages_that_the_system_cut_short_may_exceed_the_limit) {
    partials p(4);
    fake_channel ch[3];
    note(p, ch[0], true);
    note(p, ch[1], true);
    BOOST_TEST(p.is_within_limit());
    note(p, ch[2], true);
    BOOST_TEST(p.count() == 3U);
    BOOST_TEST(!p.is_within_limit());
    BOOST_TEST(!p.has_room());
    note(p, ch[0], false);
    BOOST_TEST(p.is_within_limit());
    BOOST_TEST(!p.has_room());
}

BOOST_AUTO_TEST_CASE(a_message_that_ends_resumes_all_that_wait_in_their_order) {
    partials p(4);
    fake_channel holder;
    fake_channel ch[3];
    note(p, holder, true);
    for (const std::size_t i : {2U, 0U, 1U, 2U}) p.wait(ch[i]); // to wait twice is to wait once
    BOOST_TEST((note(p, holder, false) == channels{&ch[2], &ch[0], &ch[1]}));
    for (const fake_channel& each : ch) BOOST_TEST(!each.pause_hook.linked());
    note(p, holder, true);
    BOOST_TEST((note(p, holder, false) == channels{}));
}

BOOST_AUTO_TEST_CASE(nobody_is_resumed_while_no_message_ends) {
    partials p(8);
    fake_channel one;
    fake_channel other;
    fake_channel waiting;
    p.wait(waiting);
    BOOST_TEST((note(p, one, true) == channels{}));
    BOOST_TEST((note(p, one, true) == channels{}));
    BOOST_TEST((note(p, other, false) == channels{})); // it held none
    BOOST_TEST(waiting.pause_hook.linked());
    BOOST_TEST((note(p, one, false) == channels{&waiting}));
}

BOOST_AUTO_TEST_CASE(all_that_wait_can_be_resumed_without_a_message_that_ends) {
    partials p(8);
    fake_channel holder;
    fake_channel ch[2];
    note(p, holder, true);
    p.wait(ch[1]);
    p.wait(ch[0]);
    channels resumed;
    p.resume_all([&resumed](fake_channel& each) { resumed.push_back(&each); });
    BOOST_TEST((resumed == channels{&ch[1], &ch[0]}));
    BOOST_TEST(p.count() == 1U);
}

BOOST_AUTO_TEST_CASE(while_channels_resume_the_room_is_there) {
    partials p(2);
    fake_channel holder;
    fake_channel waiting;
    note(p, holder, true);
    p.wait(waiting);
    bool had_room = false;
    p.note(holder, false, [&](fake_channel&) { had_room = p.has_room(); });
    BOOST_TEST(had_room);
}

BOOST_AUTO_TEST_CASE(a_waiting_channel_that_ends_is_not_resumed) {
    partials p(8);
    fake_channel holder;
    fake_channel ended;
    fake_channel waiting;
    note(p, holder, true);
    p.wait(ended);
    p.wait(waiting);
    ended.pause_hook.unlink();
    BOOST_TEST((note(p, holder, false) == channels{&waiting}));
}

BOOST_AUTO_TEST_SUITE_END()
