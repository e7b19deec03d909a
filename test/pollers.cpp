// SPDX-License-Identifier: BSL-1.0
// What every poll policy of this system must do: one test for each way a poller is known to go wrong.

#include "own_ports.hpp"
#include "socket_pairs.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/policies/poll/linux_epoll.hpp>
#include <tofu/policies/poll/posix_poll.hpp>

#include <boost/mp11/list.hpp>

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <climits>
#include <cstdint>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using namespace tofu;
using namespace tofu_test;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using poller_clock = std::chrono::steady_clock;

namespace {

#if __has_include(<sys/epoll.h>)
using all_pollers = boost::mp11::mp_list<tofu::posix_poll, tofu::linux_epoll>;
#else
using all_pollers = boost::mp11::mp_list<tofu::posix_poll>;
#endif

static_assert(posix::to_poll_timeout(nanoseconds::max()) == -1);
static_assert(posix::to_poll_timeout(nanoseconds::min()) == 0);
static_assert(posix::to_poll_timeout(0ns) == 0);
static_assert(posix::to_poll_timeout(1ns) == 1);
static_assert(posix::to_poll_timeout(1ms) == 1);
static_assert(posix::to_poll_timeout(1ms + 1ns) == 2);
static_assert(posix::to_poll_timeout(nanoseconds::max() - 1ns) == INT_MAX);

/// Notes what it is told, as the engine does.
struct recorder {
    std::vector<std::pair<std::uintptr_t, readiness>> reports;
    int releases = 0;

    void ready(std::uintptr_t key, readiness bits) noexcept { reports.emplace_back(key, bits); }
    void released(std::uintptr_t) noexcept { ++releases; }

    std::vector<std::uintptr_t> sorted_keys() const {
        std::vector<std::uintptr_t> keys;
        for (const auto& report : reports) {
            keys.push_back(report.first);
        }
        std::sort(keys.begin(), keys.end());
        return keys;
    }
};

template <class Poll>
struct opened_poll : Poll {
    static_assert(!std::is_copy_constructible_v<Poll>);
    static_assert(!std::is_move_assignable_v<Poll>);

    opened_poll() { BOOST_REQUIRE(!this->open()); }

    recorder wait_for(nanoseconds timeout) {
        recorder seen;
        const wait_result result = this->wait(timeout, seen);
        BOOST_TEST(!result.error);
        BOOST_TEST(!result.full);
        BOOST_TEST(seen.releases == 0);
        return seen;
    }

    /// What is reported for the only socket that has anything to tell; none when silent.
    readiness only_report(nanoseconds timeout) {
        const recorder seen = wait_for(timeout);
        BOOST_REQUIRE(seen.reports.size() <= 1);
        return seen.reports.empty() ? readiness::none : seen.reports[0].second;
    }

    /// True when nothing at all ends a wait of 30 ms before its time.
    bool is_silent() {
        const auto begin = poller_clock::now();
        const bool quiet = wait_for(30ms).reports.empty();
        return quiet && poller_clock::now() - begin >= 30ms;
    }
};

/// One connection, its server side known to the poller.
template <class Poll>
struct watched {
    socket_pair pair = connect_pair();
    typename Poll::registration entry;

    watched() = default;
    watched(Poll& poll, std::uintptr_t key, interest wanted) { watch(poll, key, wanted); }

    void watch(Poll& poll, std::uintptr_t key, interest wanted) {
        BOOST_REQUIRE(!poll.attach(entry, pair.server, key));
        BOOST_REQUIRE(!poll.arm(entry, wanted));
    }
    void send() { BOOST_REQUIRE_EQUAL(send_text(pair.client, "x"), 1U); }
    void await_arrival() { await(pair.server.native_handle(), POLLIN); }
};

constexpr interest read_and_write = interest::read | interest::write;

} // namespace

BOOST_AUTO_TEST_SUITE(pollers)

// ---- what is reported ----

BOOST_AUTO_TEST_CASE_TEMPLATE(data_is_reported_with_its_key, Poll, all_pollers) {
    opened_poll<Poll> poll;
    watched<Poll> one(poll, 0xabcd, interest::read);
    BOOST_TEST(poll.is_silent());
    one.send();
    const recorder seen = poll.wait_for(10s);
    BOOST_REQUIRE_EQUAL(seen.reports.size(), 1U);
    BOOST_TEST(seen.reports[0].first == 0xabcdU);
    BOOST_CHECK(seen.reports[0].second == readiness::readable);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(unread_data_is_reported_again_and_again, Poll, all_pollers) {
    opened_poll<Poll> poll;
    watched<Poll> one(poll, 1, interest::read);
    one.send();
    for (int count = 0; count < 3; ++count) {
        BOOST_CHECK(poll.only_report(10s) == readiness::readable);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(data_that_came_before_the_interest_is_reported, Poll, all_pollers) {
    opened_poll<Poll> poll;
    watched<Poll> one(poll, 1, interest::none);
    one.send();
    one.await_arrival();
    BOOST_TEST(poll.is_silent());
    BOOST_REQUIRE(!poll.arm(one.entry, interest::read));
    BOOST_CHECK(poll.only_report(10s) == readiness::readable);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(only_what_was_asked_for_is_reported, Poll, all_pollers) {
    opened_poll<Poll> poll;
    watched<Poll> one(poll, 1, interest::write);
    one.send();
    one.await_arrival();
    BOOST_CHECK(poll.only_report(0ns) == readiness::writable);
    BOOST_REQUIRE(!poll.arm(one.entry, interest::read));
    BOOST_CHECK(poll.only_report(0ns) == readiness::readable);
    BOOST_REQUIRE(!poll.arm(one.entry, interest::read)); // the same again
    BOOST_CHECK(poll.only_report(0ns) == readiness::readable);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(both_directions_come_in_one_report, Poll, all_pollers) {
    opened_poll<Poll> poll;
    watched<Poll> one(poll, 1, read_and_write);
    one.send();
    one.await_arrival();
    BOOST_CHECK(poll.only_report(0ns) == (readiness::readable | readiness::writable));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_end_of_the_stream_is_readable_and_no_failure, Poll, all_pollers) {
    opened_poll<Poll> poll;
    watched<Poll> one(poll, 1, interest::read);
    BOOST_REQUIRE(!one.pair.client.shutdown_write());
    BOOST_CHECK(poll.only_report(10s) == readiness::readable);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_reset_peer_is_a_failure_that_reading_sees, Poll, all_pollers) {
    opened_poll<Poll> poll;
    watched<Poll> one(poll, 1, interest::write);
    one.pair.client.abort();
    one.await_arrival();
    const readiness seen = poll.only_report(10s);
    BOOST_TEST(any(seen & readiness::failed));
    BOOST_TEST(any(seen & readiness::readable));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_refused_connect_is_a_failure, Poll, all_pollers) {
    opened_poll<Poll> poll;
    const refusing_port refusing;
    io_error error;
    posix::socket client = posix::socket::connect(endpoint_at("127.0.0.1", refusing.where().port()), {}, error);
    BOOST_REQUIRE(error.kind == io_failure::would_block);
    typename Poll::registration entry;
    BOOST_REQUIRE(!poll.attach(entry, client, 9));
    BOOST_REQUIRE(!poll.arm(entry, interest::write));
    BOOST_TEST(any(poll.only_report(10s) & readiness::failed));
    BOOST_CHECK(client.finish_connect().kind == io_failure::refused);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_waiting_connection_makes_its_listener_readable, Poll, all_pollers) {
    opened_poll<Poll> poll;
    posix::socket listener = listen_at(endpoint_at("127.0.0.1"));
    typename Poll::registration entry;
    BOOST_REQUIRE(!poll.attach(entry, listener, 3));
    BOOST_REQUIRE(!poll.arm(entry, interest::read));
    posix::socket client;
    BOOST_REQUIRE(!connect_to(listener.local_endpoint(), client));
    BOOST_CHECK(poll.only_report(10s) == readiness::readable);
}

// ---- silence ----

BOOST_AUTO_TEST_CASE_TEMPLATE(a_reset_peer_is_silent_while_nothing_is_wanted, Poll, all_pollers) {
    opened_poll<Poll> poll;
    watched<Poll> attached_only;
    BOOST_REQUIRE(!poll.attach(attached_only.entry, attached_only.pair.server, 1));
    watched<Poll> hushed(poll, 2, read_and_write);
    BOOST_REQUIRE(!poll.arm(hushed.entry, interest::none));
    for (watched<Poll>* one : {&attached_only, &hushed}) {
        one->pair.client.abort();
        one->await_arrival();
    }
    BOOST_TEST(poll.is_silent());
    BOOST_REQUIRE(!poll.arm(hushed.entry, interest::read));
    BOOST_CHECK(poll.only_report(0ns) == (readiness::readable | readiness::failed));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_forgotten_socket_is_silent_and_can_be_known_again, Poll, all_pollers) {
    opened_poll<Poll> poll;
    watched<Poll> one(poll, 1, interest::read);
    one.send();
    BOOST_CHECK(poll.disarm(one.entry) == disarmed::released);
    BOOST_CHECK(poll.disarm(one.entry) == disarmed::released); // not attached any more: nothing to do
    one.await_arrival();
    BOOST_TEST(poll.is_silent());
    one.watch(poll, 2, interest::read);
    const recorder seen = poll.wait_for(10s);
    BOOST_TEST((seen.sorted_keys() == std::vector<std::uintptr_t>{2}));
}

// ---- many ----

BOOST_AUTO_TEST_CASE_TEMPLATE(forgetting_some_keeps_all_the_others, Poll, all_pollers) {
    constexpr unsigned count = 5;
    std::array<watched<Poll>, count> all;
    for (watched<Poll>& one : all) {
        one.send();
        one.await_arrival();
    }
    for (unsigned forgotten = 0; forgotten < (1U << count); ++forgotten) {
        for (const bool backwards : {false, true}) {
            opened_poll<Poll> poll;
            std::vector<std::uintptr_t> kept;
            for (unsigned index = 0; index < count; ++index) {
                all[index].entry = {};
                all[index].watch(poll, index + 1, interest::read);
            }
            for (unsigned step = 0; step < count; ++step) {
                const unsigned index = backwards ? count - 1 - step : step;
                if ((forgotten >> index & 1U) != 0) {
                    poll.disarm(all[index].entry);
                } else {
                    kept.push_back(index + 1);
                }
            }
            std::sort(kept.begin(), kept.end());
            BOOST_TEST((poll.wait_for(0ns).sorted_keys() == kept), "forgotten " << forgotten);
            for (const std::uintptr_t key : kept) { // the others' places are right too, not only their descriptors
                BOOST_REQUIRE(!poll.arm(all[key - 1].entry, interest::none));
                BOOST_REQUIRE_EQUAL(poll.disarm(all[key - 1].entry) == disarmed::released, true);
            }
            BOOST_TEST(poll.wait_for(0ns).reports.empty());
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(many_sockets_are_told_apart, Poll, all_pollers) {
    rlimit limit{};
    BOOST_REQUIRE_EQUAL(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    const std::size_t count = limit.rlim_cur >= 1024 ? 400 : 50;
    opened_poll<Poll> poll;
    std::vector<std::unique_ptr<watched<Poll>>> all;
    std::vector<std::uintptr_t> expected;
    for (std::size_t index = 0; index < count; ++index) {
        all.push_back(std::make_unique<watched<Poll>>(poll, index + 1, interest::read));
        if (index % 3 == 0) {
            all.back()->send();
            all.back()->await_arrival();
            expected.push_back(index + 1);
        }
    }
    BOOST_TEST((poll.wait_for(10s).sorted_keys() == expected));
}

// ---- time ----

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wait_is_never_shorter_than_asked_for, Poll, all_pollers) {
    opened_poll<Poll> poll;
    const watched<Poll> idle(poll, 1, interest::read);
    for (const nanoseconds timeout : {nanoseconds(1), nanoseconds(1'000'001), nanoseconds(20ms)}) {
        const auto begin = poller_clock::now();
        BOOST_TEST(poll.wait_for(timeout).reports.empty());
        BOOST_TEST((poller_clock::now() - begin >= timeout), timeout.count() << " ns");
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(no_time_only_looks, Poll, all_pollers) {
    opened_poll<Poll> poll;
    watched<Poll> one(poll, 1, interest::read);
    const auto begin = poller_clock::now();
    for (int count = 0; count < 100; ++count) {
        BOOST_TEST(poll.wait_for(0ns).reports.empty());
        BOOST_TEST(poll.wait_for(-1s).reports.empty());
    }
    BOOST_TEST((poller_clock::now() - begin < 10s));
    one.send();
    one.await_arrival();
    BOOST_CHECK(poll.only_report(0ns) == readiness::readable);
}

namespace {

std::atomic<int> signals_handled = 0;

void count_signal(int) { signals_handled.fetch_add(1); }

} // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_signal_ends_the_wait_early_and_is_no_error, Poll, all_pollers) {
    struct sigaction counting {};
    struct sigaction before {};
    counting.sa_handler = count_signal;
    BOOST_REQUIRE_EQUAL(::sigaction(SIGUSR1, &counting, &before), 0);
    signals_handled = 0;

    opened_poll<Poll> poll;
    const pthread_t waiting = ::pthread_self();
    std::atomic<bool> done = false;
    std::thread sender([&] {
        while (!done) { // the first may come before the wait has begun
            ::pthread_kill(waiting, SIGUSR1);
            std::this_thread::sleep_for(1ms);
        }
    });
    const auto begin = poller_clock::now();
    recorder seen;
    const wait_result result = poll.wait(60s, seen);
    const auto took = poller_clock::now() - begin;
    done = true;
    sender.join();
    BOOST_REQUIRE_EQUAL(::sigaction(SIGUSR1, &before, nullptr), 0);

    BOOST_TEST(!result.error);
    BOOST_TEST(seen.reports.empty());
    BOOST_TEST((took < 30s));
    BOOST_TEST(signals_handled > 0);
}

// ---- waking ----

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wake_ends_the_next_wait_and_only_that_one, Poll, all_pollers) {
    opened_poll<Poll> poll;
    poll.wake();
    BOOST_TEST(poll.wait_for(nanoseconds::max()).reports.empty());
    BOOST_TEST(poll.is_silent());
    poll.wake();
    BOOST_TEST(poll.wait_for(nanoseconds::max()).reports.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wake_ends_a_wait_that_is_on, Poll, all_pollers) {
    opened_poll<Poll> poll;
    std::atomic<bool> woken = false;
    std::thread waker([&] {
        std::this_thread::sleep_for(20ms); // so that the wait is most likely on; it is right either way
        woken = true;
        poll.wake();
    });
    BOOST_TEST(poll.wait_for(60s).reports.empty());
    BOOST_TEST(woken);
    waker.join();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(many_wakes_of_many_threads_end_one_wait, Poll, all_pollers) {
    opened_poll<Poll> poll;
    std::vector<std::thread> wakers;
    for (int count = 0; count < 8; ++count) {
        wakers.emplace_back([&poll] {
            for (int turn = 0; turn < 20'000; ++turn) {
                poll.wake();
            }
        });
    }
    for (std::thread& waker : wakers) {
        waker.join();
    }
    BOOST_TEST(poll.wait_for(nanoseconds::max()).reports.empty());
    BOOST_TEST(poll.is_silent());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wake_comes_together_with_what_is_ready, Poll, all_pollers) {
    opened_poll<Poll> poll;
    watched<Poll> one(poll, 1, interest::read);
    one.send();
    one.await_arrival();
    poll.wake();
    BOOST_CHECK(poll.only_report(0ns) == readiness::readable);
    BOOST_CHECK(poll.only_report(0ns) == readiness::readable);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(no_wake_is_lost_among_eight_threads, Poll, all_pollers) {
    // Each thread puts one thing down, wakes, and puts down the next only when the waiter has taken the first: once a
    // wake is lost, everything stands still. Relaxed, so that nothing but wake and wait carries them over.
    constexpr int threads = 8;
    constexpr int turns = 5'000;
    opened_poll<Poll> poll;
    std::array<std::atomic<int>, threads> inbox{};
    std::atomic<bool> give_up = false;
    std::atomic<int> ended = 0;
    std::vector<std::thread> producers;
    for (std::atomic<int>& box : inbox) {
        producers.emplace_back([&] {
            for (int turn = 0; turn < turns && !give_up; ++turn) {
                box.store(1, std::memory_order_relaxed);
                poll.wake();
                box.wait(1, std::memory_order_relaxed);
            }
            ended.fetch_add(1);
        });
    }
    int taken = 0;
    bool lost = false;
    while (taken < threads * turns && !lost) {
        const auto begin = poller_clock::now();
        recorder seen;
        BOOST_REQUIRE(!poll.wait(10s, seen).error);
        lost = poller_clock::now() - begin >= 10s;
        for (std::atomic<int>& box : inbox) {
            if (box.exchange(0, std::memory_order_relaxed) == 1) {
                box.notify_one();
                ++taken;
            }
        }
    }
    give_up = lost;
    while (ended < threads) { // nobody is left waiting, whatever went wrong
        for (std::atomic<int>& box : inbox) {
            box.store(0, std::memory_order_relaxed);
            box.notify_one();
        }
    }
    for (std::thread& producer : producers) {
        producer.join();
    }
    BOOST_TEST(!lost);
    BOOST_TEST(taken == threads * turns);
}

// ---- composition ----

namespace {

/// Everything this policy asks of a network.
struct pipe_network {
    struct socket {
        int handle = -1;
        int native_handle() const noexcept { return handle; }
    };
    struct endpoint {};
    int mark = 0;
};

#if __has_include(<sys/epoll.h>)
using pipe_pollers = boost::mp11::mp_list<basic_posix_poll<pipe_network>, basic_linux_epoll<pipe_network>>;
#else
using pipe_pollers = boost::mp11::mp_list<basic_posix_poll<pipe_network>>;
#endif

} // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(it_polls_the_sockets_of_any_network_and_moves_before_it_opens, Poll, pipe_pollers) {
    Poll first(pipe_network{.mark = 5});
    Poll poll(std::move(first));
    BOOST_TEST(poll.network().mark == 5);
    BOOST_REQUIRE(!poll.open());
    posix::wake_pipe pipe;
    BOOST_REQUIRE(!pipe.open());
    typename Poll::registration entry;
    BOOST_REQUIRE(!poll.attach(entry, pipe_network::socket{pipe.read_descriptor()}, 11));
    BOOST_REQUIRE(!poll.arm(entry, interest::read));
    pipe.wake();
    recorder seen;
    BOOST_REQUIRE(!poll.wait(10s, seen).error);
    BOOST_TEST((seen.sorted_keys() == std::vector<std::uintptr_t>{11}));
}

BOOST_AUTO_TEST_SUITE_END()
