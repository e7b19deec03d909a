// SPDX-License-Identifier: BSL-1.0
// Tests for every poll policy of this system: one for each way in which a poller is known to go wrong.

#include "poll_recorder.hpp"
#include "support/eight_threads.hpp"
#include "support/own_ports.hpp"
#include "support/scarce_memory.hpp"
#include "support/socket_pairs.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/policies/poll/null_poll.hpp>

#include <pollers.hpp>

#include <boost/mp11/list.hpp>

#if !defined(_WIN32)
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#endif

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <climits>
#include <cstdint>
#include <latch>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

using namespace tofu;
using namespace tofu_test;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using poller_clock = std::chrono::steady_clock;

namespace {

using network = tofu::platform::network<>;
using all_pollers = pollers_over<network>;
using reattaching_pollers = reattaching_pollers_over<network>;
/// And one that has no sockets, but waits and wakes.
using waking_pollers = boost::mp11::mp_push_back<all_pollers, tofu::null_poll>;

#if !defined(_WIN32)
static_assert(posix::to_poll_timeout(nanoseconds::max()) == -1);
static_assert(posix::to_poll_timeout(nanoseconds::min()) == 0);
static_assert(posix::to_poll_timeout(0ns) == 0);
static_assert(posix::to_poll_timeout(1ns) == 1);
static_assert(posix::to_poll_timeout(1ms) == 1);
static_assert(posix::to_poll_timeout(1ms + 1ns) == 2);
static_assert(posix::to_poll_timeout(nanoseconds::max() - 1ns) == INT_MAX);
#endif

/// One connection. attach() makes its server side known to the poller. The poller outlives this object.
template <class Poll>
struct watched {
    socket_pair pair = connect_pair();
    typename Poll::registration entry;

    watched() = default;
    watched(opened_poll<Poll>& poll, std::uintptr_t key, interest wanted) { watch(poll, key, wanted); }
    watched(const watched&) = delete;
    watched& operator=(const watched&) = delete;
    ~watched() { forget(); }

    void attach(opened_poll<Poll>& poll, std::uintptr_t key) {
        poll.attach(entry, pair.server, key);
        poll_ = &poll;
        key_ = key;
    }
    io_error try_attach(opened_poll<Poll>& poll, std::uintptr_t key) {
        const io_error error = poll.try_attach(entry, pair.server, key);
        if (error) return error;
        poll_ = &poll;
        key_ = key;
        return {};
    }
    void watch(opened_poll<Poll>& poll, std::uintptr_t key, interest wanted) {
        attach(poll, key);
        poll.arm(entry, wanted);
    }
    void forget() {
        if (poll_ != nullptr) std::exchange(poll_, nullptr)->forget(entry, key_);
    }
    void send() { BOOST_REQUIRE_EQUAL(send_text(pair.client, "x"), 1U); }
    void await_arrival() { await(pair.server.native_handle(), POLLIN); }

private:
    opened_poll<Poll>* poll_ = nullptr;
    std::uintptr_t key_ = 0;
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
    const auto& seen = poll.wait_for(10s);
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
    poll.arm(one.entry, interest::read);
    BOOST_CHECK(poll.only_report(10s) == readiness::readable);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(only_what_was_asked_for_is_reported, Poll, all_pollers) {
    opened_poll<Poll> poll;
    watched<Poll> one(poll, 1, interest::write);
    one.send();
    one.await_arrival();
    BOOST_CHECK(poll.only_report(0ns) == readiness::writable);
    poll.arm(one.entry, interest::read);
    BOOST_CHECK(poll.only_report(0ns) == readiness::readable);
    poll.arm(one.entry, interest::read); // the same again
    BOOST_CHECK(poll.only_report(0ns) == readiness::readable);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(both_directions_come_in_one_report, Poll, all_pollers) {
    opened_poll<Poll> poll;
    watched<Poll> one(poll, 1, interest::none);
    one.send();
    one.await_arrival();
    poll.arm(one.entry, read_and_write);
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
    watched<Poll> one(poll, 1, interest::none);
    one.pair.client.abort();
    one.await_arrival();
    poll.arm(one.entry, interest::write);
    const readiness seen = poll.only_report(10s);
    BOOST_TEST(any(seen & readiness::failed));
    BOOST_TEST(any(seen & readiness::readable));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_refused_connect_is_a_failure, Poll, all_pollers) {
    opened_poll<Poll> poll;
    const refusing_port refusing;
    io_error error;
    platform::socket client = platform::socket::connect(endpoint_at("127.0.0.1", refusing.where().port()), {}, error);
    BOOST_REQUIRE(error.kind == io_failure::would_block);
    typename Poll::registration entry;
    poll.attach(entry, client, 9);
    poll.arm(entry, interest::write);
    BOOST_TEST(any(poll.only_report(10s) & readiness::failed));
    BOOST_CHECK(client.finish_connect().kind == io_failure::refused);
    poll.forget(entry, 9);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_waiting_connection_makes_its_listener_readable, Poll, all_pollers) {
    opened_poll<Poll> poll;
    platform::socket listener = listen_at(endpoint_at("127.0.0.1"));
    typename Poll::registration entry;
    poll.attach(entry, listener, 3);
    poll.arm(entry, interest::read);
    platform::socket client;
    BOOST_REQUIRE(!connect_to(listener.local_endpoint(), client));
    BOOST_CHECK(poll.only_report(10s) == readiness::readable);
    poll.forget(entry, 3);
}

// ---- silence ----

BOOST_AUTO_TEST_CASE_TEMPLATE(a_reset_peer_is_silent_while_nothing_is_wanted, Poll, all_pollers) {
    opened_poll<Poll> poll;
    watched<Poll> attached_only;
    attached_only.attach(poll, 1);
    watched<Poll> hushed(poll, 2, read_and_write);
    poll.arm(hushed.entry, interest::none);
    for (watched<Poll>* one : {&attached_only, &hushed}) {
        one->pair.client.abort();
        one->await_arrival();
    }
    BOOST_TEST(poll.is_silent());
    poll.arm(hushed.entry, interest::read);
    BOOST_CHECK(poll.only_report(0ns) == (readiness::readable | readiness::failed));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_half_closed_peer_is_silent_while_only_writing_is_wanted, Poll, all_pollers) {
    opened_poll<Poll> poll;
    watched<Poll> one(poll, 1, interest::none);
    const std::vector<std::byte> much(1 << 16);
    const const_buffer piece{much.data(), much.size()};
    while (!one.pair.server.write({&piece, 1}).error) {
    }
    BOOST_REQUIRE(!one.pair.client.shutdown_write());
    one.await_arrival();
    poll.arm(one.entry, interest::write);
    BOOST_TEST(poll.is_silent());
    std::vector<std::byte> room(1 << 16);
    readiness seen = readiness::none;
    for (const auto until = poller_clock::now() + 10s; !any(seen) && poller_clock::now() < until;) {
        static_cast<void>(read_into(one.pair.client, room));
        seen = poll.only_report(0ns);
    }
    for (int count = 0; count < 3; ++count) {
        BOOST_CHECK(seen == readiness::writable);
        seen = poll.only_report(10s); // again and again
    }
    poll.arm(one.entry, interest::none);
    BOOST_TEST(poll.is_silent());
    poll.arm(one.entry, read_and_write);
    BOOST_CHECK(poll.only_report(10s) == (readiness::readable | readiness::writable));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_forgotten_socket_is_silent_and_can_be_known_again, Poll, reattaching_pollers) {
    opened_poll<Poll> poll;
    watched<Poll> one(poll, 1, interest::read);
    one.send();
    one.forget();
    BOOST_CHECK(poll.bare().disarm(one.entry) == disarmed::released); // not attached any more: nothing to do
    one.await_arrival();
    BOOST_TEST(poll.is_silent());
    one.watch(poll, 2, interest::read);
    const auto& seen = poll.wait_for(10s);
    BOOST_TEST((seen.sorted_keys() == std::vector<std::uintptr_t>{2}));
}

// ---- many ----

BOOST_AUTO_TEST_CASE_TEMPLATE(forgetting_some_keeps_all_the_others, Poll, reattaching_pollers) {
    constexpr unsigned count = 5;
    opened_poll<Poll> poll;
    std::array<watched<Poll>, count> all;
    for (watched<Poll>& one : all) {
        one.send();
        one.await_arrival();
    }
    for (unsigned forgotten = 0; forgotten < (1U << count); ++forgotten) {
        for (const bool backwards : {false, true}) {
            std::vector<std::uintptr_t> kept;
            for (unsigned index = 0; index < count; ++index) {
                all[index].watch(poll, index + 1, interest::read);
            }
            for (unsigned step = 0; step < count; ++step) {
                const unsigned index = backwards ? count - 1 - step : step;
                if ((forgotten >> index & 1U) != 0) {
                    all[index].forget();
                } else {
                    kept.push_back(index + 1);
                }
            }
            std::sort(kept.begin(), kept.end());
            BOOST_TEST((poll.wait_for(0ns).sorted_keys() == kept), "forgotten " << forgotten);
            for (const std::uintptr_t key : kept) { // the others' places are right too, not only their descriptors
                poll.arm(all[key - 1].entry, interest::none);
                all[key - 1].forget();
            }
            BOOST_TEST(poll.wait_for(0ns).reports.empty());
        }
    }
}

namespace {

/// The number of connections that a test may have at once; each takes two sockets.
std::size_t many() {
#if defined(_WIN32)
    return 150; // Wine takes its time for each
#else
    rlimit limit{};
    BOOST_REQUIRE_EQUAL(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    return limit.rlim_cur >= 1024 ? 400 : 50;
#endif
}

} // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(many_sockets_are_told_apart, Poll, all_pollers) {
    const std::size_t count = many();
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

// ---- lack of memory ----

BOOST_AUTO_TEST_CASE_TEMPLATE(without_memory_a_poller_does_not_open, Poll, all_pollers) {
    const auto open = [] { return Poll().open(); };
    const auto refused = [](io_error error) { BOOST_CHECK(error.kind == io_failure::no_memory); };
    BOOST_TEST(!with_each_refusal(open, refused));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(without_memory_for_a_socket_all_others_stay_as_they_were, Poll, all_pollers) {
    constexpr std::uintptr_t count = 40; // the arrays of posix_poll grow three times
    opened_poll<Poll> poll;
    std::array<watched<Poll>, count> all;
    std::vector<std::uintptr_t> expected;
    for (std::uintptr_t key = 1; key <= count; ++key) {
        watched<Poll>& one = all[key - 1];
        one.send();
        one.await_arrival();
        const auto attach = [&] { return one.try_attach(poll, key); };
        const auto refused = [&](io_error error) {
            BOOST_CHECK(error.kind == io_failure::no_memory);
            BOOST_TEST((poll.wait_for(0ns).sorted_keys() == expected), "refused " << key);
        };
        BOOST_REQUIRE(!with_each_refusal(attach, refused));
        poll.arm(one.entry, interest::read);
        expected.push_back(key);
        BOOST_REQUIRE((poll.wait_for(0ns).sorted_keys() == expected));
    }
    for (std::uintptr_t key = 1; key <= count; ++key) { // each is still known by its own place
        all[key - 1].forget();
        expected.erase(expected.begin());
        BOOST_REQUIRE((poll.wait_for(0ns).sorted_keys() == expected));
    }
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

#if !defined(_WIN32)

namespace {

std::atomic<int> signals_handled = 0;

void count_signal(int) { signals_handled.fetch_add(1); }

} // namespace

// In a thread of its own: when a ring of io_uring ends, as in an earlier case, the kernel interrupts a system call of
// the thread that used the ring.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_signal_ends_the_wait_as_interrupted_and_without_an_error, Poll, all_pollers) {
    struct sigaction counting {};
    struct sigaction before {};
    counting.sa_handler = count_signal;
    BOOST_REQUIRE_EQUAL(::sigaction(SIGUSR1, &counting, &before), 0);
    signals_handled = 0;

    opened_poll<Poll> poll;
    recorder<Poll> seen;
    std::atomic<bool> done = false;
    std::latch quiet(1);
    wait_result result;
    wait_result after;
    const auto begin = poller_clock::now();
    auto end = begin;
    std::thread waiting([&] {
        result = poll.bare().wait(60s, seen);
        end = poller_clock::now();
        done = true;
        quiet.wait();
        after = poll.bare().wait(0ns, seen);
    });
    while (!done) { // the first signal may come before the wait has begun
        ::pthread_kill(waiting.native_handle(), SIGUSR1);
        std::this_thread::sleep_for(1ms);
    }
    quiet.count_down();
    waiting.join();
    BOOST_REQUIRE_EQUAL(::sigaction(SIGUSR1, &before, nullptr), 0);

    BOOST_TEST(!result.error);
    BOOST_TEST(result.interrupted);
    BOOST_TEST(seen.reports.empty());
    BOOST_TEST((end - begin < 30s));
    BOOST_TEST(signals_handled > 0);
    BOOST_TEST(!after.interrupted);
}

#endif

// ---- waking ----

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wake_ends_the_next_wait_and_only_that_one, Poll, waking_pollers) {
    opened_poll<Poll> poll;
    poll.wake();
    BOOST_TEST(poll.wait_for(nanoseconds::max()).reports.empty());
    BOOST_TEST(poll.is_silent());
    poll.wake();
    BOOST_TEST(poll.wait_for(nanoseconds::max()).reports.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wake_ends_a_wait_that_is_on, Poll, waking_pollers) {
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

BOOST_AUTO_TEST_CASE_TEMPLATE(many_wakes_of_many_threads_end_one_wait, Poll, waking_pollers) {
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

BOOST_AUTO_TEST_CASE_TEMPLATE(no_wake_is_lost_among_eight_threads, Poll, waking_pollers) {
    // Each thread sets its box, wakes, and waits until the box is taken. After a lost wake, a wait lasts its full time
    // although a box is set. A box can also be set just after a wait has ended; then its wake ends the next wait at
    // once. Every poller can wait 1 s. The boxes are relaxed: only wake and wait order them.
    constexpr auto whole_wait = 1s;
    constexpr int turns = 5'000;
    opened_poll<Poll> poll;
    recorder<Poll> seen;
    std::array<std::atomic<int>, 8> boxes{};
    std::atomic<bool> over = false;
    side_thread producers([&] {
        on_eight_threads([&](std::size_t number) {
            for (int turn = 0; turn < turns && !over; ++turn) {
                boxes[number].store(1, std::memory_order_relaxed);
                poll.wake();
                while (boxes[number].load(std::memory_order_relaxed) == 1 && !over) std::this_thread::yield();
            }
        });
    });
    const auto lasts_whole = [&] {
        const auto begin = poller_clock::now();
        const wait_result result = poll.bare().wait(whole_wait, seen);
        BOOST_TEST(!result.error);
        return poller_clock::now() - begin >= whole_wait;
    };
    const auto is_set = [](const std::atomic<int>& box) { return box.load(std::memory_order_relaxed) == 1; };
    bool lost = false;
    std::size_t taken = 0;
    while (taken < boxes.size() * turns && !lost) {
        lost = lasts_whole() && std::any_of(boxes.begin(), boxes.end(), is_set) && lasts_whole();
        for (std::atomic<int>& box : boxes)
            taken += static_cast<std::size_t>(box.exchange(0, std::memory_order_relaxed));
    }
    over = true;
    producers.join();
    BOOST_TEST(!lost);
    BOOST_TEST(taken == boxes.size() * turns);
}

// ---- composition ----

namespace {

/// Everything these policies ask of a network.
struct bare_network {
    struct socket {
        bare_socket::handle handle = bare_socket::none;
        bare_socket::handle native_handle() const noexcept { return handle; }
    };
    struct endpoint {};
    int mark = 0;
};

using bare_pollers = reattaching_pollers_over<bare_network>;

} // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(it_polls_the_sockets_of_any_network_and_moves_before_it_opens, Poll, bare_pollers) {
    Poll first(bare_network{.mark = 5});
    opened_poll<Poll> poll(std::move(first));
    BOOST_TEST(poll.bare().network().mark == 5);
    bare_socket listener(AF_INET);
    listener.bind(tcp_address{"127.0.0.1", 0});
    listener.listen();
    bare_socket client(AF_INET);
    client.connect(listener.where());
    const bare_socket server = listener.accept();
    typename Poll::registration entry;
    poll.attach(entry, bare_network::socket{server.get()}, 11);
    poll.arm(entry, interest::read);
    BOOST_TEST(poll.is_silent());
    client.close();
    BOOST_TEST((poll.wait_for(10s).sorted_keys() == std::vector<std::uintptr_t>{11}));
    poll.forget(entry, 11);
}

BOOST_AUTO_TEST_SUITE_END()
