// SPDX-License-Identifier: BSL-1.0
// Destruction in any order, from any state, by any thread. It ends in bounded time, and a group can still receive its
// queued messages. The sanitizers check that no object is used after its end.
#include "support/harness.hpp"
#include "support/refusing_address.hpp"

#include <atomic>
#include <future>
#include <thread>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(lifetimes)

using clock = std::chrono::steady_clock;

/// Stopping waits for nothing the network or a peer decides.
struct bounded {
    clock::time_point start = clock::now();
    ~bounded() { BOOST_TEST((clock::now() - start < 5s)); }
};

void expect_end(any_group& group) {
    std::error_code error;
    BOOST_TEST(!group.wait_receive(patience, error));
    BOOST_TEST((error == status::shutdown_started));
    tofu::message_ptr none = group.wait_receive(0ms, error); // and it stays so
    BOOST_TEST(!none);
    BOOST_TEST((error == status::shutdown_started));
}

/// Receives until the engine's last message. The number of messages before it.
std::size_t receive_to_the_goodbye(any_group& group, op_code last, status why) {
    for (std::size_t before = 0;; ++before) {
        const tofu::message_ptr m = group.wait_receive(patience);
        BOOST_REQUIRE(m);
        if (m->headers().find(tofu::reason_header).data() == nullptr) continue;
        BOOST_TEST(m->from_engine());
        BOOST_TEST((m->op() == last));
        BOOST_TEST(to_string(m->status()) == to_string(why));
        BOOST_TEST(reason_of(*m) == "engine_stopped");
        return before;
    }
}

TOFU_TEST_CASE(an_engine_nobody_used_ends, here) {
    const bounded time;
    any_reactor engine(here);
}

TOFU_TEST_CASE(groups_may_go_before_the_reactor, here) {
    const bounded time;
    dialogue talk(here);
    talk.connect();
    talk.client = {};
    talk.server = {};
    talk.await_channels(0);
}

TOFU_TEST_CASE(the_reactor_may_go_before_its_groups, here) {
    const bounded time;
    std::optional<dialogue> talk(std::in_place, here);
    const auto link = talk->connect();
    talk->client.post(make(talk->engine, op_code::request, link.client, "received before the end"));
    talk->expect(talk->server, op_code::request);
    auto client = std::move(talk->client);
    auto server = std::move(talk->server);
    talk.reset();
    BOOST_TEST(receive_to_the_goodbye(client, op_code::signal, status::channel_closed) == 0U);
    expect_end(client);
    receive_to_the_goodbye(server, op_code::signal, status::channel_closed); // connection and listener
    receive_to_the_goodbye(server, op_code::signal, status::channel_closed);
    expect_end(server);
}

TOFU_TEST_CASE(what_was_delivered_can_be_received_after_the_end, here) {
    const bounded time;
    std::optional<dialogue> talk(std::in_place, here);
    const auto link = talk->connect();
    for (std::uint64_t id = 1; id <= 10; ++id)
        talk->client.post(make(talk->engine, op_code::signal, link.client, "queued", id));
    talk->client.post(make(talk->engine, op_code::request, link.client, "the last"));
    const auto until = clock::now() + patience;
    while (talk->engine.stats().messages_received < 13) { // both hellos, too
        std::error_code has_thread;
        talk->engine.run_once(1ms, has_thread);
        if (has_thread) std::this_thread::yield();
        BOOST_REQUIRE((clock::now() < until));
    }
    auto server = std::move(talk->server);
    talk.reset();
    for (std::uint64_t id = 1; id <= 10; ++id) {
        const tofu::message_ptr m = server.wait_receive(patience);
        BOOST_REQUIRE(m);
        BOOST_TEST(m->header().message_id == id);
        BOOST_TEST(body_of(*m) == "queued");
    }
    BOOST_TEST(body_of(*server.wait_receive(patience)) == "the last");
    receive_to_the_goodbye(server, op_code::signal, status::channel_closed);
    receive_to_the_goodbye(server, op_code::signal, status::channel_closed);
    expect_end(server);
}

TOFU_TEST_CASE(messages_may_be_the_last, here) {
    tofu::message_ptr fresh;
    tofu::message_ptr received;
    tofu::message_ptr after;
    {
        const bounded time;
        dialogue talk(here);
        const auto link = talk.connect();
        fresh = make(talk.engine, op_code::signal, 0, "fresh");
        talk.client.post(make(talk.engine, op_code::signal, link.client, "received"));
        received = talk.expect(talk.server, op_code::signal);
    }
    std::error_code error;
    after = tofu::clone(*received, error); // their pool is still there
    BOOST_TEST(!error);
    BOOST_TEST(body_of(*after) == "received");
    BOOST_TEST(body_of(*fresh) == "fresh");
    received.reset();
    fresh.reset();
    BOOST_TEST(body_of(*after) == "received");
}

TOFU_TEST_CASE(a_message_may_be_released_by_another_thread_after_everything, here) {
    tofu::message_ptr received;
    {
        dialogue talk(here);
        const auto link = talk.connect();
        talk.client.post(make(talk.engine, op_code::signal, link.client));
        received = talk.expect(talk.server, op_code::signal);
    }
    std::thread([last = std::move(received)]() mutable { last.reset(); }).join();
    BOOST_TEST(!received);
}

TOFU_TEST_CASE(posts_after_the_end_stay_with_the_caller, here) {
    std::optional<dialogue> talk(std::in_place, here);
    const tofu::address where = talk->listen();
    const auto link = talk->connect(where);
    tofu::message_ptr request = make(talk->engine, op_code::request, link.client, "mine");
    tofu::message_ptr hello = talk->engine.get();
    BOOST_REQUIRE(hello->connect_to(where) == status::success);
    auto client = std::move(talk->client);
    talk.reset();
    std::error_code error;
    client.post(std::move(request), error);
    BOOST_TEST((error == status::shutdown_started));
    BOOST_TEST(request != nullptr);
    client.wait_post(std::move(request), 1h, error);
    BOOST_TEST((error == status::shutdown_started));
    BOOST_TEST(request != nullptr);
    client.post(std::move(hello), error);
    BOOST_TEST((error == status::shutdown_started));
    BOOST_TEST(hello != nullptr);
    BOOST_TEST(!client.stats(link.client));
}

// TCP only: the name is never found, so nothing travels and the send queue stays full.
TOFU_TEST_CASE(a_post_that_waits_for_room_learns_that_the_engine_is_gone, here, tcp_only) {
    script play;
    std::optional<scripted_dialogue> talk(std::in_place, here, play, tofu::options{.max_queued_messages = 1});
    const std::uint16_t channel = talk->hello_to_name();
    const question pending = play.names.next(talk->engine);
    talk->client.post(make(talk->engine, op_code::signal, channel, "fills the queue"));
    tofu::message_ptr m = make(talk->engine, op_code::signal, channel, "waits");
    auto client = std::move(talk->client);
    auto outcome = std::async(std::launch::async, [&] {
        std::error_code error;
        client.wait_post(std::move(m), patience, error);
        return error;
    });
    talk->expect_silence(talk->server); // most likely the post waits by now
    {
        const bounded time;
        talk.reset();
        BOOST_TEST((outcome.get() == status::shutdown_started));
    }
    BOOST_TEST(static_cast<bool>(m));
}

TOFU_TEST_CASE(the_end_answers_a_hello_request_in_every_state, here) {
    any_reactor other(here); // turns for the raw listener only
    raw_listener silent(other, here.new_address());
    for (const bool connected : {false, true}) {
        const bounded time;
        std::optional<dialogue> talk(std::in_place, here);
        const tofu::binary_header hello = talk->hello(silent.where());
        const std::uint16_t number = hello.channel_number;
        while (connected && talk->client.stats(number)->messages_sent == 0) {
        } // each look is a turn
        auto client = std::move(talk->client);
        talk.reset();
        const tofu::message_ptr m = client.wait_receive(patience);
        BOOST_REQUIRE(m);
        BOOST_TEST((m->op() == op_code::hello_response));
        BOOST_TEST(m->header().message_id == hello.message_id);
        BOOST_TEST(m->header().channel_number == number);
        BOOST_TEST(to_string(m->status()) == to_string(status::shutdown_started));
        BOOST_TEST(reason_of(*m) == "engine_stopped");
        expect_end(client);
    }
}

TOFU_TEST_CASE(the_end_gives_back_what_was_posted_while_resolving, here) {
    const bounded time;
    script play;
    std::optional<scripted_dialogue> talk(std::in_place, here, play);
    const std::uint16_t channel = talk->hello_to_name();
    question pending = play.names.next(talk->engine);
    for (std::uint64_t id = 1; id <= 5; ++id)
        talk->client.post(make(talk->engine, op_code::request, channel, "in vain", id));
    auto client = std::move(talk->client);
    talk.reset();
    for (std::uint64_t id = 1; id <= 5; ++id) {
        const tofu::message_ptr m = client.wait_receive(patience);
        BOOST_REQUIRE(m);
        BOOST_TEST(m->from_engine());
        BOOST_TEST(m->header().message_id == id);
        BOOST_TEST(to_string(m->status()) == to_string(status::shutdown_started));
    }
    BOOST_TEST(receive_to_the_goodbye(client, op_code::hello_response, status::shutdown_started) == 0U);
    expect_end(client);
    pending.answer({loopback(9)});
}

TOFU_TEST_CASE(the_end_sends_or_gives_back_each_message_of_a_full_queue, here) {
    any_reactor other(here); // turns for the raw peer only
    raw_listener listener(other, here.new_address());
    std::optional<dialogue> talk(std::in_place, here);
    const std::uint16_t channel = talk->hello(listener.where()).channel_number;
    while (talk->client.stats(channel)->messages_sent == 0) {
    } // each look is a turn
    raw_socket peer = listener.accept();
    BOOST_REQUIRE(peer.receive());
    peer.send({.op = op_code::hello_response, .message_id = 1});
    talk->expect(talk->client, op_code::hello_response);

    const std::string body(60'000, 'x');
    std::size_t posted = 0;
    for (std::error_code full;; ++posted) {
        talk->client.post(make(talk->engine, op_code::request, channel, body), full);
        if (full) break;
    }
    auto client = std::move(talk->client);
    {
        const bounded time;
        talk.reset();
    }
    const std::size_t returned = receive_to_the_goodbye(client, op_code::signal, status::channel_closed);
    BOOST_TEST(returned != 0U);
    expect_end(client);
    std::size_t received = 0;
    while (peer.receive()) ++received;
    BOOST_TEST(returned + received == posted);
}

TOFU_TEST_CASE(a_group_goes_with_queues_full_in_both_directions, here) {
    const bounded time;
    dialogue talk(here, {.max_messages = 4});
    const auto link = talk.connect();
    const std::string body(60'000, 'x');
    for (std::error_code full; !full;) talk.client.post(make(talk.engine, op_code::signal, link.client, body), full);
    for (std::error_code full; !full;) talk.server.post(make(talk.engine, op_code::signal, link.server, body), full);
    talk.client = {};
    for (tofu::message_ptr m = talk.next(talk.server);; m = talk.next(talk.server))
        if (m->from_engine() && !reason_of(*m).empty()) break; // received messages, returned messages, the goodbye
    talk.expect_silence(talk.server);
}

TOFU_TEST_CASE(groups_go_in_every_state_of_a_channel, here) {
    const bounded time;
    script play;
    scripted_dialogue talk(here, play);
    const tofu::address where = talk.listen();
    const auto renew = [&] { talk.client = talk.engine.create_group(); };

    talk.hello(where); // posted, possibly unseen
    renew();
    const refusing_address refusing(here);
    talk.hello(refusing.where());
    renew();
    talk.hello_to_name(); // resolving
    const question pending = play.names.next(talk.engine);
    renew();

    const std::uint16_t waiting = talk.hello(where).channel_number; // no hello_response yet
    while (talk.client.stats(waiting)->messages_sent == 0) {
    } // each look is a turn
    renew();
    const auto until = clock::now() + patience;
    while (talk.engine.stats().channels != 1) { // the listener; its connections end by themselves
        static_cast<void>(talk.server.wait_receive(1ms));
        BOOST_REQUIRE((clock::now() < until));
    }
    while (talk.server.wait_receive(0ms)) {
    }

    const auto link = talk.connect(where); // open, a bye posted
    talk.client.post(make(talk.engine, op_code::bye_request, link.client));
    tofu::message_ptr bye = talk.expect(talk.server, op_code::bye_request);
    renew();
    talk.server.post(answer(std::move(bye), op_code::bye_response));
    if (here.over == transport::uds) // it is known at once that nobody takes the answer
        BOOST_TEST(talk.expect(talk.server, op_code::bye_response)->from_engine());
    talk.expect_goodbye(talk.server, link.server, here.over == transport::tcp ? "bye" : "peer_reset");
    talk.connect(where); // open, and its listener's group goes
    talk.server = talk.engine.create_group();
    BOOST_TEST(talk.expect(talk.client, op_code::signal)->from_engine());
    renew();
    talk.await_channels(0);
}

TOFU_TEST_CASE(groups_come_and_go_in_many_threads, here) {
    const bounded time;
    any_reactor engine(here);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            std::error_code ignored;
            for (int i = 0; i < 50; ++i) {
                auto group = engine.create_group(ignored);
                tofu::message_ptr m = engine.get(tofu::allocation::always, ignored);
                if (m->listen_on(here.new_address()) != status::success) return;
                group.post(std::move(m), ignored);
                if (i % 2 == 0) static_cast<void>(group.wait_receive(1ms, ignored));
            }
        });
    for (std::thread& one : threads) one.join();
    await_channels(engine, 0);
}

TOFU_TEST_CASE(the_reactor_goes_while_threads_wait_and_post, here) {
    for (int round = 0; round < 10; ++round) {
        const bounded time;
        std::optional<dialogue> talk(std::in_place, here);
        const auto link = talk->connect();
        auto client = std::move(talk->client);
        auto server = std::move(talk->server);
        std::vector<tofu::message_ptr> supply;
        for (int i = 0; i < 50; ++i) supply.push_back(make(talk->engine, op_code::signal, link.client, "to post"));
        std::atomic<bool> begun{false};
        std::atomic<std::size_t> accepted{0};
        std::atomic<std::size_t> came_back{0};
        std::thread receiver([&] {
            std::error_code error;
            while (server.wait_receive(error)) {
            }
        });
        std::thread poster([&] {
            std::error_code error;
            for (tofu::message_ptr& m : supply) {
                client.post(std::move(m), error);
                if (!error) accepted.fetch_add(1);
                begun = true;
            }
        });
        while (!begun) std::this_thread::yield();
        talk.reset();
        receiver.join();
        poster.join();
        std::error_code error;
        while (const tofu::message_ptr m = client.wait_receive(patience, error))
            if (body_of(*m) == "to post") came_back.fetch_add(1);
        BOOST_TEST((error == status::shutdown_started));
        BOOST_TEST(came_back.load() <= accepted.load());
    }
}

TOFU_TEST_CASE(moved_groups_and_handles_stay_usable, here) {
    dialogue talk(here);
    auto moved = std::move(talk.client);
    BOOST_TEST(!talk.client);
    BOOST_TEST(static_cast<bool>(moved));
    talk.client = std::move(moved);
    talk.connect();
    auto group = talk.engine.create_group();
    group = talk.engine.create_group(); // the old one goes, the new one works
    group.update_receiver();
    BOOST_TEST(group.wait_receive(patience) != nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
