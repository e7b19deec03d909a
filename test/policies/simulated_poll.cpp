// SPDX-License-Identifier: BSL-1.0
// The simulated poller: the contract of a PollPolicy, its faults on demand, and two engines that talk through it.
#include "simulated_scene.hpp"
#include "support/harness.hpp"

#include <tofu/policies/poll/simulated_poll.hpp>
#include <tofu/policies/timer/manual_timer.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#if !defined(_WIN32)
#include <sys/wait.h>
#include <unistd.h>
#endif

using namespace tofu_test;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using tofu::disarmed;
using tofu::interest;
using tofu::io_failure;
using tofu::readiness;

BOOST_AUTO_TEST_SUITE(simulated_poll)

namespace {

static_assert(tofu::poll_policy<tofu::simulated_poll>);
static_assert(tofu::poll_policy<tofu::basic_simulated_poll<0>>);
static_assert(tofu::poll_policy<tofu::basic_simulated_poll<2>>);
static_assert(!std::is_copy_constructible_v<tofu::simulated_poll>);
static_assert(!std::is_move_assignable_v<tofu::simulated_poll>);

constexpr readiness everything = in_and_out | readiness::failed;

} // namespace

// ---- what is reported ----

BOOST_AUTO_TEST_CASE(data_is_reported_with_its_key_when_it_arrives) {
    scene<> s;
    watched& one = s.link(0xabcd, interest::read);
    BOOST_TEST(s.is_silent());
    one.send();
    const outcome seen = s.wait(1h);
    BOOST_TEST((seen.ready_keys() == keys{0xabcd}));
    BOOST_TEST((seen.reports[0].second == readiness::readable));
    BOOST_TEST((seen.took == latency));
    BOOST_TEST(!seen.full);
    BOOST_TEST(s.world.poller(s.poll.number()).reports == 1U);
    BOOST_TEST(s.world.complaint() == "");
}

BOOST_AUTO_TEST_CASE(data_left_is_reported_again_and_again) {
    scene<> s;
    watched& one = s.link(1, interest::read);
    one.send("abc");
    s.world.advance(latency);
    for (int count = 0; count < 3; ++count) {
        const outcome seen = s.wait(1h);
        BOOST_TEST((seen.ready_keys() == keys{1}));
        BOOST_TEST((seen.took == 0ns));
        BOOST_TEST(one.receive(1) == 1U);
    }
    BOOST_TEST(s.is_silent());
}

BOOST_AUTO_TEST_CASE(data_that_came_before_the_interest_is_reported) {
    scene<> s;
    watched& one = s.link(1, interest::none);
    one.send();
    BOOST_TEST(s.is_silent());
    s.arm(one, interest::read);
    BOOST_TEST((s.only_report() == readiness::readable));
}

BOOST_AUTO_TEST_CASE(only_what_was_asked_for_is_reported) {
    scene<> s;
    watched& one = s.link(1, interest::write);
    one.send();
    s.world.advance(latency);
    BOOST_TEST((s.only_report() == readiness::writable));
    s.arm(one, interest::read);
    BOOST_TEST((s.only_report() == readiness::readable));
    s.arm(one, interest::read); // the same again
    BOOST_TEST((s.only_report() == readiness::readable));
    s.arm(one, read_and_write);
    BOOST_TEST((s.only_report() == in_and_out));
}

BOOST_AUTO_TEST_CASE(a_full_window_is_not_writable_until_the_reader_has_read) {
    scene<> s;
    s.world.faults().least_window = s.world.faults().most_window = 10;
    watched& one = s.link(1, interest::write);
    BOOST_TEST((s.only_report() == readiness::writable));
    const std::array<std::byte, 10> bytes{};
    const tofu::const_buffer piece{bytes.data(), bytes.size()};
    BOOST_TEST(one.server.write({&piece, 1}).bytes == 10U);
    BOOST_TEST(s.is_silent());
    std::array<std::byte, 10> room;
    const tofu::mutable_buffer into{room.data(), 1};
    BOOST_TEST(one.client.read({&into, 1}).bytes == 1U);
    BOOST_TEST((s.only_report() == readiness::writable));
}

BOOST_AUTO_TEST_CASE(the_end_of_the_stream_is_readable_and_no_failure) {
    scene<> s;
    watched& one = s.link(1, interest::read);
    BOOST_TEST(!one.client.shutdown_write());
    const outcome seen = s.wait(1h);
    BOOST_TEST((seen.took == latency));
    BOOST_TEST((s.only_report() == readiness::readable));
}

BOOST_AUTO_TEST_CASE(a_reset_peer_is_a_failure_whatever_is_wanted) {
    scene<> s;
    watched& one = s.link(1, interest::write);
    one.client.abort();
    s.world.advance(latency);
    BOOST_TEST((s.only_report() == (readiness::failed | readiness::writable)));
    s.arm(one, interest::read);
    BOOST_TEST((s.only_report() == (readiness::failed | readiness::readable)));
    s.arm(one, interest::none);
    BOOST_TEST(s.is_silent());
}

BOOST_AUTO_TEST_CASE(a_connecting_socket_is_writable_when_it_is_connected) {
    scene<> s;
    sim::registration entry;
    sim::socket client = s.begin_connect();
    s.watch(entry, client, 9, interest::write);
    const outcome seen = s.wait(1h);
    BOOST_TEST((seen.ready_keys() == keys{9}));
    BOOST_TEST((seen.reports[0].second == readiness::writable));
    BOOST_TEST((seen.took == 2 * latency));
    BOOST_TEST(!client.finish_connect());
    BOOST_TEST((s.poll.disarm(entry) == disarmed::released));
}

BOOST_AUTO_TEST_CASE(a_refused_connect_is_a_failure) {
    scene<> s;
    sim::registration entry;
    sim::socket client = s.begin_connect(81);
    s.watch(entry, client, 9, interest::write);
    const outcome seen = s.wait(1h);
    BOOST_TEST((seen.ready_keys() == keys{9}));
    BOOST_TEST(any(seen.reports[0].second & readiness::failed));
    BOOST_TEST((client.finish_connect().kind == io_failure::refused));
    BOOST_TEST((s.poll.disarm(entry) == disarmed::released));
}

BOOST_AUTO_TEST_CASE(a_waiting_connection_makes_its_listener_readable) {
    scene<> s;
    sim::registration entry;
    s.watch(entry, s.listener, 3, interest::read);
    BOOST_TEST(s.is_silent());
    const sim::socket client = s.begin_connect();
    const outcome seen = s.wait(1h);
    BOOST_TEST((seen.ready_keys() == keys{3}));
    BOOST_TEST((seen.reports[0].second == readiness::readable));
    BOOST_TEST((seen.took == latency));
    BOOST_TEST((s.only_report() == readiness::readable));
    tofu::io_error error;
    const sim::socket server = s.listener.accept({}, error);
    BOOST_TEST((s.only_report() == readiness::none));
    BOOST_TEST((s.poll.disarm(entry) == disarmed::released));
}

// ---- silence ----

BOOST_AUTO_TEST_CASE(no_interest_is_silence_even_after_a_reset) {
    scene<> s;
    watched& attached_only = s.link();
    BOOST_REQUIRE(!s.poll.attach(attached_only.entry, attached_only.server, 1));
    watched& hushed = s.link(2, read_and_write);
    s.arm(hushed, interest::none);
    for (watched* one : {&attached_only, &hushed}) one->client.abort();
    BOOST_TEST(s.is_silent());
    s.arm(hushed, interest::read);
    BOOST_TEST((s.only_report() == (readiness::readable | readiness::failed)));
}

BOOST_AUTO_TEST_CASE(a_forgotten_socket_is_silent_and_can_be_known_again) {
    scene<> s;
    watched& one = s.link(1, interest::read);
    one.send();
    BOOST_TEST((s.poll.disarm(one.entry) == disarmed::released));
    BOOST_TEST((s.poll.disarm(one.entry) == disarmed::released)); // not attached any more: nothing to do
    BOOST_TEST(s.is_silent());
    s.watch(one, 2, interest::read);
    BOOST_TEST((s.wait(0ns).ready_keys() == keys{2}));
    BOOST_TEST(s.world.complaint() == "");
}

BOOST_AUTO_TEST_CASE(pollers_of_one_world_keep_to_themselves) {
    scene<> s;
    tofu::simulated_poll other(s.world);
    BOOST_TEST(s.poll.number() == 1U);
    BOOST_TEST(other.number() == 2U);
    watched& mine = s.link(1, interest::read);
    watched& theirs = s.link();
    BOOST_REQUIRE(!other.attach(theirs.entry, theirs.server, 1));
    BOOST_REQUIRE(!other.arm(theirs.entry, interest::read));
    theirs.send();
    BOOST_TEST(s.is_silent());
    BOOST_TEST((s.wait(other, 0ns).ready_keys() == keys{1}));
    mine.send();
    BOOST_TEST((s.wait(1h).ready_keys() == keys{1}));
    BOOST_TEST((other.disarm(theirs.entry) == disarmed::released));
}

BOOST_AUTO_TEST_CASE(a_moved_poller_keeps_its_number_and_its_network) {
    sim::world world(1);
    tofu::simulated_poll made(world);
    const unsigned number = made.number();
    tofu::simulated_poll moved(std::move(made));
    BOOST_TEST(moved.number() == number);
    BOOST_TEST(!moved.open());
    outcome seen;
    BOOST_TEST(!moved.wait(1ms, seen).error);
    BOOST_TEST((world.now() == sim::time_point{} + 1ms));
}

// ---- time ----

BOOST_AUTO_TEST_CASE(a_wait_lets_exactly_its_timeout_pass) {
    scene<> s;
    s.link(1, interest::read);
    for (const nanoseconds timeout : {nanoseconds(0), nanoseconds(1), nanoseconds(1ms + 1ns), nanoseconds(24h)}) {
        const outcome seen = s.wait(timeout);
        BOOST_TEST(seen.silent());
        BOOST_TEST((seen.took == timeout), timeout.count() << " ns");
    }
    BOOST_TEST((s.wait(-1s).took == 0ns));
}

BOOST_AUTO_TEST_CASE(a_wait_ends_at_once_when_something_happens_to_its_own_sockets) {
    scene<> s;
    watched& mine = s.link(1, interest::read);
    watched& unknown = s.link();
    unknown.send(); // arrives first, and is nobody's business
    s.world.advance(10us);
    mine.send();
    const outcome seen = s.wait(nanoseconds::max());
    BOOST_TEST((seen.ready_keys() == keys{1}));
    BOOST_TEST((seen.took == latency));
}

BOOST_AUTO_TEST_CASE(what_is_due_is_seen_by_a_wait_that_only_looks) {
    scene<> s;
    watched& one = s.link(1, interest::read);
    s.world.faults().least_delay = s.world.faults().most_delay = 0ns;
    one.send();
    BOOST_TEST((s.only_report() == readiness::readable));
}

// ---- waking ----

BOOST_AUTO_TEST_CASE(a_wake_ends_the_next_wait_and_only_that_one) {
    scene<> s;
    s.poll.wake();
    BOOST_TEST((s.wait(nanoseconds::max()).took == 0ns));
    BOOST_TEST(s.is_silent());
    s.poll.wake();
    s.poll.wake(); // as good as one
    BOOST_TEST((s.wait(nanoseconds::max()).took == 0ns));
    BOOST_TEST(s.is_silent());
    s.poll.wake();
    BOOST_TEST((s.wait(0ns).took == 0ns)); // a wait that only looks takes it, too
    BOOST_TEST(s.is_silent());
    BOOST_TEST(s.world.poller(s.poll.number()).wakes == 4U);
}

BOOST_AUTO_TEST_CASE(a_wake_comes_together_with_what_is_ready) {
    scene<> s;
    watched& one = s.link(1, interest::read);
    one.send();
    s.world.advance(latency);
    s.poll.wake();
    BOOST_TEST((s.only_report() == readiness::readable));
    BOOST_TEST((s.only_report() == readiness::readable));
}

BOOST_AUTO_TEST_CASE(wakes_of_other_threads_end_one_wait) {
    scene<> s;
    std::array<std::thread, 4> wakers;
    for (std::thread& waker : wakers)
        waker = std::thread([&s] {
            for (int turn = 0; turn < 1000; ++turn) s.poll.wake();
        });
    for (std::thread& waker : wakers) waker.join();
    const outcome seen = s.wait(nanoseconds::max());
    BOOST_TEST(seen.silent());
    BOOST_TEST((seen.took == 0ns));
    BOOST_TEST(s.is_silent());
    BOOST_TEST(s.world.poller(s.poll.number()).wakes == 4000U);
}

BOOST_AUTO_TEST_CASE(another_thread_ends_a_wait_that_is_on) {
    scene<> s;
    s.world.while_waiting({[](void* context, unsigned, nanoseconds) noexcept {
                               auto& poll = *static_cast<tofu::simulated_poll*>(context);
                               std::thread([&poll] { poll.wake(); }).join();
                               return sim::idle::again;
                           },
                           &s.poll});
    const outcome seen = s.wait(nanoseconds::max());
    BOOST_TEST(seen.silent());
    BOOST_TEST((seen.took == 0ns));
}

// ---- batches ----

BOOST_AUTO_TEST_CASE(a_batch_of_2_reports_5_ready_sockets_within_3_waits) {
    scene<2> s;
    for (std::uintptr_t key = 1; key <= 5; ++key) s.link(key, interest::read).send();
    s.world.advance(latency);
    for (int rounds = 0; rounds < 4; ++rounds) { // the last socket does not stay last
        keys seen;
        for (int waits = 0; waits < 3; ++waits) {
            const outcome one = s.wait(1h);
            BOOST_TEST(one.reports.size() == 2U);
            BOOST_TEST(one.full);
            BOOST_TEST((one.took == 0ns));
            for (const std::uintptr_t key : one.ready_keys()) seen.push_back(key);
        }
        std::sort(seen.begin(), seen.end());
        seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
        BOOST_TEST((seen == keys{1, 2, 3, 4, 5}), "round " << rounds);
    }
}

BOOST_AUTO_TEST_CASE(a_batch_that_is_not_filled_says_so) {
    scene<2> s;
    watched& first = s.link(1, interest::read);
    watched& second = s.link(2, interest::read);
    BOOST_TEST(!s.wait(0ns).full);
    first.send();
    s.world.advance(latency);
    BOOST_TEST(!s.wait(0ns).full);
    second.send();
    s.world.advance(latency);
    BOOST_TEST(s.wait(0ns).full); // there may be more
    BOOST_TEST(first.receive(1) == 1U);
    const outcome seen = s.wait(0ns);
    BOOST_TEST((seen.ready_keys() == keys{2}));
    BOOST_TEST(!seen.full);
}

BOOST_AUTO_TEST_CASE(releases_and_stale_events_fill_a_batch_and_none_of_them_is_lost) {
    scene<2> s;
    for (std::uintptr_t key = 1; key <= 5; ++key) s.link(key, interest::read);
    s.world.faults().owes = s.world.faults().stale = 1000;
    for (watched& one : s.all) BOOST_TEST((s.poll.disarm(one.entry) == disarmed::owed));
    s.world.advance(s.world.faults().most_owed);
    keys released;
    keys stale;
    for (int waits = 0; waits < 5; ++waits) {
        const outcome seen = s.wait(0ns);
        BOOST_TEST(seen.reports.size() + seen.releases.size() == 2U);
        BOOST_TEST(seen.full);
        released.insert(released.end(), seen.releases.begin(), seen.releases.end());
        for (const std::uintptr_t key : seen.ready_keys()) stale.push_back(key);
    }
    BOOST_TEST(s.is_silent());
    std::sort(released.begin(), released.end());
    std::sort(stale.begin(), stale.end());
    BOOST_TEST((released == keys{1, 2, 3, 4, 5}));
    BOOST_TEST((stale == keys{1, 2, 3, 4, 5}));
    BOOST_TEST(s.world.complaint() == "");
}

BOOST_AUTO_TEST_CASE(without_a_limit_everything_comes_at_once_and_in_the_order_of_attaching) {
    scene<> s;
    for (std::uintptr_t key = 9; key >= 1; --key) s.link(key, interest::read).send();
    s.world.advance(latency);
    const outcome seen = s.wait(0ns);
    BOOST_TEST((seen.ready_keys() == keys{9, 8, 7, 6, 5, 4, 3, 2, 1}));
    BOOST_TEST(!seen.full);
}

BOOST_AUTO_TEST_CASE(a_shuffled_order_loses_nobody) {
    scene<> s;
    s.world.faults().shuffles = true;
    for (std::uintptr_t key = 1; key <= 5; ++key) s.link(key, interest::read).send();
    s.world.advance(latency);
    std::vector<keys> orders;
    for (int waits = 0; waits < 20; ++waits) {
        const outcome seen = s.wait(0ns);
        BOOST_TEST((seen.sorted_keys() == keys{1, 2, 3, 4, 5}));
        orders.push_back(seen.ready_keys());
    }
    BOOST_TEST((std::count(orders.begin(), orders.end(), orders[0]) < 20));
}

// ---- what is owed ----

BOOST_AUTO_TEST_CASE(what_is_owed_is_released_later_and_once) {
    scene<> s;
    watched& one = s.link(7, interest::read);
    s.world.faults().owes = 1000;
    BOOST_TEST((s.poll.disarm(one.entry) == disarmed::owed));
    BOOST_TEST(s.world.poller(s.poll.number()).owed() == 1U);
    one.send(); // not reported any more, it only passes by
    const outcome seen = s.wait(1h);
    BOOST_TEST((seen.releases == keys{7}));
    BOOST_TEST(seen.reports.empty());
    BOOST_TEST((seen.took > 0ns && seen.took <= s.world.faults().most_owed));
    BOOST_TEST(s.world.poller(s.poll.number()).owed() == 0U);
    BOOST_TEST(s.is_silent());
    s.watch(one, 8, interest::read); // it may be used again now
    BOOST_TEST((s.wait(0ns).ready_keys() == keys{8}));
    BOOST_TEST(s.world.complaint() == "");
}

BOOST_AUTO_TEST_CASE(what_is_owed_for_good_is_never_released) {
    scene<> s;
    watched& one = s.link(7, interest::read);
    s.world.faults().owes = s.world.faults().owes_for_good = 1000;
    BOOST_TEST((s.poll.disarm(one.entry) == disarmed::owed));
    const outcome seen = s.wait(24h);
    BOOST_TEST(seen.silent());
    BOOST_TEST((seen.took == 24h));
    BOOST_TEST(s.world.poller(s.poll.number()).owed() == 1U);
    BOOST_TEST(s.world.complaint() == "");
}

BOOST_AUTO_TEST_CASE(a_poller_that_goes_writes_once_more_to_what_it_holds) {
    sim::world world(1);
    sim::registration entry;
    tofu::io_error error;
    {
        tofu::simulated_poll poll(world);
        const sim::socket listener = poll.network().listen({0, 80}, {}, 1, error);
        BOOST_REQUIRE(!poll.attach(entry, listener, 1));
        world.faults().owes = 1000;
        BOOST_TEST((poll.disarm(entry) == disarmed::owed));
        BOOST_TEST((entry.wanted == interest::none));
    }
    BOOST_TEST((entry.wanted != interest::none)); // as AFD may: a freed registration would be written to
}

// ---- rules that are watched over ----

BOOST_AUTO_TEST_CASE(attaching_twice_is_complained_of) {
    scene<> s;
    watched& one = s.link(1, interest::read);
    BOOST_TEST(s.world.complaint() == "");
    BOOST_TEST(!s.poll.attach(one.entry, one.server, 2));
    BOOST_TEST(s.world.complaint() == "a registration was attached that was attached already");
}

BOOST_AUTO_TEST_CASE(arming_what_is_not_attached_is_complained_of) {
    {
        scene<> s;
        watched& one = s.link();
        BOOST_TEST(!s.poll.arm(one.entry, interest::read));
        BOOST_TEST(s.world.complaint() == "a registration was armed that was not attached");
    }
    scene<> s;
    watched& one = s.link(1, interest::read);
    BOOST_TEST((s.poll.disarm(one.entry) == disarmed::released));
    BOOST_TEST(!s.poll.arm(one.entry, interest::none)); // not even that
    BOOST_TEST(s.world.complaint() == "a registration was armed that was not attached");
}

BOOST_AUTO_TEST_CASE(attaching_what_is_owed_is_complained_of) {
    scene<> s;
    watched& one = s.link(1, interest::read);
    s.world.faults().owes = 1000;
    BOOST_TEST((s.poll.disarm(one.entry) == disarmed::owed));
    BOOST_TEST(!s.poll.attach(one.entry, one.server, 2));
    BOOST_TEST(s.world.complaint() != "");
}

BOOST_AUTO_TEST_CASE(memory_that_is_owed_and_used_for_something_else_is_complained_of) {
    for (const bool attached_again : {false, true}) {
        scene<> s;
        watched& one = s.link(1, interest::read);
        s.world.faults().owes = 1000;
        BOOST_TEST((s.poll.disarm(one.entry) == disarmed::owed));
        one.entry = {}; // its slot has a new owner
        if (attached_again) s.watch(one, 2, interest::read);
        BOOST_TEST(s.world.complaint() == "");
        BOOST_TEST((s.wait(1h).releases == keys{1}));
        BOOST_TEST(s.world.complaint() == "a registration was used again while the poller still held it");
    }
}

BOOST_AUTO_TEST_CASE(a_key_that_is_attached_or_still_owed_belongs_to_nobody_else) {
    for (const bool owed : {false, true}) {
        scene<> s;
        watched& one = s.link(1, interest::read);
        s.world.faults().owes = 1000;
        if (owed) BOOST_TEST((s.poll.disarm(one.entry) == disarmed::owed));
        watched& other = s.link(2, interest::read);
        BOOST_TEST(s.world.complaint() == "");
        BOOST_TEST((s.poll.disarm(other.entry) == disarmed::owed));
        s.link(1, interest::read);
        BOOST_TEST(s.world.complaint() == "two registrations have the same key");
    }
}

// ---- what is not true ----

BOOST_AUTO_TEST_CASE(a_stale_event_comes_once_and_with_the_old_key) {
    scene<> s;
    watched& one = s.link(5, interest::read);
    s.world.faults().stale = 1000;
    BOOST_TEST((s.poll.disarm(one.entry) == disarmed::released));
    s.world.faults().stale = 0;
    s.watch(one, 6, interest::read); // the next owner
    const outcome seen = s.wait(1h);
    BOOST_TEST((seen.ready_keys() == keys{5}));
    BOOST_TEST((seen.reports[0].second == everything));
    BOOST_TEST((seen.took > 0ns && seen.took <= s.world.faults().most_owed));
    BOOST_TEST(s.world.poller(s.poll.number()).inventions == 1U);
    BOOST_TEST(s.is_silent());
}

BOOST_AUTO_TEST_CASE(a_stale_key_names_no_other_registration) {
    struct forgetful : outcome { // finds a socket under every key
        sim::registration* found = nullptr;
        sim::registration* registration_of(std::uintptr_t) noexcept { return found; }
    };
    for (const bool same : {true, false}) {
        scene<> s;
        watched& one = s.link(5, interest::read);
        watched& other = s.link(6, interest::read);
        s.world.faults().stale = 1000;
        s.world.faults().owes = same ? 1000 : 0; // then it is still there when the event comes
        s.world.faults().most_owed = 1ns;
        static_cast<void>(s.poll.disarm(one.entry));
        forgetful seen;
        seen.found = same ? &one.entry : &other.entry;
        static_cast<void>(s.poll.wait(1ns, seen));
        BOOST_TEST(s.world.complaint() == (same ? "" : "a stale key names another registration"));
    }
}

BOOST_AUTO_TEST_CASE(a_spurious_event_is_reported_only_where_something_is_wanted) {
    scene<> s;
    s.link(1, interest::read);
    s.link(2, interest::none);
    s.world.faults().spurious = 1000;
    BOOST_TEST((s.wait(0ns).ready_keys() == keys{1}));
    BOOST_TEST(s.world.poller(s.poll.number()).inventions == 1U);
    const outcome seen = s.wait(1ms); // it does not end a wait
    BOOST_TEST((seen.ready_keys() == keys{1}));
    BOOST_TEST((seen.took == 1ms));
    s.world.faults().spurious = 0;
    BOOST_TEST(s.is_silent());
}

BOOST_AUTO_TEST_CASE(a_connecting_socket_is_never_ready_before_it_is) {
    scene<> s;
    sim::registration entry;
    s.world.faults().spurious = 1000;
    s.world.faults().connect_hangs = 1000;
    const sim::socket client = s.begin_connect();
    s.watch(entry, client, 9, interest::write);
    for (int waits = 0; waits < 100; ++waits) BOOST_TEST(s.wait(1ms).silent());
    const outcome seen = s.wait(1h);
    BOOST_TEST((seen.ready_keys() == keys{9})); // it gave up
    BOOST_TEST((s.world.now() == sim::time_point{} + 2min));
    BOOST_TEST((s.poll.disarm(entry) == disarmed::released));
}

BOOST_AUTO_TEST_CASE(whether_a_fault_strikes_or_not_costs_the_same_choices) {
    const auto next_choice = [](unsigned sim::faults::*rate, unsigned value) {
        scene<> s;
        watched& one = s.link(1, interest::read);
        if (rate != nullptr) s.world.faults().*rate = value;
        static_cast<void>(s.wait(0ns));
        static_cast<void>(s.poll.disarm(one.entry));
        return s.world.chance().next();
    };
    const std::uint64_t without = next_choice(nullptr, 0);
    for (const auto rate :
         {&sim::faults::spurious, &sim::faults::stale, &sim::faults::owes, &sim::faults::owes_for_good})
        for (const unsigned value : {0U, 1U, 1000U}) BOOST_TEST(next_choice(rate, value) == without);
}

// ---- refusals ----

BOOST_AUTO_TEST_CASE(a_wait_that_fails_has_rested_whatever_its_timeout) {
    scene<> s;
    watched& one = s.link(1, interest::read);
    one.send();
    s.world.advance(latency);
    s.world.faults().wait_fails = 1000;
    for (const nanoseconds timeout : {nanoseconds(0), nanoseconds(1s), nanoseconds::max()}) {
        const outcome seen = s.wait(timeout);
        BOOST_TEST((seen.error == io_failure::no_memory));
        BOOST_TEST(seen.silent());
        BOOST_TEST(!seen.full);
        BOOST_TEST((seen.took == 10ms));
    }
    s.poll.wake();
    BOOST_TEST((s.wait(0ns).took == 0ns)); // a wake ends the rest
    BOOST_TEST((s.wait(0ns).took == 10ms));
    s.world.faults().wait_fails = 0;
    BOOST_TEST((s.wait(1h).ready_keys() == keys{1})); // nothing was lost
}

BOOST_AUTO_TEST_CASE(an_interrupted_wait_has_let_time_pass_and_looked_at_nothing) {
    scene<> s;
    s.link(1, interest::read).send();
    s.world.faults().interrupts = 1000;
    const outcome seen = s.wait(1ms); // a stopped process does not know of its timeout
    BOOST_TEST(seen.interrupted);
    BOOST_TEST((seen.error == io_failure::none));
    BOOST_TEST(seen.silent());
    BOOST_TEST((seen.took > 1ms && seen.took <= s.world.faults().most_pause));
    for (const nanoseconds timeout : {0ns, nanoseconds(1h)}) { // bytes that are there already end any wait
        const outcome now = s.wait(timeout);
        BOOST_TEST(!now.interrupted);
        BOOST_TEST((now.ready_keys() == keys{1}));
        BOOST_TEST((now.took == 0ns));
    }
    s.poll.wake();
    BOOST_TEST(!s.wait(1h).interrupted);
}

BOOST_AUTO_TEST_CASE(a_socket_left_after_an_interrupted_wait_says_so) {
    scene<> s;
    watched& one = s.link(1, interest::read);
    watched& other = s.link(2, interest::read);
    s.world.faults().interrupts = 1000;
    static_cast<void>(s.wait(1ms));
    static_cast<void>(s.poll.disarm(one.entry));
    BOOST_TEST(s.world.socket(one.server.id()).left_unseen);
    static_cast<void>(s.wait(0ns));
    static_cast<void>(s.poll.disarm(other.entry));
    BOOST_TEST(!s.world.socket(other.server.id()).left_unseen);
}

BOOST_AUTO_TEST_CASE(without_memory_nothing_is_attached_or_armed) {
    scene<> s;
    watched& one = s.link(1, interest::read);
    watched& other = s.link();
    s.world.faults().no_memory = 1000;
    BOOST_TEST((s.poll.open().kind == io_failure::no_memory));
    BOOST_TEST((s.poll.attach(other.entry, other.server, 2).kind == io_failure::no_memory));
    BOOST_TEST((s.poll.arm(one.entry, read_and_write).kind == io_failure::no_memory));
    BOOST_TEST(!s.poll.arm(one.entry, interest::read)); // that is no change, and needs nothing
    s.world.faults().no_memory = 0;
    other.send();
    BOOST_TEST(s.is_silent()); // not writable either: the interest is what it was
    s.watch(other, 2, interest::read);
    BOOST_TEST((s.wait(0ns).ready_keys() == keys{2}));
    BOOST_TEST(s.world.complaint() == "");
}

// ---- the program that is asked while an engine waits ----

namespace {

/// Answers with what it was told to, one by one, then with go_on; and writes down how it was asked.
struct script {
    std::deque<sim::idle> answers;
    std::vector<std::pair<unsigned, nanoseconds>> asked;

    static sim::idle ask(void* context, unsigned poll, nanoseconds left) noexcept {
        script& self = *static_cast<script*>(context);
        self.asked.emplace_back(poll, left);
        if (self.answers.empty()) return sim::idle::go_on;
        const sim::idle answer = self.answers.front();
        self.answers.pop_front();
        return answer;
    }
    [[nodiscard]] sim::idle_hook hook() { return {ask, this}; }
};

} // namespace

BOOST_AUTO_TEST_CASE(go_on_lets_time_pass_to_the_next_event_and_then_asks_again) {
    scene<> s;
    watched& one = s.link(1, interest::read);
    watched& unknown = s.link();
    s.world.advance(2min); // the connects have nothing to give up any more
    unknown.send();
    s.world.advance(20us);
    one.send();
    script asks;
    s.world.while_waiting(asks.hook());
    const outcome seen = s.wait(1s);
    BOOST_TEST((seen.ready_keys() == keys{1}));
    BOOST_TEST((seen.took == latency));
    const unsigned me = s.poll.number();
    BOOST_TEST((asks.asked == std::vector<std::pair<unsigned, nanoseconds>>{{me, 1s}, {me, 1s - 30us}}));
}

BOOST_AUTO_TEST_CASE(again_looks_again_and_no_time_passes) {
    scene<> s;
    s.link(1, interest::read);
    script asks;
    asks.answers = {sim::idle::again, sim::idle::again, sim::idle::interrupt};
    s.world.while_waiting(asks.hook());
    const outcome seen = s.wait(1s);
    BOOST_TEST(seen.silent());
    BOOST_TEST((seen.took == 0ns));
    BOOST_TEST(asks.asked.size() == 3U);
    BOOST_TEST((asks.asked[2].second == 1s));
}

BOOST_AUTO_TEST_CASE(what_the_hook_does_is_seen_by_the_wait_it_was_asked_in) {
    scene<> s;
    watched& one = s.link(1, interest::none);
    one.send();
    s.world.advance(latency);
    s.world.while_waiting({[](void* context, unsigned, nanoseconds) noexcept {
                               auto& self = *static_cast<scene<>*>(context);
                               static_cast<void>(self.poll.arm(self.all[0].entry, interest::read));
                               return sim::idle::again;
                           },
                           &s});
    const outcome seen = s.wait(nanoseconds::max());
    BOOST_TEST((seen.ready_keys() == keys{1}));
    BOOST_TEST((seen.took == 0ns));
}

BOOST_AUTO_TEST_CASE(interrupt_ends_the_wait_early) {
    scene<> s;
    script asks;
    asks.answers = {sim::idle::interrupt};
    s.world.while_waiting(asks.hook());
    const outcome seen = s.wait(nanoseconds::max());
    BOOST_TEST(seen.silent());
    BOOST_TEST((seen.error == io_failure::none));
    BOOST_TEST((seen.took == 0ns));
    BOOST_TEST(asks.asked.size() == 1U);
    BOOST_TEST((asks.asked[0].second > 100 * 365 * 24h)); // for ever
}

BOOST_AUTO_TEST_CASE(nobody_is_asked_when_there_is_no_need_to_wait) {
    scene<> s;
    watched& one = s.link(1, interest::read);
    one.send();
    s.world.advance(latency);
    script asks;
    s.world.while_waiting(asks.hook());
    static_cast<void>(s.wait(1s)); // something is there
    BOOST_TEST(one.receive(1) == 1U);
    static_cast<void>(s.wait(0ns)); // it only looks
    s.poll.wake();
    static_cast<void>(s.wait(1s)); // woken
    BOOST_TEST(asks.asked.empty());
    s.world.while_waiting({});
    BOOST_TEST(s.is_silent());
    BOOST_TEST(asks.asked.empty());
}

BOOST_AUTO_TEST_CASE(the_hook_is_not_asked_by_waits_of_its_own) {
    struct nested {
        scene<> s;
        tofu::simulated_poll inner{s.world};
        outcome seen;
        int asked = 0;
    } n;
    n.s.world.while_waiting({[](void* context, unsigned poll, nanoseconds) noexcept {
                                 auto& self = *static_cast<nested*>(context);
                                 ++self.asked;
                                 if (poll != self.s.poll.number()) return sim::idle::interrupt;
                                 self.seen = self.s.wait(self.inner, 5ms); // time just passes
                                 return sim::idle::interrupt;
                             },
                             &n});
    const outcome outer = n.s.wait(1s);
    BOOST_TEST(n.asked == 1);
    BOOST_TEST((n.seen.took == 5ms));
    BOOST_TEST((outer.took == 5ms));
    static_cast<void>(n.s.wait(1s)); // and asked again in the next one
    BOOST_TEST(n.asked == 2);
}

// ---- engines ----

namespace {

using reactor =
    tofu::basic_reactor<tofu::simulated_poll, tofu::fixed_channel_pool<16>, tofu::slot_index_key, tofu::manual_timer>;

/// An engine of a world, driven by its caller.
struct party {
    tofu::simulated_poll poll;
    unsigned number = poll.number();
    reactor engine;
    reactor::group_type group = engine.create_group();

    explicit party(sim::world& world)
        : poll(world), engine({}, tofu::driven_by::caller, std::move(poll), tofu::manual_timer(world.clock())) {}

    tofu::message_ptr next() {
        tofu::message_ptr m = group.wait_receive(1min);
        BOOST_REQUIRE_MESSAGE(m, "no message came in time");
        return m;
    }
    tofu::message_ptr expect(tofu::op_code op, std::string_view body = {}) {
        tofu::message_ptr m = next();
        BOOST_REQUIRE_MESSAGE(m->op() == op, "expected " << to_string(op) << ", got " << to_string(m->op()));
        BOOST_TEST((tofu_test::body_of(*m) == body));
        return m;
    }
    void expect_goodbye(std::uint16_t channel, std::string_view reason) {
        const tofu::message_ptr m = expect(tofu::op_code::signal);
        BOOST_TEST(m->from_engine());
        BOOST_TEST(to_string(m->status()) == to_string(tofu::status::channel_closed));
        BOOST_TEST(m->header().channel_number == channel);
        BOOST_TEST(tofu_test::reason_of(*m) == reason);
    }
};

/// Two engines. While either of them waits, the other engine turns.
struct two_parties {
    sim::world world;
    party server{world};
    party client{world};

    two_parties(std::uint64_t seed, const sim::faults& faults) : world(seed, faults) {
        world.while_waiting({[](void* context, unsigned poll, nanoseconds) noexcept {
                                 return static_cast<two_parties*>(context)->turn_other(poll);
                             },
                             this});
    }
    ~two_parties() { world.while_waiting({}); }
    two_parties(const two_parties&) = delete;
    two_parties& operator=(const two_parties&) = delete;

    [[nodiscard]] sim::idle turn_other(unsigned poll) noexcept {
        party& other = poll == server.number ? client : server;
        std::error_code error;
        other.engine.run_once(0ns, error);
        // Time may pass only when it, too, has nothing to do.
        const bool busy = other.engine.next_deadline(error) <= world.now() || world.poller(other.number).has_news();
        return busy ? sim::idle::again : sim::idle::go_on;
    }

    /// Hello, many requests and their responses, bye.
    void converse() {
        using tofu::op_code;
        using tofu_test::answer;
        using tofu_test::make;
        tofu::message_ptr m = server.engine.get();
        BOOST_REQUIRE(m->listen_on(tofu::tcp_address{"10.0.0.1", 7000}) == tofu::status::success);
        server.group.post(std::move(m));
        BOOST_REQUIRE(server.expect(op_code::welcome_response)->status() == tofu::status::success);

        m = client.engine.get();
        BOOST_REQUIRE(m->connect_to(tofu::tcp_address{"10.0.0.1", 7000}) == tofu::status::success);
        const std::uint16_t from_client = client.group.post(std::move(m)).channel_number;
        m = server.expect(op_code::hello_request);
        const std::uint16_t from_server = m->header().channel_number;
        server.group.post(answer(std::move(m), op_code::hello_response));
        BOOST_REQUIRE(client.expect(op_code::hello_response)->status() == tofu::status::success);

        for (std::uint64_t id = 1; id <= 40; ++id) {
            const std::string body(static_cast<std::size_t>(id * id * 5), static_cast<char>('a' + id % 26));
            client.group.post(make(client.engine, op_code::request, from_client, body, id));
            m = server.expect(op_code::request, body);
            BOOST_TEST(m->header().message_id == id);
            server.group.post(answer(std::move(m), op_code::response));
            m = client.expect(op_code::response, body);
            BOOST_TEST(m->header().message_id == id);
        }

        client.group.post(make(client.engine, op_code::bye_request, from_client));
        m = server.expect(op_code::bye_request);
        server.group.post(answer(std::move(m), op_code::bye_response));
        client.expect(op_code::bye_response);
        client.expect_goodbye(from_client, "bye");
        server.expect_goodbye(from_server, "bye");
    }
};

const sim::faults slow_and_piecemeal{.least_delay = 30ms,
                                     .most_delay = 30ms,
                                     .least_window = 1000,
                                     .most_window = 5000,
                                     .short_reads = 300,
                                     .short_writes = 300};

} // namespace

BOOST_AUTO_TEST_CASE(two_engines_of_one_thread_have_a_whole_conversation_in_no_time) {
    const auto begin = std::chrono::steady_clock::now();
    nanoseconds virtual_time{};
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        two_parties two(seed, slow_and_piecemeal);
        two.converse();
        BOOST_TEST(two.world.complaint() == "");
        BOOST_TEST(two.client.engine.stats().channels == 0U);
        virtual_time += two.world.now().time_since_epoch();
    }
    BOOST_TEST((virtual_time > 5 * 40 * 60ms)); // every request takes 30 ms there and 30 ms back
    BOOST_TEST((std::chrono::steady_clock::now() - begin < virtual_time));
}

BOOST_AUTO_TEST_CASE(the_same_conversation_twice_takes_the_same_virtual_time) {
    const auto duration_of = [](std::uint64_t seed) {
        two_parties two(seed, slow_and_piecemeal);
        two.converse();
        return two.world.now().time_since_epoch();
    };
    const nanoseconds first = duration_of(11);
    BOOST_TEST((duration_of(11) == first));
    BOOST_TEST((duration_of(12) != first));
}

BOOST_AUTO_TEST_CASE(engines_cope_with_a_poller_that_shuffles_invents_and_owes) {
    sim::faults faults = slow_and_piecemeal;
    faults.shuffles = true;
    faults.spurious = faults.stale = faults.owes = 300;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        two_parties two(seed, faults);
        two.converse();
        BOOST_TEST(two.world.complaint() == "");
    }
}

#if !defined(_WIN32)
BOOST_AUTO_TEST_CASE(an_engine_that_waits_for_ever_with_nothing_to_come_ends_the_program) {
    const pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
        std::set_terminate([] { ::_exit(42); });
        sim::world world(1);
        party alone(world);
        static_cast<void>(alone.group.wait_receive());
        ::_exit(0);
    }
    int ended = 0;
    BOOST_REQUIRE(::waitpid(child, &ended, 0) == child);
    BOOST_TEST(WIFEXITED(ended));
    BOOST_TEST(WEXITSTATUS(ended) == 42);
}
#endif

BOOST_AUTO_TEST_CASE(arming_what_is_owed_is_complained_of) {
    scene<> s(1, {.owes = 1000});
    watched& one = s.link(1, interest::none);
    BOOST_REQUIRE((s.poll.disarm(one.entry) == disarmed::owed));
    static_cast<void>(s.poll.arm(one.entry, interest::read));
    BOOST_TEST(s.world.complaint() != "");
}

BOOST_AUTO_TEST_CASE(disarming_twice_owes_one_release) {
    scene<> s(1, {.owes = 1000});
    watched& one = s.link(1, interest::none);
    BOOST_REQUIRE((s.poll.disarm(one.entry) == disarmed::owed));
    s.world.faults().owes = 0;
    BOOST_TEST((s.poll.disarm(one.entry) == disarmed::owed));
    std::size_t released = 0;
    for (int i = 0; i < 2; ++i) released += s.wait(1s).releases.size();
    BOOST_TEST(released == 1U);
    BOOST_TEST(s.world.complaint() == "");
}

BOOST_AUTO_TEST_CASE(a_spurious_report_names_only_what_is_wanted) {
    scene<> s(1, {.spurious = 1000});
    s.link(1, interest::read);
    BOOST_TEST((s.only_report() == readiness::readable));
}

BOOST_AUTO_TEST_SUITE_END()
