// SPDX-License-Identifier: BSL-1.0
// Races of the engine's core, brought about step by step: a post that stands still, an engine that stops in between.
#include "support/bare_socket.hpp"
#include "support/harness.hpp"
#include "support/scarce_memory.hpp"

#include <tofu/engine/engine_core.hpp>
#include <tofu/engine/figures.hpp>

#include <atomic>
#include <functional>
#include <thread>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

namespace {

using core = tofu::engine::engine_core<tofu::reactor::policies>;
using tofu::engine::ref;
using time_point = core::time_point;

/// An engine's core without the reactor around it.
struct bare_engine {
    explicit bare_engine(tofu::driven_by who) {
        auto* const pool = tofu::engine::message_pool::create({});
        BOOST_REQUIRE(pool != nullptr);
        engine = ref<core>::adopt(new core(tofu::options{}, tofu::default_poll{}, {}, {}, tofu::default_timer{},
                                           who == tofu::driven_by::io_thread, *pool));
        BOOST_REQUIRE(!engine->open());
        status why{};
        group = engine->make_group(why);
        BOOST_REQUIRE(group);
        if (who != tofu::driven_by::io_thread) return;
        BOOST_REQUIRE(engine->driver.try_acquire());
        thread = std::thread([this] { engine->run(); });
    }
    ~bare_engine() {
        stop();
        if (group) engine->destroy(*group);
    }
    void stop() {
        if (engine->is_stopping()) return;
        engine->begin_stop();
        if (thread.joinable())
            thread.join();
        else
            engine->finish_here();
    }
    tofu::message_ptr get() { return tofu::engine::owned(engine->messages.acquire()); }
    std::uint16_t post(tofu::message_ptr m) {
        tofu::binary_header sent;
        BOOST_REQUIRE((engine->post(*group, m, sent) == status::success));
        return sent.channel_number;
    }
    void turn() { engine->run_once(engine->timers.now()); }
    /// The next of the group's mail; null when there is none.
    tofu::message_ptr mail() {
        tofu::detail::queue_node* const node = group->mail.pop();
        return tofu::engine::owned(node == nullptr ? nullptr : &tofu::engine::message_of(*node));
    }
    /// The same, but waits for it.
    tofu::message_ptr next_mail() {
        if (tofu::message_ptr m = mail()) return m;
        BOOST_REQUIRE(engine->has_io_thread
                          ? group->mail.wait_until(std::chrono::steady_clock::now() + patience)
                          : engine->await(engine->timers.now() + patience, [this] { return group->mail.has_mail(); }));
        return mail();
    }

    ref<core> engine;
    ref<tofu::engine::group_core> group;
    std::thread thread;
};

} // namespace

BOOST_AUTO_TEST_SUITE(engine_core)

BOOST_AUTO_TEST_CASE(a_post_that_ends_after_the_last_look_at_its_channel_keeps_the_loop_from_sleeping) {
    bare_engine e(tofu::driven_by::caller);
    tofu::message_ptr m = e.get();
    BOOST_REQUIRE((m->listen_on(loopback()) == status::success));
    const std::uint16_t listener = e.post(std::move(m));
    e.turn();
    BOOST_REQUIRE((e.mail()->op() == op_code::welcome_response));

    // Another thread is inside `post`: its message is in the inbox, or even out of it, but the thread has not left.
    BOOST_REQUIRE(
        (e.engine->directory
             .enter(listener, e.group->id, tofu::engine::channel_directory::any_generation, op_code::bye_signal)
             .result == status::success));
    m = e.get();
    m->header().op = op_code::bye_signal;
    m->header().channel_number = listener;
    e.post(std::move(m));
    e.turn();
    BOOST_TEST((e.mail() == nullptr));                            // the goodbye waits for it
    BOOST_TEST((e.engine->next_deadline() != time_point::min())); // in vain to turn until then
    e.engine->inbox.awake();

    // Now it leaves. The loop is awake, so it is not woken: it has to find out before it sleeps.
    BOOST_TEST(e.engine->directory.exit(listener, op_code::bye_signal));
    BOOST_TEST(!e.engine->inbox.claim_wake());
    BOOST_TEST((e.engine->next_deadline() == time_point::min()));
    e.engine->run_once(e.engine->timers.now() + patience); // does not wait
    const tofu::message_ptr goodbye = e.mail();
    BOOST_REQUIRE(goodbye);
    BOOST_TEST(reason_of(*goodbye) == "aborted");
}

BOOST_AUTO_TEST_CASE(what_follows_a_hello_response_can_be_answered_before_its_post_ends) {
    using tofu::engine::channel_directory;
    bare_engine e(tofu::driven_by::caller);
    tofu::message_ptr m = e.get();
    BOOST_REQUIRE((m->listen_on(loopback()) == status::success));
    e.post(std::move(m));
    m = e.next_mail();
    const tofu::address where = tofu::parse_address(m->headers().find(tofu::listen_on_header)).value;
    tofu::reactor other;
    tofu::reactor::group_type client = other.create_group();
    m = other.get();
    BOOST_REQUIRE((m->connect_to(where) == status::success));
    client.post(std::move(m));

    // A thread posts the hello_response, and stands still when it is in the inbox: it has not left.
    m = e.next_mail();
    BOOST_REQUIRE((m->op() == op_code::hello_request));
    const std::uint16_t number = m->header().channel_number;
    const auto enter = [&](op_code op) {
        return e.engine->directory.enter(number, e.group->id, channel_directory::any_generation, op).result;
    };
    BOOST_REQUIRE((enter(op_code::hello_response) == status::success));
    m->header().op = op_code::hello_response;
    tofu::engine::route_of(*m).group = e.group.get();
    e.engine->messages.mark_posted(*m);
    static_cast<void>(e.engine->inbox.push(tofu::engine::node_of(*m.release())));
    BOOST_TEST((enter(op_code::response) == status::not_allowed));
    e.turn();

    // The peer has it, and asks for something at once: another thread may answer that.
    m = client.wait_receive();
    BOOST_REQUIRE((m->op() == op_code::hello_response));
    m->header().op = op_code::request;
    client.post(std::move(m));
    BOOST_REQUIRE((e.next_mail()->op() == op_code::request));
    BOOST_REQUIRE((enter(op_code::response) == status::success));
    BOOST_TEST(!e.engine->directory.exit(number, op_code::response));
    BOOST_TEST(!e.engine->directory.exit(number, op_code::hello_response));
}

BOOST_AUTO_TEST_CASE(an_answer_for_lack_of_a_slot_waits_for_its_post_without_losing_the_wake) {
    bare_engine e(tofu::driven_by::caller);
    auto& channels = e.engine->loop.state().channels;
    std::vector<decltype(channels.acquire())> taken;
    while (auto* const slot = channels.acquire()) taken.push_back(slot);
    tofu::message_ptr m = e.get();
    BOOST_REQUIRE((m->connect_to(loopback(1)) == status::success));
    const std::uint16_t number = e.post(std::move(m));
    BOOST_REQUIRE((e.engine->directory
                       .enter(number, e.group->id, tofu::engine::channel_directory::any_generation, op_code::request)
                       .result == status::success));
    e.turn();
    BOOST_TEST((e.mail() == nullptr));
    BOOST_TEST((e.engine->next_deadline() != time_point::min()));
    e.engine->inbox.awake();
    BOOST_TEST(e.engine->directory.exit(number, op_code::request));
    BOOST_TEST((e.engine->next_deadline() == time_point::min()));
    e.turn();
    const tofu::message_ptr answer = e.mail();
    BOOST_REQUIRE(answer);
    BOOST_TEST(reason_of(*answer) == "out_of_channels");
    for (auto* const slot : taken) channels.release(*slot);
}

namespace {

/// A bare engine whose one group has channels in several states.
struct crowded_engine : bare_engine {
    using bare_engine::bare_engine;

    /// Lets the loop finish everything that is due and hand it over: a turn hands over before the next one waits.
    void settle() {
        for (int turns = 0; turns < 2; ++turns) engine->call([](auto&) { return true; });
    }
    template <class Ready>
    void await(Ready ready) {
        const auto until = std::chrono::steady_clock::now() + patience;
        while (!ready()) {
            BOOST_REQUIRE(std::chrono::steady_clock::now() < until);
            settle();
        }
    }
    std::uint16_t hello(const tofu::address& to) {
        tofu::message_ptr m = get();
        BOOST_REQUIRE((m->connect_to(to) == status::success));
        return post(std::move(m));
    }
    void abort(std::uint16_t number) {
        tofu::message_ptr m = get();
        m->header().op = op_code::bye_signal;
        m->header().channel_number = number;
        post(std::move(m));
    }

    /// Makes a listener, both ends of a connection, and an accepted connection that never says hello.
    void connect() {
        tofu::message_ptr m = get();
        BOOST_REQUIRE((m->listen_on(loopback()) == status::success));
        listener = post(std::move(m));
        where = tofu::parse_address(next_mail()->headers().find(tofu::listen_on_header)).value;
        client = hello(where);
        next_mail(); // the hello_request
        stranger.connect(where);
        await([this] { return figures().accepted == 2; });
    }
    void destroy_group() {
        engine->destroy(*group);
        group = {};
    }
    [[nodiscard]] tofu::engine_stats figures() { return tofu::engine::figures_of(*engine); }
    /// The number of free channel numbers. Takes all of them.
    [[nodiscard]] std::size_t free_numbers() {
        std::size_t count = 0;
        while (engine->directory.open(1, 0, false).number != tofu::no_channel) ++count;
        return count;
    }

    tofu::address where;
    std::uint16_t listener = 0;
    std::uint16_t client = 0;
    bare_socket stranger{AF_INET};
};

constexpr tofu::driven_by both_drivers[] = {tofu::driven_by::caller, tofu::driven_by::io_thread};

} // namespace

BOOST_AUTO_TEST_CASE(the_numbers_of_channels_whose_goodbyes_nobody_read_return_with_their_group) {
    for (const tofu::driven_by who : both_drivers) {
        crowded_engine e(who);
        e.connect();
        e.hello(nowhere()); // never stands: its goodbye is its failed hello_response
        e.abort(e.client);  // the accepting end learns of it
        e.abort(e.listener);
        e.stranger.close(); // never announced: no goodbye
        e.await([&] { return e.figures().channels == 0; });
        e.settle();
        e.destroy_group();
        BOOST_TEST(e.free_numbers() == tofu::last_channel);
    }
}

BOOST_AUTO_TEST_CASE(the_numbers_of_channels_that_live_return_with_their_group) {
    for (const tofu::driven_by who : both_drivers) {
        crowded_engine e(who);
        e.connect();
        bare_socket silent(AF_INET);
        silent.bind(loopback());
        silent.listen();
        e.hello(silent.where()); // no hello_response comes
        e.settle();
        BOOST_TEST(e.figures().channels == 5U);
        e.destroy_group();
        BOOST_TEST(e.free_numbers() == tofu::last_channel);
    }
}

// wait_post asks this before it tries again: without the bytes it would try in vain, again and again.
BOOST_AUTO_TEST_CASE(there_is_room_only_if_there_is_for_the_bytes) {
    crowded_engine e(tofu::driven_by::caller);
    const tofu::options& limits = e.engine->opts;
    const std::uint16_t number = e.hello(loopback(1));
    BOOST_TEST(e.engine->has_room(number, limits.max_queued_bytes));
    BOOST_REQUIRE(e.engine->directory.reserve(number, 1, limits.max_queued_messages, limits.max_queued_bytes));
    BOOST_TEST(!e.engine->has_room(number, limits.max_queued_bytes));
    BOOST_TEST(e.engine->has_room(number, limits.max_queued_bytes - 1));
    e.engine->directory.unreserve(number, 1, 1);
}

// Caller only: the test takes the slots while the loop does not run.
BOOST_AUTO_TEST_CASE(the_numbers_of_requests_without_a_slot_return_with_their_group) {
    for (const bool answered : {true, false}) {
        crowded_engine e(tofu::driven_by::caller);
        auto& channels = e.engine->loop.state().channels;
        std::vector<decltype(channels.acquire())> taken;
        while (auto* const slot = channels.acquire()) taken.push_back(slot);
        const std::uint16_t number = e.hello(loopback(1));
        if (!answered) { // a post on this number stands still: its failed answer waits for it
            BOOST_REQUIRE(
                (e.engine->directory
                     .enter(number, e.group->id, tofu::engine::channel_directory::any_generation, op_code::request)
                     .result == status::success));
        }
        e.turn();
        BOOST_TEST(e.group->mail.has_mail() == answered);
        for (auto* const slot : taken) channels.release(*slot);
        if (!answered) static_cast<void>(e.engine->directory.exit(number, op_code::request));
        e.destroy_group();
        BOOST_TEST(e.free_numbers() == tofu::last_channel);
    }
}

// Caller only: both posts and the destruction come in one turn.
BOOST_AUTO_TEST_CASE(a_message_that_comes_back_in_the_turn_that_destroys_its_group_returns_to_the_pool) {
    crowded_engine e(tofu::driven_by::caller);
    auto& channels = e.engine->loop.state().channels;
    std::vector<decltype(channels.acquire())> taken;
    while (auto* const slot = channels.acquire()) taken.push_back(slot);
    tofu::message_ptr m = e.get();
    m->header().op = op_code::request;
    m->header().channel_number = e.hello(loopback(1)); // finds no slot, so what follows it comes back at once
    e.post(std::move(m));
    e.destroy_group();
    BOOST_TEST(e.engine->messages.outstanding() == 0U);
    BOOST_TEST(e.free_numbers() == tofu::last_channel);
    for (auto* const slot : taken) channels.release(*slot);
}

BOOST_AUTO_TEST_CASE(without_memory_for_a_group_its_number_is_free_again) {
    crowded_engine e(tofu::driven_by::caller);
    tofu::message_ptr m = e.get();
    BOOST_REQUIRE((m->listen_on(loopback()) == status::success));
    const auto post = [&] {
        tofu::binary_header sent;
        return e.engine->post(*e.group, m, sent);
    };
    const status accepted = with_each_refusal(post, [&](status why) {
        BOOST_TEST((why == status::allocation_failed));
        BOOST_REQUIRE(m);
    });
    BOOST_TEST((accepted == status::success));
    e.next_mail();
    e.destroy_group();
    BOOST_TEST(e.free_numbers() == tofu::last_channel);
}

BOOST_AUTO_TEST_CASE(who_waits_when_the_engine_ends_goes_on_by_himself) {
    bare_engine e(tofu::driven_by::io_thread);
    std::atomic<int> asked{0};
    std::atomic<bool> done{false};
    std::thread caller([&] {
        done = e.engine->call_until(e.engine->timers.now() + patience, [&](auto& state) {
            ++asked;
            if (!state.stopping) return false;
            static int after_the_stop = 0;
            return ++after_the_stop > 10; // more often than the stopping loop asks
        });
    });
    while (asked == 0) std::this_thread::yield();
    e.stop();
    caller.join();
    BOOST_TEST(done);
}

namespace {

/// Runs something when it is asked for the time: inside the engine's call that asks.
struct interrupting_timer : tofu::wait_timeout {
    static inline std::function<void()> interruption;

    [[nodiscard]] time_point now() const noexcept {
        if (interruption) std::exchange(interruption, nullptr)();
        return tofu::wait_timeout::now();
    }
};
using interrupted_reactor =
    tofu::basic_reactor<tofu::default_poll, tofu::default_pool, tofu::default_key, interrupting_timer>;

} // namespace

BOOST_AUTO_TEST_CASE(a_timer_that_comes_when_the_engine_has_stopped_is_still_the_callers) {
    for (const bool cancels : {true, false}) {
        std::optional<interrupted_reactor> engine(std::in_place, tofu::options{}, tofu::driven_by::caller);
        auto group = engine->create_group();
        tofu::message_ptr m = engine->get();
        const tofu::message* const same = m.get();
        std::error_code error;
        interrupting_timer::interruption = [&engine] { engine.reset(); };
        interrupted_reactor::timer_handle handle = group.update_receiver_after(1h, std::move(m), error);
        BOOST_REQUIRE(!error);
        BOOST_REQUIRE(!engine);
        if (cancels) BOOST_TEST((handle.cancel().get() == same));
        handle = {}; // leak checkers look for what is left
        BOOST_TEST((group.wait_receive(0ms, error) == nullptr));
        BOOST_TEST((error == status::shutdown_started));
    }
}

BOOST_AUTO_TEST_SUITE_END()
