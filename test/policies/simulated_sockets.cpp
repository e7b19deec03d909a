// SPDX-License-Identifier: BSL-1.0
// The simulated network as long as nothing goes wrong: connections, listeners, bytes, and how they end.
#include "simulated_scene.hpp"

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

using namespace tofu_test;

BOOST_AUTO_TEST_SUITE(simulated_sockets)

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
    for (const std::string_view name : {"localhost", "1.2.3.a", "1.2.3.4.example", "1.2.3.4-5", ".1.2.3x", "::1"})
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
    w.world.advance(latency - 1ns);
    BOOST_TEST((accepting_fails(w.listener) == io_failure::would_block));
    w.world.advance(1ns);
    sim::socket server = accept(w.listener, how);
    BOOST_REQUIRE(server.is_open());
    BOOST_TEST((w.world.socket(client.id()).kind == sim::socket_kind::connecting));
    w.world.advance(latency - 1ns);
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
    w.world.advance(2 * latency);
    BOOST_TEST(send(client, "early").bytes == 5U);
    w.world.advance(latency);
    sim::socket server = accept(w.listener, how);
    BOOST_TEST(listen_to(server) == (heard{"early", io_failure::would_block}));
}

BOOST_AUTO_TEST_CASE(waiting_connections_are_accepted_in_the_order_of_their_arrival) {
    wires w;
    io_failure how{};
    std::vector<sim::socket> clients;
    for (int i = 0; i < 5; ++i) clients.push_back(connect(w.world, w.listener.local_endpoint(), how));
    w.world.advance(latency);
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
    world.advance(2 * latency - 1ns);
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
    w.world.advance(2 * latency);
    BOOST_TEST((client.finish_connect().kind == io_failure::refused));
}

BOOST_AUTO_TEST_CASE(a_listener_that_closes_resets_whoever_waited_to_be_accepted) {
    wires w;
    io_failure how{};
    sim::socket client = connect(w.world, w.listener.local_endpoint(), how);
    w.world.advance(2 * latency);
    BOOST_TEST(!client.finish_connect());
    w.listener.close();
    BOOST_TEST(listen_to(client) == nothing_yet);
    w.world.advance(latency);
    BOOST_TEST(listen_to(client) == reset);
}

BOOST_AUTO_TEST_CASE(a_client_that_has_left_is_reset_when_it_is_accepted) {
    wires w;
    io_failure how{};
    sim::socket client = connect(w.world, w.listener.local_endpoint(), how);
    w.world.advance(latency); // in the backlog, and the client does not know yet
    client.close();
    w.world.advance(latency);
    sim::socket server = accept(w.listener, how);
    BOOST_REQUIRE(server.is_open());
    BOOST_TEST(listen_to(server) == reset);
}

BOOST_AUTO_TEST_CASE(a_client_that_leaves_before_it_arrives_is_never_seen) {
    wires w;
    io_failure how{};
    connect(w.world, w.listener.local_endpoint(), how).close();
    w.world.advance(10 * latency);
    BOOST_TEST((accepting_fails(w.listener) == io_failure::would_block));
}

BOOST_AUTO_TEST_CASE(finish_connect_before_the_answer_gives_would_block) {
    wires w;
    io_failure how{};
    sim::socket client = connect(w.world, w.listener.local_endpoint(), how);
    BOOST_TEST((client.finish_connect().kind == io_failure::would_block));
    w.world.advance(2 * latency);
    BOOST_TEST(!client.finish_connect());
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
    world.advance(2 * latency);
    BOOST_TEST(!client.finish_connect());
    BOOST_TEST((accepting_fails(listeners[7]) == io_failure::none));
}

BOOST_AUTO_TEST_CASE(every_interface_takes_connections_to_each) {
    sim::world world(1);
    io_failure how{};
    sim::socket everywhere = listen(world, how, at(80, 0));
    for (const std::uint32_t host : {loopback_host, 0x7F12'3456U, 0x0A00'0001U}) {
        sim::socket client = connect(world, at(80, host), how);
        world.advance(2 * latency);
        BOOST_TEST(!client.finish_connect());
        sim::socket server = accept(everywhere, how);
        BOOST_REQUIRE(server.is_open());
        BOOST_TEST((server.local_endpoint() == at(80, host)));
    }
    sim::socket one_only = listen(world, how, at(81));
    sim::socket client = connect(world, at(81, 0x0A00'0001), how);
    world.advance(2 * latency);
    BOOST_TEST((client.finish_connect().kind == io_failure::refused));
}

BOOST_AUTO_TEST_CASE(a_full_backlog_has_the_connect_tried_again_after_a_second) {
    wires w(1, {}, 2);
    io_failure how{};
    std::vector<sim::socket> clients;
    for (int i = 0; i < 3; ++i) clients.push_back(connect(w.world, w.listener.local_endpoint(), how));
    w.world.advance(2 * latency);
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
    w.world.advance(latency - 1ns);
    BOOST_TEST(listen_to(link.server) == nothing_yet);
    BOOST_TEST(link.server.available() == 0U);
    w.world.advance(1ns);
    BOOST_TEST(link.server.available() == 5U);
    BOOST_TEST(listen_to(link.server) == (heard{"hello", io_failure::would_block}));
    BOOST_TEST(send(link.server, "you").bytes == 3U);
    w.world.advance(latency);
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
    w.world.advance(latency);
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
    w.world.advance(latency);
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

BOOST_AUTO_TEST_CASE(a_write_that_fails_for_good_lets_reads_pass) {
    wires w;
    wires::pair link = w.link();
    BOOST_TEST(send(link.client, "before").bytes == 6U);
    w.world.faults().writes_fail = 1000;
    const tofu::io_error refused = send(link.client, "one").error;
    BOOST_TEST((refused == tofu::io_error{io_failure::permission_denied, 13}));
    w.world.faults().writes_fail = 0;
    BOOST_TEST((send(link.client, "two").error == refused));
    BOOST_TEST((w.world.socket(link.client.id()).write_failure == refused));
    BOOST_TEST(send(link.server, "answer").bytes == 6U); // the other end knows of nothing
    w.world.advance(latency);
    std::string got;
    BOOST_TEST(read_some(link.server, got, 100).bytes == 6U);
    BOOST_TEST(read_some(link.client, got, 100).bytes == 6U);
    BOOST_TEST(!link.client.shutdown_write());
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
            const std::string_view part = std::string_view(text).substr(sent, chance.size_between(1, 5000));
            const tofu::io_result result = send(*from, part);
            BOOST_REQUIRE((!result.error || result.error.kind == io_failure::would_block));
            sent += result.bytes;
            if (sent == text.size()) BOOST_REQUIRE(!from->shutdown_write());
        }
        const tofu::io_result result = read_some(*to, got, chance.size_between(1, 5000));
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
                       .least_window = 1 + chance.size_below(2000),
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
    w.world.advance(latency);
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
    w.world.advance(latency - 1ns);
    BOOST_TEST(listen_to(link.server) == nothing_yet);
    w.world.advance(1ns);
    BOOST_TEST(listen_to(link.server) == (heard{"last words", io_failure::none}));
    BOOST_TEST(listen_to(link.server) == end_of_stream); // and stays it
}

BOOST_AUTO_TEST_CASE(a_close_with_unread_data_is_a_reset) {
    wires w;
    wires::pair link = w.link();
    static_cast<void>(send(link.server, "unheard"));
    w.world.advance(latency);
    link.client.close();
    BOOST_TEST(listen_to(link.server) == nothing_yet);
    w.world.advance(latency);
    BOOST_TEST(listen_to(link.server) == reset);
    BOOST_TEST((send(link.server, "x").error.kind == io_failure::reset));
}

BOOST_AUTO_TEST_CASE(a_socket_that_goes_out_of_scope_is_closed) {
    wires w;
    wires::pair link = w.link();
    { const sim::socket gone = std::move(link.client); }
    w.world.advance(latency);
    BOOST_TEST(listen_to(link.server) == end_of_stream);
}

BOOST_AUTO_TEST_CASE(what_arrives_at_a_closed_socket_resets_its_sender) {
    wires w;
    wires::pair link = w.link();
    link.client.close();
    w.world.advance(latency);
    BOOST_TEST(listen_to(link.server) == end_of_stream);
    BOOST_TEST(send(link.server, "anybody there?").bytes == 14U);
    w.world.advance(2 * latency - 1ns);
    BOOST_TEST((listen_to(link.server).ending != io_failure::reset));
    w.world.advance(1ns);
    BOOST_TEST((send(link.server, "x").error.kind == io_failure::reset));
}

BOOST_AUTO_TEST_CASE(data_under_way_to_a_socket_that_closes_resets_its_sender) {
    wires w;
    wires::pair link = w.link();
    static_cast<void>(send(link.server, "too late"));
    link.client.close(); // nothing has arrived yet, so it is an end of stream first
    w.world.advance(latency);
    BOOST_TEST(listen_to(link.server) == end_of_stream);
    w.world.advance(latency);
    BOOST_TEST((send(link.server, "x").error.kind == io_failure::reset));
}

BOOST_AUTO_TEST_CASE(a_half_closed_connection_still_carries_the_other_direction) {
    wires w;
    wires::pair link = w.link();
    static_cast<void>(send(link.client, "question"));
    BOOST_TEST(!link.client.shutdown_write());
    BOOST_TEST(!link.client.shutdown_write()); // twice is as good as once
    BOOST_TEST((send(link.client, "x").error.kind == io_failure::reset));
    w.world.advance(latency);
    BOOST_TEST(listen_to(link.server) == (heard{"question", io_failure::none}));
    BOOST_TEST(send(link.server, "answer").bytes == 6U);
    w.world.advance(latency);
    BOOST_TEST(listen_to(link.client) == (heard{"answer", io_failure::would_block}));
    link.server.close();
    w.world.advance(latency);
    BOOST_TEST(listen_to(link.client) == end_of_stream);
}

BOOST_AUTO_TEST_CASE(both_directions_can_be_ended_one_by_one) {
    wires w;
    wires::pair link = w.link();
    BOOST_TEST(!link.client.shutdown_write());
    BOOST_TEST(!link.server.shutdown_write());
    w.world.advance(latency);
    BOOST_TEST(listen_to(link.client) == end_of_stream);
    BOOST_TEST(listen_to(link.server) == end_of_stream);
}

BOOST_AUTO_TEST_CASE(an_abort_is_a_reset_and_comes_behind_what_was_sent) {
    wires w;
    wires::pair link = w.link();
    static_cast<void>(send(link.client, "before"));
    link.client.abort();
    BOOST_TEST(!link.client.is_open());
    w.world.advance(latency);
    BOOST_TEST(listen_to(link.server) == (heard{"before", io_failure::reset}));
    BOOST_TEST((link.server.shutdown_write().kind == io_failure::reset));
}

BOOST_AUTO_TEST_CASE(closing_twice_is_closing_once) {
    wires w;
    wires::pair link = w.link();
    link.client.close();
    link.client.abort();
    link.client.close();
    w.world.advance(latency);
    BOOST_TEST(listen_to(link.server) == end_of_stream);
}

BOOST_AUTO_TEST_CASE(sockets_outlive_their_world) {
    std::optional<wires> w(std::in_place);
    wires::pair link = w->link();
    w.reset();
    BOOST_TEST(send(link.client, "hello").bytes == 5U);
    BOOST_TEST(listen_to(link.server) == nothing_yet); // time has ended
}

BOOST_AUTO_TEST_CASE(a_listener_that_is_aborted_resets_whoever_waited_to_be_accepted) {
    wires w;
    io_failure how{};
    sim::socket client = connect(w.world, w.listener.local_endpoint(), how);
    w.world.advance(1ms);
    w.listener.abort();
    w.world.advance(1ms);
    BOOST_TEST(listen_to(client) == reset);
}

BOOST_AUTO_TEST_CASE(the_systems_choice_is_never_a_port_that_is_taken_and_never_0) {
    sim::world world(1);
    io_failure how{};
    const sim::socket taken = listen(world, how, at(49152, 0));
    const sim::socket chosen = listen(world, how, at(0, 0));
    BOOST_TEST(chosen.local_endpoint().port != taken.local_endpoint().port);
    for (int i = 0; i < 16'384; ++i) static_cast<void>(connect(world, at(1), how)); // all there are
    BOOST_TEST(listen(world, how).local_endpoint().port >= 49152);
}

// The answer is under way when the client has given up, and the listening side does not know that.
BOOST_AUTO_TEST_CASE(a_client_that_has_given_up_resets_the_connection_when_it_closes) {
    wires w(1, {.least_delay = 70s, .most_delay = 70s});
    io_failure how{};
    sim::socket client = connect(w.world, w.listener.local_endpoint(), how);
    w.world.advance(10min);
    sim::socket server = accept(w.listener, how);
    BOOST_REQUIRE(server.is_open());
    client.close();
    w.world.advance(10min);
    BOOST_TEST(listen_to(server) == reset);
}

BOOST_AUTO_TEST_SUITE_END()
