// SPDX-License-Identifier: BSL-1.0
// The drivers of the loop, and the calls about it: run_once, next_deadline, waiting threads, drain, figures, messages.
#include "support/harness.hpp"

#include <thread>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(driving)

using clock = std::chrono::steady_clock;

/// A dialogue with a raw peer at the other end of one of the client's connections.
struct watched {
    explicit watched(const setting& here) : talk(here) {
        raw_listener listener(talk.engine, here.new_address());
        channel = talk.hello(listener.where()).channel_number;
        peer.emplace(listener);
        BOOST_REQUIRE(peer->socket.receive());
        peer->socket.send({.op = op_code::hello_response, .message_id = 1});
        talk.expect(talk.client, op_code::hello_response);
    }
    struct accepted {
        explicit accepted(raw_listener& from) : socket(from.accept()) {}
        raw_socket socket;
    };
    dialogue talk;
    std::uint16_t channel = 0;
    std::optional<accepted> peer;
};

// Caller only, up to the next heading: this is about driving, and an engine with a thread is not driven.

TOFU_TEST_CASE(run_once_does_what_there_is_to_do, here, caller_only) {
    dialogue talk(here);
    tofu::message_ptr m = talk.engine.get();
    BOOST_REQUIRE(m->listen_on(here.new_address()) == status::success);
    talk.server.post(std::move(m));
    talk.engine.run_once(patience); // the post is there: this does not wait
    const std::uint64_t turns = talk.engine.stats().turns;
    BOOST_TEST(talk.server.wait_receive(patience) != nullptr);
    BOOST_TEST(talk.engine.stats().turns == turns); // it was in the mailbox already
}

// In a thread of its own: when a ring of io_uring ends, as in an earlier case, the kernel interrupts a system call of
// the thread that used the ring.
TOFU_TEST_CASE(run_once_waits_no_longer_than_it_was_told, here, caller_only) {
    std::thread([&here] {
        dialogue talk(here);
        const auto start = clock::now();
        talk.engine.run_once(0ms);
        talk.engine.run_once(20ms);
        talk.engine.run_once(-1h);
        BOOST_TEST((clock::now() - start >= 20ms));
        BOOST_TEST((clock::now() - start < patience));
    }).join();
}

TOFU_TEST_CASE(next_deadline_says_when_run_once_is_due, here, caller_only& with_timers) {
    using time_point = any_reactor::time_point;
    any_reactor engine(here);
    auto group = engine.create_group();
    BOOST_TEST((engine.next_deadline() == time_point::max()));
    const auto before = clock::now();
    auto timer = group.update_receiver_after(1h, make(engine, op_code::signal, 0));
    const auto after = clock::now();
    BOOST_TEST((engine.next_deadline() == time_point::min())); // the timer itself is still in the inbox
    engine.run_once(0ms);
    BOOST_TEST((engine.next_deadline() >= before + 1h));
    BOOST_TEST((engine.next_deadline() <= after + 1h));
    BOOST_TEST(timer.cancel() != nullptr);
    BOOST_TEST((engine.next_deadline() == time_point::min()));
    engine.run_once(0ms);
    BOOST_TEST((engine.next_deadline() == time_point::max()));
}

namespace {

/// True if next_deadline tells the program to serve the engine at once.
[[nodiscard]] bool is_due(dialogue& talk) { return talk.engine.next_deadline() == any_reactor::time_point::min(); }

/// Nothing is left to do for the engine or its groups.
void settle(dialogue& talk) {
    for (any_group* const group : {&talk.server, &talk.client}) BOOST_TEST(!group->wait_receive(0ms));
    BOOST_TEST(!is_due(talk));
}

} // namespace

TOFU_TEST_CASE(next_deadline_is_now_while_a_post_has_left_mail, here, caller_only) {
    dialogue talk(here);
    settle(talk);
    talk.hello(nowhere()); // the answer is in the mailbox before the post returns
    BOOST_TEST(is_due(talk));
    BOOST_TEST(is_due(talk)); // and again, until it is taken
    talk.expect(talk.client, op_code::hello_response);
    settle(talk);
    for (int i = 0; i < 3; ++i) talk.hello(nowhere());
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(is_due(talk));
        talk.expect(talk.client, op_code::hello_response);
    }
    settle(talk);
}

TOFU_TEST_CASE(next_deadline_is_now_while_the_receive_of_another_group_has_left_mail, here, caller_only) {
    dialogue talk(here);
    const auto link = talk.connect();
    settle(talk);
    talk.client.post(make(talk.engine, op_code::request, link.client, "for the server"));
    const auto until = clock::now() + patience;
    while (!is_due(talk)) { // its receiver drives, and brings what is the server's
        BOOST_TEST(!talk.client.wait_receive(1ms));
        BOOST_REQUIRE((clock::now() < until));
    }
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "for the server");
    settle(talk);
}

TOFU_TEST_CASE(next_deadline_is_now_while_an_update_lies_in_a_mailbox, here, caller_only) {
    dialogue talk(here);
    settle(talk);
    talk.server.update_receiver();
    BOOST_TEST(is_due(talk));
    BOOST_TEST(!talk.client.wait_receive(0ms)); // another group's mail is its own
    BOOST_TEST(is_due(talk));
    talk.expect(talk.server, op_code::signal);
    settle(talk);
    std::thread other([&] { talk.server.update_receiver(talk.engine.get()); });
    other.join();
    BOOST_TEST(is_due(talk));
    BOOST_TEST(talk.server.wait_receive(0ms) != nullptr);
    settle(talk);
}

TOFU_TEST_CASE(next_deadline_is_now_while_a_late_update_lies_in_a_mailbox, here, caller_only& with_timers) {
    dialogue talk(here);
    talk.server.update_receiver_after(0ms, talk.engine.get());
    talk.engine.run_once(0ms);
    BOOST_TEST(is_due(talk));
    talk.expect(talk.server, op_code::request);
    settle(talk);
}

TOFU_TEST_CASE(mail_of_a_destroyed_group_does_not_keep_the_loop_awake, here, caller_only) {
    dialogue talk(here);
    talk.hello(nowhere());
    talk.client.update_receiver();
    BOOST_TEST(is_due(talk));
    talk.client = {};
    BOOST_TEST(!is_due(talk));
}

TOFU_TEST_CASE(an_engine_says_which_option_is_wrong, here) {
    const tofu::options wrong{.max_messages = 3};
    std::error_code error;
    const any_reactor none(here, wrong, error);
    BOOST_TEST((error == tofu::options_problem::max_messages));
    BOOST_TEST(error.message() == tofu::validate(wrong).problem);
    const auto says_so = [&](const std::system_error& e) {
        return e.code() == error && std::string_view(e.what()).find(error.message()) != std::string_view::npos;
    };
    BOOST_CHECK_EXCEPTION(any_reactor(here, wrong), std::system_error, says_so);
}

TOFU_TEST_CASE(native_handle_is_refused_where_the_engine_has_a_thread, here, io_thread_only) {
    any_reactor engine(here);
    std::error_code error;
    BOOST_TEST(engine.native_handle(error) == -1);
    BOOST_TEST((error == status::not_allowed));
    const auto refused = [](const std::system_error& e) { return e.code() == status::not_allowed; };
    if (engine.has_native_handle())
        BOOST_CHECK_EXCEPTION(static_cast<void>(engine.native_handle()), std::system_error, refused);
}

TOFU_TEST_CASE(after_next_deadline_a_post_of_another_thread_wakes, here, caller_only) {
    dialogue talk(here);
    for (int round = 0; round < 20; ++round) {
        while (talk.engine.next_deadline() == any_reactor::time_point::min()) talk.engine.run_once(0ms);
        const std::uint64_t wakes = talk.engine.stats().wakes;
        std::thread other([&] { talk.hello(nowhere()); });
        other.join();
        BOOST_TEST(talk.engine.stats().wakes == wakes + 1);
        talk.engine.run_once(patience);
        BOOST_TEST(talk.engine.stats().channels <= 1U);
        talk.expect(talk.client, op_code::hello_response);
    }
}

TOFU_TEST_CASE(a_post_of_another_thread_ends_a_run_once, here, caller_only) {
    dialogue talk(here);
    const auto start = clock::now();
    std::thread other([&] { talk.hello(nowhere()); });
    talk.expect(talk.client, op_code::hello_response);
    other.join();
    BOOST_TEST((clock::now() - start < patience));
}

TOFU_TEST_CASE(a_post_on_the_driving_thread_is_sent_before_it_returns, here, caller_only) {
    watched w(here);
    for (int round = 0; round < 10; ++round) {
        const tofu::engine_stats before = w.talk.engine.stats();
        w.talk.client.post(make(w.talk.engine, op_code::request, w.channel, "now"));
        const tofu::engine_stats after = w.talk.engine.stats();
        BOOST_TEST(after.messages_sent == before.messages_sent + 1);
        BOOST_TEST(after.turns == before.turns); // nobody has looked at the poller
        const auto got = w.peer->socket.receive();
        BOOST_REQUIRE(got);
        BOOST_TEST(got->body == "now");
    }
}

TOFU_TEST_CASE(a_thread_that_does_not_drive_lets_the_driver_send, here, caller_only) {
    watched w(here);
    std::thread other([&] { w.talk.client.post(make(w.talk.engine, op_code::request, w.channel, "later")); });
    other.join();
    const auto got = w.peer->socket.receive(); // turns the loop while it waits
    BOOST_REQUIRE(got);
    BOOST_TEST(got->body == "later");
}

TOFU_TEST_CASE(of_two_waiting_threads_one_drives_and_the_other_takes_over, here, caller_only) {
    for (int round = 0; round < 20; ++round) {
        dialogue talk(here);
        const auto link = talk.connect();
        const std::array<std::string_view, 2> bodies{"for the server", "for the client"};
        std::array<tofu::message_ptr, 2> got;
        const auto receive_into = [](dialogue::group& group, tofu::message_ptr& where) {
            return std::thread([&] { where = group.wait_receive(patience); });
        };
        std::thread first = receive_into(talk.server, got[0]);
        std::thread second = receive_into(talk.client, got[1]);
        // The order alternates. So in some rounds the driver's message comes last, and the other thread must get its
        // message through the driver.
        if (round % 2 == 0) {
            talk.client.post(make(talk.engine, op_code::signal, link.client, bodies[0]));
            first.join();
            talk.server.post(make(talk.engine, op_code::signal, link.server, bodies[1]));
            second.join();
        } else {
            talk.server.post(make(talk.engine, op_code::signal, link.server, bodies[1]));
            second.join();
            talk.client.post(make(talk.engine, op_code::signal, link.client, bodies[0]));
            first.join();
        }
        for (std::size_t i = 0; i < got.size(); ++i) {
            BOOST_REQUIRE(got[i]);
            BOOST_TEST(body_of(*got[i]) == bodies[i]);
        }
    }
}

TOFU_TEST_CASE(a_waiting_thread_comes_back_in_time_while_another_drives, here, caller_only) {
    dialogue talk(here);
    tofu::message_ptr got;
    std::thread driver([&] { got = talk.server.wait_receive(patience); });
    const auto start = clock::now();
    for (int i = 0; i < 5; ++i) BOOST_TEST(!talk.client.wait_receive(5ms));
    BOOST_TEST((clock::now() - start >= 25ms));
    BOOST_TEST((clock::now() - start < patience));
    talk.server.update_receiver();
    driver.join();
    BOOST_TEST(got != nullptr);
}

// I/O thread only: it says so itself.
TOFU_TEST_CASE(an_engine_with_a_thread_of_its_own_refuses_to_be_driven, here, io_thread_only) {
    dialogue talk(here);
    std::error_code error;
    talk.engine.run_once(0ms, error);
    BOOST_TEST((error == status::not_allowed));
    error.clear();
    static_cast<void>(talk.engine.next_deadline(error));
    BOOST_TEST((error == status::not_allowed));
    BOOST_CHECK_THROW(talk.engine.run_once(0ms), std::system_error);
    BOOST_CHECK_THROW(static_cast<void>(talk.engine.next_deadline()), std::system_error);
}

// Tests with either driver.

TOFU_TEST_CASE(drain_waits_until_everything_is_with_the_kernel, here) {
    dialogue talk(here);
    BOOST_TEST(talk.engine.drain(patience));
    const auto link = talk.connect();
    const std::uint64_t before = talk.engine.stats().messages_sent;
    for (int i = 0; i < 20; ++i) talk.client.post(make(talk.engine, op_code::signal, link.client, "away"));
    BOOST_TEST(talk.engine.drain(patience));
    BOOST_TEST(talk.engine.stats().messages_sent == before + 20);
}

TOFU_TEST_CASE(drain_says_when_the_time_was_too_short, here) {
    watched w(here);
    const std::string body(60'000, 'x');
    std::uint64_t posted = 0;
    for (std::error_code full;; ++posted) {
        w.talk.client.post(make(w.talk.engine, op_code::request, w.channel, body), full);
        if (full) break;
    }
    const auto start = clock::now();
    BOOST_TEST(!w.talk.engine.drain(30ms));
    BOOST_TEST((clock::now() - start >= 30ms));
    BOOST_TEST((clock::now() - start < patience / 4)); // no deadline of the engine's is so near
    BOOST_TEST(!w.talk.engine.drain(0ms));
    for (std::uint64_t i = 0; i < posted; ++i) BOOST_REQUIRE(w.peer->socket.receive());
    BOOST_TEST(w.talk.engine.drain(patience));
}

TOFU_TEST_CASE(drain_counts_what_comes_back_as_done, here) {
    watched w(here);
    const std::string body(60'000, 'x');
    for (std::error_code full; !full;) w.talk.client.post(make(w.talk.engine, op_code::request, w.channel, body), full);
    w.talk.client.post(make(w.talk.engine, op_code::bye_signal, w.channel));
    BOOST_TEST(w.talk.engine.drain(patience));
    BOOST_TEST(w.talk.next(w.talk.client)->from_engine());
}

TOFU_TEST_CASE(the_engine_counts, here) {
    dialogue talk(here);
    const tofu::engine_stats fresh = talk.engine.stats();
    BOOST_TEST(fresh.messages_sent == 0U);
    BOOST_TEST(fresh.messages_received == 0U);
    BOOST_TEST(fresh.accepted == 0U);
    BOOST_TEST(fresh.channels == 0U);
    BOOST_TEST(fresh.messages_free == 64U);
    BOOST_TEST(fresh.messages_alive == 2U); // each group's notice of an empty pool
    const auto link = talk.connect();
    talk.client.post(make(talk.engine, op_code::request, link.client, "12345"));
    tofu::message_ptr m = talk.expect(talk.server, op_code::request);
    const tofu::engine_stats now = talk.engine.stats();
    const std::string hello =
        "~connect_to:" + std::string(tofu::to_text(talk.server.stats(talk.listener)->peer).view());
    // Both ends are this engine's: two hellos with the address, and a request.
    const std::uint64_t bytes = 3 * tofu::binary_header::wire_size + 2 * (hello.size() + 2) + 5;
    BOOST_TEST(now.messages_sent == 3U);
    BOOST_TEST(now.messages_received == 3U);
    BOOST_TEST(now.bytes_sent == bytes);
    BOOST_TEST(now.bytes_received == bytes);
    BOOST_TEST(now.accepted == 1U);
    BOOST_TEST(now.refused == 0U);
    BOOST_TEST(now.channels == 3U);
    BOOST_TEST(now.zombies == 0U);
    BOOST_TEST(now.starvation_episodes == 0U);
    BOOST_TEST(now.credit_used == 1U);
    BOOST_TEST(now.turns != 0U);
    BOOST_TEST(now.reads >= 3U);
    BOOST_TEST(now.writes == 3U);
    m.reset();
    BOOST_TEST(talk.engine.stats().credit_used == 0U);
}

TOFU_TEST_CASE(a_channel_tells_about_itself, here) {
    dialogue talk(here);
    const tofu::address where = talk.listen();
    const auto link = talk.connect(where);
    const auto listener = talk.server.stats(talk.listener);
    BOOST_REQUIRE(listener);
    BOOST_TEST(listener->listener);
    BOOST_TEST((listener->peer == where));
    talk.client.post(make(talk.engine, op_code::request, link.client, "12345"));
    talk.expect(talk.server, op_code::request);
    const auto client = talk.client.stats(link.client);
    BOOST_REQUIRE(client);
    BOOST_TEST(!client->listener);
    BOOST_TEST((client->peer == where));
    BOOST_TEST(client->messages_sent == 2U);
    BOOST_TEST(client->messages_received == 1U);
    BOOST_TEST(client->queued_messages == 0U);
    const auto server = talk.server.stats(link.server);
    BOOST_REQUIRE(server);
    BOOST_TEST(server->messages_received == 2U);
    BOOST_TEST(server->messages_sent == 1U);
    BOOST_TEST(server->bytes_received == client->bytes_sent);
    BOOST_TEST(client->bytes_received == server->bytes_sent);
    // A connecting Unix domain socket has no address.
    if (here.over == transport::tcp) BOOST_TEST(server->peer.host() == "127.0.0.1");
    BOOST_TEST(!talk.client.stats(link.server)); // another group's
    BOOST_TEST(!talk.client.stats(0));
    BOOST_TEST(!talk.client.stats(60'000));
    talk.client.post(make(talk.engine, op_code::bye_signal, link.client));
    talk.expect_goodbye(talk.server, link.server, here.reason_of_abort());
    BOOST_TEST(!talk.server.stats(link.server));
}

TOFU_TEST_CASE(a_channel_tells_what_it_has_queued, here) {
    watched w(here);
    const std::string body(60'000, 'x');
    std::error_code full;
    std::uint64_t posted = 0;
    for (;; ++posted) {
        w.talk.client.post(make(w.talk.engine, op_code::request, w.channel, body), full);
        if (full) break;
    }
    const auto figures = w.talk.client.stats(w.channel);
    BOOST_REQUIRE(figures);
    BOOST_TEST(figures->queued_messages != 0U);
    BOOST_TEST(figures->queued_messages + figures->messages_sent == posted + 1); // the hello_request
    BOOST_TEST(figures->queued_bytes == figures->queued_messages * (body.size() + tofu::binary_header::wire_size));
}

TOFU_TEST_CASE(an_empty_pool_gives_what_it_was_asked_for, here) {
    any_reactor engine(here, {.initial_messages = 2});
    std::error_code error;
    std::vector<tofu::message_ptr> taken;
    for (int i = 0; i < 2; ++i) {
        taken.push_back(engine.get(tofu::allocation::pool_only, error));
        BOOST_TEST(!error);
        BOOST_REQUIRE(taken.back());
    }
    BOOST_TEST(!engine.get(tofu::allocation::pool_only, error));
    BOOST_TEST((error == status::pool_empty));
    BOOST_CHECK_THROW(static_cast<void>(engine.get(tofu::allocation::pool_only)), std::system_error);
    taken.push_back(engine.get(tofu::allocation::always, error));
    BOOST_TEST(!error);
    BOOST_TEST(taken.back() != nullptr);
    taken.clear();
    for (int i = 0; i < 3; ++i) taken.push_back(engine.get(tofu::allocation::pool_only)); // the third was kept, too
}

TOFU_TEST_CASE(a_message_from_the_pool_is_empty, here) {
    any_reactor engine(here, {.initial_messages = 1});
    int context = 0;
    tofu::message_ptr m = make(engine, op_code::signal, 9, "old", 7);
    BOOST_REQUIRE(m->headers().append("old", "header") == status::success);
    m->user(&context);
    m.reset();
    m = engine.get(tofu::allocation::pool_only);
    BOOST_TEST((m->header() == tofu::binary_header{}));
    BOOST_TEST(m->body().size() == 0U);
    BOOST_TEST(m->headers().size_bytes() == 0U);
    BOOST_TEST(m->user() == nullptr);
}

TOFU_TEST_CASE(a_clone_is_a_message_of_its_own, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    int context = 0;
    tofu::message_ptr m = make(talk.engine, op_code::request, link.client, "body", 11);
    BOOST_REQUIRE(m->headers().append("key", "value") == status::success);
    talk.client.post(std::move(m));
    m = talk.expect(talk.server, op_code::request);
    m->user(&context);
    std::error_code error = status::unknown_error;
    tofu::message_ptr copy = tofu::clone(*m, error);
    BOOST_TEST(!error);
    BOOST_REQUIRE(copy);
    BOOST_TEST((copy->header() == m->header()));
    BOOST_TEST(body_of(*copy) == "body");
    BOOST_TEST(copy->headers().find("key") == "value");
    BOOST_TEST(copy->user() == &context);
    BOOST_TEST(talk.engine.stats().credit_used == 1U); // the copy was not received
    BOOST_REQUIRE(copy->body().append(std::string_view(" of the copy")));
    BOOST_TEST(body_of(*m) == "body");
    talk.server.post(answer(std::move(copy), op_code::response));
    talk.server.post(answer(std::move(m), op_code::response));
    BOOST_TEST(body_of(*talk.expect(talk.client, op_code::response)) == "body of the copy");
    BOOST_TEST(body_of(*talk.expect(talk.client, op_code::response)) == "body");
}

TOFU_TEST_CASE(a_user_pointer_comes_back_with_its_message, here) {
    dialogue talk(here);
    const std::uint16_t channel = talk.hello(nowhere()).channel_number;
    int context = 0;
    tofu::message_ptr m = make(talk.engine, op_code::request, channel, "in vain");
    m->user(&context);
    std::error_code error;
    talk.client.post(std::move(m), error);
    if (error) { // it has ended in no time
        BOOST_REQUIRE(m);
        BOOST_TEST(m->user() == &context);
        return;
    }
    m = talk.expect(talk.client, op_code::request);
    BOOST_TEST(m->user() == &context);
    BOOST_TEST(body_of(*m) == "in vain");
}

TOFU_TEST_CASE(a_user_pointer_does_not_travel, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    int context = 0;
    tofu::message_ptr m = make(talk.engine, op_code::signal, link.client);
    m->user(&context);
    talk.client.post(std::move(m));
    BOOST_TEST(talk.expect(talk.server, op_code::signal)->user() == nullptr);
}

TOFU_TEST_CASE(options_that_contradict_themselves_make_no_engine, here) {
    std::error_code error;
    any_reactor engine(here, {.max_messages = 3}, error);
    BOOST_TEST((error == status::not_allowed));
    BOOST_CHECK_THROW(any_reactor(here, {.backlog = 0}), std::system_error);
    BOOST_TEST(!engine.create_group(error));
    BOOST_TEST((error == status::shutdown_started));
    BOOST_TEST(!engine.get(tofu::allocation::always, error));
    BOOST_TEST((error == status::shutdown_started));
    engine.run_once(0ms, error);
    BOOST_TEST((error == status::shutdown_started));
    static_cast<void>(engine.next_deadline(error));
    BOOST_TEST((error == status::shutdown_started));
    BOOST_TEST(engine.drain(0ms));
    BOOST_TEST(engine.stats().turns == 0U);
}

TOFU_TEST_CASE(a_group_without_an_engine_reports_that_it_has_stopped, here) {
    any_reactor engine(here);
    any_group none = engine.group_without_engine();
    std::error_code error;
    none.post(tofu::message_ptr(), error);
    BOOST_TEST((error == status::shutdown_started));
    none.wait_post(tofu::message_ptr(), 1h, error);
    BOOST_TEST((error == status::shutdown_started));
    BOOST_TEST(!none.wait_receive(error));
    BOOST_TEST((error == status::shutdown_started));
    none.update_receiver(error);
    BOOST_TEST((error == status::shutdown_started));
    BOOST_TEST(!none.stats(1));
    BOOST_TEST(!none);
}

BOOST_AUTO_TEST_SUITE_END()
