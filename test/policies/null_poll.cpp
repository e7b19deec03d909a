// SPDX-License-Identifier: BSL-1.0
// Tests of the poll policy without a network: waits, wakes, timers and posts to oneself work, and every attempt to
// connect or listen fails with a reason.
#include "support/harness.hpp"

#include <tofu/policies/poll/null_poll.hpp>

#include <chrono>
#include <thread>

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using tofu::message_ptr;
using tofu::op_code;
using tofu::status;
using tofu_test::make;

namespace {

using reactor = tofu::basic_reactor<tofu::null_poll>;
using real_clock = std::chrono::steady_clock;

static_assert(tofu::poll_policy<tofu::null_poll>);

constexpr tofu::driven_by both_drivers[] = {tofu::driven_by::caller, tofu::driven_by::io_thread};

struct nobody {
    void ready(std::uintptr_t, tofu::readiness) noexcept { BOOST_ERROR("something is ready"); }
    void released(std::uintptr_t) noexcept { BOOST_ERROR("something was released"); }
};

message_ptr request(reactor& engine, op_code op, std::string_view header, std::string_view where) {
    message_ptr m = make(engine, op, 0);
    BOOST_REQUIRE(m->headers().append(header, where) == status::success);
    return m;
}

/// The system's own number for an address of a kind it does not have.
const std::string no_such_family =
    "os_error:" + std::to_string(static_cast<int>(std::errc::address_family_not_supported));

} // namespace

BOOST_AUTO_TEST_SUITE(null_poll)

// ---- time (waking is in the suite pollers) ----

BOOST_AUTO_TEST_CASE(a_wait_lasts_as_long_as_asked_for_and_reports_nothing) {
    tofu::null_poll poll;
    nobody sink;
    BOOST_REQUIRE(!poll.open());
    for (const nanoseconds timeout : {1ns, 1'000'001ns, nanoseconds(20ms)}) {
        const auto begin = real_clock::now();
        const tofu::wait_result result = poll.wait(timeout, sink);
        BOOST_TEST((!result.error && !result.full));
        BOOST_TEST((real_clock::now() - begin >= timeout));
    }
}

BOOST_AUTO_TEST_CASE(no_time_only_looks_and_nearly_for_ever_is_no_overflow) {
    tofu::null_poll poll;
    nobody sink;
    BOOST_REQUIRE(!poll.open());
    const auto begin = real_clock::now();
    for (const nanoseconds timeout : {0ns, nanoseconds(-1s), nanoseconds::min()}) poll.wait(timeout, sink);
    BOOST_TEST((real_clock::now() - begin < 10s));
    std::atomic<bool> woken = false;
    std::thread waker([&] {
        std::this_thread::sleep_for(20ms); // so that the wait is most likely on; it is right either way
        woken = true;
        poll.wake();
    });
    poll.wait(nanoseconds::max() - 1ns, sink);
    BOOST_TEST(woken);
    waker.join();
}

// ---- an engine with it ----

BOOST_AUTO_TEST_CASE(a_message_to_oneself_arrives) {
    for (const tofu::driven_by who : both_drivers) {
        reactor engine({}, who);
        auto group = engine.create_group();
        group.update_receiver(make(engine, op_code::signal, 0, {}, 42));
        const message_ptr m = group.wait_receive(10s);
        BOOST_REQUIRE(m);
        BOOST_TEST(m->header().message_id == 42U);
        BOOST_TEST((m->status() == status::receiver_update));
    }
}

BOOST_AUTO_TEST_CASE(timers_come_in_their_order_and_not_early) {
    for (const tofu::driven_by who : both_drivers) {
        reactor engine({}, who);
        auto group = engine.create_group();
        const auto begin = real_clock::now();
        auto late = group.update_receiver_after(20ms, make(engine, op_code::signal, 0, {}, 2));
        auto soon = group.update_receiver_after(10ms, make(engine, op_code::signal, 0, {}, 1));
        auto never = group.update_receiver_after(1h, make(engine, op_code::signal, 0, {}, 3));
        const bool overtakes = real_clock::now() - begin < 10ms; // else it was asked for too late
        std::uint64_t ids[2]{};
        for (std::uint64_t& id : ids) {
            const message_ptr m = group.wait_receive(10s);
            BOOST_REQUIRE(m);
            id = m->header().message_id;
            BOOST_TEST((real_clock::now() - begin >= id * 10ms));
        }
        BOOST_TEST(((ids[0] == 1 && ids[1] == 2) || (!overtakes && ids[0] == 2 && ids[1] == 1)));
        BOOST_TEST(never.cancel() != nullptr);
    }
}

BOOST_AUTO_TEST_CASE(whoever_wants_to_connect_or_listen_is_told_that_there_is_no_such_thing_here) {
    for (const tofu::driven_by who : both_drivers) {
        reactor engine({}, who);
        auto group = engine.create_group();
        for (const char* where : {"tcp|127.0.0.1|4711", "tcp|a.name|4711", "uds|/a/path"}) {
            group.post(request(engine, op_code::hello_request, tofu::connect_to_header, where));
            const message_ptr refused = group.wait_receive(10s);
            BOOST_REQUIRE(refused);
            BOOST_TEST((refused->op() == op_code::hello_response));
            BOOST_TEST((refused->status() == status::connect_failed));
            BOOST_TEST(refused->headers().find(tofu::reason_header) == no_such_family);

            group.post(request(engine, op_code::welcome_request, tofu::listen_on_header, where));
            const message_ptr deaf = group.wait_receive(10s);
            BOOST_REQUIRE(deaf);
            BOOST_TEST((deaf->op() == op_code::welcome_response));
            BOOST_TEST((deaf->status() == status::listen_failed));
            BOOST_TEST(deaf->headers().find(tofu::reason_header) == no_such_family);
        }
        BOOST_TEST(engine.stats().channels == 0U);
    }
}

BOOST_AUTO_TEST_SUITE_END()
