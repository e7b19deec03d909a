// SPDX-License-Identifier: BSL-1.0
// Messages that a program sends to its own receiver: at once, later, and cancelled. TCP only, because these messages
// use no transport.
#include "support/harness.hpp"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <random>
#include <thread>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(updates)

using handle = any_timer;

void check_update(const tofu::message& m, bool from_engine) {
    BOOST_TEST(to_string(m.status()) == to_string(status::receiver_update));
    BOOST_TEST(m.header().channel_number == tofu::no_channel);
    BOOST_TEST(m.from_engine() == from_engine);
}

/// An engine whose time passes when the test says so. Caller only, and zero timeouts only: waiting for its clock would
/// never end.
struct frozen : script {
    explicit frozen(const setting& here) : engine((stop_clock(), scripted_engine(here, *this))) {}
    void stop_clock() { clock_stands_still = true; }

    any_reactor engine;
    any_group group = engine.create_group();

    any_timer after(std::chrono::milliseconds delay, std::uint64_t id) {
        return group.update_receiver_after(delay, make(engine, op_code::signal, 0, {}, id));
    }
    tofu::message_ptr look() { return group.wait_receive(0ms); }
};

TOFU_TEST_CASE(an_empty_update_is_a_signal_of_the_engine, here, tcp_only) {
    dialogue talk(here);
    talk.server.update_receiver();
    const tofu::message_ptr m = talk.expect(talk.server, op_code::signal);
    check_update(*m, true);
    BOOST_TEST(m->body().size() == 0U);
    BOOST_TEST(m->headers().size_bytes() == 0U);
    talk.expect_silence(talk.server);
    talk.expect_silence(talk.client); // the group's own queue, nobody else's
}

TOFU_TEST_CASE(a_given_message_keeps_its_content_and_is_the_applications, here, tcp_only) {
    dialogue talk(here);
    int context = 0;
    tofu::message_ptr given = make(talk.engine, op_code::request, 99, "do this", 12345);
    given->user(&context);
    given->header().origin = tofu::origin::engine; // not for the application to say
    BOOST_REQUIRE(given->headers().append("key", "value") == status::success);
    talk.server.update_receiver(std::move(given));
    BOOST_TEST(!given);
    const tofu::message_ptr m = talk.next(talk.server);
    check_update(*m, false);
    BOOST_TEST(body_of(*m) == "do this");
    BOOST_TEST(m->headers().find("key") == "value");
    BOOST_TEST(m->header().message_id == 12345U);
    BOOST_TEST(m->user() == &context);
}

TOFU_TEST_CASE(updates_keep_their_order, here, tcp_only) {
    dialogue talk(here);
    for (std::uint64_t id = 1; id <= 100; ++id)
        talk.server.update_receiver(make(talk.engine, op_code::signal, 0, {}, id));
    for (std::uint64_t id = 1; id <= 100; ++id) BOOST_TEST(talk.next(talk.server)->header().message_id == id);
}

TOFU_TEST_CASE(an_update_wakes_a_receiver_that_waits_for_ever, here, tcp_only) {
    dialogue talk(here);
    for (int round = 0; round < 20; ++round) {
        tofu::message_ptr got;
        std::thread receiver([&] { got = talk.server.wait_receive(); });
        talk.server.update_receiver();
        receiver.join();
        BOOST_REQUIRE(got);
        check_update(*got, true);
    }
}

TOFU_TEST_CASE(nothing_is_no_update, here, tcp_only& with_timers) {
    dialogue talk(here);
    std::error_code error;
    talk.server.update_receiver(tofu::message_ptr(), error);
    BOOST_TEST((error == status::null_message));
    talk.server.update_receiver_after(1ms, tofu::message_ptr(), error);
    BOOST_TEST((error == status::null_message));
    BOOST_CHECK_THROW(talk.server.update_receiver(tofu::message_ptr()), std::system_error);
    BOOST_CHECK_THROW(static_cast<void>(talk.server.update_receiver_after(1ms, tofu::message_ptr())),
                      std::system_error);
    talk.expect_silence(talk.server);
}

TOFU_TEST_CASE(an_update_counts_nothing_against_the_credit, here, tcp_only) {
    dialogue talk(here);
    const auto link = talk.connect();
    talk.client.post(make(talk.engine, op_code::signal, link.client, "keep me"));
    tofu::message_ptr m = talk.expect(talk.server, op_code::signal);
    BOOST_TEST(talk.engine.stats().credit_used == 1U);
    talk.server.update_receiver(std::move(m));
    m = talk.next(talk.server);
    check_update(*m, false);
    BOOST_TEST(body_of(*m) == "keep me");
    BOOST_TEST(talk.engine.stats().credit_used == 0U);
}

TOFU_TEST_CASE(after_the_end_an_update_stays_with_the_caller, here, tcp_only& with_timers) {
    std::optional<any_reactor> engine(std::in_place, here);
    auto group = engine->create_group();
    tofu::message_ptr m = make(*engine, op_code::signal, 0, "mine");
    engine.reset();
    std::error_code error;
    group.update_receiver(error);
    BOOST_TEST((error == status::shutdown_started));
    group.update_receiver(std::move(m), error);
    BOOST_TEST((error == status::shutdown_started));
    BOOST_REQUIRE(m);
    handle none = group.update_receiver_after(1ms, std::move(m), error);
    BOOST_TEST((error == status::shutdown_started));
    BOOST_REQUIRE(m);
    BOOST_TEST(body_of(*m) == "mine");
    BOOST_TEST(!none.cancel());
}

TOFU_TEST_CASE(a_delayed_update_comes_when_its_time_has_passed, here, tcp_only& with_timers) {
    dialogue talk(here);
    const auto before = std::chrono::steady_clock::now();
    talk.server.update_receiver_after(30ms, make(talk.engine, op_code::request, 0, "later"));
    const tofu::message_ptr m = talk.next(talk.server);
    BOOST_TEST((std::chrono::steady_clock::now() - before >= 30ms));
    check_update(*m, false);
    BOOST_TEST(body_of(*m) == "later");
    BOOST_TEST((m->op() == op_code::request));
    talk.expect_silence(talk.server);
}

TOFU_TEST_CASE(a_delayed_update_comes_not_a_tick_too_early, here, caller_only& tcp_only& with_timers) {
    frozen still(here);
    still.after(10ms, 1);
    BOOST_TEST(!still.look());
    still.clock_lead = 9;
    BOOST_TEST(!still.look());
    still.clock_lead = 10;
    BOOST_TEST(still.look() != nullptr);
    BOOST_TEST(!still.look());
}

TOFU_TEST_CASE(no_delay_and_less_than_none_are_at_once, here, tcp_only& with_timers) {
    dialogue talk(here);
    talk.server.update_receiver_after(0ms, make(talk.engine, op_code::signal, 0));
    check_update(*talk.next(talk.server), false);
    talk.server.update_receiver_after(-1h, make(talk.engine, op_code::signal, 0));
    check_update(*talk.next(talk.server), false);
}

TOFU_TEST_CASE(an_endless_delay_does_not_overflow_and_can_be_taken_back, here, tcp_only& with_timers) {
    dialogue talk(here);
    handle never =
        talk.server.update_receiver_after(tofu::infinite_duration - 1ns, make(talk.engine, op_code::signal, 0));
    handle forever = talk.server.update_receiver_after(tofu::infinite_duration, make(talk.engine, op_code::signal, 0));
    talk.expect_silence(talk.server);
    BOOST_TEST(never.cancel() != nullptr);
    BOOST_TEST(forever.cancel() != nullptr);
    talk.expect_silence(talk.server);
}

TOFU_TEST_CASE(a_cancel_that_wins_gives_the_message_back, here, tcp_only& with_timers) {
    dialogue talk(here);
    handle timer = talk.server.update_receiver_after(1h, make(talk.engine, op_code::signal, 0, "back", 5));
    talk.expect_silence(talk.server); // it is scheduled by now
    const tofu::message_ptr m = timer.cancel();
    BOOST_REQUIRE(m);
    BOOST_TEST(body_of(*m) == "back");
    BOOST_TEST(m->header().message_id == 5U);
    BOOST_TEST(!timer.cancel());
    talk.expect_silence(talk.server);
}

TOFU_TEST_CASE(a_cancel_before_the_loop_saw_the_timer_wins_too, here, caller_only& tcp_only& with_timers) {
    frozen still(here);
    auto timer = still.after(0ms, 1);
    const tofu::message_ptr m = timer.cancel();
    BOOST_REQUIRE(m);
    BOOST_TEST(m->header().message_id == 1U);
    BOOST_TEST(!still.look());
}

TOFU_TEST_CASE(a_cancel_after_the_fire_gives_nothing, here, tcp_only& with_timers) {
    dialogue talk(here);
    handle timer = talk.server.update_receiver_after(0ms, make(talk.engine, op_code::signal, 0));
    talk.next(talk.server);
    BOOST_TEST(!timer.cancel());
    BOOST_TEST(!handle().cancel());
}

TOFU_TEST_CASE(a_cancel_gives_nothing_while_the_message_is_on_its_way, here, caller_only& tcp_only& with_timers) {
    frozen still(here);
    auto timer = still.after(5ms, 1);
    still.clock_lead = 2000;
    still.engine.run_once(0ms); // it fires into the mailbox
    BOOST_TEST(!timer.cancel());
    BOOST_TEST(still.look() != nullptr);
}

TOFU_TEST_CASE(letting_go_of_the_handle_changes_nothing, here, tcp_only& with_timers) {
    dialogue talk(here);
    { const handle gone = talk.server.update_receiver_after(1ms, make(talk.engine, op_code::signal, 0, "still")); }
    BOOST_TEST(body_of(*talk.next(talk.server)) == "still");
}

TOFU_TEST_CASE(a_message_is_cancelled_or_received_never_both, here, tcp_only& with_timers) {
    dialogue talk(here);
    int received = 0;
    int cancelled = 0;
    constexpr int rounds = 200;
    for (int round = 0; round < rounds; ++round) {
        handle timer = talk.server.update_receiver_after(std::chrono::microseconds(round % 50),
                                                         make(talk.engine, op_code::signal, 0));
        tofu::message_ptr back;
        std::thread other([&] { back = timer.cancel(); });
        const tofu::message_ptr came = talk.server.wait_receive(std::chrono::microseconds(round % 40));
        other.join();
        if (back) ++cancelled;
        if (came || (!back && talk.server.wait_receive(patience))) ++received;
        BOOST_REQUIRE(received + cancelled == round + 1);
    }
    talk.expect_silence(talk.server);
}

TOFU_TEST_CASE(a_destroyed_group_takes_its_timers_along, here, tcp_only& with_timers) {
    dialogue talk(here);
    const std::size_t alive = talk.engine.stats().messages_alive; // each group has one set aside
    handle scheduled = talk.client.update_receiver_after(1h, make(talk.engine, op_code::signal, 0));
    handle unseen = talk.client.update_receiver_after(0ms, make(talk.engine, op_code::signal, 0));
    talk.client = {};
    BOOST_TEST(!scheduled.cancel());
    BOOST_TEST(!unseen.cancel());
    scheduled = {};
    unseen = {};
    BOOST_TEST(talk.engine.stats().messages_alive == alive - 1);
    talk.server.update_receiver_after(0ms, make(talk.engine, op_code::signal, 0));
    talk.next(talk.server);
}

TOFU_TEST_CASE(a_destroyed_engine_takes_its_timers_along, here, tcp_only& with_timers) {
    std::optional<any_reactor> engine(std::in_place, here);
    auto group = engine->create_group();
    handle scheduled = group.update_receiver_after(1h, make(*engine, op_code::signal, 0));
    handle cancelled = group.update_receiver_after(1h, make(*engine, op_code::signal, 0));
    const tofu::message_ptr back = cancelled.cancel();
    BOOST_TEST(back != nullptr);
    engine.reset();
    BOOST_TEST(!scheduled.cancel());
    std::error_code error;
    BOOST_TEST(!group.wait_receive(patience, error));
    BOOST_TEST((error == status::shutdown_started));
}

// cancel() and the end of the group race to end a timer. The winner decides which side releases the timer: the
// sanitizers see a wrong decision.
TOFU_TEST_CASE(cancelling_races_with_the_end_of_the_group, here, tcp_only& with_timers) {
    dialogue talk(here);
    for (int round = 0; round < 100; ++round) {
        auto group = talk.engine.create_group();
        std::vector<handle> timers;
        for (int i = 0; i < 50; ++i)
            timers.push_back(group.update_receiver_after(1h, make(talk.engine, op_code::signal, 0)));
        std::thread other([&] {
            for (handle& timer : timers) static_cast<void>(timer.cancel());
        });
        group = {};
        other.join();
        for (handle& timer : timers) BOOST_REQUIRE(!timer.cancel());
    }
    talk.connect();
}

TOFU_TEST_CASE(cancelling_and_updating_race_with_the_end_of_the_engine, here, tcp_only& with_timers) {
    for (int round = 0; round < 50; ++round) {
        std::optional<any_reactor> engine(std::in_place, here, tofu::options{.initial_messages = 0});
        auto group = engine->create_group();
        std::vector<handle> timers;
        for (int i = 0; i < 20; ++i)
            timers.push_back(group.update_receiver_after(1h, make(*engine, op_code::signal, 0)));
        std::vector<tofu::message_ptr> more;
        for (int i = 0; i < 20; ++i) more.push_back(make(*engine, op_code::signal, 0));
        std::thread other([&] {
            std::error_code ignored;
            for (std::size_t i = 0; i < timers.size(); ++i) {
                static_cast<void>(timers[i].cancel());
                timers[i] = group.update_receiver_after(1h, std::move(more[i]), ignored);
            }
        });
        engine.reset();
        other.join();
        for (handle& timer : timers) static_cast<void>(timer.cancel());
        std::error_code error;
        while (group.wait_receive(patience, error)) {
        }
        BOOST_TEST((error == status::shutdown_started));
    }
}

TOFU_TEST_CASE(a_thousand_timers_fire_in_the_order_of_their_deadlines, here, caller_only& tcp_only& with_timers) {
    frozen still(here);
    std::vector<std::size_t> delays(1000);
    std::iota(delays.begin(), delays.end(), 1U);
    std::shuffle(delays.begin(), delays.end(), std::mt19937(7));
    std::vector<any_timer> timers;
    for (const std::size_t delay : delays) timers.push_back(still.after(std::chrono::milliseconds(delay), delay));
    std::vector<bool> cancelled(1001);
    for (std::size_t i = 0; i < timers.size(); i += 3) cancelled[delays[i]] = timers[i].cancel() != nullptr;
    BOOST_TEST(std::count(cancelled.begin(), cancelled.end(), true) == 334);

    std::size_t expected = 1;
    const auto receive_until = [&](std::size_t last) {
        for (; expected <= last; ++expected) {
            if (cancelled[expected]) continue;
            const tofu::message_ptr m = still.look();
            BOOST_REQUIRE(m);
            BOOST_REQUIRE(m->header().message_id == expected);
        }
        BOOST_TEST(!still.look());
    };
    still.clock_lead = 400; // a part one by one, the rest in one go
    receive_until(400);
    still.clock_lead = 401;
    receive_until(401);
    still.clock_lead = 5000;
    receive_until(1000);
}

TOFU_TEST_CASE(timers_in_real_time_fire_in_the_order_of_their_deadlines, here, tcp_only& with_timers) {
    using clock = std::chrono::steady_clock;
    dialogue talk(here);
    constexpr std::size_t count = 1000;
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), std::mt19937(11));
    std::vector<std::pair<clock::time_point, clock::time_point>> bounds(count); // of each deadline
    for (const std::size_t i : order) {
        const auto delay = 50ms + std::chrono::microseconds(20 * i);
        tofu::message_ptr m = make(talk.engine, op_code::signal, 0, {}, i + 1);
        bounds[i].first = clock::now() + delay;
        talk.server.update_receiver_after(delay, std::move(m));
        bounds[i].second = clock::now() + delay;
    }
    clock::time_point latest{};
    for (std::size_t i = 0; i < count; ++i) {
        const tofu::message_ptr m = talk.next(talk.server);
        const auto& deadline = bounds[static_cast<std::size_t>(m->header().message_id - 1)];
        BOOST_REQUIRE((clock::now() >= deadline.first));
        BOOST_REQUIRE((latest <= deadline.second));
        latest = std::max(latest, deadline.first);
    }
    talk.expect_silence(talk.server);
}

BOOST_AUTO_TEST_SUITE_END()
