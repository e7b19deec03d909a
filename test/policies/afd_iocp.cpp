// SPDX-License-Identifier: BSL-1.0
// Tests of the hazards between AFD, a completion port and a reactor: one for each hazard, in both modes.

#include "poll_recorder.hpp"
#include "support/own_ports.hpp"
#include "support/socket_pairs.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/policies/poll/afd_iocp.hpp>

#include <boost/mp11/list.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

using namespace tofu;
using namespace tofu_test;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using steady = std::chrono::steady_clock;

namespace {

using both_modes = boost::mp11::mp_list<afd_iocp, afd_iocp_direct>;

constexpr interest read_and_write = interest::read | interest::write;

/// A poller with registrations that live until the kernel has released them.
template <class Poll>
class station {
public:
    using registration = typename Poll::registration;

    station() = default;
    ~station() {
        for (auto& [key, entry] : entries_) static_cast<void>(poll().disarm(*entry));
        const auto until = steady::now() + 10s;
        while (poll().in_flight() != 0 && steady::now() < until) static_cast<void>(opened_.look(10ms));
        BOOST_TEST(poll().in_flight() == 0U);
    }
    station(const station&) = delete;
    station& operator=(const station&) = delete;

    Poll& poll() { return opened_.bare(); }
    poll_counts counts() const { return opened_.bare().counts(); }

    registration& attach(std::uintptr_t key, const platform::socket& which) {
        auto& entry = entries_[key];
        entry = std::make_unique<registration>();
        opened_.attach(*entry, which, key);
        return *entry;
    }
    void arm(std::uintptr_t key, interest wanted) { opened_.arm(*entries_.at(key), wanted); }
    io_error try_arm(std::uintptr_t key, interest wanted) { return poll().arm(*entries_.at(key), wanted); }
    disarmed disarm(std::uintptr_t key) { return poll().disarm(*entries_.at(key)); }

    /// The reports of one wait, in order.
    std::vector<std::pair<std::uintptr_t, readiness>> wait(nanoseconds timeout) {
        const wait_result result = opened_.look(timeout);
        BOOST_TEST(!result.error);
        last_was_full_ = result.full;
        return opened_.seen().reports;
    }
    /// Of the only socket that has anything to tell; none when silent.
    readiness only_report(nanoseconds timeout) {
        const auto all = wait(timeout);
        BOOST_REQUIRE(all.size() <= 1);
        return all.empty() ? readiness::none : all[0].second;
    }
    /// Keys released in the last wait.
    const std::vector<std::uintptr_t>& releases() const { return opened_.seen().releases; }
    bool last_was_full() const { return last_was_full_; }

    /// Waits until `key` is released; nothing else may be reported of it.
    void await_release(std::uintptr_t key) {
        const auto until = steady::now() + 10s;
        for (;;) {
            for (const auto& report : wait(100ms)) BOOST_TEST(report.first != key);
            if (std::find(releases().begin(), releases().end(), key) != releases().end()) return;
            BOOST_REQUIRE(steady::now() < until);
        }
    }

private:
    opened_poll<Poll> opened_;
    std::map<std::uintptr_t, std::unique_ptr<registration>> entries_;
    bool last_was_full_ = false;
};

/// One connection, its server side attached under key 1.
template <class Poll>
struct one_connection : station<Poll> {
    socket_pair pair = connect_pair();

    one_connection() { this->attach(1, pair.server); }

    void send(std::string_view text) { BOOST_REQUIRE_EQUAL(send_text(pair.client, text), text.size()); }
    void await_arrival() { await(pair.server.native_handle(), POLLIN); }
    std::size_t read(std::size_t most) {
        std::vector<std::byte> room(most);
        const mutable_buffer place{room.data(), room.size()};
        const io_result got = pair.server.read({&place, 1});
        BOOST_REQUIRE(!got.error);
        return got.bytes;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(afd_iocp)

// ---- level-triggered, once per submission ----

BOOST_AUTO_TEST_CASE_TEMPLATE(what_a_partial_drain_leaves_is_reported_again, Poll, both_modes) {
    one_connection<Poll> here;
    here.arm(1, interest::read);
    here.send("abc");
    for (int left = 3; left > 0; --left) {
        BOOST_CHECK(here.only_report(10s) == readiness::readable);
        BOOST_TEST(here.read(1) == 1U);
    }
    BOOST_CHECK(here.only_report(20ms) == readiness::none);
    BOOST_TEST(here.counts().submitted == 4U); // one for each report, and the one that waits
    BOOST_TEST(here.counts().cancelled == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_poll_that_succeeds_at_once_is_dealt_with_once, Poll, both_modes) {
    one_connection<Poll> here;
    here.send("x");
    here.await_arrival();
    here.arm(1, interest::read);
    BOOST_TEST(here.poll().in_flight() == 1U);
    BOOST_CHECK(here.only_report(10s) == readiness::readable);
    BOOST_TEST(here.poll().in_flight() == 0U);
    BOOST_TEST(here.read(8) == 1U);
    here.arm(1, interest::read);
    BOOST_CHECK(here.only_report(20ms) == readiness::none);
    BOOST_TEST(here.counts().submitted == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(both_directions_come_in_one_report, Poll, both_modes) {
    one_connection<Poll> here;
    here.send("x");
    here.await_arrival();
    here.arm(1, read_and_write);
    BOOST_CHECK(here.only_report(10s) == (readiness::readable | readiness::writable));
}

// ---- interest: changes that cost a call, and sockets that are silent ----

BOOST_AUTO_TEST_CASE_TEMPLATE(unchanged_and_narrowed_interest_cost_nothing, Poll, both_modes) {
    one_connection<Poll> here;
    here.arm(1, interest::read);
    here.arm(1, interest::read);
    here.arm(1, interest::none);
    here.arm(1, interest::read);
    BOOST_TEST(here.counts().submitted == 1U);
    BOOST_TEST(here.counts().cancelled == 0U);
    here.send("x");
    BOOST_CHECK(here.only_report(10s) == readiness::readable);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(interest_dropped_while_armed_is_silent_and_taken_up_again_it_tells, Poll, both_modes) {
    one_connection<Poll> here;
    here.arm(1, interest::read);
    here.arm(1, interest::none); // the pool is empty
    here.send("x");
    here.await_arrival();
    BOOST_CHECK(here.only_report(30ms) == readiness::none);
    BOOST_TEST(here.counts().submitted == 1U); // an unwanted completion is not asked for again
    BOOST_TEST(here.poll().in_flight() == 0U);
    here.arm(1, interest::read);
    BOOST_CHECK(here.only_report(10s) == readiness::readable);
    BOOST_TEST(here.counts().submitted == 2U);
    BOOST_TEST(here.counts().cancelled == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(widened_interest_is_cancelled_and_submitted_anew, Poll, both_modes) {
    one_connection<Poll> here;
    here.arm(1, interest::read);
    here.arm(1, read_and_write);
    BOOST_TEST(here.counts().submitted == 1U); // not before the first has completed
    BOOST_TEST(here.counts().cancelled == 1U);
    BOOST_TEST(here.poll().in_flight() == 1U);
    BOOST_CHECK(here.only_report(10s) == readiness::writable);
    BOOST_TEST(here.counts().submitted == 2U);
    here.send("x");
    here.await_arrival();
    BOOST_CHECK(here.only_report(10s) == (readiness::readable | readiness::writable));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(interest_that_changes_while_a_cancel_is_under_way_is_the_last_one, Poll, both_modes) {
    one_connection<Poll> here;
    here.arm(1, interest::read);
    here.arm(1, interest::write);
    here.arm(1, interest::none);
    here.arm(1, interest::read);
    BOOST_TEST(here.counts().cancelled == 1U);
    BOOST_CHECK(here.only_report(20ms) == readiness::none); // writable all the time, and not wanted
    here.send("x");
    BOOST_CHECK(here.only_report(10s) == readiness::readable);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cancel_that_finds_nothing_loses_nothing, Poll, both_modes) {
    one_connection<Poll> here;
    here.send("x");
    here.await_arrival();
    here.arm(1, interest::read); // completes at once: the completion is in the queue
    here.arm(1, read_and_write); // so this cancel comes too late
    BOOST_TEST(here.counts().cancelled == 1U);
    readiness seen = here.only_report(10s);
    BOOST_TEST(any(seen & readiness::readable));
    for (int more = 0; more < 3 && !any(seen & readiness::writable); ++more) seen |= here.only_report(10s);
    BOOST_CHECK(seen == (readiness::readable | readiness::writable));
}

// ---- the end of a socket ----

BOOST_AUTO_TEST_CASE_TEMPLATE(a_socket_closed_while_armed_is_owed_and_then_released_once, Poll, both_modes) {
    one_connection<Poll> here;
    here.arm(1, interest::read);
    BOOST_CHECK(here.disarm(1) == disarmed::owed);
    BOOST_CHECK(here.disarm(1) == disarmed::owed); // still
    here.pair.server.close();
    BOOST_TEST(here.poll().in_flight() == 1U);
    here.await_release(1);
    BOOST_TEST(here.poll().in_flight() == 0U);
    BOOST_CHECK(here.disarm(1) == disarmed::released);
    BOOST_TEST(here.wait(20ms).empty());
    BOOST_TEST(here.releases().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_socket_with_nothing_in_flight_is_released_at_once, Poll, both_modes) {
    one_connection<Poll> here;
    BOOST_CHECK(here.disarm(1) == disarmed::released);
    here.attach(2, here.pair.client);
    BOOST_CHECK(here.disarm(2) == disarmed::released);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_completion_for_a_zombie_only_releases_it, Poll, both_modes) {
    one_connection<Poll> here;
    here.arm(1, interest::read);
    here.send("x"); // so the poll completes with data, not with the cancel
    here.await_arrival();
    BOOST_CHECK(here.disarm(1) == disarmed::owed);
    here.pair.server.close();
    here.await_release(1); // which checks that it is not reported
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cancel_under_way_ends_in_a_release, Poll, both_modes) {
    one_connection<Poll> here;
    here.arm(1, interest::read);
    here.arm(1, read_and_write);
    BOOST_CHECK(here.disarm(1) == disarmed::owed);
    BOOST_TEST(here.counts().cancelled == 1U); // once is enough
    here.pair.server.close();
    here.await_release(1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handle_value_used_again_at_once_is_another_socket, Poll, both_modes) {
    station<Poll> here;
    platform::socket listener = listen_at(endpoint_at("127.0.0.1"));
    int same = 0;
    for (std::uintptr_t turn = 1; turn <= 100; turn += 2) {
        socket_pair first = connect_pair(listener);
        const auto value = first.server.native_handle();
        here.attach(turn, first.server);
        here.arm(turn, interest::read);
        BOOST_REQUIRE(here.disarm(turn) == disarmed::owed);
        first.server.close();
        std::vector<socket_pair> fillers; // of all lower values that are free
        socket_pair second = connect_pair(listener);
        const auto has_it = [&] {
            return second.client.native_handle() == value || second.server.native_handle() == value;
        };
        while (!has_it() && fillers.size() < 8) {
            fillers.push_back(std::move(second));
            second = connect_pair(listener);
        }
        const bool client_has_it = second.client.native_handle() == value;
        platform::socket& watched = client_has_it ? second.client : second.server;
        platform::socket& other = client_has_it ? second.server : second.client;
        same += watched.native_handle() == value ? 1 : 0;
        here.attach(turn + 1, watched);
        here.arm(turn + 1, interest::read);
        here.await_release(turn); // and no report of it
        BOOST_CHECK(here.only_report(0ns) == readiness::none);
        BOOST_REQUIRE_EQUAL(send_text(other, "x"), 1U);
        const auto reports = here.wait(10s);
        BOOST_REQUIRE_EQUAL(reports.size(), 1U);
        BOOST_TEST(reports[0].first == turn + 1);
        BOOST_REQUIRE(here.disarm(turn + 1) == disarmed::released);
    }
    BOOST_TEST(same > 0); // or this has shown nothing
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_registration_is_attached_again_from_within_its_release, Poll, both_modes) {
    one_connection<Poll> here;
    here.arm(1, interest::read);
    BOOST_REQUIRE(here.disarm(1) == disarmed::owed);
    here.pair.server.close();
    here.await_release(1);
    here.pair = connect_pair();
    here.attach(1, here.pair.server);
    here.arm(1, interest::read);
    here.send("x");
    BOOST_CHECK(here.only_report(10s) == readiness::readable);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_socket_closed_behind_the_pollers_back_has_failed_and_arm_says_so, Poll, both_modes) {
    one_connection<Poll> here;
    here.arm(1, interest::read);
    here.pair.server.close();
    BOOST_TEST(any(here.only_report(10s) & readiness::failed));
    BOOST_TEST(any(here.only_report(10s) & readiness::failed)); // the next wait could not submit it
    BOOST_CHECK(here.try_arm(1, interest::read));
    BOOST_CHECK(here.only_report(20ms) == readiness::none); // and then there is nothing more to say
}

BOOST_AUTO_TEST_CASE(a_poller_that_goes_with_polls_in_flight_harms_nobody) {
    // The kernel may still write to the registration, which must outlive the poller: the pool leaks such slots, and so
    // does this test.
    socket_pair pair = connect_pair();
    auto entry = std::make_unique<tofu::afd_iocp::registration>();
    {
        tofu::afd_iocp poll;
        BOOST_REQUIRE(!poll.open());
        BOOST_REQUIRE(!poll.attach(*entry, pair.server, 1));
        BOOST_REQUIRE(!poll.arm(*entry, interest::read));
        BOOST_CHECK(poll.disarm(*entry) == disarmed::owed);
        BOOST_TEST(poll.in_flight() == 1U);
    }
    static_cast<void>(entry.release());
    BOOST_REQUIRE_EQUAL(send_text(pair.client, "x"), 1U); // the socket is as good as before
    await(pair.server.native_handle(), POLLIN);
}

// ---- peers ----

BOOST_AUTO_TEST_CASE_TEMPLATE(a_refused_connect_is_a_failure_and_its_error_is_kept, Poll, both_modes) {
    station<Poll> here;
    const refusing_port refusing;
    io_error error;
    platform::socket client = platform::socket::connect(endpoint_at("127.0.0.1", refusing.where().port()), {}, error);
    BOOST_REQUIRE(error.kind == io_failure::would_block);
    here.attach(1, client);
    here.arm(1, interest::write);
    BOOST_TEST(any(here.only_report(10s) & readiness::failed));
    BOOST_CHECK(client.finish_connect().kind == io_failure::refused);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_connect_that_succeeds_is_writable, Poll, both_modes) {
    station<Poll> here;
    platform::socket listener = listen_at(endpoint_at("127.0.0.1"));
    io_error error;
    platform::socket client = platform::socket::connect(listener.local_endpoint(), {}, error);
    BOOST_REQUIRE(!error || error.kind == io_failure::would_block);
    here.attach(1, client);
    here.arm(1, interest::write);
    BOOST_CHECK(here.only_report(10s) == readiness::writable);
    BOOST_TEST(!client.finish_connect());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_reset_by_the_peer_is_a_failure_and_silent_when_nothing_is_wanted, Poll, both_modes) {
    one_connection<Poll> here;
    here.arm(1, interest::write);
    BOOST_CHECK(here.only_report(10s) == readiness::writable);
    here.arm(1, interest::none);
    here.pair.client.abort();
    here.await_arrival();
    BOOST_CHECK(here.only_report(30ms) == readiness::none);
    here.arm(1, interest::read);
    BOOST_TEST(any(here.only_report(10s) & readiness::readable));
    here.arm(1, interest::none);
    BOOST_CHECK(here.only_report(30ms) == readiness::none);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_half_close_is_readable_after_the_data_and_no_failure, Poll, both_modes) {
    one_connection<Poll> here;
    here.arm(1, interest::read);
    here.send("xy");
    BOOST_REQUIRE(!here.pair.client.shutdown_write());
    for (const std::size_t expected : {1, 1, 0}) {
        BOOST_CHECK(here.only_report(10s) == readiness::readable);
        BOOST_TEST(here.read(1) == expected);
    }
    here.arm(1, interest::none); // a reader that has seen the end asks no more
    BOOST_CHECK(here.only_report(30ms) == readiness::none);
    here.arm(1, interest::write);
    BOOST_CHECK(here.only_report(10s) == readiness::writable);
}

// ---- many ----

BOOST_AUTO_TEST_CASE_TEMPLATE(any_number_of_sockets_is_told_apart, Poll, both_modes) {
    platform::socket listener = listen_at(endpoint_at("127.0.0.1"));
    for (const std::size_t count : {63U, 64U, 65U, 1'000U}) {
        std::vector<socket_pair> pairs;
        pairs.reserve(count);
        station<Poll> here;
        std::vector<std::uintptr_t> expected;
        for (std::uintptr_t key = 1; key <= count; ++key) {
            pairs.push_back(connect_pair(listener));
            here.attach(key, pairs.back().server);
            here.arm(key, interest::read);
            if (key % 3 != 0) continue;
            BOOST_REQUIRE_EQUAL(send_text(pairs.back().client, "x"), 1U);
            await(pairs.back().server.native_handle(), POLLIN);
            expected.push_back(key);
        }
        std::vector<std::uintptr_t> seen;
        bool full = true;
        while (full && seen.size() < expected.size()) {
            for (const auto& report : here.wait(10s)) seen.push_back(report.first);
            full = here.last_was_full();
            // Every reported socket has had its turn; without interest it is not reported again.
            for (const std::uintptr_t key : seen) here.arm(key, interest::none);
        }
        std::sort(seen.begin(), seen.end());
        BOOST_TEST((seen == expected), count << " sockets");
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(idle_sockets_cost_nothing_beside_a_busy_one, Poll, both_modes) {
    constexpr std::uintptr_t count = 100;
    platform::socket listener = listen_at(endpoint_at("127.0.0.1"));
    std::vector<socket_pair> pairs;
    station<Poll> here;
    for (std::uintptr_t key = 1; key <= count; ++key) {
        pairs.push_back(connect_pair(listener));
        here.attach(key, pairs.back().server);
        here.arm(key, interest::read);
    }
    const poll_counts before = here.counts();
    BOOST_TEST(before.submitted == count);
    for (int turn = 0; turn < 50; ++turn) {
        BOOST_REQUIRE_EQUAL(send_text(pairs[7].client, "x"), 1U);
        const auto reports = here.wait(10s);
        BOOST_REQUIRE_EQUAL(reports.size(), 1U);
        BOOST_TEST(reports[0].first == 8U);
        std::byte room[8];
        const mutable_buffer place{room, sizeof room};
        BOOST_TEST(pairs[7].server.read({&place, 1}).bytes == 1U);
        here.arm(8, interest::read);
    }
    BOOST_TEST(here.counts().submitted - before.submitted == 50U);
    BOOST_TEST(here.counts().cancelled == 0U);
}

// ---- time and waking ----

BOOST_AUTO_TEST_CASE_TEMPLATE(cancellations_do_not_end_a_wait_before_its_time, Poll, both_modes) {
    one_connection<Poll> here;
    here.arm(1, interest::write);
    BOOST_CHECK(here.only_report(10s) == readiness::writable);
    here.arm(1, interest::read);
    here.arm(1, interest::none);
    here.arm(1, interest::read);
    const auto begin = steady::now();
    BOOST_CHECK(here.only_report(50ms) == readiness::none);
    BOOST_TEST((steady::now() - begin >= 50ms));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(no_wait_is_shorter_than_asked_for_and_none_longer_than_a_second, Poll, both_modes) {
    one_connection<Poll> here;
    here.arm(1, interest::read);
    for (const nanoseconds timeout : {nanoseconds(1), nanoseconds(1'000'001), nanoseconds(20ms)}) {
        const auto begin = steady::now();
        BOOST_TEST(here.wait(timeout).empty());
        BOOST_TEST((steady::now() - begin >= timeout), timeout.count() << " ns");
    }
    const auto begin = steady::now();
    BOOST_TEST(here.wait(nanoseconds::max()).empty());
    BOOST_TEST((steady::now() - begin < 10s));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_storm_of_wakes_is_one_post_for_each_wait, Poll, both_modes) {
    constexpr int threads = 8;
    constexpr int turns = 20'000;
    station<Poll> here;
    std::vector<std::thread> wakers;
    for (int count = 0; count < threads; ++count)
        wakers.emplace_back([&here] {
            for (int turn = 0; turn < turns; ++turn) here.poll().wake();
        });
    for (std::thread& waker : wakers) waker.join();
    BOOST_TEST(here.counts().wakes == 1U);
    BOOST_TEST(here.wait(10s).empty());
    const auto begin = steady::now();
    BOOST_TEST(here.wait(30ms).empty()); // there was one only
    BOOST_TEST((steady::now() - begin >= 30ms));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(wakes_of_eight_threads_are_at_most_one_post_for_each_wait, Poll, both_modes) {
    constexpr int threads = 8;
    station<Poll> here;
    std::atomic<int> running = threads;
    std::vector<std::thread> wakers;
    for (int count = 0; count < threads; ++count)
        wakers.emplace_back([&] {
            for (int turn = 0; turn < 20'000; ++turn) here.poll().wake();
            running.fetch_sub(1);
            here.poll().wake();
        });
    std::uint64_t waits = 0;
    while (running.load() != 0) {
        BOOST_TEST(here.wait(10s).empty());
        ++waits;
    }
    for (std::thread& waker : wakers) waker.join();
    BOOST_TEST(here.counts().wakes <= waits + 1);
}

BOOST_AUTO_TEST_SUITE_END()
