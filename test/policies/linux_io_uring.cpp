// SPDX-License-Identifier: BSL-1.0
// Tests of the io_uring(7) policy alone: one system call a wait, registrations that are owed, queues that are too
// short, threads that come and go, forks, and a kernel that refuses. The tests for every poller are in pollers.cpp.
#include "poll_recorder.hpp"
#include "support/eight_threads.hpp"
#include "support/forked_child.hpp"
#include "support/socket_pairs.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/policies/poll/linux_io_uring.hpp>
#include <tofu/reactor.hpp>
#include <tofu/reactor_with.hpp>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

using namespace tofu;
using namespace tofu_test;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using steady = std::chrono::steady_clock;

namespace {

constexpr interest read_and_write = interest::read | interest::write;

/// The system's own calls, counted, and refused on demand.
struct watched_calls {
    static inline std::atomic<unsigned> enters{0};
    static inline std::atomic<int> refused_enters{0}; ///< that many to come fail
    static inline std::atomic<int> refusal{0};        ///< with this; also of setup, if it is not 0
    static inline std::atomic<unsigned> missing_features{0};

    static int setup(unsigned entries, ::io_uring_params& parameters) noexcept {
        if (refusal != 0 && refused_enters == 0) {
            errno = refusal;
            return -1;
        }
        const int made = linux_api::io_uring_calls::setup(entries, parameters);
        parameters.features &= ~missing_features.load();
        return made;
    }
    static int enter(int ring, unsigned submits, unsigned awaited, unsigned flags, const void* argument,
                     std::size_t size) noexcept {
        ++enters;
        if (refused_enters > 0) {
            --refused_enters;
            errno = refusal;
            return -1;
        }
        return linux_api::io_uring_calls::enter(ring, submits, awaited, flags, argument, size);
    }
};

template <std::size_t Batch = 256, unsigned Submissions = 256>
using watched_poll = basic_linux_io_uring<platform::network<>, Batch, linux_api::io_ring<Submissions, watched_calls>>;

/// While it lives, `count` calls of io_uring_enter(2) fail, or, with 0, each call of io_uring_setup(2).
struct refusing {
    refusing(int count, int code) {
        watched_calls::refused_enters = count;
        watched_calls::refusal = code;
    }
    ~refusing() {
        watched_calls::refused_enters = 0;
        watched_calls::refusal = 0;
    }
};

/// The number of calls of io_uring_enter(2) that `what` makes.
template <class Do>
unsigned calls_of(Do what) {
    const unsigned before = watched_calls::enters;
    what();
    return watched_calls::enters - before;
}

/// Connections whose servers' ends are attached under 1, 2, and so on.
template <class Poll = watched_poll<>>
class station {
public:
    explicit station(std::size_t count = 1) {
        platform::socket listener = listen_at(endpoint_at("127.0.0.1"));
        for (std::uintptr_t key = 1; key <= count; ++key) {
            all_.push_back(std::make_unique<one>(connect_pair(listener)));
            poll.attach(all_.back()->entry, all_.back()->pair.server, key);
        }
    }
    station(const station&) = delete;
    station& operator=(const station&) = delete;
    ~station() {
        for (std::uintptr_t key = 1; key <= all_.size(); ++key) static_cast<void>(disarm(key));
        const auto until = steady::now() + 10s;
        while (poll.bare().in_flight() != 0 && steady::now() < until) static_cast<void>(poll.look(10ms));
        BOOST_TEST(poll.bare().in_flight() == 0U);
    }

    [[nodiscard]] std::size_t size() const { return all_.size(); }
    typename Poll::registration& entry(std::uintptr_t key = 1) { return all_.at(key - 1)->entry; }
    socket_pair& pair(std::uintptr_t key = 1) { return all_.at(key - 1)->pair; }
    poll_counts counts() { return poll.bare().counts(); }
    disarmed disarm(std::uintptr_t key = 1) { return poll.bare().disarm(entry(key)); }

    void arm(interest wanted, std::uintptr_t key = 1) { poll.arm(entry(key), wanted); }
    void arm_all(interest wanted) {
        for (std::uintptr_t key = 1; key <= size(); ++key) arm(wanted, key);
    }
    void send(std::uintptr_t key = 1) {
        BOOST_REQUIRE_EQUAL(send_text(pair(key).client, "x"), 1U);
        await(pair(key).server.native_handle(), POLLIN);
    }
    void send_to_all() {
        for (std::uintptr_t key = 1; key <= size(); ++key) send(key);
    }
    std::size_t read(std::size_t most = 8) {
        std::vector<std::byte> room(most);
        const io_result got = read_into(pair().server, room);
        BOOST_REQUIRE(!got.error);
        return got.bytes;
    }
    /// Waits until the first is released; nothing else is reported.
    void await_release() {
        const auto until = steady::now() + 10s;
        do {
            BOOST_REQUIRE(steady::now() < until);
            static_cast<void>(poll.look(1s));
            BOOST_TEST(poll.seen().reports.empty());
        } while (poll.seen().releases.empty());
        BOOST_TEST((poll.seen().releases == std::vector<std::uintptr_t>{1}));
    }

private:
    struct one {
        explicit one(socket_pair&& made) : pair(std::move(made)) {}
        socket_pair pair;
        typename Poll::registration entry;
    };

    std::vector<std::unique_ptr<one>> all_;

public:
    opened_poll<Poll> poll; // goes first
};

std::vector<std::uintptr_t> keys_up_to(std::size_t count) {
    std::vector<std::uintptr_t> keys;
    for (std::uintptr_t key = 1; key <= count; ++key) keys.push_back(key);
    return keys;
}

/// The peer sees the end of the stream although nobody waits in the poller.
void expect_end_of_stream(platform::socket& at) {
    await(at.native_handle(), POLLIN);
    std::byte room[8];
    const io_result got = read_into(at, room);
    BOOST_TEST(!got.error);
    BOOST_TEST(got.bytes == 0U);
}

} // namespace

BOOST_AUTO_TEST_SUITE(linux_io_uring)

// ---- one system call ----

BOOST_AUTO_TEST_CASE(all_changes_of_interest_are_submitted_by_the_wait) {
    station here(20);
    const unsigned calls = calls_of([&] {
        here.arm_all(interest::write);
        here.arm_all(interest::read);
        here.arm_all(interest::none);
        here.arm_all(read_and_write);
    });
    BOOST_TEST(calls == 0U);
    BOOST_TEST(here.counts().submitted == 0U);
    BOOST_TEST(calls_of([&] { BOOST_TEST((here.poll.wait_for(10s).sorted_keys() == keys_up_to(20))); }) == 1U);
    BOOST_TEST(here.counts().submitted == 20U);
    BOOST_TEST(here.counts().cancelled == 0U);
}

BOOST_AUTO_TEST_CASE(a_steady_exchange_is_one_call_for_each_wait) {
    station here(100);
    here.arm_all(interest::read);
    BOOST_TEST(here.poll.wait_for(0ns).reports.empty());
    const poll_counts before = here.counts();
    for (int turn = 0; turn < 50; ++turn) {
        here.send();
        BOOST_TEST(calls_of([&] { BOOST_CHECK(here.poll.only_report(10s) == readiness::readable); }) == 1U);
        BOOST_TEST(here.read() == 1U);
        here.arm(interest::read);
    }
    BOOST_TEST(here.counts().submitted - before.submitted == 49U); // the first report is of a poll that was there
    BOOST_TEST(here.counts().cancelled == 0U);
}

BOOST_AUTO_TEST_CASE(a_look_at_nothing_new_is_one_call_and_reports_what_completed_meanwhile) {
    station here;
    here.arm(interest::read);
    BOOST_TEST(here.poll.wait_for(0ns).reports.empty());
    BOOST_TEST(calls_of([&] { BOOST_TEST(here.poll.wait_for(0ns).reports.empty()); }) == 1U);
    here.send();
    BOOST_CHECK(here.poll.only_report(0ns) == readiness::readable);
}

// ---- interest ----

BOOST_AUTO_TEST_CASE(what_a_partial_drain_leaves_is_reported_again) {
    station here;
    here.arm(interest::read);
    BOOST_REQUIRE_EQUAL(send_text(here.pair().client, "abc"), 3U);
    for (int left = 3; left > 0; --left) {
        BOOST_CHECK(here.poll.only_report(10s) == readiness::readable);
        BOOST_TEST(here.read(1) == 1U);
    }
    BOOST_TEST(here.poll.is_silent());
    BOOST_TEST(here.counts().submitted == 4U); // one for each report, and the one that waits
}

BOOST_AUTO_TEST_CASE(interest_dropped_while_armed_is_silent_and_taken_up_again_it_tells) {
    station here;
    here.arm(interest::read);
    BOOST_TEST(here.poll.wait_for(0ns).reports.empty());
    here.arm(interest::none);
    here.send();
    BOOST_TEST(here.poll.is_silent());
    BOOST_TEST(here.poll.bare().in_flight() == 0U);
    BOOST_TEST(here.counts().submitted == 1U); // an unwanted completion is not asked for again
    here.arm(interest::read);
    BOOST_CHECK(here.poll.only_report(10s) == readiness::readable);
    BOOST_TEST(here.counts().cancelled == 0U);
}

BOOST_AUTO_TEST_CASE(widened_interest_is_cancelled_and_submitted_anew) {
    station here;
    here.arm(interest::read);
    BOOST_TEST(here.poll.wait_for(0ns).reports.empty());
    here.arm(read_and_write);
    BOOST_CHECK(here.poll.only_report(10s) == readiness::writable);
    BOOST_TEST(here.counts().submitted == 2U);
    BOOST_TEST(here.counts().cancelled == 1U);
    here.send();
    BOOST_CHECK(here.poll.only_report(10s) == (readiness::readable | readiness::writable));
}

BOOST_AUTO_TEST_CASE(interest_widened_and_narrowed_before_the_wait_changes_nothing) {
    station here;
    here.arm(interest::read);
    BOOST_TEST(here.poll.wait_for(0ns).reports.empty());
    for (const interest wanted : {read_and_write, interest::write, interest::none, interest::read}) here.arm(wanted);
    BOOST_TEST(here.poll.is_silent()); // writable all the time, and not wanted
    BOOST_TEST(here.counts().submitted == 1U);
    BOOST_TEST(here.counts().cancelled == 0U);
    here.send();
    BOOST_CHECK(here.poll.only_report(10s) == readiness::readable);
}

BOOST_AUTO_TEST_CASE(a_cancel_that_finds_nothing_loses_nothing) {
    station here;
    here.arm(interest::read);
    BOOST_TEST(here.poll.wait_for(0ns).reports.empty());
    here.send(); // the completion is in the queue
    here.arm(read_and_write);
    readiness seen = here.poll.only_report(10s);
    BOOST_TEST(any(seen & readiness::readable));
    for (int more = 0; more < 3 && !any(seen & readiness::writable); ++more) seen |= here.poll.only_report(10s);
    BOOST_CHECK(seen == (readiness::readable | readiness::writable));
}

BOOST_AUTO_TEST_CASE(cancellations_do_not_end_a_wait_before_its_time) {
    station here;
    here.arm(interest::read);
    BOOST_TEST(here.poll.wait_for(0ns).reports.empty());
    BOOST_REQUIRE(here.poll.bare().disarm(here.entry()) == disarmed::owed);
    here.await_release();
    here.poll.attach(here.entry(), here.pair().server, 1);
    here.arm(interest::read);
    BOOST_TEST(here.poll.is_silent());
}

// ---- the end of a socket ----

BOOST_AUTO_TEST_CASE(a_socket_with_nothing_in_flight_is_released_at_once) {
    station here;
    BOOST_CHECK(here.disarm() == disarmed::released);
    here.poll.attach(here.entry(), here.pair().server, 1);
    here.arm(interest::read); // noted, and not submitted
    BOOST_TEST(calls_of([&] { BOOST_CHECK(here.disarm() == disarmed::released); }) == 0U);
    BOOST_CHECK(here.disarm() == disarmed::released);
    here.send();
    BOOST_TEST(here.poll.is_silent());
    BOOST_TEST(here.counts().submitted == 0U);
}

BOOST_AUTO_TEST_CASE(a_socket_closed_while_armed_is_owed_and_released_once) {
    station here;
    here.arm(interest::read);
    BOOST_TEST(here.poll.wait_for(0ns).reports.empty());
    BOOST_TEST(calls_of([&] { BOOST_CHECK(here.disarm() == disarmed::owed); }) == 1U);
    BOOST_TEST(calls_of([&] { BOOST_CHECK(here.disarm() == disarmed::owed); }) == 0U); // still
    here.pair().server.close();
    here.await_release();
    BOOST_CHECK(here.disarm() == disarmed::released);
    BOOST_TEST(here.poll.is_silent());
    BOOST_TEST(here.counts().cancelled == 1U);
}

// The poll in flight holds the file: were it ended by the next wait only, close(2) would tell nobody.
BOOST_AUTO_TEST_CASE(the_peer_of_a_closed_socket_sees_the_end_before_the_next_wait) {
    station here;
    here.arm(interest::read);
    BOOST_TEST(here.poll.wait_for(0ns).reports.empty());
    BOOST_REQUIRE(here.disarm() == disarmed::owed);
    here.pair().server.close();
    expect_end_of_stream(here.pair().client);
}

BOOST_AUTO_TEST_CASE(the_address_of_a_closed_listener_is_free_before_the_next_wait) {
    opened_poll<watched_poll<>> poll;
    platform::socket listener = listen_at(endpoint_at("127.0.0.1"));
    const platform::endpoint where = listener.local_endpoint();
    for (std::uintptr_t key = 1; key <= 50; ++key) {
        watched_poll<>::registration entry;
        poll.attach(entry, listener, key);
        poll.arm(entry, interest::read);
        BOOST_TEST(poll.wait_for(0ns).reports.empty());
        BOOST_REQUIRE(poll.bare().disarm(entry) == disarmed::owed);
        listener.close();
        listener = listen_at(where);
        poll.forget(entry, key);
    }
}

BOOST_AUTO_TEST_CASE(a_completion_for_a_zombie_only_releases_it) {
    station here;
    here.arm(interest::read);
    BOOST_TEST(here.poll.wait_for(0ns).reports.empty());
    here.send(); // so the poll completes with data, not with the cancel
    BOOST_CHECK(here.disarm() == disarmed::owed);
    here.pair().server.close();
    here.await_release(); // which checks that it is not reported
}

namespace {

/// Attaches a registration again from within its release, under another key.
struct renewing_sink {
    watched_poll<>& poll;
    watched_poll<>::registration& entry;
    const platform::socket& which;
    std::vector<std::uintptr_t> reports{};
    bool renewed = false;

    void ready(std::uintptr_t key, readiness) noexcept { reports.push_back(key); }
    void released(std::uintptr_t key) noexcept {
        renewed = key == 1 && !poll.attach(entry, which, 2) && !poll.arm(entry, interest::read);
    }
    watched_poll<>::registration* registration_of(std::uintptr_t) noexcept { return &entry; }
};

} // namespace

BOOST_AUTO_TEST_CASE(a_registration_is_attached_again_from_within_its_release) {
    station here;
    here.arm(interest::read);
    BOOST_TEST(here.poll.wait_for(0ns).reports.empty());
    BOOST_REQUIRE(here.disarm() == disarmed::owed);
    here.pair() = connect_pair();
    here.send();
    renewing_sink sink{.poll = here.poll.bare(), .entry = here.entry(), .which = here.pair().server};
    for (int waits = 0; waits < 2; ++waits) BOOST_TEST(!here.poll.bare().wait(10s, sink).error);
    BOOST_TEST(sink.renewed);
    BOOST_TEST((sink.reports == std::vector<std::uintptr_t>{2}));
    while (here.disarm() == disarmed::owed) static_cast<void>(here.poll.bare().wait(10s, sink));
}

BOOST_AUTO_TEST_CASE(a_descriptor_used_again_at_once_is_another_socket) {
    opened_poll<watched_poll<>> poll;
    platform::socket listener = listen_at(endpoint_at("127.0.0.1"));
    for (std::uintptr_t turn = 1; turn <= 100; turn += 2) {
        socket_pair first = connect_pair(listener);
        watched_poll<>::registration entries[2];
        poll.attach(entries[0], first.server, turn);
        poll.arm(entries[0], interest::read);
        BOOST_TEST(poll.wait_for(0ns).reports.empty());
        BOOST_REQUIRE(poll.bare().disarm(entries[0]) == disarmed::owed);
        const int number = first.server.native_handle();
        first.server.close();
        socket_pair second = connect_pair(listener);
        const bool client_has_it = second.client.native_handle() == number;
        BOOST_REQUIRE(client_has_it);
        poll.attach(entries[1], second.client, turn + 1);
        poll.arm(entries[1], interest::read);
        BOOST_REQUIRE_EQUAL(send_text(second.server, "x"), 1U);
        await(number, POLLIN);
        static_cast<void>(poll.look(10s));
        BOOST_TEST((poll.seen().releases == std::vector{turn}));
        BOOST_TEST((poll.seen().sorted_keys() == std::vector{turn + 1}));
        poll.forget(entries[1], turn + 1);
    }
}

BOOST_AUTO_TEST_CASE(a_socket_closed_behind_the_pollers_back_has_failed_and_arm_says_so) {
    station here;
    here.arm(interest::read);
    here.pair().server.close();
    BOOST_TEST(any(here.poll.only_report(10s) & readiness::failed));
    const io_error error = here.poll.bare().arm(here.entry(), interest::read);
    BOOST_TEST(error.os_code == EBADF);
    BOOST_TEST(here.poll.is_silent()); // and then there is nothing more to say
}

BOOST_AUTO_TEST_CASE(a_poller_that_goes_with_polls_in_flight_harms_nobody) {
    socket_pair pair = connect_pair();
    const auto entry = std::make_unique<watched_poll<>::registration>();
    {
        recorder<watched_poll<>> seen;
        watched_poll<> poll;
        BOOST_REQUIRE(!poll.open());
        BOOST_REQUIRE(!poll.attach(*entry, pair.server, 1));
        BOOST_REQUIRE(!poll.arm(*entry, interest::read));
        BOOST_REQUIRE(!poll.wait(0ns, seen).error);
        BOOST_CHECK(poll.disarm(*entry) == disarmed::owed);
        BOOST_TEST(poll.in_flight() == 1U);
    }
    BOOST_REQUIRE_EQUAL(send_text(pair.client, "x"), 1U); // the socket is as good as before
    await(pair.server.native_handle(), POLLIN);
}

// ---- queues that are too short ----

BOOST_AUTO_TEST_CASE(there_may_be_more_changes_than_the_submission_queue_has_places) {
    station<watched_poll<256, 4>> here(90);
    here.arm_all(read_and_write);
    BOOST_TEST((here.poll.wait_for(10s).sorted_keys() == keys_up_to(90)));
    here.arm_all(interest::read);
    BOOST_TEST(here.poll.is_silent());
    here.arm_all(read_and_write); // 90 cancels, and as many polls
    std::vector<std::uintptr_t> told;
    while (told.size() < 90) {
        const auto seen = here.poll.wait_for(10s).sorted_keys();
        BOOST_REQUIRE(!seen.empty());
        told.insert(told.end(), seen.begin(), seen.end());
        for (const std::uintptr_t key : seen) here.arm(interest::none, key);
    }
    std::sort(told.begin(), told.end());
    BOOST_TEST((told == keys_up_to(90)));
    BOOST_TEST(here.counts().cancelled == 90U);
}

BOOST_AUTO_TEST_CASE(completions_that_find_no_room_in_the_queue_come_all_the_same) {
    station<watched_poll<256, 2>> here(60); // the queue has eight places
    for (int turn = 0; turn < 10; ++turn) {
        here.arm_all(interest::read);
        BOOST_TEST(here.poll.wait_for(0ns).reports.empty());
        here.send_to_all();
        here.poll.wake();
        BOOST_TEST((here.poll.wait_for(10s).sorted_keys() == keys_up_to(60)));
        for (std::uintptr_t key = 1; key <= here.size(); ++key) {
            std::byte room[8];
            BOOST_TEST(read_into(here.pair(key).server, room).bytes == 1U);
        }
    }
    here.arm_all(interest::read);
    BOOST_TEST(here.poll.wait_for(0ns).reports.empty()); // renews the poll of the waker, if the kernel has ended it
    BOOST_TEST(here.poll.is_silent());
    here.poll.wake();
    BOOST_TEST(here.poll.wait_for(nanoseconds::max()).reports.empty());
    BOOST_TEST(here.poll.is_silent());
}

BOOST_AUTO_TEST_CASE(what_a_full_batch_has_no_room_for_comes_first_in_the_next) {
    constexpr std::size_t sockets = 7;
    station<watched_poll<2>> here(sockets);
    here.arm_all(interest::read);
    here.send_to_all();
    // Nothing is read, so all stay ready. Any seven reports in a row must name all seven, wherever one begins.
    std::map<std::uintptr_t, int> named;
    for (std::size_t told = 0; told < 5 * sockets;) {
        BOOST_TEST(here.poll.look(10s).full);
        for (const auto& report : here.poll.seen().reports) ++named[report.first];
        told += here.poll.seen().reports.size();
        BOOST_REQUIRE(here.poll.seen().reports.size() <= 2U);
    }
    BOOST_TEST(named.size() == sockets);
    for (const auto& [key, count] : named) BOOST_TEST((count >= 5 - 1 && count <= 5 + 1), "key " << key);
}

BOOST_AUTO_TEST_CASE(a_wake_gets_through_full_batches) {
    station<watched_poll<1>> here(3);
    here.arm_all(interest::read);
    here.send_to_all();
    here.poll.wake();
    std::size_t looks = 0;
    do {
        BOOST_REQUIRE(++looks <= here.size() + 1);
        BOOST_TEST(here.poll.look(10s).full);
    } while (!here.poll.seen().reports.empty()); // then comes the wake, alone
    BOOST_TEST(here.poll.look(10s).full);
    BOOST_TEST(here.poll.seen().reports.size() == 1U);
}

// ---- a kernel that refuses ----

BOOST_AUTO_TEST_CASE(a_refused_setup_says_whether_it_is_worth_trying_again) {
    const auto opened_with = [](int code) {
        const refusing all(0, code);
        const io_error error = watched_poll<>().open();
        BOOST_TEST(error.os_code == code);
        return error.kind;
    };
    for (const int code : {ENOSYS, EPERM, EACCES, EINVAL}) BOOST_CHECK(opened_with(code) == io_failure::unsupported);
    for (const int code : {EMFILE, ENFILE}) BOOST_CHECK(opened_with(code) == io_failure::no_descriptors);
    BOOST_CHECK(opened_with(ENOMEM) == io_failure::no_memory);
    for (const unsigned feature : {IORING_FEAT_NODROP, IORING_FEAT_EXT_ARG, IORING_FEAT_RSRC_TAGS}) {
        watched_calls::missing_features = feature;
        BOOST_CHECK(watched_poll<>().open().kind == io_failure::unsupported);
    }
    watched_calls::missing_features = 0;
}

BOOST_AUTO_TEST_CASE(an_engine_is_not_made_where_io_uring_is_refused) {
    const refusing all(0, EPERM);
    std::error_code error;
    const reactor_with<watched_poll<>> engine({}, driven_by::caller, error);
    BOOST_TEST(error.value() == EPERM);
}

BOOST_AUTO_TEST_CASE(without_skipped_completions_a_cancel_is_the_same) {
    watched_calls::missing_features = 1U << 11; // IORING_FEAT_CQE_SKIP, Linux 5.17
    station here;
    watched_calls::missing_features = 0;
    here.arm(interest::read);
    BOOST_TEST(here.poll.wait_for(0ns).reports.empty());
    here.arm(read_and_write);
    BOOST_CHECK(here.poll.only_report(10s) == readiness::writable);
    here.arm(interest::read);
    BOOST_TEST(here.poll.is_silent());
    BOOST_REQUIRE(here.disarm() == disarmed::owed);
    here.await_release();
    BOOST_TEST(here.poll.is_silent());
}

BOOST_AUTO_TEST_CASE(a_wait_that_fails_has_rested_and_what_it_could_not_submit_comes_later) {
    station here;
    here.arm(interest::read);
    here.send();
    for (const nanoseconds timeout : {nanoseconds(0), nanoseconds::max()}) {
        const refusing one(1, EAGAIN);
        const auto begin = steady::now();
        BOOST_CHECK(here.poll.look(timeout).error.kind == io_failure::no_memory);
        BOOST_TEST((steady::now() - begin >= 9ms));
        BOOST_TEST(here.poll.seen().reports.empty());
    }
    BOOST_CHECK(here.poll.only_report(10s) == readiness::readable);
    BOOST_TEST(here.counts().submitted == 1U);
}

// Kernels before 5.19 take no operation while completions wait that find no room in the queue.
BOOST_AUTO_TEST_CASE(a_kernel_that_is_busy_with_completions_is_no_failure) {
    station<watched_poll<256, 2>> here(5);
    here.arm_all(interest::read);
    here.send_to_all();
    const refusing one(1, EBUSY);
    std::vector<std::uintptr_t> told;
    for (int waits = 0; waits < 10 && told.size() < 5; ++waits) {
        for (const std::uintptr_t key : here.poll.wait_for(10s).sorted_keys()) {
            told.push_back(key);
            here.arm(interest::none, key);
        }
    }
    std::sort(told.begin(), told.end());
    BOOST_TEST((told == keys_up_to(5)));
}

BOOST_AUTO_TEST_CASE(cancels_that_the_kernel_refuses_are_made_by_a_later_wait) {
    station<watched_poll<256, 2>> here(6);
    here.arm_all(interest::read);
    BOOST_TEST(here.poll.wait_for(0ns).reports.empty());
    {
        const refusing many(100, EAGAIN); // two cancels lie in the queue, four find no place in it
        for (std::uintptr_t key = 1; key <= here.size(); ++key) {
            BOOST_CHECK(here.disarm(key) == disarmed::owed);
            BOOST_CHECK(here.disarm(key) == disarmed::owed);
            here.pair(key).server.close();
        }
        BOOST_TEST(here.poll.bare().in_flight() == 6U);
    }
    std::vector<std::uintptr_t> released;
    for (int waits = 0; waits < 10 && released.size() < 6; ++waits) {
        BOOST_TEST(!here.poll.look(10s).error);
        BOOST_TEST(here.poll.seen().reports.empty());
        released.insert(released.end(), here.poll.seen().releases.begin(), here.poll.seen().releases.end());
    }
    std::sort(released.begin(), released.end());
    BOOST_TEST((released == keys_up_to(6)));
    for (std::uintptr_t key = 1; key <= here.size(); ++key) expect_end_of_stream(here.pair(key).client);
}

namespace {

/// A ring that changes the completions of the wake's poll.
struct changing_ring : linux_api::io_ring<> {
    static inline int refusal = 0;    ///< not 0: the next completion carries this errno value, and ends the poll
    static inline bool drops = false; ///< the next completion does not arrive
    static inline bool dropped = false;

    [[nodiscard]] bool pop(linux_api::io_completion& taken) noexcept {
        if (!io_ring::pop(taken)) return false;
        if (taken.mark != 0) return true;
        if (const int code = std::exchange(refusal, 0)) taken = {.mark = 0, .result = -code, .stays = false};
        if (!std::exchange(drops, false)) return true;
        dropped = true;
        return pop(taken);
    }
    [[nodiscard]] bool take_drops() noexcept { return io_ring::take_drops() || std::exchange(dropped, false); }
};

using changed_poll = basic_linux_io_uring<platform::network<>, 256, changing_ring>;

} // namespace

// Before: the flag of the wakes stayed raised after a refusal that no wait had reported, and no later wake got through.
BOOST_AUTO_TEST_CASE(a_wake_gets_through_after_a_refused_one_that_came_with_other_news) {
    station<changed_poll> here;
    here.arm(interest::read);
    here.send();
    here.poll.wake();
    changing_ring::refusal = ENOMEM;
    BOOST_CHECK(here.poll.only_report(10s) == readiness::readable);
    BOOST_TEST(changing_ring::refusal == 0);
    here.arm(interest::none);
    const wait_result woken = here.poll.look(10s);
    BOOST_TEST(!woken.error);
    for (std::uint64_t wakes = 2; wakes < 5; ++wakes) {
        here.poll.wake();
        BOOST_TEST(here.poll.wait_for(10s).reports.empty());
        BOOST_TEST(here.counts().wakes == wakes);
    }
}

BOOST_AUTO_TEST_CASE(a_refused_wake_is_the_error_of_a_wait_without_other_news) {
    station<changed_poll> here;
    here.poll.wake();
    changing_ring::refusal = ENOMEM;
    BOOST_CHECK(here.poll.look(10s).error.kind == io_failure::no_memory);
    BOOST_TEST(here.poll.wait_for(10s).reports.empty()); // the wake
    BOOST_TEST(here.poll.is_silent());
}

BOOST_AUTO_TEST_CASE(a_wake_whose_completion_the_kernel_drops_is_not_lost) {
    station<changed_poll> here;
    BOOST_TEST(here.poll.wait_for(0ns).reports.empty());
    here.poll.wake();
    changing_ring::drops = true;
    static_cast<void>(here.poll.look(100ms));
    BOOST_TEST(!changing_ring::drops);
    const auto begin = steady::now();
    BOOST_TEST(here.poll.wait_for(10s).reports.empty());
    BOOST_TEST((steady::now() - begin < 5s));
    here.poll.wake();
    BOOST_TEST(here.counts().wakes == 2U);
    BOOST_TEST(here.poll.wait_for(10s).reports.empty());
}

// ---- threads ----

namespace {

template <class Do>
void in_a_thread_of_its_own(Do what) {
    std::thread(what).join();
}

} // namespace

BOOST_AUTO_TEST_CASE(polls_of_a_thread_that_has_ended_are_submitted_again) {
    station here(3);
    in_a_thread_of_its_own([&] {
        here.arm_all(interest::read);
        BOOST_TEST(here.poll.wait_for(0ns).reports.empty());
    });
    here.send_to_all();
    std::vector<std::uintptr_t> told;
    for (int waits = 0; waits < 10 && told.size() < 3; ++waits) {
        for (const std::uintptr_t key : here.poll.wait_for(10s).sorted_keys()) {
            told.push_back(key);
            here.arm(interest::none, key);
        }
    }
    std::sort(told.begin(), told.end());
    BOOST_TEST((told == keys_up_to(3)));
}

BOOST_AUTO_TEST_CASE(a_socket_that_a_thread_which_has_ended_watched_is_released) {
    station here;
    in_a_thread_of_its_own([&] {
        here.arm(interest::read);
        BOOST_TEST(here.poll.wait_for(0ns).reports.empty());
    });
    BOOST_REQUIRE(here.disarm() == disarmed::owed);
    here.pair().server.close();
    here.await_release();
    expect_end_of_stream(here.pair().client);
}

BOOST_AUTO_TEST_CASE(a_wake_reaches_a_thread_other_than_the_first_that_waited) {
    station here;
    for (int turn = 0; turn < 20; ++turn) {
        in_a_thread_of_its_own([&] { BOOST_TEST(here.poll.wait_for(0ns).reports.empty()); });
        here.poll.wake();
        BOOST_TEST(here.poll.wait_for(nanoseconds::max()).reports.empty());
    }
}

BOOST_AUTO_TEST_CASE(what_a_sleeping_thread_has_submitted_is_reported_to_the_one_that_waits) {
    station here;
    std::mutex lock;
    std::condition_variable changed;
    bool submitted = false, over = false;
    std::thread sleeper([&] {
        std::unique_lock hold(lock);
        here.arm(interest::read);
        BOOST_TEST(here.poll.wait_for(0ns).reports.empty());
        submitted = true;
        changed.notify_all();
        changed.wait(hold, [&] { return over; });
    });
    {
        std::unique_lock hold(lock);
        changed.wait(hold, [&] { return submitted; });
    }
    here.send();
    BOOST_CHECK(here.poll.only_report(10s) == readiness::readable);
    {
        const std::lock_guard hold(lock);
        over = true;
    }
    changed.notify_all();
    sleeper.join();
}

// ---- waking and time ----

BOOST_AUTO_TEST_CASE(a_storm_of_wakes_is_one_signal_for_each_wait) {
    station here;
    on_eight_threads([&](std::size_t) {
        for (int turn = 0; turn < 20'000; ++turn) here.poll.wake();
    });
    BOOST_TEST(here.counts().wakes == 1U);
    BOOST_TEST(here.poll.wait_for(nanoseconds::max()).reports.empty());
    BOOST_TEST(here.poll.is_silent());
}

BOOST_AUTO_TEST_CASE(wakes_of_eight_threads_are_at_most_one_signal_for_each_wait) {
    station here;
    std::atomic<bool> over = false;
    std::thread wakers([&] {
        on_eight_threads([&](std::size_t) {
            for (int turn = 0; turn < 20'000; ++turn) here.poll.wake();
        });
        over = true;
        here.poll.wake();
    });
    std::uint64_t waits = 0;
    for (; !over; ++waits) BOOST_TEST(here.poll.wait_for(nanoseconds::max()).reports.empty());
    wakers.join();
    BOOST_TEST(here.counts().wakes <= waits + 1);
}

namespace {

std::atomic<watched_poll<>*> to_be_woken = nullptr;

void wake_it(int) {
    if (watched_poll<>* const poll = to_be_woken) poll->wake();
}

/// While it lives, SIGUSR1 is handled so. Once it `runs`, this thread gets one signal after the other.
class signals {
public:
    explicit signals(void (*handler)(int)) {
        struct sigaction wanted {};
        wanted.sa_handler = handler;
        BOOST_REQUIRE_EQUAL(::sigaction(SIGUSR1, &wanted, &before_), 0);
        sender_ = std::thread([this, waiting = ::pthread_self()] {
            while (!done_) { // one may come before the wait has begun
                ::pthread_kill(waiting, SIGUSR1);
                std::this_thread::sleep_for(1ms);
            }
        });
    }
    ~signals() {
        done_ = true;
        sender_.join();
        ::sigaction(SIGUSR1, &before_, nullptr);
    }

private:
    struct sigaction before_ {};
    std::atomic<bool> done_ = false;
    std::thread sender_;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_signal_handler_can_wake) {
    station here;
    to_be_woken = &here.poll.bare();
    {
        const signals sent(&wake_it);
        // Any POSIX signal ends a wait. The eventfd is written again only after a wait has seen the first write.
        while (here.counts().wakes < 2) BOOST_REQUIRE(!here.poll.look(nanoseconds::max()).error);
    }
    to_be_woken = nullptr;
}

// The call that submits does not say that a signal ended its wait.
BOOST_AUTO_TEST_CASE(a_signal_ends_a_wait_that_submits_as_interrupted) {
    station here;
    const signals sent([](int) {});
    for (int turn = 0; turn < 20; ++turn) {
        here.arm(turn % 2 == 0 ? interest::read : interest::none);
        const wait_result result = here.poll.look(60s);
        BOOST_TEST(!result.error);
        BOOST_TEST(result.interrupted);
        BOOST_TEST(here.poll.seen().reports.empty());
        BOOST_REQUIRE(here.disarm() == (turn % 2 == 0 ? disarmed::owed : disarmed::released));
        if (turn % 2 == 0)
            while (here.poll.seen().releases.empty()) static_cast<void>(here.poll.look(10s));
        here.poll.attach(here.entry(), here.pair().server, 1);
    }
}

BOOST_AUTO_TEST_CASE(the_longest_times_are_waits_too) {
    station here;
    for (const nanoseconds timeout : {nanoseconds::max() - 1ns, nanoseconds::max() / 2, nanoseconds::max()}) {
        std::atomic<bool> woken = false;
        std::thread waker([&] {
            std::this_thread::sleep_for(20ms); // so that the wait is most likely on; it is right either way
            woken = true;
            here.poll.wake();
        });
        BOOST_TEST(here.poll.wait_for(timeout).reports.empty());
        BOOST_TEST(woken);
        waker.join();
    }
}

BOOST_AUTO_TEST_CASE(a_wait_is_not_rounded_up_to_milliseconds) {
    station here;
    nanoseconds least = nanoseconds::max();
    for (int turn = 0; turn < 100; ++turn) {
        const auto begin = steady::now();
        BOOST_TEST(here.poll.wait_for(100us).reports.empty());
        least = std::min<nanoseconds>(least, steady::now() - begin);
    }
    BOOST_TEST((least >= 100us));
    BOOST_TEST((least < 900us), least.count() << " ns");
}

// ---- descriptors and forks ----

namespace {

/// The descriptors of this process that are rings.
std::vector<int> rings() {
    std::vector<int> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        const auto what = std::filesystem::read_symlink(entry.path(), gone).string();
        if (what.find("io_uring") != std::string::npos) found.push_back(std::stoi(entry.path().filename().string()));
    }
    return found;
}

} // namespace

BOOST_AUTO_TEST_CASE(its_ring_is_closed_on_exec_and_with_the_poller) {
    const std::size_t before = rings().size();
    {
        opened_poll<watched_poll<>> poll;
        BOOST_TEST(rings().size() == before + 1);
        for (const int ring : rings()) BOOST_TEST((::fcntl(ring, F_GETFD) & FD_CLOEXEC) != 0);
    }
    BOOST_TEST(rings().size() == before);
}

// A mapping of the ring would keep it, the poll in flight and with it the parent's socket.
BOOST_AUTO_TEST_CASE(a_forked_child_keeps_no_poll_of_its_parent_alive) {
    socket_pair pair = connect_pair();
    const auto entry = std::make_unique<watched_poll<>::registration>();
    recorder<watched_poll<>> seen;
    std::optional<watched_poll<>> poll(std::in_place);
    BOOST_REQUIRE(!poll->open());
    BOOST_REQUIRE(!poll->attach(*entry, pair.server, 1));
    BOOST_REQUIRE(!poll->arm(*entry, interest::read));
    BOOST_REQUIRE(!poll->wait(0ns, seen).error);
    forked_child child([&](const fork_line& line) {
        poll->close_copies();
        ::close(pair.server.native_handle());
        ::close(pair.client.native_handle());
        line.tell();
        line.listen();
    });
    child.listen();
    BOOST_REQUIRE_EQUAL(send_text(pair.client, "x"), 1U); // the parent's poll goes on
    seen.known[1] = entry.get();
    BOOST_TEST(!poll->wait(10s, seen).error);
    BOOST_TEST((seen.sorted_keys() == std::vector<std::uintptr_t>{1}));
    std::byte room[8];
    BOOST_TEST(read_into(pair.server, room).bytes == 1U);
    BOOST_TEST(!poll->wait(0ns, seen).error); // one more is in flight
    static_cast<void>(poll->disarm(*entry));
    poll.reset();
    pair.server.close();
    expect_end_of_stream(pair.client);
    child.wait();
}

BOOST_AUTO_TEST_SUITE_END()
