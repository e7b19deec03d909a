// SPDX-License-Identifier: BSL-1.0
// The simulated network without any engine: raw sockets, the time their bytes take, and everything that can go wrong.
#include <boost/test/unit_test.hpp>

#include <tofu/policies/poll/simulation/world.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sim = tofu::simulation;
using namespace std::chrono_literals;
using tofu::io_failure;

namespace {

/// Of a world in which nothing goes wrong: from one end to the other.
constexpr std::chrono::nanoseconds delay = 50us;
constexpr std::uint32_t loopback = 0x7F00'0001;

constexpr sim::endpoint at(std::uint16_t port, std::uint32_t host = loopback) { return {host, port}; }

sim::socket listen(sim::world& where, io_failure& how, const sim::endpoint& at_this = at(0), int backlog = 8) {
    tofu::io_error error;
    sim::socket made = where.network().listen(at_this, {}, backlog, error);
    BOOST_TEST(made.is_open() == !error);
    how = error.kind;
    return made;
}

io_failure listening_fails(sim::world& where, const sim::endpoint& at_this = at(0)) {
    io_failure how{};
    static_cast<void>(listen(where, how, at_this));
    return how;
}

sim::socket connect(sim::world& where, const sim::endpoint& to, io_failure& how) {
    tofu::io_error error;
    sim::socket made = where.network().connect(to, {}, error);
    BOOST_TEST(made.is_open() == (!error || error.kind == io_failure::would_block));
    how = error.kind;
    return made;
}

sim::socket accept(sim::socket& listener, io_failure& how) {
    tofu::io_error error;
    sim::socket made = listener.accept({}, error);
    BOOST_TEST(made.is_open() == !error);
    how = error.kind;
    return made;
}

io_failure accepting_fails(sim::socket& listener) {
    io_failure how{};
    static_cast<void>(accept(listener, how));
    return how;
}

tofu::io_result send(sim::socket& to, std::string_view text) {
    const tofu::const_buffer piece{reinterpret_cast<const std::byte*>(text.data()), text.size()};
    return to.write({&piece, 1});
}

/// What is there, and why there is no more: would_block, none for the end of the stream, or a failure.
struct heard {
    std::string text;
    io_failure ending = io_failure::none;

    friend bool operator==(const heard&, const heard&) = default;
    friend std::ostream& operator<<(std::ostream& out, const heard& h) {
        return out << '"' << h.text << "\" ending " << static_cast<unsigned>(h.ending);
    }
};

const heard nothing_yet{"", io_failure::would_block};
const heard reset{"", io_failure::reset};
const heard end_of_stream{"", io_failure::none};

tofu::io_result read_some(sim::socket& from, std::string& text, std::size_t most) {
    std::string room(most, '\0');
    const tofu::mutable_buffer piece{reinterpret_cast<std::byte*>(room.data()), room.size()};
    const tofu::io_result got = from.read({&piece, 1});
    text.append(room, 0, got.bytes);
    return got;
}

heard listen_to(sim::socket& from) {
    heard all;
    for (;;) {
        const tofu::io_result got = read_some(from, all.text, 1024);
        if (got.bytes != 0) continue;
        all.ending = got.error.kind;
        return all;
    }
}

/// A listener and connections to it.
struct wires {
    sim::world world;
    sim::socket listener;

    explicit wires(std::uint64_t seed = 1, const sim::faults& faults = {}, int backlog = 8) : world(seed) {
        io_failure how{};
        listener = listen(world, how, at(0), backlog);
        BOOST_REQUIRE(listener.is_open());
        world.faults() = faults;
    }

    struct pair {
        sim::socket client;
        sim::socket server;
    };
    /// Both ends of a new connection; nothing of it is under way any more.
    pair link() {
        pair made;
        io_failure how{};
        made.client = connect(world, listener.local_endpoint(), how);
        world.advance(2 * std::max(world.faults().least_delay, world.faults().most_delay));
        BOOST_REQUIRE(!made.client.finish_connect());
        made.server = accept(listener, how);
        BOOST_REQUIRE(made.server.is_open());
        return made;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(simulated_world)

// ---- addresses ----

BOOST_AUTO_TEST_CASE(addresses_are_ipv4_literals_and_everything_else_is_a_name) {
    sim::world world(1);
    sim::network net = world.network();
    sim::endpoint found;
    BOOST_TEST(!net.to_endpoint(tofu::tcp_address{"10.1.2.3", 80}, false, found));
    BOOST_TEST((found == at(80, 0x0A01'0203)));
    BOOST_TEST((net.to_address(found) == tofu::address(tofu::tcp_address{"10.1.2.3", 80})));
    BOOST_TEST(!net.to_endpoint(tofu::tcp_address{"0.0.0.0", 65535}, false, found));
    BOOST_TEST((found == at(65535, 0)));
    for (const std::string_view name :
         {"localhost", "1.2.3", "1.2.3.4.5", "1.2.3.256", ".1.2.3", "1..2.3", "-1.2.3.4", "::1"})
        BOOST_TEST((net.to_endpoint(tofu::tcp_address{name, 80}, false, found).kind == io_failure::name_required),
                   name);
    BOOST_TEST(!net.to_endpoint(tofu::tcp_address{"", 80}, true, found)); // every interface
    BOOST_TEST((found == at(80, 0)));
    BOOST_TEST((net.to_endpoint(tofu::tcp_address{"", 80}, false, found).kind == io_failure::address_not_available));
    BOOST_TEST((net.to_endpoint(tofu::uds_address{"/tmp/x"}, true, found).kind == io_failure::unsupported));
}

// ---- connecting ----

BOOST_AUTO_TEST_CASE(a_connection_takes_two_journeys) {
    wires w;
    io_failure how{};
    sim::socket client = connect(w.world, w.listener.local_endpoint(), how);
    BOOST_TEST((how == io_failure::would_block));
    w.world.advance(delay - 1ns);
    BOOST_TEST((accepting_fails(w.listener) == io_failure::would_block));
    w.world.advance(1ns);
    sim::socket server = accept(w.listener, how);
    BOOST_REQUIRE(server.is_open());
    BOOST_TEST((w.world.socket(client.id()).kind == sim::socket_kind::connecting));
    w.world.advance(delay - 1ns);
    BOOST_TEST((w.world.socket(client.id()).kind == sim::socket_kind::connecting));
    w.world.advance(1ns);
    BOOST_TEST(!client.finish_connect());
    BOOST_TEST((accepting_fails(w.listener) == io_failure::would_block)); // there was just one
    BOOST_TEST((client.local_endpoint() == server.peer_endpoint()));
    BOOST_TEST((client.peer_endpoint() == server.local_endpoint()));
    BOOST_TEST((client.peer_endpoint() == w.listener.local_endpoint()));
    BOOST_TEST(w.world.complaint() == "");
}

BOOST_AUTO_TEST_CASE(what_is_sent_before_accept_is_there_after_it) {
    wires w;
    io_failure how{};
    sim::socket client = connect(w.world, w.listener.local_endpoint(), how);
    w.world.advance(2 * delay);
    BOOST_TEST(send(client, "early").bytes == 5U);
    w.world.advance(delay);
    sim::socket server = accept(w.listener, how);
    BOOST_TEST(listen_to(server) == (heard{"early", io_failure::would_block}));
}

BOOST_AUTO_TEST_CASE(waiting_connections_are_accepted_in_the_order_of_their_arrival) {
    wires w;
    io_failure how{};
    std::vector<sim::socket> clients;
    for (int i = 0; i < 5; ++i) clients.push_back(connect(w.world, w.listener.local_endpoint(), how));
    w.world.advance(delay);
    for (const sim::socket& client : clients) {
        const sim::socket server = accept(w.listener, how);
        BOOST_TEST((server.peer_endpoint() == client.local_endpoint()));
    }
}

BOOST_AUTO_TEST_CASE(where_nobody_listens_a_connect_is_refused) {
    sim::world world(1);
    io_failure how{};
    sim::socket client = connect(world, at(80), how);
    BOOST_TEST((how == io_failure::would_block));
    world.advance(2 * delay - 1ns);
    BOOST_TEST((world.socket(client.id()).kind == sim::socket_kind::connecting && !world.socket(client.id()).failure));
    world.advance(1ns);
    BOOST_TEST((client.finish_connect().kind == io_failure::refused));
    BOOST_TEST((listen_to(client).ending == io_failure::refused));
    BOOST_TEST((send(client, "x").error.kind == io_failure::refused));
    BOOST_TEST(world.complaint() == "");
}

BOOST_AUTO_TEST_CASE(a_listener_that_is_gone_refuses) {
    wires w;
    const sim::endpoint where = w.listener.local_endpoint();
    w.listener.close();
    io_failure how{};
    sim::socket client = connect(w.world, where, how);
    w.world.advance(2 * delay);
    BOOST_TEST((client.finish_connect().kind == io_failure::refused));
}

BOOST_AUTO_TEST_CASE(a_listener_that_closes_resets_whoever_waited_to_be_accepted) {
    wires w;
    io_failure how{};
    sim::socket client = connect(w.world, w.listener.local_endpoint(), how);
    w.world.advance(2 * delay);
    BOOST_TEST(!client.finish_connect());
    w.listener.close();
    BOOST_TEST(listen_to(client) == nothing_yet);
    w.world.advance(delay);
    BOOST_TEST(listen_to(client) == reset);
}

BOOST_AUTO_TEST_CASE(a_client_that_has_left_is_reset_when_it_is_accepted) {
    wires w;
    io_failure how{};
    sim::socket client = connect(w.world, w.listener.local_endpoint(), how);
    w.world.advance(delay); // in the backlog, and the client does not know yet
    client.close();
    w.world.advance(delay);
    sim::socket server = accept(w.listener, how);
    BOOST_REQUIRE(server.is_open());
    BOOST_TEST(listen_to(server) == reset);
}

BOOST_AUTO_TEST_CASE(a_client_that_leaves_before_it_arrives_is_never_seen) {
    wires w;
    io_failure how{};
    connect(w.world, w.listener.local_endpoint(), how).close();
    w.world.advance(10 * delay);
    BOOST_TEST((accepting_fails(w.listener) == io_failure::would_block));
}

BOOST_AUTO_TEST_CASE(asking_too_early_how_connecting_ended_is_complained_of) {
    wires w;
    io_failure how{};
    sim::socket client = connect(w.world, w.listener.local_endpoint(), how);
    BOOST_TEST((client.finish_connect().kind == io_failure::would_block));
    BOOST_TEST(w.world.complaint() != "");
}

BOOST_AUTO_TEST_CASE(reading_and_writing_nothing_is_complained_of) {
    {
        wires w;
        wires::pair link = w.link();
        static_cast<void>(link.client.read({}));
        BOOST_TEST(w.world.complaint() == "read was called without room for a byte");
        static_cast<void>(link.client.write({}));
        BOOST_TEST(w.world.complaint() == "read was called without room for a byte"); // the first one is kept
    }
    wires w;
    wires::pair link = w.link();
    static_cast<void>(link.client.write({}));
    BOOST_TEST(w.world.complaint() == "write was called without a byte");
}

// ---- listening ----

BOOST_AUTO_TEST_CASE(two_listeners_cannot_have_one_port_of_one_interface) {
    sim::world world(1);
    io_failure how{};
    sim::socket first = listen(world, how, at(80));
    BOOST_TEST((how == io_failure::none));
    BOOST_TEST((listening_fails(world, at(80)) == io_failure::address_in_use));
    BOOST_TEST((listening_fails(world, at(80, 0)) == io_failure::address_in_use)); // every interface is that one, too
    BOOST_TEST((listening_fails(world, at(81)) == io_failure::none));
    BOOST_TEST((listening_fails(world, at(80, 0x0A00'0001)) == io_failure::none));
    first.close();
    BOOST_TEST((listening_fails(world, at(80)) == io_failure::none));
    first = listen(world, how, at(80, 0));
    BOOST_TEST((how == io_failure::none));
    BOOST_TEST((listening_fails(world, at(80)) == io_failure::address_in_use));
}

BOOST_AUTO_TEST_CASE(other_hosts_are_not_ours_to_listen_on) {
    sim::world world(1);
    for (const std::uint32_t host : {0x7F00'0001U, 0x7FFF'FFFFU, 0x0A00'0001U, 0x0AFF'FFFFU, 0U})
        BOOST_TEST((listening_fails(world, at(80, host)) == io_failure::none), std::hex << host);
    for (const std::uint32_t host : {0x0B00'0001U, 0x0900'0001U, 0xC0A8'0001U, 0x8000'0001U, 1U})
        BOOST_TEST((listening_fails(world, at(80, host)) == io_failure::address_not_available), std::hex << host);
}

BOOST_AUTO_TEST_CASE(port_0_is_a_port_of_the_systems_choice) {
    sim::world world(1);
    io_failure how{};
    std::vector<sim::socket> listeners;
    std::vector<std::uint16_t> ports;
    for (int i = 0; i < 20; ++i) {
        listeners.push_back(listen(world, how));
        BOOST_REQUIRE(listeners.back().is_open());
        ports.push_back(listeners.back().local_endpoint().port);
        BOOST_TEST(ports.back() != 0U);
        BOOST_TEST((listening_fails(world, at(ports.back())) == io_failure::address_in_use));
    }
    std::sort(ports.begin(), ports.end());
    BOOST_TEST((std::unique(ports.begin(), ports.end()) == ports.end()));
    sim::socket client = connect(world, listeners[7].local_endpoint(), how);
    world.advance(2 * delay);
    BOOST_TEST(!client.finish_connect());
    BOOST_TEST((accepting_fails(listeners[7]) == io_failure::none));
}

BOOST_AUTO_TEST_CASE(every_interface_takes_connections_to_each) {
    sim::world world(1);
    io_failure how{};
    sim::socket everywhere = listen(world, how, at(80, 0));
    for (const std::uint32_t host : {loopback, 0x7F12'3456U, 0x0A00'0001U}) {
        sim::socket client = connect(world, at(80, host), how);
        world.advance(2 * delay);
        BOOST_TEST(!client.finish_connect());
        sim::socket server = accept(everywhere, how);
        BOOST_REQUIRE(server.is_open());
        BOOST_TEST((server.local_endpoint() == at(80, host)));
    }
    sim::socket one_only = listen(world, how, at(81));
    sim::socket client = connect(world, at(81, 0x0A00'0001), how);
    world.advance(2 * delay);
    BOOST_TEST((client.finish_connect().kind == io_failure::refused));
}

BOOST_AUTO_TEST_CASE(a_full_backlog_has_the_connect_tried_again_after_a_second) {
    wires w(1, {}, 2);
    io_failure how{};
    std::vector<sim::socket> clients;
    for (int i = 0; i < 3; ++i) clients.push_back(connect(w.world, w.listener.local_endpoint(), how));
    w.world.advance(2 * delay);
    BOOST_TEST(!clients[0].finish_connect());
    BOOST_TEST(!clients[1].finish_connect());
    const sim::socket_state& third = w.world.socket(clients[2].id());
    BOOST_TEST((third.kind == sim::socket_kind::connecting));
    BOOST_TEST((accepting_fails(w.listener) == io_failure::none)); // now there is room, but nobody knows
    w.world.advance(1s - 1ns);
    BOOST_TEST((third.kind == sim::socket_kind::connecting));
    w.world.advance(1ns); // tried at the first delay, and again a second later, and the answer takes its time
    BOOST_TEST((third.kind == sim::socket_kind::connected));
    BOOST_TEST(!clients[2].finish_connect());
}

BOOST_AUTO_TEST_CASE(a_backlog_that_stays_full_has_the_connect_tried_every_second_until_it_gives_up) {
    wires w(1, {}, 1);
    io_failure how{};
    const sim::socket first = connect(w.world, w.listener.local_endpoint(), how);
    sim::socket second = connect(w.world, w.listener.local_endpoint(), how);
    w.world.advance(2min - 1ns);
    BOOST_TEST((w.world.socket(second.id()).kind == sim::socket_kind::connecting));
    BOOST_TEST(!w.world.socket(second.id()).failure);
    w.world.advance(1ns);
    BOOST_TEST((second.finish_connect().kind == io_failure::timed_out));
    BOOST_TEST((accepting_fails(w.listener) == io_failure::none));
    w.world.advance(1h);
    BOOST_TEST((accepting_fails(w.listener) == io_failure::would_block)); // nobody tries any more
}

// ---- bytes ----

BOOST_AUTO_TEST_CASE(bytes_arrive_after_the_delay_and_not_a_nanosecond_earlier) {
    wires w;
    wires::pair link = w.link();
    BOOST_TEST(send(link.client, "hello").bytes == 5U);
    w.world.advance(delay - 1ns);
    BOOST_TEST(listen_to(link.server) == nothing_yet);
    BOOST_TEST(link.server.available() == 0U);
    w.world.advance(1ns);
    BOOST_TEST(link.server.available() == 5U);
    BOOST_TEST(listen_to(link.server) == (heard{"hello", io_failure::would_block}));
    BOOST_TEST(send(link.server, "you").bytes == 3U);
    w.world.advance(delay);
    BOOST_TEST(listen_to(link.client) == (heard{"you", io_failure::would_block}));
    BOOST_TEST(listen_to(link.server) == nothing_yet);
}

BOOST_AUTO_TEST_CASE(what_was_sent_first_arrives_first_whatever_the_delays) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        wires w(seed, {.least_delay = 1us, .most_delay = 10ms});
        wires::pair link = w.link();
        std::string sent;
        std::string got;
        for (int i = 0; i < 50; ++i) {
            const std::string text = std::to_string(i) + ' ';
            BOOST_TEST(send(link.client, text).bytes == text.size());
            sent += text;
            w.world.advance(100us);
            got += listen_to(link.server).text;
            BOOST_REQUIRE(sent.starts_with(got));
        }
        w.world.advance(10ms);
        got += listen_to(link.server).text;
        BOOST_TEST(got == sent);
    }
}

BOOST_AUTO_TEST_CASE(buffers_are_gathered_and_scattered_in_turn) {
    wires w;
    wires::pair link = w.link();
    const std::string_view text = "abcdefghij";
    const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
    const std::array<tofu::const_buffer, 4> out{{{bytes, 3}, {bytes + 3, 0}, {bytes + 3, 1}, {bytes + 4, 6}}};
    BOOST_TEST(link.client.write(out).bytes == 10U);
    w.world.advance(delay);
    std::string first(4, ' ');
    std::string second(20, ' ');
    const std::array<tofu::mutable_buffer, 3> in{{{reinterpret_cast<std::byte*>(first.data()), 4},
                                                  {nullptr, 0},
                                                  {reinterpret_cast<std::byte*>(second.data()), 20}}};
    BOOST_TEST(link.server.read(in).bytes == 10U);
    BOOST_TEST(first == "abcd");
    BOOST_TEST(second.substr(0, 6) == "efghij");
}

BOOST_AUTO_TEST_CASE(short_reads_and_writes_are_short_and_never_empty) {
    wires w(3, {.short_reads = 1000, .short_writes = 1000});
    wires::pair link = w.link();
    std::size_t sent = 0;
    std::size_t short_ones = 0;
    for (int i = 0; i < 60; ++i) {
        const std::string text(i % 2 == 0 ? 1000 : 2, 'x');
        const tofu::io_result result = send(link.client, text);
        BOOST_TEST(!result.error);
        BOOST_TEST(result.bytes != 0U);
        if (result.bytes < text.size()) ++short_ones;
        sent += result.bytes;
    }
    BOOST_TEST(short_ones > 20U);
    w.world.advance(delay);
    std::string got;
    short_ones = 0;
    while (got.size() < sent) {
        const std::size_t there = link.server.available();
        const tofu::io_result result = read_some(link.server, got, 100'000);
        BOOST_REQUIRE(!result.error);
        BOOST_REQUIRE(result.bytes != 0U);
        if (result.bytes < there) ++short_ones;
    }
    BOOST_TEST(short_ones > 0U);
    BOOST_TEST(listen_to(link.server) == nothing_yet);
}

namespace {

/// One direction of a connection that is fed and drained in pieces of random sizes.
struct flow {
    sim::socket* from;
    sim::socket* to;
    std::string text{};
    std::size_t sent = 0;
    std::string got{};
    io_failure ending = io_failure::would_block;

    void step(sim::random& chance) {
        if (sent < text.size()) {
            const std::string_view part = std::string_view(text).substr(sent, chance.between(1, 5000));
            const tofu::io_result result = send(*from, part);
            BOOST_REQUIRE((!result.error || result.error.kind == io_failure::would_block));
            sent += result.bytes;
            if (sent == text.size()) BOOST_REQUIRE(!from->shutdown_write());
        }
        const tofu::io_result result = read_some(*to, got, chance.between(1, 5000));
        if (result.bytes == 0) ending = result.error.kind;
    }
};

/// FNV-1a: another order of the same bytes gives another sum.
std::uint64_t checksum(std::string_view text) {
    std::uint64_t sum = 0xcbf29ce484222325;
    for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return sum;
}

} // namespace

BOOST_AUTO_TEST_CASE(every_byte_arrives_once_and_in_order_whatever_the_pieces) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        sim::random chance(seed);
        wires w(seed, {.least_delay = 1us,
                       .most_delay = 5ms,
                       .least_window = 1 + chance.below(2000),
                       .most_window = 4000,
                       .short_reads = 400,
                       .short_writes = 400});
        wires::pair link = w.link();
        std::array<flow, 2> flows{flow{&link.client, &link.server}, flow{&link.server, &link.client}};
        for (flow& one : flows)
            for (std::uint64_t left = chance.between(1, 20'000); left > 0; --left)
                one.text.push_back(static_cast<char>(chance.next()));
        const auto done = [](const flow& one) { return one.ending == io_failure::none; };
        for (int steps = 0; !std::all_of(flows.begin(), flows.end(), done); ++steps) {
            BOOST_REQUIRE_MESSAGE(steps < 100'000, "seed " << seed << ": it does not come to an end");
            for (flow& one : flows) one.step(chance);
            w.world.advance(std::chrono::microseconds(chance.below(1000)));
        }
        for (const flow& one : flows) {
            BOOST_TEST(one.got.size() == one.text.size(), "seed " << seed);
            BOOST_TEST(checksum(one.got) == checksum(one.text), "seed " << seed);
        }
        BOOST_TEST(w.world.complaint() == "");
    }
}

BOOST_AUTO_TEST_CASE(a_full_window_blocks_the_writer_and_reading_opens_it) {
    wires w(1, {.least_window = 100, .most_window = 100});
    wires::pair link = w.link();
    BOOST_TEST(send(link.client, std::string(60, 'a')).bytes == 60U);
    BOOST_TEST(send(link.client, std::string(60, 'b')).bytes == 40U);
    BOOST_TEST((send(link.client, "c").error.kind == io_failure::would_block));
    w.world.advance(1s); // arriving is not reading
    BOOST_TEST((send(link.client, "c").error.kind == io_failure::would_block));
    std::string got;
    BOOST_TEST(read_some(link.server, got, 30).bytes == 30U);
    BOOST_TEST(send(link.client, std::string(60, 'c')).bytes == 30U);
    BOOST_TEST((send(link.client, "d").error.kind == io_failure::would_block));
    BOOST_TEST(send(link.server, std::string(100, 'x')).bytes == 100U); // the other direction has its own
    w.world.advance(delay);
    BOOST_TEST(listen_to(link.server).text == std::string(30, 'a') + std::string(40, 'b') + std::string(30, 'c'));
}

BOOST_AUTO_TEST_CASE(windows_are_as_large_as_they_may_be) {
    std::size_t least = 1000;
    std::size_t most = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        wires w(seed, {.least_window = 10, .most_window = 20});
        wires::pair link = w.link();
        const std::size_t sent = send(link.client, std::string(100, 'a')).bytes;
        least = std::min(least, sent);
        most = std::max(most, sent);
    }
    BOOST_TEST(least == 10U);
    BOOST_TEST(most == 20U);
}

// ---- ends ----

BOOST_AUTO_TEST_CASE(a_close_without_unread_data_is_the_end_of_the_stream) {
    wires w;
    wires::pair link = w.link();
    static_cast<void>(send(link.client, "last words"));
    link.client.close();
    BOOST_TEST(!link.client.is_open());
    w.world.advance(delay - 1ns);
    BOOST_TEST(listen_to(link.server) == nothing_yet);
    w.world.advance(1ns);
    BOOST_TEST(listen_to(link.server) == (heard{"last words", io_failure::none}));
    BOOST_TEST(listen_to(link.server) == end_of_stream); // and stays it
}

BOOST_AUTO_TEST_CASE(a_close_with_unread_data_is_a_reset) {
    wires w;
    wires::pair link = w.link();
    static_cast<void>(send(link.server, "unheard"));
    w.world.advance(delay);
    link.client.close();
    BOOST_TEST(listen_to(link.server) == nothing_yet);
    w.world.advance(delay);
    BOOST_TEST(listen_to(link.server) == reset);
    BOOST_TEST((send(link.server, "x").error.kind == io_failure::reset));
}

BOOST_AUTO_TEST_CASE(a_socket_that_goes_out_of_scope_is_closed) {
    wires w;
    wires::pair link = w.link();
    { const sim::socket gone = std::move(link.client); }
    w.world.advance(delay);
    BOOST_TEST(listen_to(link.server) == end_of_stream);
}

BOOST_AUTO_TEST_CASE(what_arrives_at_a_closed_socket_resets_its_sender) {
    wires w;
    wires::pair link = w.link();
    link.client.close();
    w.world.advance(delay);
    BOOST_TEST(listen_to(link.server) == end_of_stream);
    BOOST_TEST(send(link.server, "anybody there?").bytes == 14U);
    w.world.advance(2 * delay - 1ns);
    BOOST_TEST((listen_to(link.server).ending != io_failure::reset));
    w.world.advance(1ns);
    BOOST_TEST((send(link.server, "x").error.kind == io_failure::reset));
}

BOOST_AUTO_TEST_CASE(data_under_way_to_a_socket_that_closes_resets_its_sender) {
    wires w;
    wires::pair link = w.link();
    static_cast<void>(send(link.server, "too late"));
    link.client.close(); // nothing has arrived yet, so it is an end of stream first
    w.world.advance(delay);
    BOOST_TEST(listen_to(link.server) == end_of_stream);
    w.world.advance(delay);
    BOOST_TEST((send(link.server, "x").error.kind == io_failure::reset));
}

BOOST_AUTO_TEST_CASE(a_half_closed_connection_still_carries_the_other_direction) {
    wires w;
    wires::pair link = w.link();
    static_cast<void>(send(link.client, "question"));
    BOOST_TEST(!link.client.shutdown_write());
    BOOST_TEST(!link.client.shutdown_write()); // twice is as good as once
    BOOST_TEST((send(link.client, "x").error.kind == io_failure::reset));
    w.world.advance(delay);
    BOOST_TEST(listen_to(link.server) == (heard{"question", io_failure::none}));
    BOOST_TEST(send(link.server, "answer").bytes == 6U);
    w.world.advance(delay);
    BOOST_TEST(listen_to(link.client) == (heard{"answer", io_failure::would_block}));
    link.server.close();
    w.world.advance(delay);
    BOOST_TEST(listen_to(link.client) == end_of_stream);
}

BOOST_AUTO_TEST_CASE(both_directions_can_be_ended_one_by_one) {
    wires w;
    wires::pair link = w.link();
    BOOST_TEST(!link.client.shutdown_write());
    BOOST_TEST(!link.server.shutdown_write());
    w.world.advance(delay);
    BOOST_TEST(listen_to(link.client) == end_of_stream);
    BOOST_TEST(listen_to(link.server) == end_of_stream);
}

BOOST_AUTO_TEST_CASE(an_abort_is_a_reset_and_comes_behind_what_was_sent) {
    wires w;
    wires::pair link = w.link();
    static_cast<void>(send(link.client, "before"));
    link.client.abort();
    BOOST_TEST(!link.client.is_open());
    w.world.advance(delay);
    BOOST_TEST(listen_to(link.server) == (heard{"before", io_failure::reset}));
    BOOST_TEST((link.server.shutdown_write().kind == io_failure::reset));
}

BOOST_AUTO_TEST_CASE(closing_twice_is_closing_once) {
    wires w;
    wires::pair link = w.link();
    link.client.close();
    link.client.abort();
    link.client.close();
    w.world.advance(delay);
    BOOST_TEST(listen_to(link.server) == end_of_stream);
}

BOOST_AUTO_TEST_CASE(sockets_outlive_their_world) {
    std::optional<wires> w(std::in_place);
    wires::pair link = w->link();
    w.reset();
    BOOST_TEST(send(link.client, "hello").bytes == 5U);
    BOOST_TEST(listen_to(link.server) == nothing_yet); // time has ended
}

// ---- what goes wrong on the network ----

BOOST_AUTO_TEST_CASE(a_connect_that_hangs_gives_up_after_two_minutes) {
    wires w(1, {.connect_hangs = 1000});
    io_failure how{};
    sim::socket client = connect(w.world, w.listener.local_endpoint(), how);
    BOOST_TEST((how == io_failure::would_block));
    w.world.advance(2min - 1ns);
    BOOST_TEST(!w.world.socket(client.id()).failure);
    w.world.advance(1ns);
    BOOST_TEST((client.finish_connect().kind == io_failure::timed_out));
    BOOST_TEST((accepting_fails(w.listener) == io_failure::would_block));
}

BOOST_AUTO_TEST_CASE(a_connection_that_stands_never_gives_up) {
    wires w;
    wires::pair link = w.link();
    w.world.advance(1h);
    BOOST_TEST(send(link.client, "still here").bytes == 10U);
    w.world.advance(delay);
    BOOST_TEST(listen_to(link.server).text == "still here");
}

BOOST_AUTO_TEST_CASE(a_connect_at_once_needs_no_wait_but_a_listener) {
    wires w(1, {.connect_at_once = 1000}, 1);
    io_failure how{};
    sim::socket client = connect(w.world, w.listener.local_endpoint(), how);
    BOOST_TEST((how == io_failure::none));
    BOOST_TEST(!client.finish_connect());
    BOOST_TEST(send(client, "at once").bytes == 7U);
    const sim::socket second = connect(w.world, w.listener.local_endpoint(), how);
    BOOST_TEST((how == io_failure::would_block)); // the backlog is full
    sim::socket server = accept(w.listener, how);
    BOOST_REQUIRE(server.is_open());
    w.world.advance(delay);
    BOOST_TEST(listen_to(server).text == "at once");
    sim::socket nowhere = connect(w.world, at(1), how);
    BOOST_TEST((how == io_failure::would_block));
    w.world.advance(2 * delay);
    BOOST_TEST((nowhere.finish_connect().kind == io_failure::refused));
}

namespace {

/// All ways in which a call fails in many worlds, each once.
template <class Fail>
std::vector<io_failure> ways(const sim::faults& faults, Fail fail) {
    std::vector<io_failure> all;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        sim::world world(seed, faults);
        all.push_back(fail(world));
    }
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_connect_fails_for_each_of_its_reasons) {
    const auto seen = ways({.connect_fails = 1000}, [](sim::world& world) {
        io_failure how{};
        static_cast<void>(connect(world, at(80), how));
        BOOST_TEST(world.socket_count() == 0U);
        return how;
    });
    BOOST_TEST((seen == std::vector{io_failure::refused, io_failure::unreachable, io_failure::address_not_available,
                                    io_failure::permission_denied}));
}

BOOST_AUTO_TEST_CASE(a_listen_fails_for_each_of_its_reasons) {
    const auto seen = ways({.listen_fails = 1000}, [](sim::world& world) { return listening_fails(world); });
    BOOST_TEST((seen == std::vector{io_failure::address_in_use, io_failure::address_not_available,
                                    io_failure::permission_denied, io_failure::other}));
}

BOOST_AUTO_TEST_CASE(a_connection_that_breaks_is_reset_at_both_ends) {
    wires w(1, {.breaks = 1000});
    wires::pair link = w.link();
    static_cast<void>(send(link.client, "never heard"));
    w.world.advance(delay - 1ns);
    BOOST_TEST(listen_to(link.client) == nothing_yet);
    w.world.advance(1ns);
    BOOST_TEST(listen_to(link.client) == reset);
    BOOST_TEST(listen_to(link.server) == reset);
}

BOOST_AUTO_TEST_CASE(on_a_silent_connection_nothing_arrives_any_more) {
    wires w;
    wires::pair link = w.link();
    wires::pair other = w.link();
    static_cast<void>(send(link.client, "before"));
    w.world.advance(delay);
    w.world.faults().falls_silent = 1000;
    BOOST_TEST(send(link.client, "into the void").bytes == 13U);
    w.world.faults().falls_silent = 0;
    BOOST_TEST(send(link.server, "into the void").bytes == 13U);
    w.world.advance(1h);
    BOOST_TEST(listen_to(link.server) == (heard{"before", io_failure::would_block}));
    BOOST_TEST(listen_to(link.client) == nothing_yet);
    link.client.abort();
    w.world.advance(1h);
    BOOST_TEST(listen_to(link.server) == nothing_yet); // not even that
    std::size_t taken = 13;
    while (!send(link.server, std::string(10'000, 'x')).error) taken += 10'000;
    BOOST_TEST(taken >= 64U * 1024); // the writer notices nothing until there is no room any more
    BOOST_TEST((send(link.server, "x").error.kind == io_failure::would_block));
    static_cast<void>(send(other.client, "others"));
    w.world.advance(delay);
    BOOST_TEST(listen_to(other.server).text == "others");
}

BOOST_AUTO_TEST_CASE(a_reset_may_discard_what_was_not_read) {
    for (const unsigned rate : {0U, 1000U}) {
        wires w(1, {.reset_discards = rate});
        wires::pair link = w.link();
        static_cast<void>(send(link.client, "abcd"));
        w.world.advance(delay);
        std::string got;
        static_cast<void>(read_some(link.server, got, 2));
        link.client.abort();
        w.world.advance(delay);
        BOOST_TEST(listen_to(link.server) == (heard{rate == 0 ? "cd" : "", io_failure::reset}));
    }
}

// ---- what the system refuses ----

BOOST_AUTO_TEST_CASE(without_descriptors_there_are_no_new_sockets_and_the_old_ones_work) {
    wires w;
    wires::pair link = w.link();
    io_failure how{};
    const sim::socket waiting = connect(w.world, w.listener.local_endpoint(), how);
    w.world.advance(2 * delay);
    w.world.faults().no_descriptors = 1000;
    static_cast<void>(connect(w.world, w.listener.local_endpoint(), how));
    BOOST_TEST((how == io_failure::no_descriptors));
    BOOST_TEST((listening_fails(w.world) == io_failure::no_descriptors));
    BOOST_TEST((accepting_fails(w.listener) == io_failure::no_descriptors));
    BOOST_TEST(send(link.client, "hello").bytes == 5U);
    w.world.advance(delay);
    BOOST_TEST(listen_to(link.server).text == "hello");
    w.world.faults().no_descriptors = 0;
    BOOST_TEST((accepting_fails(w.listener) == io_failure::none)); // it has waited
}

BOOST_AUTO_TEST_CASE(without_memory_every_call_fails_and_nothing_is_lost) {
    wires w;
    wires::pair link = w.link();
    io_failure how{};
    const sim::socket waiting = connect(w.world, w.listener.local_endpoint(), how);
    static_cast<void>(send(link.client, "kept"));
    w.world.advance(2 * delay);
    w.world.faults().no_memory = 1000;
    static_cast<void>(connect(w.world, w.listener.local_endpoint(), how));
    BOOST_TEST((how == io_failure::no_memory));
    BOOST_TEST((listening_fails(w.world) == io_failure::no_memory));
    BOOST_TEST((accepting_fails(w.listener) == io_failure::no_memory));
    BOOST_TEST(listen_to(link.server) == (heard{"", io_failure::no_memory}));
    const tofu::io_result sent = send(link.client, "not taken");
    BOOST_TEST((sent.error.kind == io_failure::no_memory));
    BOOST_TEST(sent.bytes == 0U);
    w.world.faults().no_memory = 0;
    w.world.advance(delay);
    BOOST_TEST(listen_to(link.server) == (heard{"kept", io_failure::would_block}));
    BOOST_TEST((accepting_fails(w.listener) == io_failure::none));
}

BOOST_AUTO_TEST_CASE(a_shortage_lasts_a_while_for_everybody_and_ends) {
    int lasted = 0;
    int ended = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        wires w(seed);
        wires::pair link = w.link();
        w.world.faults().no_memory = 1000;
        BOOST_TEST((send(link.client, "x").error.kind == io_failure::no_memory));
        w.world.faults().no_memory = 1; // it is on, and begins anew hardly ever
        if (listen_to(link.server).ending == io_failure::no_memory) ++lasted;
        w.world.advance(2ms + 1ns);
        if (!send(link.client, "x").error) ++ended;
    }
    BOOST_TEST(lasted == 20);
    BOOST_TEST(ended >= 18);
}

BOOST_AUTO_TEST_CASE(a_connection_can_be_gone_before_it_is_accepted) {
    wires w(1, {.accept_aborts = 1000});
    io_failure how{};
    sim::socket client = connect(w.world, w.listener.local_endpoint(), how);
    BOOST_TEST((accepting_fails(w.listener) == io_failure::would_block)); // nobody is there to be aborted
    w.world.advance(2 * delay);
    BOOST_TEST((accepting_fails(w.listener) == io_failure::aborted));
    BOOST_TEST((accepting_fails(w.listener) == io_failure::would_block));
    w.world.advance(delay);
    BOOST_TEST(listen_to(client) == reset);
}

BOOST_AUTO_TEST_CASE(an_accept_that_fails_for_another_reason_leaves_the_connection_waiting) {
    wires w(1, {.accept_fails = 1000});
    io_failure how{};
    sim::socket client = connect(w.world, w.listener.local_endpoint(), how);
    w.world.advance(2 * delay);
    BOOST_TEST((accepting_fails(w.listener) == io_failure::other));
    w.world.faults().accept_fails = 0;
    sim::socket server = accept(w.listener, how);
    BOOST_REQUIRE(server.is_open());
    BOOST_TEST((server.peer_endpoint() == client.local_endpoint()));
}

// ---- names ----

namespace {

/// What became of a question.
struct answer_sheet {
    int answers = 0;
    int dropped = 0;
    std::vector<sim::endpoint> found;
    tofu::io_error error;
};

/// A question about a name; it writes down what becomes of it.
class question {
public:
    question(answer_sheet& sheet, std::string_view host, std::uint16_t port)
        : sheet_(&sheet), host_(host), port_(port) {}
    question(question&& other) noexcept
        : sheet_(std::exchange(other.sheet_, nullptr)), host_(std::move(other.host_)), port_(other.port_) {}
    question& operator=(question&&) = delete;
    ~question() {
        if (sheet_ != nullptr) ++sheet_->dropped;
    }

    std::string_view host() const noexcept { return host_; }
    std::uint16_t port() const noexcept { return port_; }
    bool for_listening() const noexcept { return false; }
    void complete(std::span<const sim::endpoint> found, tofu::io_error error) noexcept {
        answer_sheet& sheet = *std::exchange(sheet_, nullptr);
        ++sheet.answers;
        sheet.found.assign(found.begin(), found.end());
        sheet.error = error;
    }

private:
    answer_sheet* sheet_;
    std::string host_;
    std::uint16_t port_;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_name_has_all_its_addresses_in_their_order) {
    sim::world world(1);
    world.name("twins", {.hosts = {0x0A00'0002, 0x0A00'0001}, .after = 3ms});
    answer_sheet sheet;
    world.network().resolve(question(sheet, "twins", 80));
    world.advance(3ms - 1ns);
    BOOST_TEST(sheet.answers == 0);
    world.advance(1ns);
    BOOST_TEST(sheet.answers == 1);
    BOOST_TEST(!sheet.error);
    BOOST_TEST((sheet.found == std::vector{at(80, 0x0A00'0002), at(80, 0x0A00'0001)}));
    world.advance(1h);
    BOOST_TEST(sheet.answers == 1);
    BOOST_TEST(sheet.dropped == 0);
}

BOOST_AUTO_TEST_CASE(an_unknown_name_is_not_found) {
    sim::world world(1);
    answer_sheet sheet;
    world.network().resolve(question(sheet, "nobody", 80));
    BOOST_TEST(sheet.answers == 0); // it takes its time all the same
    world.advance(1ms);
    BOOST_TEST(sheet.answers == 1);
    BOOST_TEST((sheet.error.kind == io_failure::name_not_found));
    BOOST_TEST(sheet.found.empty());
}

BOOST_AUTO_TEST_CASE(a_name_can_change_and_a_question_keeps_the_answer_of_its_time) {
    sim::world world(1);
    world.name("mover", {.hosts = {1}, .after = 2ms});
    answer_sheet first;
    answer_sheet second;
    world.network().resolve(question(first, "mover", 1));
    world.name("mover", {.hosts = {2}, .after = 1ms});
    world.network().resolve(question(second, "mover", 2));
    world.advance(1ms);
    BOOST_TEST(first.answers == 0);
    BOOST_TEST((second.found == std::vector{at(2, 2)}));
    world.advance(1ms);
    BOOST_TEST((first.found == std::vector{at(1, 1)}));
}

BOOST_AUTO_TEST_CASE(some_answers_never_come_and_the_questions_go_with_the_world) {
    answer_sheet sheet;
    {
        sim::world world(1);
        world.name("sphinx", {.hosts = {1}, .never = true});
        world.network().resolve(question(sheet, "sphinx", 80));
        world.advance(24h);
        BOOST_TEST(sheet.answers == 0);
        BOOST_TEST(sheet.dropped == 0);
    }
    BOOST_TEST(sheet.answers == 0);
    BOOST_TEST(sheet.dropped == 1);
}

BOOST_AUTO_TEST_CASE(a_dropped_question_is_not_answered_later) {
    sim::world world(1);
    world.name("slow", {.hosts = {1}, .after = 1s});
    answer_sheet dropped;
    world.network().resolve(question(dropped, "slow", 80));
    world.drop_questions();
    BOOST_TEST(dropped.dropped == 1);
    answer_sheet later;
    world.network().resolve(question(later, "slow", 80));
    world.advance(1s);
    BOOST_TEST(dropped.answers == 0);
    BOOST_TEST(dropped.dropped == 1);
    BOOST_TEST(later.answers == 1);
}

// ---- time ----

BOOST_AUTO_TEST_CASE(the_world_says_when_the_next_thing_happens) {
    sim::world world(1);
    BOOST_TEST((world.next_event() == sim::time_point::max()));
    world.name("slow", {.hosts = {1}, .after = 1s});
    answer_sheet sheet;
    world.network().resolve(question(sheet, "slow", 80));
    BOOST_TEST((world.next_event() == world.now() + 1s));
    world.advance(400ms);
    BOOST_TEST((world.next_event() == world.now() + 600ms));
    world.advance(600ms);
    BOOST_TEST((world.next_event() == sim::time_point::max()));
    BOOST_TEST((world.now() == sim::time_point{} + 1s));
}

BOOST_AUTO_TEST_CASE(what_is_caused_first_happens_first_at_the_same_time) {
    wires w;
    wires::pair one = w.link();
    wires::pair two = w.link();
    // All of it arrives at one time: the end of the stream must not come before the byte.
    static_cast<void>(send(one.client, "a"));
    one.client.close();
    static_cast<void>(send(two.client, "b"));
    w.world.advance(delay);
    BOOST_TEST(listen_to(one.server) == (heard{"a", io_failure::none}));
    BOOST_TEST(listen_to(two.server) == (heard{"b", io_failure::would_block}));
}

BOOST_AUTO_TEST_CASE(time_only_passes_when_it_is_told_to) {
    wires w;
    wires::pair link = w.link();
    const sim::time_point begin = w.world.now();
    for (int i = 0; i < 100; ++i) {
        static_cast<void>(send(link.client, "x"));
        BOOST_TEST(listen_to(link.server) == nothing_yet);
        w.world.advance(0ns);
    }
    BOOST_TEST((w.world.now() == begin));
    w.world.advance(1h);
    BOOST_TEST((w.world.now() == begin + 1h));
    BOOST_TEST(listen_to(link.server).text.size() == 100U);
}

BOOST_AUTO_TEST_CASE(without_any_delay_things_happen_when_no_time_passes) {
    wires w(1, {.least_delay = 0ns, .most_delay = 0ns});
    wires::pair link = w.link();
    const sim::time_point begin = w.world.now();
    static_cast<void>(send(link.client, "x"));
    BOOST_TEST(listen_to(link.server) == nothing_yet);
    BOOST_TEST((w.world.next_event() == begin));
    w.world.advance(0ns);
    BOOST_TEST(listen_to(link.server).text == "x");
    BOOST_TEST((w.world.now() == begin));
}

// ---- chance ----

namespace {

/// Raw sockets do what they like, and everything there is to see of it is written down. What they try depends on `acts`
/// alone; what comes of it is the world's choice.
class conversation {
public:
    conversation(std::uint64_t acts, std::uint64_t seed, const sim::faults& faults)
        : acts_(acts), world_(seed, faults) {
        for (int step = 0; step < 300; ++step) act();
    }

    [[nodiscard]] std::string log() const { return log_.str(); }

private:
    void act() {
        const std::uint64_t what = acts_.below(100);
        const std::uint64_t which = acts_.next();
        const std::uint64_t amount = acts_.between(1, 3000);
        const std::chrono::nanoseconds pause(static_cast<std::int64_t>(acts_.below(3'000'000)));
        log_ << world_.now().time_since_epoch().count() << ' ' << what << ' ';
        if (what < 5) {
            io_failure how{};
            add(listeners_, listen(world_, how, at(static_cast<std::uint16_t>(80 + which % 3)), 2), how);
        } else if (what < 15) {
            io_failure how{};
            add(sockets_, connect(world_, at(static_cast<std::uint16_t>(80 + which % 3)), how), how);
        } else if (what < 30 && !listeners_.empty()) {
            io_failure how{};
            add(sockets_, accept(listeners_[which % listeners_.size()], how), how);
        } else if (what < 80 && !sockets_.empty()) {
            talk(sockets_[which % sockets_.size()], what, amount);
        } else if (what >= 80) {
            world_.advance(pause);
        }
        log_ << '\n';
    }

    void add(std::vector<sim::socket>& to, sim::socket made, io_failure how) {
        log_ << made.id() << " error " << static_cast<unsigned>(how);
        if (made.is_open()) to.push_back(std::move(made));
    }

    void talk(sim::socket& with, std::uint64_t what, std::uint64_t amount) {
        log_ << with.id() << ' ';
        if (!with.is_open()) return;
        if (what < 33) {
            with.close();
        } else if (what < 35) {
            with.abort();
        } else if (what < 37) {
            log_ << static_cast<unsigned>(with.shutdown_write().kind);
        } else if (what < 60) {
            const tofu::io_result sent = send(with, std::string(amount, static_cast<char>('a' + amount % 26)));
            log_ << "writes " << sent.bytes << " error " << static_cast<unsigned>(sent.error.kind);
        } else {
            std::string text;
            const tofu::io_result got = read_some(with, text, amount);
            log_ << "reads " << text << " error " << static_cast<unsigned>(got.error.kind);
        }
    }

    sim::random acts_;
    sim::world world_;
    std::vector<sim::socket> listeners_;
    std::vector<sim::socket> sockets_;
    std::ostringstream log_;
};

std::string log_of(std::uint64_t seed, const sim::faults& faults, std::uint64_t acts = 1) {
    return conversation(acts, seed, faults).log();
}

/// Delays and windows of all sizes, and no fault.
const sim::faults lively{.least_delay = 1us, .most_delay = 2ms, .least_window = 500, .most_window = 5000};

/// All rates of the network and of the system below it.
constexpr std::array<unsigned sim::faults::*, 13> rates{
    &sim::faults::short_reads,    &sim::faults::short_writes,   &sim::faults::breaks,
    &sim::faults::falls_silent,   &sim::faults::reset_discards, &sim::faults::connect_at_once,
    &sim::faults::connect_fails,  &sim::faults::connect_hangs,  &sim::faults::listen_fails,
    &sim::faults::no_descriptors, &sim::faults::no_memory,      &sim::faults::accept_aborts,
    &sim::faults::accept_fails};

} // namespace

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_bytes_at_the_same_times) {
    sim::faults all = lively;
    for (const auto& rate : rates) all.*rate = 50;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        BOOST_TEST((log_of(seed, all) == log_of(seed, all)), "seed " << seed);
        BOOST_TEST((log_of(seed, all) != log_of(seed + 1, all)), "seed " << seed);
    }
}

BOOST_AUTO_TEST_CASE(every_fault_shows) {
    for (const auto& rate : rates) {
        sim::faults one = lively;
        one.*rate = 1000;
        int changed = 0;
        for (std::uint64_t seed = 1; seed <= 20; ++seed)
            if (log_of(seed, one, seed) != log_of(seed, lively, seed)) ++changed;
        BOOST_TEST(changed > 0, "rate " << &rate - rates.data());
    }
}

BOOST_AUTO_TEST_CASE(a_fault_that_does_not_strike_changes_no_other_choice) {
    // One in a thousand does not strike at all in most of these conversations. If it cost a choice to ask, or to ask
    // only when the rate is not 0, each of them would go another way.
    for (const auto& rate : rates) {
        sim::faults one = lively;
        one.*rate = 1;
        int unchanged = 0;
        for (std::uint64_t seed = 1; seed <= 20; ++seed)
            if (log_of(seed, one, seed) == log_of(seed, lively, seed)) ++unchanged;
        BOOST_TEST(unchanged >= 10, "rate " << &rate - rates.data());
    }
}

BOOST_AUTO_TEST_CASE(chance_is_the_same_with_every_compiler) {
    // The first numbers of SplitMix64 from 1234567, as they are published.
    sim::random chance(1234567);
    BOOST_TEST(chance.next() == 6457827717110365317U);
    BOOST_TEST(chance.next() == 3203168211198807973U);
    BOOST_TEST(chance.next() == 9817491932198370423U);
    sim::random never(5);
    sim::random always(5);
    BOOST_TEST(!never.chance(0));
    BOOST_TEST(always.chance(1000));
    BOOST_TEST(never.next() == always.next()); // both have drawn once
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t drawn = never.between(3, 5);
        BOOST_REQUIRE((drawn >= 3 && drawn <= 5));
    }
    BOOST_TEST(never.below(0) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
