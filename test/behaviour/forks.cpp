// SPDX-License-Identifier: BSL-1.0
// A process with an engine forks. Tests the child's copy of the engine, and that the parent does not notice the child.
#include "support/harness.hpp"

#include "support/forked_child.hpp"
#include "support/own_directory.hpp"

#include <tofu/platform/posix/process_mark.hpp>

#include <spawn.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <vector>

extern char** environ; // POSIX leaves that to the program (environ(7))

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(forks)

namespace {

template <class Call>
status status_of(Call call) {
    std::error_code error;
    call(error);
    return failure(error);
}

/// Sends a request and its response over a connection of one engine.
void exchange(dialogue& talk, const dialogue::link& over) {
    talk.client.post(make(talk.engine, op_code::request, over.client, "question"));
    tofu::message_ptr m = talk.expect(talk.server, op_code::request);
    BOOST_TEST(body_of(*m) == "question");
    talk.server.post(answer(std::move(m), op_code::response));
    BOOST_TEST(body_of(*talk.expect(talk.client, op_code::response)) == "question");
}

} // namespace

BOOST_AUTO_TEST_CASE(a_process_mark_tells_the_child_from_its_parent) {
    using tofu::posix::process_mark;
    BOOST_TEST(!process_mark::count_forks());
    const process_mark here;
    BOOST_TEST(here.is_here());
    forked_child child([&](const fork_line&) {
        BOOST_TEST(!here.is_here());
        const process_mark there;
        BOOST_TEST(there.is_here());
        forked_child grandchild([&](const fork_line&) {
            BOOST_TEST(!here.is_here());
            BOOST_TEST(!there.is_here());
        });
    });
    child.wait();
    BOOST_TEST(here.is_here());
}

TOFU_TEST_CASE(every_call_of_a_child_gives_shutdown_started, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    tofu::message_ptr held = make(talk.engine, op_code::request, link.client);
    any_timer timer;
    const bool has_timers = here.policies != variation::no_timers;
    if (has_timers) timer = talk.client.update_receiver_after(1h, make(talk.engine, op_code::signal, 0));
    forked_child child([&](const fork_line&) {
        const auto is_refused = [](auto call) { BOOST_TEST(status_of(call) == status::shutdown_started); };
        is_refused([&](auto& error) { talk.client.post(std::move(held), error); });
        BOOST_TEST(held);
        is_refused([&](auto& error) { talk.client.wait_post(std::move(held), patience, error); });
        BOOST_TEST(held);
        is_refused([&](auto& error) { BOOST_TEST(!talk.client.wait_receive(patience, error)); });
        is_refused([&](auto& error) { BOOST_TEST(!talk.client.wait_receive(error)); });
        is_refused([&](auto& error) { talk.client.update_receiver(error); });
        is_refused([&](auto& error) { talk.client.update_receiver(std::move(held), error); });
        BOOST_TEST(held);
        if (has_timers) {
            is_refused([&](auto& error) { talk.client.update_receiver_after(1ms, std::move(held), error); });
            BOOST_TEST(held);
            BOOST_TEST(!timer.cancel());
        }
        BOOST_TEST(!talk.client.stats(link.client));
        is_refused([&](auto& error) { BOOST_TEST(!talk.engine.get(tofu::allocation::always, error)); });
        is_refused([&](auto& error) { BOOST_TEST(!talk.engine.get(tofu::allocation::pool_only, error)); });
        is_refused([&](auto& error) { BOOST_TEST(!clone(*held, error)); });
        is_refused([&](auto& error) { static_cast<void>(talk.engine.create_group(error)); });
        is_refused([&](auto& error) { talk.engine.run_once(patience, error); });
        is_refused([&](auto& error) { static_cast<void>(talk.engine.next_deadline(error)); });
        if (talk.engine.has_native_handle())
            is_refused([&](auto& error) { static_cast<void>(talk.engine.native_handle(error)); });
        BOOST_TEST(!talk.engine.drain(patience));
        BOOST_TEST(talk.engine.stats().channels == 0U);
        const auto says_so = [](const std::system_error& e) { return e.code() == status::shutdown_started; };
        BOOST_CHECK_EXCEPTION(talk.client.post(std::move(held)), std::system_error, says_so);
        BOOST_CHECK_EXCEPTION(static_cast<void>(talk.engine.get()), std::system_error, says_so);
    });
    child.wait();
    exchange(talk, link);
}

// The child destroys every kind of object, in both orders, while a thread of the parent may hold any lock.
TOFU_TEST_CASE(a_child_destroys_its_copies_and_the_parent_does_not_notice, here) {
    const own_directory home;
    dialogue talk(here);
    const tofu::address where = talk.listen(here.over == transport::uds ? home.address() : here.new_address());
    const auto link = talk.connect(where);
    for (const bool reactor_first : {true, false}) {
        tofu::message_ptr held = make(talk.engine, op_code::request, link.client, std::string(1'000, 'x'));
        talk.client.post(make(talk.engine, op_code::signal, link.client, "on its way"));
        any_timer timer;
        if (here.policies != variation::no_timers)
            timer = talk.client.update_receiver_after(1h, make(talk.engine, op_code::signal, 0));
        forked_child child([&](const fork_line&) {
            if (reactor_first) {
                any_reactor gone = std::move(talk.engine);
            }
            { any_timer gone = std::move(timer); }
            { any_group gone = std::move(talk.client); }
            { any_group gone = std::move(talk.server); }
            held.reset();
            if (!reactor_first) {
                any_reactor gone = std::move(talk.engine);
            }
        });
        child.wait();
        BOOST_TEST(body_of(*talk.expect(talk.server, op_code::signal)) == "on its way");
        exchange(talk, link);
        exchange(talk, talk.connect(where));
    }
}

TOFU_TEST_CASE(a_child_ends_by_exit_with_a_static_engine, here, each_once) {
    struct program {
        std::optional<dialogue> talk;
    };
    static program statics;
    statics.talk.emplace(here);
    const auto link = statics.talk->connect();
    for (const bool destroys_first : {false, true}) {
        forked_child child([&](const fork_line&) {
            if (destroys_first) statics.talk.reset();
            std::exit(0); // and a leak checker finds nothing
        });
        child.wait();
        exchange(*statics.talk, link);
    }
    statics.talk.reset();
}

// The peer of a socket sees its end only when every copy is closed.
TOFU_TEST_CASE(a_child_that_destroyed_its_copies_keeps_no_connection_open, here) {
    for (const bool group_only : {false, true}) {
        dialogue talk(here);
        raw_socket peer(talk.engine, talk.listen());
        const std::uint16_t channel = be_accepted(talk, peer);
        forked_child child([&](const fork_line& line) {
            { any_group gone = std::move(talk.server); }
            if (!group_only) {
                any_reactor gone = std::move(talk.engine);
            }
            line.tell();
            line.listen();
        });
        child.listen();
        talk.server.post(make(talk.engine, op_code::signal, channel, "still there"));
        const auto message = peer.receive();
        BOOST_REQUIRE(message);
        BOOST_TEST(message->body == "still there");
        { any_group gone = std::move(talk.server); }
        BOOST_TEST(!peer.receive()); // the child is still alive
    }
}

namespace {

/// Everything an engine is for, in a child.
void talk_in_child(setting here, dialogue* inherited) {
    const auto begin = [&](tofu::driven_by who) {
        here.who = who;
        dialogue own(here);
        exchange(own, own.connect());
        if (inherited != nullptr) BOOST_TEST(!inherited->engine.drain(patience)); // one does not disturb the other
    };
    begin(tofu::driven_by::caller);
    if (child_may_start_threads) begin(tofu::driven_by::io_thread);
}

} // namespace

TOFU_TEST_CASE(a_child_may_have_an_engine_of_its_own, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    forked_child child([&](const fork_line&) {
        talk_in_child(here, &talk);
        forked_child grandchild([&](const fork_line&) { talk_in_child(here, &talk); });
    });
    exchange(talk, link); // at the same time
    child.wait();
    exchange(talk, link);
}

// The moment is drawn by chance: the I/O thread, a poster and a receiver may hold any lock of the engine.
TOFU_TEST_CASE(forks_in_the_middle_of_work, here) {
    if (!child_may_allocate) return;
    dialogue talk(here);
    const auto link = talk.connect();
    std::atomic<bool> over{false};
    bool last_has_come = false; // the receiver's, until it is joined
    std::thread poster([&] {
        while (!over.load()) {
            std::error_code error;
            tofu::message_ptr m = talk.engine.get(tofu::allocation::always, error);
            if (!m) continue;
            m->header().op = op_code::signal;
            m->header().channel_number = link.client;
            talk.client.post(std::move(m), error);
        }
    });
    std::thread receiver([&] {
        tofu::message_ptr m;
        do {
            m = talk.server.wait_receive(patience);
        } while (m && m->op() != op_code::request);
        last_has_come = m != nullptr;
    });
    for (int round = 0; round < 10; ++round) {
        forked_child child([&](const fork_line&) {
            { any_group gone = std::move(talk.client); }
            { any_group gone = std::move(talk.server); }
            { any_reactor gone = std::move(talk.engine); }
        });
        child.wait();
    }
    over.store(true);
    poster.join();
    talk.client.wait_post(make(talk.engine, op_code::request, link.client, "last"), patience); // the queue may be full
    receiver.join();
    BOOST_TEST(last_has_come);
}

// A child of vfork has its parent's memory and thread: were it taken for a child of fork, the parent would be, too.
BOOST_AUTO_TEST_CASE(vfork_and_posix_spawn_are_no_forks) {
    const setting here = settings::at(0);
    dialogue talk(here);
    const auto link = talk.connect();
    std::string program = "/bin/true";
    const std::array<char*, 2> arguments{program.data(), nullptr};
    pid_t spawned = -1;
    BOOST_REQUIRE(::posix_spawn(&spawned, program.c_str(), nullptr, nullptr, arguments.data(), environ) == 0);
    int ended = -1;
    BOOST_TEST(::waitpid(spawned, &ended, 0) == spawned);
    BOOST_TEST(ended == 0);
    exchange(talk, link);
#if !defined(__APPLE__) // which warns of vfork
    const pid_t child = ::vfork();
    if (child == 0) ::_exit(0);
    BOOST_TEST(::waitpid(child, &ended, 0) == child);
    exchange(talk, link);
#endif
}

BOOST_AUTO_TEST_SUITE_END()
