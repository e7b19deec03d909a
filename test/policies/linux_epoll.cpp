// SPDX-License-Identifier: BSL-1.0
// Tests of the epoll(7) policy alone: system calls counted, copies of descriptors, batches, the one descriptor another
// loop can wait for. The tests for every poller are in pollers.cpp.
#include "support/harness.hpp"
#include "support/socket_pairs.hpp"

#include <tofu/policies/poll/linux_epoll.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <map>

using namespace tofu_test;
using tofu::interest;
using tofu::io_failure;
using tofu::op_code;
using tofu::readiness;

namespace {

std::atomic<unsigned> epoll_controls{0};
std::atomic<int> refused_controls{0}; ///< that many additions to come fail
std::atomic<int> refusal{ENOSPC};     ///< with this

} // namespace

/// In the place of the system's own, for this program: counted, and refused on demand.
extern "C" int epoll_ctl(int set, int operation, int descriptor, epoll_event* entry) noexcept {
    ++epoll_controls;
    if (operation == EPOLL_CTL_ADD && refused_controls.load() > 0) {
        --refused_controls;
        errno = refusal;
        return -1;
    }
    return static_cast<int>(::syscall(SYS_epoll_ctl, set, operation, descriptor, entry));
}

BOOST_AUTO_TEST_SUITE(linux_epoll)

namespace {

struct counted_reports {
    std::map<std::uintptr_t, int> reports;
    void ready(std::uintptr_t key, readiness) noexcept { ++reports[key]; }
    void released(std::uintptr_t) noexcept {}
};

template <class Poll = tofu::linux_epoll>
struct opened : Poll {
    opened() { BOOST_REQUIRE(!this->open()); }

    counted_reports look(std::chrono::nanoseconds timeout = 0ns) {
        counted_reports seen;
        const tofu::wait_result result = this->wait(timeout, seen);
        BOOST_TEST(!result.error);
        full = result.full;
        return seen;
    }
    bool full = false;
};

/// The number of calls of epoll_ctl(2) that `what` makes.
template <class Do>
unsigned controls_of(Do what) {
    const unsigned before = epoll_controls;
    what();
    return epoll_controls - before;
}

} // namespace

// ---- one system call for a change, none without ----

BOOST_AUTO_TEST_CASE(each_change_of_interest_is_one_system_call_and_the_same_again_is_none) {
    opened poll;
    socket_pair pair = connect_pair();
    tofu::linux_epoll::registration entry;
    const auto arm = [&](interest wanted) { return controls_of([&] { BOOST_REQUIRE(!poll.arm(entry, wanted)); }); };
    BOOST_TEST(controls_of([&] { BOOST_REQUIRE(!poll.attach(entry, pair.server, 1)); }) == 0U);
    BOOST_TEST(arm(interest::none) == 0U);
    BOOST_TEST(arm(interest::read) == 1U);
    BOOST_TEST(arm(interest::read) == 0U);
    BOOST_TEST(arm(interest::read | interest::write) == 1U);
    BOOST_TEST(arm(interest::read | interest::write) == 0U);
    BOOST_TEST(arm(interest::write) == 1U);
    BOOST_TEST(arm(interest::none) == 1U);
    BOOST_TEST(arm(interest::none) == 0U);
    BOOST_TEST(controls_of([&] { poll.disarm(entry); }) == 0U);
    BOOST_REQUIRE(!poll.attach(entry, pair.server, 1));
    BOOST_TEST(arm(interest::read) == 1U);
    BOOST_TEST(controls_of([&] { poll.disarm(entry); }) == 1U);
    BOOST_TEST(controls_of([&] { poll.disarm(entry); }) == 0U);
}

TOFU_TEST_CASE(a_steady_exchange_changes_no_interest, here, only_with(poller::linux_epoll)) {
    dialogue talk(here);
    const auto link = talk.connect();
    talk.turn_loop();
    const unsigned controls = controls_of([&] {
        for (int turn = 0; turn < 100; ++turn) {
            talk.client.post(make(talk.engine, op_code::request, link.client, "ping"));
            talk.server.post(answer(talk.expect(talk.server, op_code::request), op_code::response));
            talk.expect(talk.client, op_code::response);
        }
    });
    BOOST_TEST(controls == 0U);
}

// ---- the set and its descriptors ----

BOOST_AUTO_TEST_CASE(a_closed_socket_is_silent_though_a_copy_of_it_lives_on) {
    opened poll;
    socket_pair pair = connect_pair();
    tofu::linux_epoll::registration entry;
    BOOST_REQUIRE(!poll.attach(entry, pair.server, 1));
    BOOST_REQUIRE(!poll.arm(entry, interest::read));
    const tofu::posix::descriptor copy(::dup(pair.server.native_handle())); // as a forked child would have it
    poll.disarm(entry);
    pair.server.close();
    send_text(pair.client, "x");
    await(copy.get(), POLLIN);
    BOOST_TEST(poll.look(20ms).reports.empty());

    // Its number is another's by now: that one is known by its own key.
    socket_pair next = connect_pair();
    BOOST_REQUIRE(!poll.attach(entry, next.server, 2));
    BOOST_REQUIRE(!poll.arm(entry, interest::read));
    send_text(next.client, "y");
    const counted_reports seen = poll.look(10s);
    BOOST_TEST(seen.reports.size() == 1U);
    BOOST_TEST(seen.reports.count(2) == 1U);
}

BOOST_AUTO_TEST_CASE(its_descriptors_are_closed_on_exec) {
    opened poll;
    BOOST_TEST((::fcntl(poll.native_handle(), F_GETFD) & FD_CLOEXEC) != 0);
    tofu::linux_api::wake_event event;
    BOOST_REQUIRE(!event.open());
    BOOST_TEST((::fcntl(event.descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
    BOOST_TEST((::fcntl(event.descriptor(), F_GETFL) & O_NONBLOCK) != 0);
}

// ---- batches ----

BOOST_AUTO_TEST_CASE(what_a_full_batch_has_no_room_for_comes_first_in_the_next) {
    constexpr std::size_t sockets = 7;
    opened<tofu::basic_linux_epoll<tofu::platform::network<>, 2>> poll;
    std::vector<socket_pair> pairs(sockets);
    std::vector<decltype(poll)::registration> entries(sockets);
    for (std::size_t i = 0; i < sockets; ++i) {
        pairs[i] = connect_pair();
        BOOST_REQUIRE(!poll.attach(entries[i], pairs[i].server, i + 1));
        BOOST_REQUIRE(!poll.arm(entries[i], interest::read));
        send_text(pairs[i].client, "x");
        await(pairs[i].server.native_handle(), POLLIN);
    }
    // Nothing is read, so all stay ready. Any seven reports in a row must name all seven, wherever one begins.
    std::vector<std::uintptr_t> order;
    while (order.size() < 5 * sockets) {
        const counted_reports seen = poll.look();
        BOOST_TEST(poll.full);
        BOOST_REQUIRE(seen.reports.size() == 2U);
        for (const auto& [key, count] : seen.reports) {
            BOOST_TEST(count == 1);
            order.push_back(key);
        }
    }
    std::map<std::uintptr_t, int> named;
    for (const std::uintptr_t key : order) ++named[key];
    BOOST_TEST(named.size() == sockets);
    for (const auto& [key, count] : named) BOOST_TEST((count >= 5 - 1 && count <= 5 + 1), "key " << key);
}

BOOST_AUTO_TEST_CASE(a_wake_gets_through_full_batches) {
    opened<tofu::basic_linux_epoll<tofu::platform::network<>, 1>> poll;
    std::array<socket_pair, 3> pairs;
    std::array<decltype(poll)::registration, 3> entries;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        pairs[i] = connect_pair();
        BOOST_REQUIRE(!poll.attach(entries[i], pairs[i].server, i + 1));
        BOOST_REQUIRE(!poll.arm(entries[i], interest::read));
        send_text(pairs[i].client, "x");
        await(pairs[i].server.native_handle(), POLLIN);
    }
    poll.wake();
    std::size_t looks = 0;
    while (!poll.look().reports.empty()) BOOST_REQUIRE(++looks <= pairs.size()); // then comes the wake, alone
    BOOST_TEST(poll.full);
    BOOST_TEST(!poll.look().reports.empty());
}

// ---- what fails ----

BOOST_AUTO_TEST_CASE(a_wait_that_fails_has_rested) {
    opened poll;
    const tofu::posix::descriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    BOOST_REQUIRE(::dup2(nothing.get(), poll.native_handle()) >= 0); // epoll_wait(2): EINVAL
    counted_reports seen;
    for (const std::chrono::nanoseconds timeout : {std::chrono::nanoseconds(0), std::chrono::nanoseconds::max()}) {
        const auto begin = std::chrono::steady_clock::now();
        BOOST_TEST((poll.wait(timeout, seen).error.kind == io_failure::other));
        BOOST_TEST((std::chrono::steady_clock::now() - begin >= 9ms));
    }
    BOOST_TEST(seen.reports.empty());
}

BOOST_AUTO_TEST_CASE(a_refused_watch_is_a_lack_of_memory_and_changes_nothing) {
    opened poll;
    socket_pair pair = connect_pair();
    tofu::linux_epoll::registration entry;
    BOOST_REQUIRE(!poll.attach(entry, pair.server, 1));
    send_text(pair.client, "x");
    await(pair.server.native_handle(), POLLIN);
    for (const int code : {ENOSPC, ENOMEM}) {
        refusal = code;
        refused_controls = 1;
        const tofu::io_error error = poll.arm(entry, interest::read);
        BOOST_TEST((error.kind == io_failure::no_memory));
        BOOST_TEST(error.os_code == code);
        BOOST_TEST(poll.look().reports.empty());
    }
    BOOST_REQUIRE(!poll.arm(entry, interest::read));
    BOOST_TEST(poll.look(10s).reports.size() == 1U);
}

// A listener, a connecting and an accepted channel each find that there is no watch left for them, and get one later.
TOFU_TEST_CASE(channels_outlive_a_lack_of_watches, here, only_with(poller::linux_epoll)) {
    dialogue talk(here, {.retry_time = std::chrono::milliseconds(5)});
    refusal = ENOSPC;
    refused_controls = 1;
    const tofu::address where = talk.listen();
    refused_controls = 3; // for the channels that come first
    const auto link = talk.connect(where);
    BOOST_TEST(refused_controls == 0);
    talk.client.post(make(talk.engine, op_code::request, link.client, "through"));
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "through");
}

// ---- a loop of somebody else's ----

namespace {

/// A program with a poll(2) loop of its own. The engine is one more descriptor and one more deadline.
class foreign_loop {
public:
    explicit foreign_loop(any_reactor& engine) : engine_(engine) {}

    /// One wait of at most `longest`; false: it lasted that long. (Work that is left, or a deadline, ends it, too.)
    bool turn(std::chrono::milliseconds longest = patience) {
        pollfd own{.fd = engine_.native_handle(), .events = POLLIN, .revents = 0};
        const std::chrono::milliseconds time = time_left(longest);
        const int found = ::poll(&own, 1, static_cast<int>(time.count()));
        BOOST_REQUIRE(found >= 0);
        engine_.run_once(0ms);
        return found != 0 || time < longest;
    }

private:
    [[nodiscard]] std::chrono::milliseconds time_left(std::chrono::milliseconds longest) {
        using clock = std::chrono::steady_clock;
        const auto due = engine_.next_deadline();
        const auto now = clock::now();
        if (due <= now) return 0ms;
        if (due - now >= longest) return longest;
        return std::chrono::ceil<std::chrono::milliseconds>(due - now);
    }

    any_reactor& engine_;
};

} // namespace

TOFU_TEST_CASE(an_engine_can_live_in_a_loop_of_the_applications_own, here,
               only_with(poller::linux_epoll) & caller_only & with_timers) {
    dialogue talk(here);
    foreign_loop loop(talk.engine);
    const auto receive = [&](any_group& from) {
        for (;;) {
            if (tofu::message_ptr m = from.wait_receive(0ms)) return m;
            BOOST_REQUIRE_MESSAGE(loop.turn(), "the loop slept although something was to be done");
        }
    };
    talk.server.post(welcome_request(talk.engine, here.new_address()));
    const tofu::message_ptr ready = receive(talk.server);
    BOOST_REQUIRE(ready->status() == tofu::status::success);

    const auto link = talk.hello(tofu::parse_address(ready->headers().find(tofu::listen_on_header)).value);
    talk.server.post(answer(receive(talk.server), op_code::hello_response));
    BOOST_TEST((receive(talk.client)->op() == op_code::hello_response));
    for (int turn = 0; turn < 10; ++turn) {
        talk.client.post(make(talk.engine, op_code::request, link.channel_number, "ping"));
        talk.server.post(answer(receive(talk.server), op_code::response));
        BOOST_TEST((receive(talk.client)->op() == op_code::response));
    }

    // A timer's message comes in time although nothing makes the descriptor readable.
    talk.client.update_receiver_after(20ms, talk.engine.get());
    tofu::message_ptr late;
    while (!late) {
        loop.turn();
        late = talk.client.wait_receive(0ms);
    }
    BOOST_TEST((late->status() == tofu::status::receiver_update));

    // When there is nothing to do, the descriptor says so: a wait lasts.
    while (loop.turn(1ms)) {
    }
    BOOST_TEST(!loop.turn(moment));
}

// A program whose other events post between next_deadline and the wait, or forget to ask again: the descriptor tells.
TOFU_TEST_CASE(what_a_post_brings_before_the_wait_makes_the_descriptor_readable, here,
               only_with(poller::linux_epoll) & caller_only) {
    dialogue talk(here, tofu::options{.bye_time = 1s});
    const auto link = talk.connect();
    raw_socket peer(talk.engine, talk.listen());
    peer.say_hello();
    const std::uint16_t channel = talk.accept();
    BOOST_REQUIRE(peer.receive());
    const auto readable = [&] {
        pollfd own{.fd = talk.engine.native_handle(), .events = POLLIN, .revents = 0};
        return ::poll(&own, 1, 0) == 1;
    };
    const auto fall_asleep = [&] {
        do {
            talk.engine.run_once(0ms);
            for (any_group* const group : {&talk.server, &talk.client}) BOOST_TEST(!group->wait_receive(0ms));
        } while (talk.engine.next_deadline() == any_reactor::time_point::min() || readable());
    };
    fall_asleep();
    talk.hello(nowhere()); // mail
    BOOST_TEST(readable());
    talk.expect(talk.client, op_code::hello_response);
    fall_asleep();
    talk.server.update_receiver(); // mail that does not go through the loop
    BOOST_TEST(readable());
    talk.expect(talk.server, op_code::signal);
    fall_asleep();
    talk.server.post(make(talk.engine, op_code::signal, channel)); // nothing that this program has to look after
    BOOST_TEST(!readable());
    talk.server.post(make(talk.engine, op_code::bye_request, channel)); // a deadline before all others
    BOOST_TEST(readable() == (here.policies != variation::no_timers));
    fall_asleep();
    talk.client.post(make(talk.engine, op_code::request, link.client));
    std::thread poster([&] { talk.client.post(make(talk.engine, op_code::signal, link.client)); });
    poster.join(); // the loop is still asleep, so that another thread's post wakes it
    BOOST_TEST(readable());
}

TOFU_TEST_CASE(a_post_of_another_thread_makes_the_descriptor_readable, here,
               only_with(poller::linux_epoll) & caller_only) {
    dialogue talk(here);
    const auto link = talk.connect();
    foreign_loop loop(talk.engine);
    constexpr int messages = 1000;
    std::thread poster([&] {
        for (int i = 0; i < messages; ++i) {
            std::error_code error;
            tofu::message_ptr m = talk.engine.get(tofu::allocation::always, error);
            m->header().op = op_code::signal;
            m->header().channel_number = link.client;
            while (m) { // refused when the queue is full: the loop is at work
                talk.client.post(std::move(m), error);
                if (m) std::this_thread::yield();
            }
        }
    });
    int received = 0;
    bool slept = false;
    while (received < messages && !slept) {
        if (talk.server.wait_receive(0ms))
            ++received;
        else
            slept = !loop.turn();
    }
    poster.join();
    BOOST_TEST(!slept);
    BOOST_TEST(received == messages);
}

BOOST_AUTO_TEST_SUITE_END()
