// SPDX-License-Identifier: BSL-1.0
// Calls that the system refuses for a while, for lack of memory or for other reasons, are tried again: nothing is lost,
// and no thread spins until then. TCP only: the script refuses before any transport is used, and the tests are slow.
#include "support/harness.hpp"
#include "support/reactor_of.hpp"
#include "support/scarce_memory.hpp"

#include <chrono>
#include <cstdint>
#include <initializer_list>

using namespace tofu_test;
using tofu::io_failure;
using tofu::op_code;
using tofu::status;

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

// TCP only: nothing travels.
TOFU_TEST_CASE(without_memory_an_engine_is_not_made, here, tcp_only) {
    std::size_t refusals = 0;
    const auto make_engine = [&here] {
        std::error_code error;
        const any_reactor engine(here, {.initial_messages = 2}, error);
        return error;
    };
    const std::error_code made = with_each_refusal(make_engine, [&refusals](const std::error_code& error) {
        ++refusals;
        BOOST_TEST((error == status::allocation_failed), error.message());
    });
    BOOST_TEST(!made, made.message());
    BOOST_TEST(refusals >= 6U); // the pool of messages with its two lists, two messages, the engine itself
}

// TCP only: nothing travels.
TOFU_TEST_CASE(without_memory_a_call_does_nothing, here, tcp_only) {
    dialogue talk(here, {.initial_messages = 0});
    std::error_code error;
    const auto refused = [&error](const auto&) { BOOST_TEST((error == status::allocation_failed), error.message()); };
    any_group group = with_each_refusal([&] { return talk.engine.create_group(error); }, refused);
    BOOST_TEST(!error);
    const tofu::message_ptr held = // as long as it is, the pool has none
        with_each_refusal([&] { return talk.engine.get(tofu::allocation::always, error); }, refused);
    BOOST_TEST(!error);
    const auto update = [&] {
        group.update_receiver(error);
        return true;
    };
    with_each_refusal(update, refused);
    BOOST_TEST(!error);
    BOOST_TEST(to_string(talk.next(group)->status()) == to_string(status::receiver_update));
    talk.expect_silence(group);
}

// TCP only: nothing travels.
TOFU_TEST_CASE(without_memory_an_update_stays_with_the_caller, here, tcp_only& with_timers) {
    dialogue talk(here);
    tofu::message_ptr m = make(talk.engine, op_code::request, 7, "later");
    std::error_code error;
    with_each_refusal([&] { return talk.client.update_receiver_after(1ms, std::move(m), error); },
                      [&](const any_timer&) {
                          BOOST_TEST((error == status::allocation_failed), error.message());
                          BOOST_REQUIRE(m);
                          BOOST_TEST(m->header().channel_number == 7);
                          BOOST_TEST(body_of(*m) == "later");
                      });
    BOOST_TEST(!error);
    BOOST_TEST(body_of(*talk.next(talk.client)) == "later");
    talk.expect_silence(talk.client);
}

// Caller only: memory is short on this thread only, so this thread must turn the loop.
TOFU_TEST_CASE(without_memory_a_request_is_refused_or_answered, here, caller_only) {
    for (const op_code op : {op_code::hello_request, op_code::welcome_request}) {
        dialogue talk(here, {.initial_messages = 0});
        const op_code answers = op == op_code::hello_request ? op_code::hello_response : op_code::welcome_response;
        tofu::binary_header sent;
        tofu::message_ptr m;
        const auto request = [&] {
            std::error_code error;
            sent = talk.client.post(std::move(m), error);
            std::error_code ignored;
            talk.engine.run_once(0ms, ignored);
            return error;
        };
        const auto prepare = [&] {
            m = op == op_code::hello_request ? hello_request(talk.engine, nowhere())
                                             : welcome_request(talk.engine, here.new_address());
        };
        talk.hello(nowhere()); // the first number takes memory that stays
        talk.expect(talk.client, op_code::hello_response);
        prepare();
        std::size_t refusals = 0;
        const std::error_code error = with_each_refusal(request, [&](const std::error_code& why) {
            ++refusals;
            if (m) {
                BOOST_TEST((why == status::allocation_failed), why.message());
            } else {
                talk.expect_failed(talk.client, answers, sent, status::allocation_failed, "out_of_memory");
                prepare();
            }
        });
        BOOST_TEST(!error);
        BOOST_TEST(refusals >= 2U); // the goodbye and its room for a reason
        BOOST_TEST((talk.next(talk.client)->op() == answers));
    }
}

namespace {

/// Counts the keys that were made and not forgotten. One engine at a time.
struct counted_key : tofu::default_key {
    static inline int alive = 0;

    template <class Slot, class Socket>
    [[nodiscard]] static std::uintptr_t make(const Slot& slot, const Socket& socket) noexcept {
        ++alive;
        return tofu::default_key::make(slot, socket);
    }
    static void forget(std::uintptr_t key) noexcept {
        --alive;
        tofu::default_key::forget(key);
    }
};

/// Has no memory for one more socket as long as `refuses`.
struct full_poll : tofu::default_poll {
    static inline bool refuses = false;

    tofu::io_error attach(registration& entry, const socket& which, std::uintptr_t key) noexcept {
        if (refuses) return {io_failure::no_memory, 1};
        return tofu::default_poll::attach(entry, which, key);
    }
};

using full_reactor = tofu::basic_reactor<full_poll, tofu::fixed_channel_pool<8>, counted_key, tofu::default_timer>;

} // namespace

BOOST_AUTO_TEST_CASE(without_memory_for_a_socket_the_channel_ends_and_its_key_is_forgotten) {
    constexpr setting here{.poll = default_poller, .over = transport::tcp, .who = tofu::driven_by::caller};
    {
        dialogue talk(here,
                      any_reactor(std::make_unique<reactor_of<full_reactor>>(tofu::options{}, here.who, nullptr)));
        const tofu::address where = talk.listen();
        BOOST_TEST(counted_key::alive == 1);
        full_poll::refuses = true;
        const tofu::binary_header hello = talk.hello(where);
        talk.expect_failed(talk.client, op_code::hello_response, hello, status::allocation_failed, "out_of_memory");
        const tofu::binary_header welcome = talk.server.post(welcome_request(talk.engine, loopback()));
        talk.expect_failed(talk.server, op_code::welcome_response, welcome, status::allocation_failed, "out_of_memory");
        raw_socket stranger(talk.engine, where);
        static_cast<void>(stranger.reads_until_end()); // accepted and closed
        BOOST_TEST(counted_key::alive == 1);
        full_poll::refuses = false;
        talk.connect(where);
        BOOST_TEST(counted_key::alive == 3);
    }
    BOOST_TEST(counted_key::alive == 0);
}

// One poll policy only: the test takes seven times a tenth of a second, and poll policies do not see these failures.
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
