// SPDX-License-Identifier: BSL-1.0
// Tests of refusals: the retry, the order of resumption, the limits of a deaf channel.
#include <boost/test/unit_test.hpp>

#include <tofu/detail/intrusive_list.hpp>
#include <tofu/engine/loop/refusals.hpp>
#include <tofu/policies/timer/manual_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

BOOST_AUTO_TEST_SUITE(refusals)

using namespace std::chrono_literals;
using time_point = tofu::manual_timer::time_point;

namespace {

struct fake_channel {
    [[nodiscard]] bool is_attached() const noexcept { return attached; }

    bool attached = true;
    std::uint8_t refused_arms = 0;
    tofu::detail::list_hook<fake_channel> pause_hook;
    tofu::detail::list_hook<fake_channel> retry_hook;
};
using refused = tofu::engine::refusals<fake_channel, time_point>;
using channels = std::vector<const fake_channel*>;

constexpr time_point never = (time_point::max)();
constexpr time_point at(time_point::duration since) { return time_point{} + since; }

channels resume_listeners(refused& r) {
    channels resumed;
    r.resume_listeners([&resumed](fake_channel& each) { resumed.push_back(&each); });
    return resumed;
}
channels resume_connects(refused& r) {
    channels resumed;
    r.resume_connects([&resumed](fake_channel& each) { resumed.push_back(&each); });
    return resumed;
}
channels resume_writers(refused& r) {
    channels resumed;
    r.resume_writers([&resumed](fake_channel& each) { resumed.push_back(&each); });
    return resumed;
}

} // namespace

BOOST_AUTO_TEST_CASE(nothing_is_tried_again_before_something_is_refused) {
    refused r;
    BOOST_TEST((r.retry_at() == never));
    BOOST_TEST(!r.take_retry(at(24h)));
    BOOST_TEST(!r.take_refused_arms());
    BOOST_TEST((resume_listeners(r) == channels{}));
    BOOST_TEST((resume_connects(r) == channels{}));
    BOOST_TEST((resume_writers(r) == channels{}));
}

BOOST_AUTO_TEST_CASE(the_first_refusal_says_when_everything_is_tried_again) {
    refused r;
    r.retry_later(at(1s), 100ms);
    r.retry_later(at(1050ms), 100ms); // planned already
    BOOST_TEST((r.retry_at() == at(1100ms)));
    BOOST_TEST(!r.take_retry(at(1100ms - 1ns)));
    BOOST_TEST(r.take_retry(at(1100ms)));
    BOOST_TEST((r.retry_at() == never));
    BOOST_TEST(!r.take_retry(at(2s))); // once
    r.retry_later(at(3s), 100ms);
    BOOST_TEST((r.retry_at() == at(3100ms)));
}

BOOST_AUTO_TEST_CASE(paused_channels_resume_once_in_their_order) {
    refused r;
    fake_channel ch[3];
    for (const std::size_t i : {1U, 0U, 2U, 1U}) { // to pause twice is to pause once
        r.pause_listener(ch[i]);
        r.pause_connect(ch[i]);
    }
    const channels order{&ch[1], &ch[0], &ch[2]};
    BOOST_TEST((resume_listeners(r) == order));
    BOOST_TEST((resume_listeners(r) == channels{}));
    BOOST_TEST((resume_connects(r) == order));
    BOOST_TEST((resume_connects(r) == channels{}));
    for (const std::size_t i : {1U, 0U, 2U, 1U}) r.pause_writer(ch[i]);
    BOOST_TEST((resume_writers(r) == order));
    BOOST_TEST((resume_writers(r) == channels{}));
}

BOOST_AUTO_TEST_CASE(listeners_connects_and_writers_resume_apart) {
    refused r;
    fake_channel listener;
    fake_channel connecting;
    fake_channel writing;
    r.pause_listener(listener);
    r.pause_connect(connecting);
    r.pause_writer(writing);
    BOOST_TEST((resume_writers(r) == channels{&writing}));
    BOOST_TEST((resume_listeners(r) == channels{&listener}));
    BOOST_TEST((resume_connects(r) == channels{&connecting}));
}

BOOST_AUTO_TEST_CASE(a_backlog_that_is_still_full_waits_for_the_next_retry) {
    refused r;
    fake_channel ch[3];
    for (fake_channel& each : ch) r.pause_connect(each);
    channels resumed;
    r.resume_connects([&](fake_channel& each) {
        BOOST_REQUIRE(resumed.size() < 3); // else it would never end
        resumed.push_back(&each);
        if (&each != &ch[1]) r.pause_connect(each);
    });
    BOOST_TEST((resumed == channels{&ch[0], &ch[1], &ch[2]}));
    BOOST_TEST((resume_connects(r) == channels{&ch[0], &ch[2]}));
}

BOOST_AUTO_TEST_CASE(a_paused_channel_that_ends_is_not_resumed) {
    refused r;
    fake_channel ended;
    fake_channel other;
    r.pause_writer(ended);
    r.pause_writer(other);
    ended.retry_hook.unlink();
    BOOST_TEST((resume_writers(r) == channels{&other}));
}

BOOST_AUTO_TEST_CASE(a_refusal_by_the_poller_is_reported_once) {
    refused r;
    fake_channel one;
    fake_channel other;
    r.note_refused_arm(one);
    r.note_refused_arm(other);
    BOOST_TEST(r.take_refused_arms());
    BOOST_TEST(!r.take_refused_arms());
    r.note_refused_arm(one);
    BOOST_TEST(r.take_refused_arms());
}

BOOST_AUTO_TEST_CASE(attempts_count_only_after_a_refusal) {
    refused r;
    fake_channel ch;
    BOOST_TEST(!refused::count_refused_arm(ch));
    BOOST_TEST(ch.refused_arms == 0U);
    r.note_refused_arm(ch);
    BOOST_TEST(ch.refused_arms == 1U);
    BOOST_TEST(refused::count_refused_arm(ch));
    BOOST_TEST(ch.refused_arms == 2U);
    r.note_refused_arm(ch); // refused again: the count goes on
    BOOST_TEST(ch.refused_arms == 2U);
}

BOOST_AUTO_TEST_CASE(the_limits_of_a_deaf_channel_wait_for_eight_refusals_and_no_longer) {
    refused r;
    fake_channel ch;
    BOOST_TEST(!refused::is_deaf(ch));
    r.note_refused_arm(ch);
    for (int refusal = 1; refusal < 8; ++refusal) {
        BOOST_TEST(refused::is_deaf(ch));
        BOOST_TEST(refused::count_refused_arm(ch));
    }
    for (int more = 0; more < 300; ++more) { // the count ends, so it cannot start again at 0
        BOOST_TEST(!refused::is_deaf(ch));
        BOOST_TEST(refused::count_refused_arm(ch));
    }
    BOOST_TEST(ch.refused_arms == refused::most_refused_arms);
    ch.refused_arms = 0; // the poller has taken it
    BOOST_TEST(!refused::is_deaf(ch));
}

BOOST_AUTO_TEST_CASE(a_channel_without_a_registration_is_not_deaf) {
    refused r;
    fake_channel ch;
    ch.attached = false;
    r.note_refused_arm(ch);
    BOOST_TEST(!refused::is_deaf(ch));
    ch.attached = true;
    BOOST_TEST(refused::is_deaf(ch));
}

BOOST_AUTO_TEST_SUITE_END()
