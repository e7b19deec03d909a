// SPDX-License-Identifier: BSL-1.0
// Defects of the engine that simulated runs have found, with one test or more for each. The tests use no random
// choices.
#include "support/harness.hpp"
#include "support/reactor_of.hpp"
#include "support/simulated_engine.hpp"

#include <tofu/policies/poll/simulated_poll.hpp>
#include <tofu/policies/timer/manual_timer.hpp>

#if __has_include(<poll.h>) && __has_include(<sys/resource.h>)
#include <tofu/policies/poll/posix_poll.hpp>

#include <sys/resource.h>
#endif

#include <array>
#include <initializer_list>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(found_by_simulation)

namespace {

namespace simulation = tofu::simulation;

template <class Poll>
using reactor_with = tofu::basic_reactor<Poll, tofu::fixed_channel_pool<16>, tofu::slot_index_key, tofu::manual_timer>;

/// The engine of other simulated tests with another poll policy.
template <class Poll, class... More>
any_reactor engine_with(simulation::world& world, const tofu::options& opts, More&... more) {
    return any_reactor(std::make_unique<reactor_of<reactor_with<Poll>>>(
        opts, in_simulation.who, nullptr, Poll(world, more...), tofu::manual_timer(world.clock())));
}
template <>
any_reactor engine_with<tofu::simulated_poll>(simulation::world& world, const tofu::options& opts) {
    return simulated_engine<16>(world, opts);
}

constexpr auto a_while = 1ms; ///< everything that is under way has arrived

struct world_owner {
    simulation::world world;
};

/// An engine in a world of its own. Time passes when it waits, and when the test says so.
template <class Poll = tofu::simulated_poll>
struct simulated : world_owner, dialogue {
    template <class... More>
    explicit simulated(const tofu::options& opts = {}, const simulation::faults& faults = {}, std::uint64_t seed = 1,
                       More&... more)
        : world_owner{simulation::world(seed, faults)}
        , dialogue(in_simulation, engine_with<Poll>(world, opts, more...)) {}
    ~simulated() { BOOST_TEST(world.complaint() == ""); }

    /// One turn, and no time passes.
    void turn() { engine.run_once(0ms); }
    void turn_after(simulation::duration time) {
        world.advance(time);
        turn();
    }
    /// A name and a port: its addresses are these hosts with this port.
    tofu::address name(std::initializer_list<std::uint32_t> hosts, std::uint16_t port) {
        world.name("a.name", {.hosts = hosts});
        return tofu::tcp_address{"a.name", port};
    }
    void expect_own(group& from, op_code op, std::string_view body) {
        const tofu::message_ptr m = expect(from, op);
        BOOST_TEST(!m->from_engine(), reason_of(*m));
        BOOST_TEST(body_of(*m) == body);
    }
};

constexpr std::uint32_t here = 127U << 24 | 1;
constexpr std::uint32_t nobodys = 10U << 24 | 1; ///< no test listens there: it refuses

/// A peer of bytes in a simulated world. It does not wait: bytes that it sends arrive when time passes.
class raw_end {
public:
    explicit raw_end(simulation::socket made) : socket_(std::move(made)) { BOOST_REQUIRE(socket_.is_open()); }
    raw_end(simulation::world& world, const tofu::address& peer) : raw_end(connect(world, peer)) {
        world.advance(a_while);
    }

    void send(std::span<const std::byte> bytes) {
        const tofu::const_buffer all{bytes.data(), bytes.size()};
        BOOST_REQUIRE(socket_.write({&all, 1}).bytes == bytes.size());
    }
    void send(tofu::binary_header header, std::string_view body = {}) { send(raw_socket::wire_of(header, "", body)); }
    std::size_t receive() {
        std::array<std::byte, 1024> room;
        const tofu::mutable_buffer all{room.data(), room.size()};
        return socket_.read({&all, 1}).bytes;
    }
    void say_hello() {
        send(raw_socket::wire_of({.op = op_code::hello_request, .message_id = 1}, "~connect_to:tcp|127.0.0.1|1\r\n"));
    }

private:
    static simulation::socket connect(simulation::world& world, const tofu::address& peer) {
        simulation::endpoint where;
        BOOST_REQUIRE(!simulation::to_endpoint(peer, false, where));
        tofu::io_error in_progress;
        return world.network().connect(where, {}, in_progress);
    }

    simulation::socket socket_;
};

/// A listener of bytes in a simulated world.
class raw_host {
public:
    explicit raw_host(simulation::world& world) {
        tofu::io_error error;
        socket_ = world.network().listen({here, 0}, {}, 8, error);
        BOOST_REQUIRE(!error);
    }
    [[nodiscard]] tofu::address where() const { return simulation::to_address(socket_.local_endpoint()); }
    [[nodiscard]] raw_end accept() {
        tofu::io_error error;
        return raw_end(socket_.accept({}, error));
    }

private:
    simulation::socket socket_;
};

/// A peer of the server that has said hello and was accepted.
template <class Talk>
raw_end join(Talk& talk, const tofu::address& where) {
    raw_end peer(talk.world, where);
    peer.say_hello();
    talk.accept();
    return peer;
}

/// A hello_request of the client has arrived, and will be answered when the test wants it to be.
template <class Talk>
raw_end be_asked(Talk& talk, raw_host& host) {
    talk.hello(host.where());
    for (int i = 0; i < 3; ++i) talk.turn_after(a_while); // it connects, is connected, has sent its hello
    return host.accept();
}

const std::vector<std::byte> hello_response = raw_socket::wire_of({.op = op_code::hello_response}, "", "welcome");

constexpr op_code with_channel[] = {op_code::request,        op_code::response,    op_code::signal,
                                    op_code::hello_response, op_code::bye_request, op_code::bye_response,
                                    op_code::bye_signal};

} // namespace

// Before: a guessed number of an accepted connection was not_allowed, and a hello_response or a bye to it was taken.
BOOST_AUTO_TEST_CASE(a_number_nobody_was_told_refuses_every_post) {
    simulated<> talk;
    raw_end peer(talk.world, talk.listen());
    talk.turn();
    BOOST_REQUIRE(talk.engine.stats().accepted == 1U);
    constexpr std::uint16_t guesses = 40;
    for (std::uint16_t number = 1; number <= guesses; ++number) {
        if (number == talk.listener) continue;
        for (auto* const group : {&talk.server, &talk.client})
            for (const op_code op : with_channel) {
                std::error_code error;
                group->post(make(talk.engine, op, number), error);
                BOOST_TEST(to_string(failure(error)) == to_string(status::invalid_channel_number),
                           to_string(op) << " on channel " << number << ": " << error.message());
            }
    }
    talk.turn();
    BOOST_TEST(talk.engine.stats().channels == 2U);

    peer.say_hello();
    const std::uint16_t number = talk.accept(); // now it is told, and takes the hello_response
    BOOST_TEST(number <= guesses);
    talk.server.post(make(talk.engine, op_code::bye_signal, number));
    talk.expect_goodbye(talk.server, number, "aborted");
}

// Before: when credit came back before the next turn, that looked at a parked channel's limit, but not at its socket.
BOOST_AUTO_TEST_CASE(a_hello_response_that_waited_for_credit_comes_before_the_hello_time) {
    simulated<> talk({.max_messages = 4, .hello_time = 10s, .message_time = 0ms});
    raw_end greedy = join(talk, talk.listen());
    raw_host host(talk.world);
    raw_end slow = be_asked(talk, host);

    for (int i = 0; i < 5; ++i) greedy.send({.op = op_code::signal});
    slow.send(hello_response);
    const tofu::engine_stats before = talk.engine.stats();
    talk.turn_after(11s); // credit ends with the fourth; the time for the hello_response is over, and it is there
    BOOST_REQUIRE(talk.engine.stats().starvation_episodes == 1U);
    BOOST_REQUIRE(talk.engine.stats().messages_received == before.messages_received + 4);
    BOOST_TEST(to_string(talk.expect(talk.client, op_code::signal)->status()) == to_string(status::pool_empty));
    for (int i = 0; i < 4; ++i) talk.expect(talk.server, op_code::signal); // released at once
    BOOST_REQUIRE(talk.engine.stats().turns == before.turns + 1);
    talk.expect_own(talk.client, op_code::hello_response, "welcome");
}

namespace {

/// Half messages hold half of the credit, so that a hello_response is parked behind its header; then the rest of it
/// comes. All of that takes some milliseconds.
struct parked_response : simulated<> {
    parked_response(std::chrono::milliseconds message_time, std::chrono::milliseconds retry_time)
        : simulated<>({.max_messages = 4, .hello_time = 10s, .message_time = message_time, .retry_time = retry_time})
        , where(listen())
        , first(join(*this, where))
        , second(join(*this, where))
        , host(world)
        , slow(be_asked(*this, host)) {
        const std::vector<std::byte> half = raw_socket::wire_of({.op = op_code::signal}, "", "never whole");
        for (raw_end* const holder : {&first, &second}) holder->send(std::span(half).first(20));
        turn_after(a_while);
        const std::span<const std::byte> whole(hello_response);
        slow.send(whole.first(tofu::binary_header::wire_size));
        turn_after(a_while);
        slow.send(whole.subspan(tofu::binary_header::wire_size));
        const std::uint64_t before = engine.stats().bytes_received;
        turn_after(a_while);
        BOOST_REQUIRE(engine.stats().bytes_received == before); // it is parked
        BOOST_REQUIRE(engine.stats().credit_used == 2U);
    }

    tofu::address where;
    raw_end first, second; ///< they hold
    raw_host host;
    raw_end slow;
};

} // namespace

// Before: the limit of a channel that was parked for room ended it, though its data was there and it was not asked.
BOOST_AUTO_TEST_CASE(a_parked_hello_response_comes_before_the_hello_time_that_ends_with_the_message_time_of_others) {
    parked_response talk(10s, 1h);
    talk.turn_after(11s); // both limits are over
    BOOST_REQUIRE(talk.engine.stats().credit_used == 0U);
    talk.expect_own(talk.client, op_code::hello_response, "welcome");
}

// Before: the same in the turn after the channel resumed. The wait of the resuming turn had not asked for the channel
// either.
BOOST_AUTO_TEST_CASE(a_hello_response_let_go_on_at_the_end_of_a_turn_comes_before_the_hello_time) {
    parked_response talk(5s, 1h);
    talk.turn_after(6s); // the half messages end
    BOOST_REQUIRE(talk.engine.stats().credit_used == 0U);
    talk.turn_after(5s);
    talk.expect_own(talk.client, op_code::hello_response, "welcome");
}

// Before: the same when a channel is let go on because the time to try again has come.
BOOST_AUTO_TEST_CASE(a_hello_response_that_is_tried_again_comes_before_the_hello_time) {
    parked_response talk(0ms, 10s);
    talk.turn_after(11s);
    talk.expect_own(talk.client, op_code::hello_response, "welcome");
}

namespace {

/// A poller that reports one socket at a time, and peers that always have something for it.
template <class Poll = tofu::basic_simulated_poll<1>>
struct busy : simulated<Poll> {
    static constexpr std::size_t channels = 5; ///< with a listener and the late connection
    busy() : simulated<Poll>({.connect_time = 10s, .hello_time = 10s}), where(this->listen()), host(this->world) {
        for (int i = 0; i < 3; ++i) peers.push_back(join(*this, where));
    }
    /// Takes `turns` turns, each with more to report than one turn can.
    void be_busy(std::size_t turns) {
        for (std::size_t i = 0; i < turns; ++i) {
            for (raw_end& peer : peers) peer.send({.op = op_code::signal});
            this->turn_after(a_while);
        }
    }

    tofu::address where;
    raw_host host;
    std::vector<raw_end> peers;
};

} // namespace

namespace {

/// Tells everything twice, as kqueue's two filters may.
class twofold_poll : public tofu::basic_simulated_poll<1> {
public:
    using basic_simulated_poll::basic_simulated_poll;
    static constexpr std::size_t reports_per_socket = 2;

    template <class Sink>
    [[nodiscard]] tofu::wait_result wait(std::chrono::nanoseconds timeout, Sink& sink) noexcept {
        struct {
            Sink& to;
            void ready(std::uintptr_t key, tofu::readiness what) noexcept {
                to.ready(key, what);
                to.ready(key, what);
            }
            void released(std::uintptr_t key) noexcept { to.released(key); }
            [[nodiscard]] auto* registration_of(std::uintptr_t key) noexcept { return to.registration_of(key); }
        } twice{sink};
        return basic_simulated_poll::wait(timeout, twice);
    }
};

} // namespace

// No seed has found this one: with as many reports as there are channels, only half of them may have had a turn.
BOOST_AUTO_TEST_CASE(batches_of_a_poller_that_tells_twice_count_half) {
    for (std::size_t turns_before = 0; turns_before < 2 * busy<>::channels; ++turns_before)
        BOOST_TEST_CONTEXT(turns_before << " turns before") {
            busy<twofold_poll> talk;
            talk.be_busy(turns_before);
            talk.hello(talk.host.where());
            talk.turn(); // it connects
            talk.world.advance(11s);
            talk.be_busy(2 * busy<>::channels);
            raw_end peer = talk.host.accept();
            BOOST_TEST(peer.receive() != 0U); // its hello
        }
}

// Before: full batches from before the deadline counted, and the first one after it let it expire.
BOOST_AUTO_TEST_CASE(batches_from_before_a_deadline_do_not_count_against_what_came_after_them) {
    for (std::size_t turns_before = 0; turns_before < 2 * busy<>::channels; ++turns_before)
        BOOST_TEST_CONTEXT(turns_before << " turns before") {
            busy<> talk;
            raw_end slow = be_asked(talk, talk.host);
            talk.be_busy(turns_before);
            slow.send(hello_response);
            talk.world.advance(11s);
            talk.be_busy(2 * busy<>::channels);
            talk.expect_own(talk.client, op_code::hello_response, "welcome");
        }
}

// Before: a channel that was named and ended did not have to be named any more, and one less was.
BOOST_AUTO_TEST_CASE(batches_count_against_the_channels_there_were_when_the_first_was_taken) {
    for (std::size_t turns_before = 0; turns_before < 2 * busy<>::channels; ++turns_before)
        BOOST_TEST_CONTEXT(turns_before << " turns before") {
            busy<> talk;
            for (int i = 0; i < 3; ++i) talk.peers.push_back(join(talk, talk.where));
            raw_end slow = be_asked(talk, talk.host);
            talk.be_busy(turns_before);
            slow.send(hello_response);
            talk.peers.erase(talk.peers.begin() + 1, talk.peers.end()); // they will be named once, and end
            talk.world.advance(11s);
            talk.be_busy(2 * busy<>::channels);
            talk.expect_own(talk.client, op_code::hello_response, "welcome");
        }
}

// Before: a limit that became due while full batches were counted expired together with those due at the start.
BOOST_AUTO_TEST_CASE(batches_count_for_what_was_due_when_the_first_was_taken) {
    for (std::size_t turns_between = 0; turns_between <= busy<>::channels + 1; ++turns_between)
        BOOST_TEST_CONTEXT(turns_between << " turns between") {
            busy<> talk;
            const raw_end silent(talk.world, talk.where); // it never says hello
            talk.turn();
            while (talk.engine.stats().accepted != 4) talk.turn();
            talk.world.advance(5s);
            raw_end slow = be_asked(talk, talk.host);
            BOOST_REQUIRE(talk.engine.stats().channels == busy<>::channels + 1);
            talk.world.advance(5s);
            talk.be_busy(turns_between);
            slow.send(hello_response);
            talk.world.advance(5s);
            talk.be_busy(3 * busy<>::channels);
            BOOST_TEST(talk.engine.stats().channels == busy<>::channels);
            talk.expect_own(talk.client, op_code::hello_response, "welcome");
        }
}

namespace {

/// A network in which a connection takes a while, and a poller that has more to say of sockets it was told to forget.
constexpr simulation::faults late_reports(unsigned stale, unsigned owes) {
    return {.least_delay = 20ms, .most_delay = 20ms, .shuffles = true, .stale = stale, .owes = owes};
}

} // namespace

// Before: a late report for a socket that had been refused was taken for its successor's, not yet connected.
BOOST_AUTO_TEST_CASE(a_report_for_the_first_address_is_not_taken_for_the_second) {
    for (const unsigned owes : {0U, 1000U}) {
        simulated<> talk({}, late_reports(1000, owes));
        const tofu::address where = talk.listen();
        talk.hello(talk.name({nobodys, here}, where.port()));
        talk.accept();
        BOOST_TEST(!talk.expect(talk.client, op_code::hello_response)->from_engine());
        BOOST_TEST(talk.world.complaint() == "");
    }
}

// Before: the same when the report comes before the release that begins the second connection, in one wait with it.
BOOST_AUTO_TEST_CASE(a_report_between_two_addresses_is_not_taken_for_the_second) {
    for (std::uint64_t seed = 1; seed <= 16; ++seed) BOOST_TEST_CONTEXT("seed " << seed) {
            simulated<> talk({}, late_reports(1000, 1000), seed);
            const tofu::address where = talk.listen();
            talk.hello(talk.name({nobodys, here}, where.port()));
            for (int i = 0; i < 20; ++i) talk.turn_after(10ms); // longer than a report may be late
            talk.accept();
            BOOST_TEST(!talk.expect(talk.client, op_code::hello_response)->from_engine());
            BOOST_TEST(talk.world.complaint() == "");
        }
}

// Before (once second sockets had keys of their own): the slot's next owner got that same key.
BOOST_AUTO_TEST_CASE(a_report_for_the_second_address_is_not_taken_for_the_next_channel) {
    simulated<> talk({}, late_reports(1000, 0));
    const tofu::address where = talk.listen();
    const std::uint16_t first = talk.hello(talk.name({nobodys, here}, where.port())).channel_number;
    for (int i = 0; i < 6; ++i) talk.turn_after(10ms); // it connects to the second
    BOOST_REQUIRE(talk.client.stats(first).value().peer == where);
    talk.client.post(make(talk.engine, op_code::bye_signal, first));
    BOOST_TEST(reason_of(*talk.expect(talk.client, op_code::hello_response)) == "aborted");
    talk.hello(where); // in the same slot
    talk.accept();
    BOOST_TEST(!talk.expect(talk.client, op_code::hello_response)->from_engine());
    BOOST_TEST(talk.world.complaint() == "");
}

namespace {

/// The keys of the registrations that a poller holds until `lets_go` is set.
struct keeper {
    std::vector<std::uintptr_t> kept;
    bool lets_go = false;
};

/// Holds every registration it was told to forget.
class keeping_poll : public tofu::simulated_poll {
public:
    keeping_poll(simulation::world& where, keeper& of) noexcept : tofu::simulated_poll(where), keeper_(&of) {}

    [[nodiscard]] tofu::disarmed disarm(registration& entry) noexcept {
        if (entry.ticket == 0) return tofu::disarmed::released;
        keeper_->kept.push_back(entry.key);
        static_cast<void>(tofu::simulated_poll::disarm(entry));
        return tofu::disarmed::owed;
    }
    template <class Sink>
    [[nodiscard]] tofu::wait_result wait(std::chrono::nanoseconds timeout, Sink& sink) noexcept {
        const tofu::wait_result result = tofu::simulated_poll::wait(timeout, sink);
        while (keeper_->lets_go && !keeper_->kept.empty()) {
            const std::uintptr_t key = keeper_->kept.back();
            keeper_->kept.pop_back();
            sink.released(key);
        }
        return result;
    }

private:
    keeper* keeper_;
};

/// An engine with such a poller, which lets go in the end: no memory is given up.
struct kept_waiting : keeper, simulated<keeping_poll> {
    explicit kept_waiting(const tofu::options& opts = {}, const simulation::faults& faults = {})
        : simulated(opts, faults, 1, static_cast<keeper&>(*this)) {}
    ~kept_waiting() { lets_go = true; }
};

} // namespace

// Before: with the first address's registration held for ever, the second was never tried, and nobody was told.
BOOST_AUTO_TEST_CASE(a_registration_that_is_never_released_is_a_connect_timeout) {
    kept_waiting talk({.connect_time = 1s}, {.connect_hangs = 1000});
    const std::uint16_t number = talk.hello(talk.name({nobodys, here}, 80)).channel_number;
    const tofu::message_ptr m = talk.expect(talk.client, op_code::hello_response);
    BOOST_TEST(m->header().channel_number == number);
    BOOST_TEST(to_string(m->status()) == to_string(status::connect_failed));
    BOOST_TEST(reason_of(*m) == "connect_timeout");
    BOOST_TEST(talk.engine.stats().zombies == 1U);
    BOOST_TEST(talk.world.socket_count() == 2U); // a connection has two ends
}

// With half of that fix: the limit that had just run out also bounded the wait for the release.
BOOST_AUTO_TEST_CASE(a_registration_that_is_released_after_a_timeout_is_followed_by_the_next_address) {
    simulated<> talk({.connect_time = 1s}, {.connect_hangs = 1000, .owes = 1000});
    const tofu::address where = talk.listen();
    talk.hello(talk.name({nobodys, here}, where.port()));
    for (int i = 0; i < 3; ++i) talk.turn_after(a_while);
    talk.world.faults().connect_hangs = 0;
    talk.turn_after(500ms); // its share is over; its registration is held for some milliseconds
    talk.accept();
    BOOST_TEST(!talk.expect(talk.client, op_code::hello_response)->from_engine());
}

// Before: a channel whose registration was held kept its group, and with it the message for the group's notice.
BOOST_AUTO_TEST_CASE(a_channel_that_can_not_go_lets_its_group_go) {
    kept_waiting talk;
    raw_host host(talk.world);
    const std::size_t alive = talk.engine.stats().messages_alive;
    const raw_end peer = be_asked(talk, host);
    BOOST_TEST(talk.engine.stats().messages_alive == alive + 2); // for its goodbye, and its hello_request
    talk.client = {};
    BOOST_TEST(talk.engine.stats().zombies == 1U);
    BOOST_TEST(talk.engine.stats().messages_alive == alive - 1);
}

// Before: it also kept the addresses it had not tried, which no figure shows.
BOOST_AUTO_TEST_CASE(a_channel_that_can_not_go_keeps_nothing_else) {
    using core = tofu::engine::engine_core<reactor_with<keeping_poll>::policies>;
    world_owner of{simulation::world(1, {.connect_hangs = 1000})};
    of.world.name("a.name", {.hosts = {nobodys, here}});
    keeper poll;
    auto* const pool = tofu::engine::message_pool::create({});
    BOOST_REQUIRE(pool != nullptr);
    const auto engine = tofu::engine::ref<core>::adopt(
        new core({}, keeping_poll(of.world, poll), {}, {}, tofu::manual_timer(of.world.clock()), false, *pool));
    BOOST_REQUIRE(!engine->open());
    status why{};
    const auto group = engine->make_group(why);
    BOOST_REQUIRE(group);
    tofu::message_ptr m = tofu::engine::owned(pool->acquire());
    BOOST_REQUIRE(m->connect_to(tofu::tcp_address{"a.name", 80}) == status::success);
    tofu::binary_header hello;
    BOOST_REQUIRE(engine->post(*group, m, hello) == status::success);
    engine->run_once(of.world.now());
    of.world.advance(a_while);
    engine->run_once(of.world.now()); // the name has its answer: it connects
    const auto visit = [&](auto check) { engine->loop.state().channels.for_each(check); };
    std::size_t connecting = 0;
    visit([&](auto& ch) { connecting += ch.addresses && ch.group ? 1U : 0U; });
    BOOST_TEST(connecting == 1U);
    m = tofu::engine::owned(pool->acquire());
    m->header() = {.channel_number = hello.channel_number, .op = op_code::bye_signal};
    BOOST_REQUIRE(engine->post(*group, m, hello) == status::success);
    engine->run_once(of.world.now());
    std::size_t zombies = 0;
    visit([&](auto& ch) {
        ++zombies;
        BOOST_TEST((ch.phase == tofu::engine::channel_phase::zombie));
        BOOST_TEST(!ch.addresses);
        BOOST_TEST(!ch.group);
        BOOST_TEST(!ch.goodbye);
        BOOST_TEST(!ch.request);
    });
    BOOST_TEST(zombies == 1U);
    poll.lets_go = true;
    engine->begin_stop();
    engine->finish_here();
    engine->destroy(*group);
}

#if __has_include(<poll.h>) && __has_include(<sys/resource.h>)

namespace {

/// Until it goes, poll(2) refuses to look at more than one descriptor. Nothing else may be asked of the system then,
/// by Boost.Test for example.
class refusing_system {
public:
    refusing_system() {
        BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
        rlimit lowered = before_;
        lowered.rlim_cur = 1;
        ::setrlimit(RLIMIT_NOFILE, &lowered);
    }
    refusing_system(const refusing_system&) = delete;
    refusing_system& operator=(const refusing_system&) = delete;
    ~refusing_system() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

/// The number of times that `look` returns within a moment.
template <class Look>
std::size_t count(Look look) {
    const auto until = std::chrono::steady_clock::now() + moment;
    std::size_t looks = 0;
    for (; std::chrono::steady_clock::now() < until; ++looks) look();
    return looks;
}

} // namespace

// Before: a failed wait rested for no longer than it would have waited, and one that only looks, not at all.
BOOST_AUTO_TEST_CASE(a_look_that_fails_rests_like_a_wait) {
    struct {
        void ready(std::uintptr_t, tofu::readiness) noexcept {}
        void released(std::uintptr_t) noexcept {}
    } nobody;
    tofu::posix_poll poller;
    BOOST_REQUIRE(!poller.open());
    tofu::posix_poll::endpoint where;
    BOOST_REQUIRE(!poller.network().to_endpoint(loopback(), true, where));
    tofu::io_error error;
    const tofu::posix_poll::socket listener = poller.network().listen(where, {}, 1, error);
    tofu::posix_poll::registration registration;
    BOOST_REQUIRE(!poller.attach(registration, listener, 1));
    std::size_t failed = 0;
    std::size_t looks = 0;
    {
        const refusing_system meanwhile;
        looks = count([&] { failed += poller.wait(0ns, nobody).error ? 1U : 0U; });
    }
    BOOST_TEST(failed == looks);
    BOOST_TEST(looks < 50U);
    poller.wake();
    BOOST_TEST(!poller.wait(0ns, nobody).error);
}

// Before: the same for an engine that must not wait, because something is due.
TOFU_TEST_CASE(an_engine_that_must_not_wait_does_not_spin_while_its_poller_fails, at,
               only_with(poller::posix_poll) & caller_only) {
    dialogue talk(at);
    const auto link = talk.connect();
    std::size_t turns = 0;
    {
        const refusing_system meanwhile;
        std::error_code error;
        turns = count([&] { talk.engine.run_once(0ms, error); });
    }
    BOOST_TEST(turns < 50U);
    talk.client.post(make(talk.engine, op_code::request, link.client, "and all goes on"));
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "and all goes on");
}

#endif

// Before: waits that had failed while something else was due counted, too, even if a later wait had seen something.
BOOST_AUTO_TEST_CASE(waits_that_fail_count_in_a_row_only) {
    simulated<> talk({.hello_time = 10s});
    const auto fail = [&](int times) {
        talk.world.faults().wait_fails = 1000;
        for (int i = 0; i < times; ++i) talk.turn();
        talk.world.faults().wait_fails = 0;
    };
    raw_host silent_host(talk.world);
    const std::uint16_t silent = talk.hello(silent_host.where()).channel_number;
    for (int i = 0; i < 2; ++i) talk.turn_after(a_while); // it is connected, and waits for its answer
    talk.world.advance(5s);
    raw_host host(talk.world);
    raw_end slow = be_asked(talk, host);
    talk.world.advance(6s); // the silent one's time is over
    fail(4);
    talk.client.post(make(talk.engine, op_code::bye_signal, silent));
    fail(1);
    talk.turn();
    BOOST_TEST(reason_of(*talk.expect(talk.client, op_code::hello_response)) == "aborted");
    slow.send(hello_response);
    talk.world.advance(5s); // and the slow one's
    fail(5);
    talk.turn();
    talk.expect_own(talk.client, op_code::hello_response, "welcome");
}

// Before: full batches that were counted while everybody was parked let the limit of one strike that the batches after
// it had not shown yet.
BOOST_AUTO_TEST_CASE(batches_from_before_a_channel_was_let_go_on_do_not_count_for_it) {
    for (int turns = 2; turns < 5; ++turns)
        for (std::size_t busy = 2; busy < 6; ++busy) {
            simulated<tofu::basic_simulated_poll<1>> talk({.max_messages = 4, .hello_time = 10s, .message_time = 0ms});
            const tofu::address where = talk.listen();
            std::vector<raw_end> peers;
            for (std::size_t i = 0; i < busy; ++i) peers.push_back(join(talk, where));
            raw_host host(talk.world);
            raw_end slow = be_asked(talk, host);
            for (int i = 0; i < 4; ++i) peers[0].send({.op = op_code::signal});
            talk.turn_after(a_while);
            for (int i = 0; i < 5; ++i) talk.turn();
            BOOST_REQUIRE(talk.engine.stats().credit_used == 4U);

            slow.send(hello_response);
            talk.world.advance(11s);
            for (raw_end& peer : peers) peer.send({.op = op_code::signal});
            talk.world.advance(a_while);
            for (int i = 0; i < turns; ++i) talk.turn(); // a full batch each: all of them are parked
            for (int taken = 0; taken < 4;)
                if (!talk.expect(talk.server, op_code::signal)->from_engine()) ++taken;
            for (int i = 0; i < 20; ++i) {
                for (raw_end& peer : peers) peer.send({.op = op_code::signal});
                talk.turn_after(a_while);
                while (talk.server.wait_receive(0ms)) {
                } // no credit is missing any more
            }
            tofu::message_ptr answer = talk.next(talk.client);
            while (answer->op() != op_code::hello_response) answer = talk.next(talk.client);
            BOOST_TEST(!answer->from_engine(), reason_of(*answer));
        }
}

// Before: a timer that rang for a limit which had moved away meanwhile, among full batches, was compared with the time
// of the last of them.
BOOST_AUTO_TEST_CASE(a_limit_that_moved_is_not_due_before_its_data_was_looked_for) {
    simulated<tofu::basic_simulated_poll<1>> talk({.hello_time = 0ms, .idle_time = 10s}, {.accept_aborts = 0});
    const tofu::address where = talk.listen();
    raw_end moved = join(talk, where);
    raw_end other = join(talk, where);
    talk.turn_after(a_while);
    const auto say_something = [&](raw_end& peer) {
        peer.send({.op = op_code::signal});
        talk.world.advance(a_while);
    };
    talk.world.advance(9s);
    say_something(other);
    talk.turn();
    talk.world.advance(2s);
    say_something(moved);
    talk.turn(); // a full batch, while timers ring: it names this one, whose limit moves ten seconds on
    talk.world.advance(9s);
    talk.world.faults().accept_aborts = 1000;
    raw_end third(talk.world, where);
    say_something(other);
    say_something(moved);
    talk.world.advance(2s);
    for (int i = 0; i < 4; ++i) talk.turn(); // the other, the listener, and only then this one
    BOOST_TEST(talk.engine.stats().channels == 3U);
}

// Before: with more data there than one turn may read, a limit struck although all that was missing had come.
BOOST_AUTO_TEST_CASE(what_is_there_beyond_the_read_budget_comes_before_the_bye_time) {
    simulated<> talk({.bye_time = 10s, .grace_time = 0ms}, {.least_window = 1024 * 1024, .most_window = 1024 * 1024});
    raw_end peer(talk.world, talk.listen());
    peer.say_hello();
    const std::uint16_t number = talk.accept();
    talk.server.post(make(talk.engine, op_code::bye_request, number));
    talk.turn_after(a_while);
    for (int i = 0; i < 6; ++i) peer.send({.op = op_code::signal}, std::string(60'000, 'x'));
    peer.send({.op = op_code::bye_response});
    talk.turn_after(11s);
    for (int i = 0; i < 6; ++i) talk.expect(talk.server, op_code::signal);
    talk.expect(talk.server, op_code::bye_response);
    talk.expect_goodbye(talk.server, number, "bye");
}

// And a peer that goes on and on does not put the limit off.
BOOST_AUTO_TEST_CASE(a_peer_that_does_not_stop_sending_has_no_more_time_to_say_bye) {
    simulated<> talk({.max_messages = 1000, .bye_time = 10s},
                     {.least_window = 4 * 1024 * 1024, .most_window = 4 * 1024 * 1024});
    raw_end peer(talk.world, talk.listen());
    peer.say_hello();
    talk.server.post(make(talk.engine, op_code::bye_request, talk.accept()));
    const std::string large(60'000, 'x');
    for (int i = 0; i < 10; ++i) peer.send({.op = op_code::signal}, large);
    talk.world.advance(11s);
    for (int i = 0; i < 8 && talk.engine.stats().channels == 2; ++i) {
        for (int more = 0; more < 5; ++more) peer.send({.op = op_code::signal}, large);
        talk.turn_after(a_while);
    }
    BOOST_TEST(talk.engine.stats().channels == 1U);
}

// Before: a connection that ended before its hello made room for the next one only when its registration was released.
BOOST_AUTO_TEST_CASE(a_connection_that_ends_before_its_hello_makes_room_at_once) {
    simulated<> talk({.max_awaiting_hello = 1}, {.owes = 1000, .most_owed = 500ms});
    const tofu::address where = talk.listen();
    raw_end wrong(talk.world, where);
    raw_end waits(talk.world, where);
    talk.turn();
    BOOST_REQUIRE(talk.engine.stats().accepted == 1U);
    wrong.send({.op = op_code::request}); // no hello: that channel closes
    talk.turn_after(a_while);
    talk.turn();
    talk.turn();
    BOOST_TEST(talk.engine.stats().zombies == 1U);
    BOOST_TEST(talk.engine.stats().accepted == 2U);
}

// Before: a completion that told of room to write hid from a limit what came to be read after it.
BOOST_AUTO_TEST_CASE(what_came_after_a_completion_comes_before_the_hello_time) {
    simulated<> talk({.hello_time = 10s}, {.least_window = 32, .most_window = 32, .completions = true});
    raw_host host(talk.world);
    raw_end peer = be_asked(talk, host);
    BOOST_TEST(peer.receive() == 32U); // the rest of the hello_request waits for room: now there is some
    peer.send(hello_response);
    talk.turn_after(11s);
    talk.expect_own(talk.client, op_code::hello_response, "welcome");
}

// The reverse: bytes that are found late are read, and give no more time to a peer that has not sent everything.
BOOST_AUTO_TEST_CASE(a_part_of_a_hello_response_that_is_found_late_does_not_stop_the_hello_time) {
    simulated<> talk({.hello_time = 10s}, {.least_window = 32, .most_window = 32, .completions = true});
    raw_host host(talk.world);
    raw_end peer = be_asked(talk, host);
    BOOST_TEST(peer.receive() == 32U);
    const std::uint64_t before = talk.engine.stats().bytes_received;
    peer.send(std::span(hello_response).first(20));
    talk.turn_after(11s);
    BOOST_TEST(talk.engine.stats().bytes_received == before + 20);
    const tofu::message_ptr goodbye = talk.client.wait_receive(0ms);
    BOOST_REQUIRE(goodbye);
    BOOST_TEST(reason_of(*goodbye) == "hello_timeout");
}

// ---- incomplete messages and all of the credit ----

// Two incomplete messages hold half of the credit. Two more were there whole when they were begun, and the reads of
// them were cut short: now incomplete messages hold all of it, and none comes back unless those two are read on.
BOOST_AUTO_TEST_CASE(messages_whose_reads_were_cut_short_are_read_on_without_credit) {
    simulated talk({.max_messages = 4});
    const tofu::address where = talk.listen();
    std::vector<raw_end> peers;
    for (int i = 0; i < 4; ++i) peers.push_back(join(talk, where));
    const std::string body(100, 'x');
    const std::vector<std::byte> whole = raw_socket::wire_of({.op = op_code::request}, "", body);
    for (std::size_t i = 0; i < 2; ++i) peers[i].send(std::span(whole).first(20));
    talk.turn_after(a_while);

    talk.world.faults().short_reads = 1000;
    for (std::size_t i = 2; i < 4; ++i) peers[i].send(whole);
    talk.world.advance(a_while);
    while (talk.engine.stats().credit_used < 4) talk.turn();
    talk.world.faults().short_reads = 0;

    for (int i = 0; i < 2; ++i) {
        tofu::message_ptr m = talk.next(talk.server);
        if (m->status() == status::pool_empty) m = talk.next(talk.server);
        BOOST_TEST((m->op() == op_code::request));
        BOOST_TEST(body_of(*m) == body);
    }
    for (std::size_t i = 0; i < 2; ++i) peers[i].send(std::span(whole).subspan(20));
    for (int i = 0; i < 2; ++i) talk.expect_own(talk.server, op_code::request, body);
}

// ---- a poller without memory ----

namespace {

/// It has no memory for one more watch as long as `refuses`.
class forgetful_poll : public tofu::simulated_poll {
public:
    forgetful_poll(simulation::world& world, const bool& refuses) : tofu::simulated_poll(world), refuses_(&refuses) {}

    [[nodiscard]] tofu::io_error arm(registration& entry, tofu::interest wanted) noexcept {
        const tofu::interest granted = *refuses_ ? wanted & entry.wanted : wanted;
        const tofu::io_error error = tofu::simulated_poll::arm(entry, granted);
        return granted == wanted ? error : tofu::io_error{tofu::io_failure::no_memory, 12};
    }

private:
    const bool* refuses_;
};

} // namespace

// The poller had no memory to watch what a new connection wants to hear. Until it is asked once more, nobody looks for
// that channel's data, and so its limits have to wait.
BOOST_AUTO_TEST_CASE(a_channel_that_is_not_watched_for_lack_of_memory_does_not_meet_its_limits) {
    bool refuses = false;
    simulated<forgetful_poll> talk({.connect_time = 1s, .hello_time = 500ms, .retry_time = 10s}, {}, 1, refuses);
    raw_host host(talk.world);
    talk.hello(host.where());
    talk.turn();
    refuses = true;
    talk.turn_after(a_while); // connected
    refuses = false;
    raw_end peer = host.accept();
    peer.send({.op = op_code::hello_response}, "not looked for");
    talk.turn_after(2s);
    talk.turn_after(8s);
    talk.expect_own(talk.client, op_code::hello_response, "not looked for");
}

namespace {

/// Loses a watch, once: reports the connecting socket as failed, then refuses the next arm with no_memory.
class losing_poll : public tofu::simulated_poll {
public:
    losing_poll(simulation::world& world, bool& loses, int& refusals) noexcept
        : tofu::simulated_poll(world), loses_(&loses), refusals_(&refusals) {}

    [[nodiscard]] tofu::io_error arm(registration& entry, tofu::interest wanted) noexcept {
        if (wanted == tofu::interest::write) connecting_ = entry.key;
        if (refuses_ && any(wanted)) {
            refuses_ = false;
            ++*refusals_;
            static_cast<void>(tofu::simulated_poll::arm(entry, tofu::interest::none));
            return {tofu::io_failure::no_memory, 12};
        }
        return tofu::simulated_poll::arm(entry, wanted);
    }
    template <class Sink>
    [[nodiscard]] tofu::wait_result wait(std::chrono::nanoseconds timeout, Sink& sink) noexcept {
        if (connecting_ != 0 && std::exchange(*loses_, false)) {
            refuses_ = true;
            sink.ready(connecting_, tofu::readiness::failed | tofu::readiness::readable);
            return {};
        }
        return tofu::simulated_poll::wait(timeout, sink);
    }

private:
    bool* loses_;
    int* refusals_;
    std::uintptr_t connecting_ = 0;
    bool refuses_ = false;
};

} // namespace

// Before: the connect failed with connect_refused, although the socket was about to connect.
BOOST_AUTO_TEST_CASE(a_connecting_socket_whose_watch_the_poller_has_lost_is_not_refused) {
    bool loses = true;
    int refusals = 0;
    simulated<losing_poll> talk({.connect_time = 1s, .retry_time = 10ms}, {.least_delay = 20ms, .most_delay = 20ms}, 1,
                                loses, refusals);
    const tofu::address where = talk.listen();
    talk.hello(where);
    talk.accept();
    BOOST_TEST(!talk.expect(talk.client, op_code::hello_response)->from_engine());
    BOOST_TEST(!loses);
    BOOST_TEST(refusals == 1);
}

BOOST_AUTO_TEST_SUITE_END()
