// SPDX-License-Identifier: BSL-1.0
// Messages that the application sends to itself for later: each is delivered, taken back or dropped, and only once.
#include "support/bare_delivery.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/engine/channel/application_timer.hpp>
#include <tofu/engine/loop/application_timers.hpp>
#include <tofu/policies/timer/manual_timer.hpp>
#include <tofu/policies/timer/no_timers.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(application_timers)

using namespace std::chrono_literals;
using tofu_test::bare_delivery;
using tofu_test::receive_all;

namespace {

using ids = std::vector<std::uint64_t>;
using timer = tofu::engine::application_timer<tofu::manual_timer>;
using stage = timer::stage;
using time_point = tofu::manual_timer::time_point;

constexpr time_point never = (time_point::max)();
constexpr time_point at(time_point::duration since) { return time_point{} + since; }

/// The loop, and the application's actions that the loop can see.
struct timed_loop : bare_delivery {
    using handle = tofu::engine::ref<timer>;

    timed_loop() : heap(clock), timers(heap, out) {}
    ~timed_loop() { stop(); }

    /// A timer on its way to the loop. Its message has this id.
    handle post(group_core& group, std::uint64_t id, time_point due) {
        auto* const posted = new timer(group_ref::share(group), tofu::engine::owned(&make_message(id)), due);
        return handle::share(*posted); // the first reference is the loop's
    }
    handle schedule(group_core& group, std::uint64_t id, time_point due) {
        handle posted = post(group, id, due);
        timers.take(*posted, true);
        return posted;
    }

    /// All that is due by then fires.
    void pass(time_point now) {
        while (auto* const node = heap.pop_expired(now))
            timers.fire(static_cast<tofu::engine::timer_item<tofu::manual_timer>&>(*node));
        out.hand_over();
    }
    void stop() {
        timers.abandon([](const timer&) { return true; });
    }

    tofu::manual_clock clock;
    tofu::manual_timer heap;
    tofu::engine::application_timers<tofu::manual_timer> timers;
};

/// The application drops its handle. True: the loop has dropped its own before.
bool let_go(timed_loop::handle& of) {
    timer* const each = of.release();
    const bool last = each->references.drop();
    if (last) delete each;
    return last;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_message_is_delivered_at_its_time) {
    timed_loop l;
    auto& g = l.make_group();
    auto timed = l.schedule(g, 1, at(5s));
    BOOST_TEST((timed->state.load() == stage::scheduled));
    BOOST_TEST((l.heap.next() == at(5s)));
    l.pass(at(5s - 1ns));
    BOOST_TEST((receive_all(g) == ids{}));
    l.pass(at(5s));
    BOOST_TEST((timed->state.load() == stage::settled));
    BOOST_TEST((receive_all(g) == ids{1}));
    BOOST_TEST(let_go(timed));
}

BOOST_AUTO_TEST_CASE(messages_are_delivered_in_the_order_of_their_times) {
    timed_loop l;
    auto& g = l.make_group();
    for (const std::uint64_t id : {3U, 1U, 2U}) l.schedule(g, id, at(id * 1s)); // without a handle
    l.pass(at(2s));
    BOOST_TEST((receive_all(g) == ids{1, 2}));
    l.pass(at(3s));
    BOOST_TEST((receive_all(g) == ids{3}));
}

BOOST_AUTO_TEST_CASE(a_timer_cancelled_before_the_loop_takes_it_is_never_scheduled) {
    timed_loop l;
    auto& g = l.make_group();
    auto timed = l.post(g, 1, at(5s));
    BOOST_TEST(timed->advance(stage::posted, stage::settled));
    const tofu::message_ptr content = std::move(timed->content);
    l.timers.take(*timed, true);
    BOOST_TEST((l.heap.next() == never));
    BOOST_TEST(content->header().message_id == 1U); // the application has it
    BOOST_TEST(let_go(timed));
}

BOOST_AUTO_TEST_CASE(a_timer_cancelled_after_that_leaves_the_heap_when_it_arrives_once_more) {
    timed_loop l;
    auto& g = l.make_group();
    auto timed = l.schedule(g, 1, at(5s));
    BOOST_TEST(timed->advance(stage::scheduled, stage::settled));
    const tofu::message_ptr content = std::move(timed->content);
    BOOST_TEST((l.heap.next() == at(5s)));
    l.timers.take(*timed, true);
    BOOST_TEST((l.heap.next() == never));
    BOOST_TEST(let_go(timed));
    l.pass(at(5s));
    BOOST_TEST((receive_all(g) == ids{}));
}

BOOST_AUTO_TEST_CASE(a_cancelled_timer_that_fires_meanwhile_delivers_nothing) {
    timed_loop l;
    auto& g = l.make_group();
    auto timed = l.schedule(g, 1, at(5s));
    BOOST_TEST(timed->advance(stage::scheduled, stage::settled));
    const tofu::message_ptr content = std::move(timed->content);
    l.pass(at(5s));
    BOOST_TEST((receive_all(g) == ids{}));
    l.timers.take(*timed, true); // its cancellation was in the inbox
    BOOST_TEST(let_go(timed));
    BOOST_TEST(content->header().message_id == 1U);
}

BOOST_AUTO_TEST_CASE(a_timer_that_has_fired_cannot_be_cancelled) {
    timed_loop l;
    auto& g = l.make_group();
    auto timed = l.schedule(g, 1, at(5s));
    l.pass(at(5s));
    BOOST_TEST(!timed->advance(stage::posted, stage::settled));
    BOOST_TEST(!timed->advance(stage::scheduled, stage::settled));
    BOOST_TEST(!timed->content);
    BOOST_TEST((receive_all(g) == ids{1}));
}

BOOST_AUTO_TEST_CASE(a_stopping_engine_or_a_destroyed_group_drops_a_new_timer_with_its_message) {
    for (const bool stopping : {true, false}) {
        timed_loop l;
        auto& g = l.make_group();
        if (!stopping) l.out.destroy(g);
        const std::size_t before = l.messages_outside();
        auto timed = l.post(g, 1, at(5s));
        BOOST_TEST(l.messages_outside() == before + 1);
        l.timers.take(*timed, !stopping);
        BOOST_TEST((l.heap.next() == never));
        BOOST_TEST((timed->state.load() == stage::settled));
        BOOST_TEST(l.messages_outside() == before);
        BOOST_TEST(let_go(timed));
        l.pass(at(5s));
        BOOST_TEST((receive_all(g) == ids{}));
    }
}

BOOST_AUTO_TEST_CASE(a_message_whose_group_was_destroyed_meanwhile_returns_to_its_pool) {
    timed_loop l;
    auto& g = l.make_group();
    auto timed = l.schedule(g, 1, at(5s));
    const std::size_t before = l.messages_outside();
    l.out.destroy(g);
    l.pass(at(5s));
    BOOST_TEST(l.messages_outside() == before - 1);
    BOOST_TEST((receive_all(g) == ids{}));
    BOOST_TEST(let_go(timed));
}

BOOST_AUTO_TEST_CASE(abandoned_timers_are_dropped_with_their_messages_and_the_others_go_on) {
    timed_loop l;
    auto& g = l.make_group();
    auto& other = l.make_group();
    auto first = l.schedule(g, 1, at(1s));
    auto kept = l.schedule(other, 2, at(2s));
    auto last = l.schedule(g, 3, at(3s));
    const std::size_t before = l.messages_outside();
    l.timers.abandon([&](const timer& each) { return each.group.get() == &g; });
    BOOST_TEST(l.messages_outside() == before - 2);
    BOOST_TEST((l.heap.next() == at(2s)));
    BOOST_TEST(let_go(first));
    BOOST_TEST(let_go(last));
    l.pass(at(3s));
    BOOST_TEST((receive_all(g) == ids{}));
    BOOST_TEST((receive_all(other) == ids{2}));
    BOOST_TEST(let_go(kept));
}

BOOST_AUTO_TEST_CASE(an_abandoned_timer_cannot_be_cancelled) {
    timed_loop l;
    auto timed = l.schedule(l.make_group(), 1, at(1s));
    l.stop();
    BOOST_TEST(!timed->advance(stage::posted, stage::settled));
    BOOST_TEST(!timed->advance(stage::scheduled, stage::settled));
    BOOST_TEST(let_go(timed));
}

BOOST_AUTO_TEST_CASE(a_cancelled_timer_is_not_abandoned_before_its_cancellation_has_arrived) {
    timed_loop l;
    auto timed = l.schedule(l.make_group(), 1, at(1s));
    BOOST_TEST(timed->advance(stage::scheduled, stage::settled));
    const tofu::message_ptr content = std::move(timed->content);
    l.stop();
    BOOST_TEST((l.heap.next() == at(1s))); // the inbox holds the node
    l.timers.take(*timed, false);
    BOOST_TEST((l.heap.next() == never));
    BOOST_TEST(let_go(timed));
}

BOOST_AUTO_TEST_CASE(a_timer_keeps_its_group) {
    timed_loop l;
    auto timed = l.schedule(l.make_group(), 1, at(1s));
    auto& g = *l.groups.back();
    l.out.destroy(g);
    l.groups.clear();
    BOOST_TEST(timed->group.get() == &g);
    l.pass(at(1s));
    BOOST_TEST(g.destroyed); // still there
    BOOST_TEST(let_go(timed));
}

BOOST_AUTO_TEST_CASE(without_timers_there_is_nothing_to_abandon) {
    bare_delivery d;
    tofu::no_timers none;
    tofu::engine::application_timers<tofu::no_timers> timers(none, d.out);
    bool asked = false;
    timers.abandon([&asked](const auto&) { return asked = true; });
    BOOST_TEST(!asked);
}

BOOST_AUTO_TEST_SUITE_END()
