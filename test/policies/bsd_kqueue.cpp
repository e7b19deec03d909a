// SPDX-License-Identifier: BSL-1.0
// Tests of the kqueue(2) policy alone, over an emulation: two filters a socket, changes that answer for themselves,
// batches, the one descriptor another loop can wait for. The tests for every poller are in pollers.cpp.
#include "support/emulated_kqueue.hpp"
#include "support/socket_pairs.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/policies/concepts.hpp>

#include <fcntl.h>
#include <poll.h>

#include <climits>
#include <map>
#include <set>
#include <vector>

using namespace tofu_test;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using tofu::interest;
using tofu::io_failure;
using tofu::readiness;

namespace {

constexpr interest read_and_write = interest::read | interest::write;

static_assert(tofu::poll_policy<kqueue_over_emulation<>>);
static_assert(kqueue_over_emulation<>::reports_per_socket == 2);
static_assert(tofu::bsd::to_wait_time(nanoseconds::min()) == 0us);
static_assert(tofu::bsd::to_wait_time(0ns) == 0us);
static_assert(tofu::bsd::to_wait_time(1ns) == 1us);
static_assert(tofu::bsd::to_wait_time(1us) == 1us);
static_assert(tofu::bsd::to_wait_time(1us + 1ns) == 2us);
static_assert(tofu::bsd::to_wait_time(nanoseconds::max() - 1ns) == 24h);

struct noted_reports {
    std::vector<std::pair<std::uintptr_t, readiness>> all;
    void ready(std::uintptr_t key, readiness what) noexcept { all.emplace_back(key, what); }
    void released(std::uintptr_t) noexcept {}

    /// Everything that was said about a socket.
    [[nodiscard]] readiness of(std::uintptr_t key) const {
        readiness sum = readiness::none;
        for (const auto& [who, what] : all)
            if (who == key) sum |= what;
        return sum;
    }
};

template <class Poll = kqueue_over_emulation<>>
struct opened : Poll {
    opened() { BOOST_REQUIRE(!this->open()); }

    noted_reports look(nanoseconds timeout = 0ns) {
        noted_reports seen;
        const tofu::wait_result result = this->wait(timeout, seen);
        BOOST_TEST(!result.error);
        full = result.full;
        return seen;
    }
    bool full = false;
};

template <std::size_t Batch>
using small_poll = opened<kqueue_over_emulation<tofu::platform::network<>, Batch>>;

/// A connection with something to read at its server's end.
struct talker {
    socket_pair pair = connect_pair();
    kqueue_over_emulation<>::registration entry;

    talker() {
        send_text(pair.client, "x");
        await(pair.server.native_handle(), POLLIN);
    }
};

/// The number of system calls that `what` makes.
template <class Do>
unsigned calls_of(Do what) {
    const unsigned before = emulated_kqueue::calls;
    what();
    return emulated_kqueue::calls - before;
}

struct refusing {
    refusing(int count, int code) {
        emulated_kqueue::refusal = code;
        emulated_kqueue::refused_additions = count;
    }
    ~refusing() { emulated_kqueue::refused_additions = 0; }
};

} // namespace

BOOST_AUTO_TEST_SUITE(bsd_kqueue)

// ---- one system call for a change, none without ----

BOOST_AUTO_TEST_CASE(each_change_of_interest_is_one_system_call_and_the_same_again_is_none) {
    opened poll;
    socket_pair pair = connect_pair();
    decltype(poll)::registration entry;
    const auto arm = [&](interest wanted) { return calls_of([&] { BOOST_REQUIRE(!poll.arm(entry, wanted)); }); };
    BOOST_TEST(calls_of([&] { BOOST_REQUIRE(!poll.attach(entry, pair.server, 1)); }) == 0U);
    BOOST_TEST(arm(interest::none) == 0U);
    BOOST_TEST(arm(read_and_write) == 1U);
    BOOST_TEST(arm(read_and_write) == 0U);
    BOOST_TEST(arm(interest::read) == 1U);
    BOOST_TEST(arm(interest::write) == 1U); // one event goes, one comes
    BOOST_TEST(arm(interest::write) == 0U);
    BOOST_TEST(arm(interest::none) == 1U);
    BOOST_TEST(arm(interest::none) == 0U);
    BOOST_TEST(calls_of([&] { poll.disarm(entry); }) == 0U);
    BOOST_REQUIRE(!poll.attach(entry, pair.server, 1));
    BOOST_TEST(arm(read_and_write) == 1U);
    BOOST_TEST(calls_of([&] { poll.disarm(entry); }) == 1U);
    BOOST_TEST(calls_of([&] { poll.disarm(entry); }) == 0U);
}

BOOST_AUTO_TEST_CASE(wakes_that_nobody_has_heard_yet_are_one_system_call) {
    opened poll;
    const auto wake_often = [&] {
        for (int turn = 0; turn < 100; ++turn) poll.wake();
    };
    for (int round = 0; round < 3; ++round) {
        errno = EDOM;
        BOOST_TEST(calls_of(wake_often) == 1U);
        BOOST_TEST(errno == EDOM);
        BOOST_TEST(poll.look(nanoseconds::max()).all.empty());
    }
}

// ---- two filters ----

BOOST_AUTO_TEST_CASE(both_directions_of_every_socket_of_a_batch_are_one_report) {
    opened poll;
    std::array<talker, 3> all;
    for (const interest first : {interest::read, interest::write}) { // so that no two of a socket are neighbours
        std::uintptr_t key = 0;
        for (talker& one : all) {
            if (first == interest::read) BOOST_REQUIRE(!poll.attach(one.entry, one.pair.server, ++key));
            BOOST_REQUIRE(!poll.arm(one.entry, first == interest::read ? first : read_and_write));
        }
        poll.look();
    }
    const noted_reports seen = poll.look();
    BOOST_TEST(seen.all.size() == all.size());
    for (std::uintptr_t key = 1; key <= all.size(); ++key)
        BOOST_CHECK(seen.of(key) == (readiness::readable | readiness::writable));
}

BOOST_AUTO_TEST_CASE(both_directions_of_one_socket_come_in_two_batches_that_have_room_for_one) {
    small_poll<1> poll;
    talker one;
    decltype(poll)::registration entry;
    BOOST_REQUIRE(!poll.attach(entry, one.pair.server, 7));
    BOOST_REQUIRE(!poll.arm(entry, read_and_write));
    for (int turn = 0; turn < 3; ++turn) {
        const noted_reports first = poll.look();
        BOOST_TEST(poll.full);
        const noted_reports second = poll.look();
        BOOST_REQUIRE((first.all.size() == 1 && second.all.size() == 1));
        BOOST_CHECK((first.of(7) | second.of(7)) == (readiness::readable | readiness::writable));
        BOOST_CHECK((first.of(7) & second.of(7)) == readiness::none);
    }
}

namespace {

struct numbered_network {
    struct socket {
        int number = -1;
        int native_handle() const noexcept { return number; }
    };
    struct endpoint {};
};

} // namespace

BOOST_AUTO_TEST_CASE(sockets_that_share_a_place_in_the_notes_are_told_apart) {
    constexpr std::size_t batch = 4;
    opened<kqueue_over_emulation<numbered_network, batch>> poll;
    std::array<talker, 2> talkers;
    std::vector<tofu::posix::descriptor> copies;
    std::vector<int> same_place; // numbers that differ by a multiple of the places there are
    for (const talker& one : talkers) {
        const int least = same_place.empty() ? 0 : same_place.back() + 1;
        for (int next = least;; next = copies.back().get() + 1) {
            copies.emplace_back(::fcntl(one.pair.server.native_handle(), F_DUPFD_CLOEXEC, next));
            BOOST_REQUIRE(copies.back().is_open());
            if (same_place.empty() || (copies.back().get() - same_place[0]) % static_cast<int>(2 * batch) == 0) break;
        }
        same_place.push_back(copies.back().get());
    }
    std::array<decltype(poll)::registration, 2> entries;
    for (std::size_t i = 0; i < 2; ++i)
        BOOST_REQUIRE(!poll.attach(entries[i], numbered_network::socket{same_place[i]}, i + 1));
    for (const interest wanted : {interest::read, read_and_write}) {
        for (auto& entry : entries) BOOST_REQUIRE(!poll.arm(entry, wanted));
        const noted_reports seen = poll.look();
        const readiness expected =
            wanted == interest::read ? readiness::readable : readiness::readable | readiness::writable;
        BOOST_CHECK(seen.of(1) == expected);
        BOOST_CHECK(seen.of(2) == expected);
        BOOST_TEST((seen.all.size() >= 2 && seen.all.size() <= 4));
    }
    for (auto& entry : entries) poll.disarm(entry);
}

BOOST_AUTO_TEST_CASE(data_before_the_end_of_the_stream_is_no_failure_and_neither_is_the_end) {
    opened poll;
    talker one;
    BOOST_REQUIRE(!one.pair.client.shutdown_write());
    await(one.pair.server.native_handle(), POLLRDHUP);
    BOOST_REQUIRE(!poll.attach(one.entry, one.pair.server, 1));
    BOOST_REQUIRE(!poll.arm(one.entry, read_and_write));
    BOOST_CHECK(poll.look().of(1) == (readiness::readable | readiness::writable));
}

BOOST_AUTO_TEST_CASE(a_reset_is_a_failure_in_either_filter) {
    for (const interest wanted : {interest::read, interest::write}) {
        opened poll;
        talker one;
        one.pair.client.abort();
        await(one.pair.server.native_handle(), POLLRDHUP);
        BOOST_REQUIRE(!poll.attach(one.entry, one.pair.server, 1));
        BOOST_REQUIRE(!poll.arm(one.entry, wanted));
        const readiness seen = poll.look().of(1);
        BOOST_TEST(any(seen & readiness::failed));
        BOOST_TEST(any(seen & readiness::readable));
    }
}

// ---- the queue and its descriptors ----

BOOST_AUTO_TEST_CASE(a_closed_socket_is_silent_though_a_copy_of_it_lives_on) {
    opened poll;
    talker one;
    BOOST_REQUIRE(!poll.attach(one.entry, one.pair.server, 1));
    BOOST_REQUIRE(!poll.arm(one.entry, read_and_write));
    const tofu::posix::descriptor copy(::dup(one.pair.server.native_handle()));
    poll.disarm(one.entry);
    one.pair.server.close();
    BOOST_TEST(poll.look(20ms).all.empty());

    // Its number is another's by now: that one is known by its own key.
    talker next;
    BOOST_REQUIRE(!poll.attach(next.entry, next.pair.server, 2));
    BOOST_REQUIRE(!poll.arm(next.entry, interest::read));
    const noted_reports seen = poll.look(10s);
    BOOST_TEST(seen.all.size() == 1U);
    BOOST_CHECK(seen.of(2) == readiness::readable);
}

BOOST_AUTO_TEST_CASE(its_descriptor_is_readable_when_a_wait_would_have_something_to_report) {
    opened poll;
    const auto is_readable = [&] {
        pollfd entry{.fd = poll.native_handle(), .events = POLLIN, .revents = 0};
        return ::poll(&entry, 1, 0) == 1;
    };
    BOOST_TEST(!is_readable());
    poll.wake();
    BOOST_TEST(is_readable());
    poll.look();
    BOOST_TEST(!is_readable());
    talker one;
    BOOST_REQUIRE(!poll.attach(one.entry, one.pair.server, 1));
    BOOST_REQUIRE(!poll.arm(one.entry, interest::read));
    BOOST_TEST(is_readable());
    poll.look();
    BOOST_TEST(is_readable());
    BOOST_REQUIRE(!poll.arm(one.entry, interest::none));
    BOOST_TEST(!is_readable());
}

// ---- batches ----

BOOST_AUTO_TEST_CASE(what_a_full_batch_has_no_room_for_comes_first_in_the_next) {
    small_poll<2> poll;
    std::array<talker, 7> all;
    std::vector<decltype(poll)::registration> entries(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        BOOST_REQUIRE(!poll.attach(entries[i], all[i].pair.server, i + 1));
        BOOST_REQUIRE(!poll.arm(entries[i], i % 2 == 0 ? read_and_write : interest::read));
    }
    // Nothing is read, so all stay ready. As many batches as all events fill name every socket, wherever one begins.
    constexpr std::size_t events = 7 + 4;
    std::vector<std::set<std::uintptr_t>> batches;
    while (batches.size() < 6 * events) {
        const noted_reports seen = poll.look();
        BOOST_TEST(poll.full);
        batches.emplace_back();
        for (const auto& report : seen.all) batches.back().insert(report.first);
    }
    constexpr std::size_t round = (events + 1) / 2;
    for (std::size_t begin = 0; begin + round <= batches.size(); ++begin) {
        std::set<std::uintptr_t> named;
        for (std::size_t i = begin; i < begin + round; ++i) named.insert(batches[i].begin(), batches[i].end());
        BOOST_TEST(named.size() == all.size(), "from batch " << begin);
    }
}

BOOST_AUTO_TEST_CASE(a_wake_gets_through_full_batches) {
    small_poll<1> poll;
    std::array<talker, 3> all;
    std::array<decltype(poll)::registration, 3> entries;
    for (std::size_t i = 0; i < all.size(); ++i) {
        BOOST_REQUIRE(!poll.attach(entries[i], all[i].pair.server, i + 1));
        BOOST_REQUIRE(!poll.arm(entries[i], read_and_write));
    }
    poll.wake();
    std::size_t looks = 0;
    while (!poll.look().all.empty()) BOOST_REQUIRE(++looks <= 2 * all.size()); // then comes the wake, alone
    BOOST_TEST(poll.full);
    BOOST_TEST(!poll.look().all.empty());
}

// ---- what fails ----

BOOST_AUTO_TEST_CASE(a_wait_that_fails_has_rested) {
    opened poll;
    const tofu::posix::descriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    BOOST_REQUIRE(::dup2(nothing.get(), poll.native_handle()) >= 0);
    noted_reports seen;
    for (const nanoseconds timeout : {nanoseconds(0), nanoseconds::max()}) {
        const auto begin = std::chrono::steady_clock::now();
        BOOST_TEST((poll.wait(timeout, seen).error.kind == io_failure::other));
        BOOST_TEST((std::chrono::steady_clock::now() - begin >= 10ms));
    }
    BOOST_TEST(seen.all.empty());
}

BOOST_AUTO_TEST_CASE(a_queue_without_memory_for_its_wake_does_not_open) {
    const refusing first(1, ENOMEM);
    kqueue_over_emulation<> poll;
    const tofu::io_error error = poll.open();
    BOOST_TEST((error.kind == io_failure::no_memory));
    BOOST_TEST(error.os_code == ENOMEM);
}

BOOST_AUTO_TEST_CASE(a_refused_event_is_a_lack_of_memory_and_changes_nothing) {
    opened poll;
    talker one;
    BOOST_REQUIRE(!poll.attach(one.entry, one.pair.server, 1));
    for (int turn = 0; turn < 2; ++turn) {
        const refusing next(1, ENOMEM);
        const tofu::io_error error = poll.arm(one.entry, interest::read);
        BOOST_TEST((error.kind == io_failure::no_memory));
        BOOST_TEST(error.os_code == ENOMEM);
        BOOST_TEST(poll.look().all.empty());
    }
    BOOST_REQUIRE(!poll.arm(one.entry, interest::read));
    BOOST_CHECK(poll.look().of(1) == readiness::readable);
}

BOOST_AUTO_TEST_CASE(of_two_wanted_events_the_one_there_was_memory_for_stays_and_the_other_is_asked_for_again) {
    opened poll;
    talker one;
    BOOST_REQUIRE(!poll.attach(one.entry, one.pair.server, 1));
    {
        const refusing first(1, ENOMEM);
        BOOST_TEST((poll.arm(one.entry, read_and_write).kind == io_failure::no_memory));
    }
    BOOST_CHECK(poll.look().of(1) == readiness::writable);
    BOOST_REQUIRE(!poll.arm(one.entry, read_and_write));
    BOOST_CHECK(poll.look().of(1) == (readiness::readable | readiness::writable));
    BOOST_REQUIRE(!poll.arm(one.entry, interest::none));
    BOOST_TEST(poll.look().all.empty());
}

BOOST_AUTO_TEST_CASE(what_is_not_wanted_any_more_is_silent_though_what_is_wanted_instead_is_refused) {
    opened poll;
    talker one;
    BOOST_REQUIRE(!poll.attach(one.entry, one.pair.server, 1));
    BOOST_REQUIRE(!poll.arm(one.entry, interest::read));
    const refusing next(1, ENOMEM);
    BOOST_TEST((poll.arm(one.entry, interest::write).kind == io_failure::no_memory));
    BOOST_TEST(poll.look().all.empty());
    BOOST_REQUIRE(!poll.arm(one.entry, interest::read)); // and is so again when it is
    BOOST_CHECK(poll.look().of(1) == readiness::readable);
}

BOOST_AUTO_TEST_CASE(interest_in_what_is_no_descriptor_fails_with_the_systems_number) {
    opened<kqueue_over_emulation<numbered_network>> poll;
    decltype(poll)::registration entry;
    BOOST_REQUIRE(!poll.attach(entry, numbered_network::socket{INT_MAX}, 1));
    const tofu::io_error error = poll.arm(entry, interest::read);
    BOOST_TEST((error.kind == io_failure::other));
    BOOST_TEST(error.os_code == EBADF);
}

BOOST_AUTO_TEST_SUITE_END()
