// SPDX-License-Identifier: BSL-1.0
// What the system refuses for now, for lack of memory or for reasons of its own, is tried again after a while: nothing
// is lost, and nobody spins until then. TCP only: the script refuses before any transport is asked, and to see that
// nobody spins takes its time.
#include "harness.hpp"

#include <chrono>
#include <cstdint>
#include <initializer_list>

using namespace tofu_test;
using tofu::io_failure;
using tofu::op_code;

BOOST_AUTO_TEST_SUITE(refused_calls)

namespace {

/// An engine in a system of moods, which it soon asks again.
struct moody_dialogue : script, scripted_dialogue {
    using clock = std::chrono::steady_clock;
    static constexpr auto retry_time = 10ms;

    explicit moody_dialogue(const setting& where) : scripted_dialogue(where, *this, {.retry_time = retry_time}) {}

    /// While something is refused: it is asked for, nothing comes, and it is not asked for all the time.
    void expect_patience() {
        const auto begin = clock::now();
        while (refusals == 0 && clock::now() - begin < patience) BOOST_REQUIRE(!server.wait_receive(1ms));
        BOOST_TEST(refusals > 0U);
        const tofu::engine_stats before = engine.stats();
        BOOST_TEST(!server.wait_receive(moment));
        const auto most = static_cast<std::uint64_t>(50 + (clock::now() - begin) / retry_time);
        BOOST_TEST(refusals < most);
        BOOST_TEST(engine.stats().turns - before.turns < most);
    }
};

} // namespace

TOFU_TEST_CASE(what_can_not_be_written_for_lack_of_memory_is_written_later, here, tcp_only) {
    moody_dialogue talk(here);
    const auto link = talk.connect();
    talk.refuses_writes = true;
    talk.client.post(make(talk.engine, op_code::request, link.client, "first"));
    talk.client.post(make(talk.engine, op_code::request, link.client, "second"));
    talk.expect_patience();
    talk.refuses_writes = false;
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "first");
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "second");
}

TOFU_TEST_CASE(what_can_not_be_read_for_lack_of_memory_is_read_later, here, tcp_only) {
    moody_dialogue talk(here);
    const auto link = talk.connect();
    talk.refuses_reads = true;
    talk.client.post(make(talk.engine, op_code::request, link.client, "patience"));
    talk.expect_patience();
    talk.refuses_reads = false;
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "patience");
}

TOFU_TEST_CASE(a_channel_that_can_not_write_can_be_aborted, here, tcp_only) {
    moody_dialogue talk(here);
    const auto link = talk.connect();
    talk.refuses_writes = true;
    talk.client.post(make(talk.engine, op_code::request, link.client, "never sent"));
    talk.client.post(make(talk.engine, op_code::bye_signal, link.client));
    const tofu::message_ptr returned = talk.expect(talk.client, op_code::request);
    BOOST_TEST(returned->from_engine());
    BOOST_TEST(body_of(*returned) == "never sent");
    talk.expect_goodbye(talk.client, link.client, "aborted");
    talk.refuses_writes = false;
    talk.expect_goodbye(talk.server, link.server, here.reason_of_abort());
    talk.connect(talk.listen()); // the time to try again comes, and finds nobody
}

// One poll policy only: seven times a tenth of a second, about what no poll policy sees.
TOFU_TEST_CASE(no_failure_to_accept_that_passes_ends_a_listener, here, tcp_only& defaults_only) {
    for (const io_failure kind :
         {io_failure::no_descriptors, io_failure::no_memory, io_failure::permission_denied, io_failure::unreachable,
          io_failure::timed_out, io_failure::unsupported, io_failure::other}) {
        moody_dialogue talk(here);
        const tofu::address where = talk.listen();
        talk.refuses_accepts = kind;
        const tofu::binary_header hello = talk.hello(where);
        talk.expect_patience();
        talk.refuses_accepts = io_failure::none;
        talk.accept();
        BOOST_TEST(talk.expect(talk.client, op_code::hello_response)->header().message_id == hello.message_id);
    }
}

TOFU_TEST_CASE(a_listener_that_can_never_accept_says_so_within_a_bound, here, tcp_only) {
    for (const io_failure kind : {io_failure::other, io_failure::unsupported, io_failure::permission_denied}) {
        moody_dialogue talk(here);
        const tofu::address where = talk.listen();
        const auto link = talk.connect(where);
        talk.refuses_accepts = kind;
        const raw_socket waiting(talk.engine, where);
        talk.expect_goodbye(talk.server, talk.listener, "os_error:1");
        BOOST_TEST(talk.refusals >= 30U);
        talk.client.post(make(talk.engine, op_code::request, link.client)); // its connections go on
        talk.expect(talk.server, op_code::request);
    }
}

TOFU_TEST_CASE(a_lack_of_descriptors_never_ends_a_listener, here, tcp_only& defaults_only) {
    for (const io_failure kind : {io_failure::no_descriptors, io_failure::no_memory}) {
        moody_dialogue talk(here);
        const tofu::address where = talk.listen();
        talk.refuses_accepts = kind;
        talk.hello(where);
        talk.await([&] {
            talk.clock_lead += 1000; // as if a second had passed
            return talk.refusals > 100U;
        });
        talk.refuses_accepts = io_failure::none;
        talk.await([&] {
            talk.clock_lead += 1000;
            return talk.engine.stats().accepted == 1;
        });
        talk.accept();
    }
}

BOOST_AUTO_TEST_SUITE_END()
