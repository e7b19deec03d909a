// SPDX-License-Identifier: BSL-1.0
// Defects of the engine that simulated runs have found, one test or more for each, without the simulator's chances.
#include "harness.hpp"

#include <tofu/policies/poll/simulated_poll.hpp>
#include <tofu/policies/timer/manual_timer.hpp>

#if __has_include(<poll.h>) && __has_include(<sys/resource.h>)
#include <tofu/policies/poll/posix_poll.hpp>

#include <sys/resource.h>
#endif

#include <deque>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(found_by_simulation)

namespace {

namespace simulation = tofu::simulation;

template <class Poll>
using simulated_engine =
    tofu::basic_reactor<Poll, tofu::fixed_channel_pool<16>, tofu::slot_index_key, tofu::manual_timer>;

constexpr auto a_while = 1ms; ///< everything that is under way has arrived

struct world_owner {
    simulation::world world;
};

/// An engine in a world of its own. Time passes when it waits, and when the test says so.
template <class Poll = tofu::simulated_poll>
struct simulated : world_owner, dialogue<simulated_engine<Poll>> {
    template <class... More>
    explicit simulated(const tofu::options& opts = {}, const simulation::faults& faults = {}, std::uint64_t seed = 1,
                       More&... more)
        : world_owner{simulation::world(seed, faults)}
        , dialogue<simulated_engine<Poll>>(tofu::driven_by::caller, opts, Poll(world, more...),
                                           tofu::manual_timer(world.clock())) {}
    ~simulated() { BOOST_TEST(world.complaint() == ""); }

    /// One turn, and no time passes.
    void turn() { this->engine.run_once(0ms); }
    void turn_after(simulation::duration time) {
        world.advance(time);
        turn();
    }
    /// A name and a port: its addresses are these hosts with this port.
    tofu::address name(std::initializer_list<std::uint32_t> hosts, std::uint16_t port) {
        world.name("a.name", {.hosts = hosts});
        return tofu::tcp_address{"a.name", port};
    }
    void expect_own(typename dialogue<simulated_engine<Poll>>::group& from, op_code op, std::string_view body) {
        const tofu::message_ptr m = this->expect(from, op);
        BOOST_TEST(!m->from_engine(), reason_of(*m));
        BOOST_TEST(body_of(*m) == body);
    }
};

constexpr std::uint32_t here = 127U << 24 | 1;
constexpr std::uint32_t nobodys = 10U << 24 | 1; ///< no test listens there: it refuses

/// A peer of bytes in a simulated world. It does not wait: what it sends arrives when time passes.
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
    void send(tofu::binary_header header, std::string_view body = {}) {
        send(raw_socket::wire_of(header, "", body));
    }
    void say_hello() {
        send(
            raw_socket::wire_of({.op = op_code::hello_request, .message_id = 1}, "~connect_to:tcp|127.0.0.1|1\r\n"));
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

// Before: when credit came back, the limit of a channel that had been parked was looked at before its socket was.
BOOST_AUTO_TEST_CASE(a_hello_response_that_waited_for_credit_comes_before_the_hello_time) {
    simulated<> talk({.max_messages = 4, .hello_time = 10s, .message_time = 0ms});
    raw_end greedy = join(talk, talk.listen());
    raw_host host(talk.world);
    raw_end slow = be_asked(talk, host);

    for (int i = 0; i < 5; ++i) greedy.send({.op = op_code::signal});
    slow.send(hello_response);
    const tofu::engine_stats before = talk.engine.stats();
    talk.turn_after(11s); // credit ends at the fifth, when the time for the hello_response is over
    BOOST_REQUIRE(talk.engine.stats().starvation_episodes == 1U);
    BOOST_REQUIRE(talk.engine.stats().messages_received == before.messages_received + 4);
    for (int i = 0; i < 4; ++i) talk.expect(talk.server, op_code::signal); // released at once
    BOOST_REQUIRE(talk.engine.stats().turns == before.turns + 1);
    talk.expect_own(talk.client, op_code::hello_response, "welcome");
}

namespace {

/// Two half messages hold half of the credit, so that a hello_response with a body is parked before it; then the rest
/// of it comes.
struct parked_response : simulated<> {
    explicit parked_response(const tofu::options& opts)
        : simulated<>(opts), host(world), first(join(*this, listen())), slow(be_asked(*this, host)) {}

    static tofu::options with(std::chrono::milliseconds message_time, std::chrono::milliseconds retry_time) {
        return {.max_messages = 4, .hello_time = 10s, .message_time = message_time, .retry_time = retry_time};
    }
    void park(const tofu::address& where) {
        second.emplace(join(*this, where));
        const std::vector<std::byte> half = raw_socket::wire_of({.op = op_code::signal}, "", "never whole");
        first.send(std::span(half).first(20));
        second->send(std::span(half).first(20));
        turn_after(a_while);
        BOOST_REQUIRE(engine.stats().credit_used == 2U);
        slow.send(std::span(hello_response).first(tofu::binary_header::wire_size));
        turn_after(a_while);
        slow.send(std::span(hello_response).subspan(tofu::binary_header::wire_size));
        turn_after(a_while);
        turn();
        BOOST_REQUIRE(engine.stats().bytes_received == expected_bytes);
    }

    raw_host host;
    raw_end first;
    raw_end slow;
    std::optional<raw_end> second;
    std::uint64_t expected_bytes = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE_END()
