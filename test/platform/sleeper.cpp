// SPDX-License-Identifier: BSL-1.0
// Tests of the sleepers, in which one thread sleeps until it is woken: the system's own, and the portable one.
#include "support/eight_threads.hpp"
#include "support/rounds.hpp"

#include <boost/mp11.hpp>
#include <boost/test/unit_test.hpp>

#include <tofu/platform/condition_sleeper.hpp>
#include <tofu/platform/sleeper.hpp>

#include <atomic>
#include <chrono>
#include <thread>

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(sleeper)

namespace {

using time_point = std::chrono::steady_clock::time_point;
using both = boost::mp11::mp_unique<boost::mp11::mp_list<tofu::platform::sleeper, tofu::platform::condition_sleeper>>;

time_point now() { return std::chrono::steady_clock::now(); }

/// Waits until `flag`; false when it did not come in twenty seconds.
template <class Sleeper>
bool await(Sleeper& place, const std::atomic<bool>& flag) {
    const time_point until = now() + 20s;
    for (bool late = false;; late = place.sleep(until)) {
        place.prepare();
        if (flag || late) break;
    }
    place.rise();
    return flag;
}

} // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(it_sleeps_until_it_is_late, Sleeper, both) {
    Sleeper place;
    place.prepare();
    const time_point until = now() + 20ms;
    while (!place.sleep(until)) { // it may return for no reason
    }
    BOOST_TEST((now() >= until));
    for (const time_point past : {until, time_point(), (time_point::min)()}) BOOST_TEST(place.sleep(past));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wake_between_the_look_and_the_sleep_is_not_lost, Sleeper, both) {
    for (const time_point until : {(time_point::max)(), (time_point::max)() - 1ns, now() + 48h}) {
        Sleeper place;
        place.prepare();
        place.wake();
        BOOST_TEST(!place.sleep(until)); // else it would sleep on
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wake_while_nobody_sleeps_is_forgotten, Sleeper, both) {
    Sleeper place;
    bool slept = false;
    for (int i = 0; i < 10 && !slept; ++i) { // it may return for no reason, but not each time
        place.wake();
        place.prepare();
        place.rise();
        place.wake();
        place.prepare();
        slept = place.sleep(now() + 5ms);
    }
    BOOST_TEST(slept);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(two_threads_that_take_turns_never_miss_each_other, Sleeper, both) {
    constexpr std::size_t rounds = tofu_test::rounds(10'000);
    Sleeper places[2];
    std::atomic<bool> turns[2]{true, false};
    std::atomic<int> late{0};
    const auto play = [&](int own) {
        for (std::size_t i = 0; i < rounds && late == 0; ++i) {
            if (!await(places[own], turns[own])) ++late;
            turns[own] = false;
            turns[1 - own] = true;
            places[1 - own].wake();
        }
    };
    tofu_test::side_thread other([&] { play(1); });
    play(0);
    other.join();
    BOOST_TEST(late == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(many_may_wake_one, Sleeper, both) {
    constexpr int rounds = static_cast<int>(tofu_test::rounds(500));
    Sleeper place;
    std::atomic<int> pending{0};
    int taken = 0;
    bool in_time = true;
    tofu_test::side_thread wakers([&] {
        tofu_test::on_eight_threads([&](std::size_t) {
            for (int i = 0; i < rounds; ++i) {
                ++pending;
                place.wake();
                if (i % 8 == 0) std::this_thread::yield();
            }
        });
    });
    while (taken != 8 * rounds && in_time) {
        const time_point until = now() + 20s;
        for (place.prepare(); pending == 0 && in_time; place.prepare()) in_time = !place.sleep(until);
        place.rise();
        taken += pending.exchange(0);
    }
    wakers.join();
    BOOST_TEST(in_time);
}

BOOST_AUTO_TEST_SUITE_END()
