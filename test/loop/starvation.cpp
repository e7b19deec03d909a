// SPDX-License-Identifier: BSL-1.0
// Tests of episodes without receive credit: their begin and end, the order of resumption, and clocks that stand still.
#include <boost/test/unit_test.hpp>

#include <tofu/detail/intrusive_list.hpp>
#include <tofu/engine/loop/starvation.hpp>
#include <tofu/engine/memory/message_pool.hpp>
#include <tofu/policies/timer/manual_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

BOOST_AUTO_TEST_SUITE(starvation)

using namespace std::chrono_literals;
using tofu::engine::message_pool;
using time_point = tofu::manual_timer::time_point;

namespace {

struct fake_channel {
    tofu::detail::list_hook<fake_channel> pause_hook;
    tofu::detail::list_hook<fake_channel> stalled_hook;
};
using channels = std::vector<const fake_channel*>;

constexpr time_point at(time_point::duration since) { return time_point{} + since; }

/// An engine with a receive credit of 8 messages.
struct reader {
    reader() : pool(*message_pool::create({.initial_messages = 0, .max_messages = 8})), hunger(pool) {}
    reader(const reader&) = delete;
    reader& operator=(const reader&) = delete;
    ~reader() {
        if (hunger.lasts()) static_cast<void>(end(at(0s)));
        pool.return_credit(pool.credit_used());
        pool.close();
    }

    /// The application holds all messages but `free` when one more is to be received.
    bool begin(time_point now, std::size_t free = 0) {
        static_cast<void>(pool.take_credit(8 - free - pool.credit_used()));
        return hunger.begin(now);
    }

    /// The channels that are resumed, then the channels that look at their limits again.
    channels end(time_point now) {
        channels resumed;
        channels looked_again;
        hunger.end(
            now, [&resumed](fake_channel& ch) { resumed.push_back(&ch); },
            [&looked_again](fake_channel& ch) { looked_again.push_back(&ch); });
        resumed.insert(resumed.end(), looked_again.begin(), looked_again.end());
        return resumed;
    }

    message_pool& pool;
    tofu::engine::starvation<fake_channel, time_point> hunger;
};

} // namespace

BOOST_AUTO_TEST_CASE(an_episode_begins_without_credit_and_is_over_when_a_quarter_is_free) {
    reader r;
    BOOST_TEST(!r.hunger.lasts());
    BOOST_TEST(!r.hunger.is_over());
    BOOST_TEST(r.hunger.episodes() == 0U);
    BOOST_TEST(r.begin(at(1s)));
    BOOST_TEST(r.hunger.lasts());
    BOOST_TEST(r.hunger.episodes() == 1U);
    BOOST_TEST(!r.hunger.is_over());
    r.pool.return_credit(1);
    BOOST_TEST(!r.hunger.is_over());
    r.pool.return_credit(1);
    BOOST_TEST(r.hunger.is_over());
    BOOST_TEST(r.hunger.lasts()); // until the loop ends it
    static_cast<void>(r.end(at(2s)));
    BOOST_TEST(!r.hunger.lasts());
    BOOST_TEST(!r.hunger.is_over());
    BOOST_TEST(r.hunger.episodes() == 1U);
}

BOOST_AUTO_TEST_CASE(each_episode_has_the_next_number) {
    reader r;
    for (const std::uint64_t number : {1U, 2U, 3U}) {
        BOOST_TEST(r.begin(at(1s)));
        BOOST_TEST(r.hunger.episodes() == number);
        r.pool.return_credit(2);
        BOOST_TEST(r.hunger.is_over());
        static_cast<void>(r.end(at(1s)));
    }
}

BOOST_AUTO_TEST_CASE(credit_that_came_back_at_the_last_moment_lets_reading_go_on) {
    reader r;
    BOOST_TEST(!r.begin(at(1s), 2));
    BOOST_TEST(!r.hunger.lasts());
    BOOST_TEST(!r.hunger.is_over());
    BOOST_TEST(r.hunger.episodes() == 0U);
    BOOST_TEST((r.hunger.reading_time(at(5s)) == at(5s)));
    BOOST_TEST(!r.pool.starved());
    BOOST_TEST(r.begin(at(6s), 1)); // less than a quarter is too little
    BOOST_TEST((r.hunger.reading_time(at(9s)) == at(6s)));
}

BOOST_AUTO_TEST_CASE(an_episode_that_lasts_does_not_begin_again) {
    reader r;
    BOOST_TEST(r.begin(at(1s)));
    BOOST_TEST(r.hunger.begin(at(3s)));
    BOOST_TEST(r.hunger.episodes() == 1U);
    BOOST_TEST((r.hunger.reading_time(at(4s)) == at(1s)));
    r.pool.return_credit(8);
    BOOST_TEST(r.hunger.begin(at(5s))); // reading stops until the loop ends the episode
    BOOST_TEST(r.hunger.is_over());
}

BOOST_AUTO_TEST_CASE(reading_time_is_the_clock_without_all_episodes) {
    reader r;
    BOOST_TEST((r.hunger.reading_time(at(5s)) == at(5s)));
    BOOST_TEST(r.begin(at(10s)));
    BOOST_TEST((r.hunger.reading_time(at(10s)) == at(10s)));
    BOOST_TEST((r.hunger.reading_time(at(14s)) == at(10s))); // stands still
    r.pool.return_credit(2);
    BOOST_TEST((r.hunger.reading_time(at(15s)) == at(10s)));
    static_cast<void>(r.end(at(17s)));
    BOOST_TEST((r.hunger.reading_time(at(17s)) == at(10s))); // goes on where it stood
    BOOST_TEST((r.hunger.reading_time(at(20s)) == at(13s)));
    BOOST_TEST(r.begin(at(21s)));
    BOOST_TEST((r.hunger.reading_time(at(30s)) == at(14s)));
    static_cast<void>(r.end(at(31s)));
    BOOST_TEST((r.hunger.reading_time(at(32s)) == at(15s)));
}

BOOST_AUTO_TEST_CASE(a_clock_that_goes_back_during_an_episode_makes_it_no_shorter_than_nothing) {
    reader r;
    BOOST_TEST(r.begin(at(10s)));
    BOOST_TEST((r.hunger.reading_time(at(4s)) == at(10s)));
    static_cast<void>(r.end(at(4s)));
    BOOST_TEST((r.hunger.reading_time(at(10s)) == at(10s)));
    BOOST_TEST((r.hunger.reading_time(at(12s)) == at(12s)));
}

BOOST_AUTO_TEST_CASE(readers_resume_in_the_order_in_which_they_came) {
    reader r;
    fake_channel ch[3];
    BOOST_TEST(r.begin(at(1s)));
    for (const std::size_t i : {2U, 0U, 1U, 2U}) r.hunger.wait(ch[i]); // to wait twice is to wait once
    BOOST_TEST((r.end(at(2s)) == channels{&ch[2], &ch[0], &ch[1]}));
    for (const fake_channel& each : ch) BOOST_TEST(!each.pause_hook.linked());
    BOOST_TEST(r.begin(at(3s)));
    BOOST_TEST((r.end(at(4s)) == channels{}));
}

BOOST_AUTO_TEST_CASE(expired_timers_are_looked_at_after_all_readers_resumed) {
    reader r;
    fake_channel ch[3];
    BOOST_TEST(r.begin(at(1s)));
    r.hunger.stall(ch[1]);
    r.hunger.stall(ch[0]);
    r.hunger.stall(ch[1]);
    r.hunger.wait(ch[2]);
    r.hunger.wait(ch[1]); // it waits to read as well
    channels order;
    const auto note = [&order](fake_channel& each) { order.push_back(&each); };
    r.hunger.end(at(2s), note, note);
    BOOST_TEST((order == channels{&ch[2], &ch[1], &ch[1], &ch[0]}));
}

BOOST_AUTO_TEST_CASE(readers_and_expired_timers_are_told_apart) {
    reader r;
    fake_channel reading;
    fake_channel expired;
    BOOST_TEST(r.begin(at(1s)));
    r.hunger.wait(reading);
    r.hunger.stall(expired);
    channels resumed;
    channels looked_again;
    r.hunger.end(
        at(2s), [&resumed](fake_channel& ch) { resumed.push_back(&ch); },
        [&looked_again](fake_channel& ch) { looked_again.push_back(&ch); });
    BOOST_TEST((resumed == channels{&reading}));
    BOOST_TEST((looked_again == channels{&expired}));
}

BOOST_AUTO_TEST_CASE(while_channels_resume_the_episode_is_over_and_time_goes_on) {
    reader r;
    fake_channel reading;
    fake_channel expired;
    BOOST_TEST(r.begin(at(10s)));
    r.hunger.wait(reading);
    r.hunger.stall(expired);
    int looks = 0;
    const auto look = [&](fake_channel&) {
        ++looks;
        BOOST_TEST(!r.hunger.lasts());
        BOOST_TEST((r.hunger.reading_time(at(20s)) == at(10s)));
    };
    r.hunger.end(at(20s), look, look);
    BOOST_TEST(looks == 2);
}

BOOST_AUTO_TEST_CASE(a_waiting_channel_that_ends_is_not_resumed) {
    reader r;
    fake_channel ended;
    fake_channel other;
    BOOST_TEST(r.begin(at(1s)));
    r.hunger.wait(ended);
    r.hunger.wait(other);
    r.hunger.stall(ended);
    ended.pause_hook.unlink();
    ended.stalled_hook.unlink();
    BOOST_TEST((r.end(at(2s)) == channels{&other}));
}

BOOST_AUTO_TEST_SUITE_END()
