// SPDX-License-Identifier: BSL-1.0
// Tests of a clock that is moved by hand: it stands still until then, and each deadline expires exactly at its time.
#include "support/harness.hpp"

#include <tofu/policies/poll/simulated_poll.hpp>
#include <tofu/policies/timer/manual_timer.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using tofu::manual_clock;
using tofu_test::make;

BOOST_AUTO_TEST_SUITE(manual_timer)

namespace {

using timers = tofu::manual_timer;
using time_point = manual_clock::time_point;
using real_clock = std::chrono::steady_clock;

static_assert(tofu::timer_policy<timers>);
static_assert(std::is_same_v<timers::clock, manual_clock>);
static_assert(!std::is_same_v<time_point, real_clock::time_point>); // nobody compares the two by mistake
static_assert(!std::is_copy_constructible_v<manual_clock> && !std::is_move_constructible_v<manual_clock>);

constexpr time_point at(std::chrono::nanoseconds since_begin) { return time_point{} + since_begin; }

/// A caller-driven engine in a world of its own.
struct timed_engine {
    using reactor =
        tofu::basic_reactor<tofu::simulated_poll, tofu::default_pool, tofu::default_key, tofu::manual_timer>;

    tofu::simulation::world world{1};
    reactor engine{{}, tofu::driven_by::caller, tofu::simulated_poll(world), tofu::manual_timer(world.clock())};
    reactor::group_type group = engine.create_group();

    reactor::timer_handle after(std::chrono::nanoseconds delay, std::uint64_t id) {
        return group.update_receiver_after(delay, make(engine, tofu::op_code::signal, 0, {}, id));
    }
    /// The id of what is there now; 0: nothing.
    std::uint64_t look() {
        const tofu::message_ptr m = group.wait_receive(0ns);
        return m ? m->header().message_id : 0;
    }
};

} // namespace

// ---- the clock ----

BOOST_AUTO_TEST_CASE(the_clock_stands_still_until_it_is_advanced) {
    manual_clock clock;
    BOOST_TEST((clock.now() == time_point{}));
    const auto begin = real_clock::now();
    while (real_clock::now() == begin) continue; // real time passes, and it does not care
    BOOST_TEST((clock.now() == time_point{}));
    clock.advance(1ns);
    BOOST_TEST((clock.now() == at(1ns)));
    clock.advance(0ns);
    BOOST_TEST((clock.now() == at(1ns)));
    clock.advance(24h);
    BOOST_TEST((clock.now() == at(24h + 1ns)));
}

BOOST_AUTO_TEST_CASE(no_advance_of_any_thread_is_lost) {
    constexpr int turns = 10'000;
    manual_clock clock;
    std::atomic<bool> stood_still = false;
    std::array<std::thread, 4> threads;
    for (std::thread& one : threads)
        one = std::thread([&] {
            time_point last = clock.now();
            for (int turn = 0; turn < turns; ++turn) {
                clock.advance(1ns);
                if (clock.now() <= last) stood_still = true;
                last = clock.now();
            }
        });
    for (std::thread& one : threads) one.join();
    BOOST_TEST(!stood_still);
    BOOST_TEST((clock.now() == at(std::chrono::nanoseconds(turns) * threads.size())));
}

// ---- the timer ----

BOOST_AUTO_TEST_CASE(deadlines_come_out_in_order_and_not_a_nanosecond_early) {
    manual_clock clock;
    timers t(clock);
    std::array<timers::node, 3> nodes;
    BOOST_TEST((t.next() == time_point::max()));
    t.schedule(nodes[0], at(30ns));
    t.schedule(nodes[1], at(10ns));
    t.schedule(nodes[2], at(20ns));
    BOOST_TEST((t.next() == at(10ns)));
    std::vector<timers::node*> out;
    std::vector<time_point> when;
    while (t.next() != time_point::max()) {
        if (timers::node* const due = t.pop_expired(t.now())) {
            out.push_back(due);
            when.push_back(t.now());
        } else {
            clock.advance(1ns);
        }
    }
    BOOST_TEST((out == std::vector<timers::node*>{&nodes[1], &nodes[2], &nodes[0]}));
    BOOST_TEST((when == std::vector<time_point>{at(10ns), at(20ns), at(30ns)}));
}

BOOST_AUTO_TEST_CASE(many_deadlines_come_out_in_order) {
    std::mt19937 random(7);
    manual_clock clock;
    timers t(clock);
    std::vector<timers::node> nodes(1000);
    for (timers::node& one : nodes) t.schedule(one, at(std::chrono::nanoseconds(random() % 5000)));
    for (std::size_t i = 0; i < nodes.size(); i += 5) t.cancel(nodes[i]);
    std::size_t popped = 0;
    while (t.next() != time_point::max()) {
        clock.advance(t.next() - t.now());
        const time_point expected = t.next();
        while (const timers::node* const due = t.pop_expired(t.now())) {
            BOOST_REQUIRE((due->deadline() == expected)); // all of them are popped when the clock gets there
            BOOST_REQUIRE(!due->scheduled());
            ++popped;
        }
    }
    BOOST_TEST(popped == nodes.size() - nodes.size() / 5);
}

BOOST_AUTO_TEST_CASE(two_timers_share_one_clock_and_nothing_else) {
    manual_clock clock;
    timers first(clock);
    timers second(clock);
    timers::node early;
    timers::node late;
    first.schedule(early, at(1ms));
    second.schedule(late, at(2ms));
    BOOST_TEST((first.next() == at(1ms)));
    BOOST_TEST((second.next() == at(2ms)));
    clock.advance(1ms);
    BOOST_TEST((first.now() == at(1ms)));
    BOOST_TEST((second.now() == at(1ms)));
    BOOST_TEST((second.pop_expired(second.now()) == nullptr));
    BOOST_TEST((first.pop_expired(first.now()) == &early));
    clock.advance(1ms);
    BOOST_TEST((first.pop_expired(first.now()) == nullptr));
    BOOST_TEST((second.pop_expired(second.now()) == &late));
}

BOOST_AUTO_TEST_CASE(a_timer_that_was_moved_keeps_its_clock) {
    manual_clock clock;
    timers made(clock);
    const timers moved(std::move(made));
    clock.advance(5ms);
    BOOST_TEST((moved.now() == at(5ms)));
}

// ---- an engine ----

BOOST_AUTO_TEST_CASE(an_update_comes_when_the_clock_gets_there_and_not_a_nanosecond_earlier) {
    timed_engine e;
    e.after(5ms, 1);
    BOOST_TEST(e.look() == 0U);
    e.world.advance(5ms - 1ns);
    for (int looks = 0; looks < 10; ++looks) BOOST_TEST(e.look() == 0U);
    e.world.advance(1ns);
    BOOST_TEST(e.look() == 1U);
    BOOST_TEST(e.look() == 0U);
    BOOST_TEST((e.world.now() == at(5ms))); // looking takes no time
    BOOST_TEST(e.world.complaint() == "");
}

BOOST_AUTO_TEST_CASE(updates_come_in_the_order_of_their_times) {
    timed_engine e;
    e.after(3ms, 3);
    e.after(1ms, 1);
    e.after(2ms, 2);
    e.world.advance(1ms - 1ns);
    BOOST_TEST(e.look() == 0U);
    e.world.advance(1ns);
    BOOST_TEST(e.look() == 1U);
    BOOST_TEST(e.look() == 0U);
    e.world.advance(2ms); // two at once
    BOOST_TEST(e.look() == 2U);
    BOOST_TEST(e.look() == 3U);
    BOOST_TEST(e.look() == 0U);
}

BOOST_AUTO_TEST_CASE(a_wait_ends_at_the_very_moment_of_the_update) {
    timed_engine e;
    e.after(7ms, 1);
    e.after(9ms, 2);
    const tofu::message_ptr first = e.group.wait_receive(1h);
    BOOST_REQUIRE(first);
    BOOST_TEST(first->header().message_id == 1U);
    BOOST_TEST((e.world.now() == at(7ms)));
    const tofu::message_ptr second = e.group.wait_receive(); // for ever
    BOOST_REQUIRE(second);
    BOOST_TEST(second->header().message_id == 2U);
    BOOST_TEST((e.world.now() == at(9ms)));
}

BOOST_AUTO_TEST_CASE(a_wait_in_vain_takes_just_its_timeout) {
    timed_engine e;
    e.after(7ms, 1);
    BOOST_TEST(!e.group.wait_receive(7ms - 1ns));
    BOOST_TEST((e.world.now() == at(7ms - 1ns)));
    BOOST_TEST(!e.group.wait_receive(0ns));
    BOOST_TEST((e.world.now() == at(7ms - 1ns)));
    const tofu::message_ptr m = e.group.wait_receive(1ns);
    BOOST_REQUIRE(m);
    BOOST_TEST(m->header().message_id == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_taken_back_never_comes) {
    timed_engine e;
    auto taken = e.after(1ms, 1);
    e.after(2ms, 2);
    e.world.advance(1ms - 1ns);
    BOOST_TEST(e.look() == 0U);
    const tofu::message_ptr back = taken.cancel();
    BOOST_REQUIRE(back);
    BOOST_TEST(back->header().message_id == 1U);
    e.world.advance(1ms + 1ns);
    BOOST_TEST(e.look() == 2U);
    BOOST_TEST(e.look() == 0U);
}

BOOST_AUTO_TEST_CASE(a_year_passes_in_no_time) {
    timed_engine e;
    const auto begin = real_clock::now();
    for (std::uint64_t day = 1; day <= 365; ++day) {
        e.after(24h, day);
        const tofu::message_ptr m = e.group.wait_receive();
        BOOST_REQUIRE(m);
        BOOST_TEST(m->header().message_id == day);
    }
    BOOST_TEST((e.world.now() == at(365 * 24h)));
    BOOST_TEST((real_clock::now() - begin < 1h));
}

BOOST_AUTO_TEST_SUITE_END()
