// SPDX-License-Identifier: BSL-1.0
// Sockets, endpoints and the network as every system has to have them, against the real system.

#include "support/own_ports.hpp"
#include "support/socket_pairs.hpp"
#include "support/system.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/platform/dual_stack.hpp>
#include <tofu/platform/network.hpp>
#include <tofu/platform/socket_file_verdict.hpp>
#include <tofu/platform/unix_sockets.hpp>
#include <tofu/stats.hpp>
#if !defined(_WIN32)
#include <net/if.h>
#endif

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace tofu;
using namespace tofu_test;

namespace {

// The same failures, by each system's own numbers.
#if defined(_WIN32)
constexpr int in_use = WSAEADDRINUSE;
constexpr int refused = WSAECONNREFUSED;
#else
constexpr int in_use = EADDRINUSE;
constexpr int refused = ECONNREFUSED;
#endif

bool has_v6() {
    io_error error;
    return platform::socket::listen(endpoint_at("::1"), {}, 1, error).is_open();
}

/// The text of the endpoint `host` stands for.
std::string round_trip(std::string_view host) {
    const address back = platform::to_address(endpoint_at(host, 7099));
    BOOST_TEST(back.port() == 7099);
    return std::string(back.host());
}

io_failure refusal_of(const address& where, bool for_listening) {
    platform::endpoint made;
    const io_error error = platform::to_endpoint(where, for_listening, made);
    BOOST_TEST(made.empty());
    return error.kind;
}

/// The first network card's number and name; there is one in every machine, if only the loopback's.
std::uint32_t first_interface(std::string& name) {
    std::array<char, IF_NAMESIZE + 1> text{};
    for (std::uint32_t number = 1; number < 1000; ++number) {
        if (::if_indextoname(number, text.data()) == nullptr) continue;
        name = text.data();
        return number;
    }
    return 0;
}

} // namespace

BOOST_AUTO_TEST_SUITE(platform_sockets)

// ---- endpoints ----

BOOST_AUTO_TEST_CASE(a_literal_comes_back_from_its_endpoint) {
    BOOST_TEST(round_trip("127.0.0.1") == "127.0.0.1");
    BOOST_TEST(round_trip("255.255.255.255") == "255.255.255.255");
    BOOST_TEST(round_trip("::1") == "::1");
    BOOST_TEST(round_trip("2001:db8:0:0:0:0:0:1") == "2001:db8::1");
    BOOST_TEST(round_trip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") == "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    BOOST_TEST(round_trip("::ffff:10.1.2.3") == "10.1.2.3");
    BOOST_TEST(round_trip("") == "::");
}

BOOST_AUTO_TEST_CASE(a_scope_is_kept_and_may_be_an_interface) {
    BOOST_TEST(round_trip("fe80::1%7") == "fe80::1%7");
    BOOST_TEST(round_trip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295") ==
               "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295");
    std::string name;
    const std::uint32_t number = first_interface(name);
    BOOST_REQUIRE(number != 0);
    BOOST_TEST(round_trip("fe80::1%" + name) == "fe80::1%" + std::to_string(number));
    BOOST_CHECK(refusal_of(tcp_address{"fe80::1%no-such-card", 1}, false) == io_failure::address_not_available);
    BOOST_CHECK(refusal_of(tcp_address{"fe80::1%", 1}, false) == io_failure::address_not_available);
}

BOOST_AUTO_TEST_CASE(what_is_no_literal_needs_a_name_server) {
    for (const char* host : {"localhost", "1.2.3.4%1", "a.1.example", "example.org"}) {
        BOOST_TEST((refusal_of(tcp_address{host, 1}, true) == io_failure::name_required), host);
    }
    BOOST_CHECK(refusal_of(tcp_address{std::string(253, 'a'), 1}, false) == io_failure::name_required);
}

BOOST_AUTO_TEST_CASE(addresses_without_an_endpoint_say_why) {
    BOOST_CHECK(refusal_of(tcp_address{"", 1}, false) == io_failure::address_not_available);
    BOOST_CHECK(refusal_of(address(), false) == io_failure::unsupported);
    BOOST_CHECK(platform::to_address(platform::endpoint{}).kind() == address_kind::none);
}

BOOST_AUTO_TEST_CASE(only_this_machines_own_addresses_are_loopback) {
    using platform::detail::is_loopback;
    for (const char* here : {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"})
        BOOST_TEST(is_loopback(endpoint_at(here, 1)), here);
    for (const char* elsewhere : {"128.0.0.1", "126.255.255.255", "::2", ""})
        BOOST_TEST(!is_loopback(endpoint_at(elsewhere, 1)), elsewhere);
    BOOST_TEST(!is_loopback(platform::endpoint{}));
}

// ---- sockets: options ----

BOOST_AUTO_TEST_CASE(no_socket_ever_waits) {
    platform::socket listener = listen_at(endpoint_at("127.0.0.1"));
    socket_pair pair = connect_pair(listener);
    std::array<std::byte, 1> room{};
    io_error error;
    BOOST_TEST(!listener.accept({}, error).is_open());
    BOOST_CHECK(error.kind == io_failure::would_block);
    BOOST_CHECK(read_into(pair.client, room).error.kind == io_failure::would_block);
    BOOST_CHECK(read_into(pair.server, room).error.kind == io_failure::would_block);
}

BOOST_AUTO_TEST_CASE(both_ends_send_small_writes_at_once) {
    for (const char* const host : {"127.0.0.1", "::1"}) {
        if (host == std::string_view("::1") && !has_v6()) continue;
        platform::socket listener = listen_at(endpoint_at(host));
        const socket_pair pair = connect_pair(listener);
        BOOST_TEST(option_of(pair.client, IPPROTO_TCP, TCP_NODELAY) != 0, host);
        BOOST_TEST(option_of(pair.server, IPPROTO_TCP, TCP_NODELAY) != 0, host);
    }
}

BOOST_AUTO_TEST_CASE(connections_are_probed_only_when_asked_for) {
    platform::socket listener = listen_at(endpoint_at("127.0.0.1"));
    const socket_pair plain = connect_pair(listener);
    const socket_pair probed = connect_pair(listener, {.keep_alive = true});
    BOOST_TEST(option_of(plain.client, SOL_SOCKET, SO_KEEPALIVE) == 0);
    BOOST_TEST(option_of(plain.server, SOL_SOCKET, SO_KEEPALIVE) == 0);
    BOOST_TEST(option_of(probed.client, SOL_SOCKET, SO_KEEPALIVE) != 0);
    BOOST_TEST(option_of(probed.server, SOL_SOCKET, SO_KEEPALIVE) != 0);
}

// ---- sockets: listening and connecting ----

BOOST_AUTO_TEST_CASE(a_port_somebody_listens_on_is_in_use) {
    const platform::socket first = listen_at(endpoint_at("127.0.0.1"));
    io_error error;
    const platform::socket second = platform::socket::listen(first.local_endpoint(), {}, 16, error);
    BOOST_CHECK(error.kind == io_failure::address_in_use);
    BOOST_TEST(error.os_code == in_use);
    BOOST_TEST(!second.is_open());
}

BOOST_AUTO_TEST_CASE(a_listener_restarts_on_its_port_at_once) {
    platform::socket listener = listen_at(endpoint_at(own_loopback()));
    const platform::endpoint where = listener.local_endpoint();
    {
        socket_pair pair = connect_pair(listener);
        pair.server.close(); // the side that closes first keeps the port in TIME_WAIT
        await(pair.client.native_handle(), POLLIN);
    }
    listener.close();
    BOOST_TEST(port_of(listen_at(where).local_endpoint()) == port_of(where));
}

BOOST_AUTO_TEST_CASE(every_interface_means_both_families) {
    platform::socket listener = listen_at(endpoint_at(""));
    const std::uint16_t port = port_of(listener.local_endpoint());
    BOOST_TEST(port != 0);
    platform::socket over_v4;
    BOOST_TEST(!connect_to(endpoint_at("127.0.0.1", port), over_v4));
    const platform::socket accepted = accept_from(listener);
    BOOST_TEST(platform::to_address(accepted.peer_endpoint()).host() == "127.0.0.1");
    if (!has_v6()) {
        BOOST_TEST(platform::to_address(listener.local_endpoint()).host() == "0.0.0.0");
        return;
    }
    platform::socket over_v6;
    BOOST_TEST(!connect_to(endpoint_at("::1", port), over_v6));
    BOOST_TEST(platform::to_address(accept_from(listener).peer_endpoint()).host() == "::1");
}

BOOST_AUTO_TEST_CASE(an_address_of_the_new_protocol_leaves_the_old_one_alone) {
    if (!has_v6()) {
        BOOST_TEST_MESSAGE("no IPv6 here");
        return;
    }
    const platform::socket listener = listen_at(endpoint_at("::1"));
    BOOST_TEST(option_of(listener, IPPROTO_IPV6, IPV6_V6ONLY) != 0);
}

BOOST_AUTO_TEST_CASE(an_address_of_another_machine_can_not_be_listened_on) {
    io_error error;
    const platform::socket made = platform::socket::listen(endpoint_at("192.0.2.1"), {}, 16, error);
    BOOST_CHECK(error.kind == io_failure::address_not_available);
    BOOST_TEST(!made.is_open());
}

#if defined(__linux__)
BOOST_AUTO_TEST_CASE(a_connection_to_this_machine_stands_at_once) {
    const platform::socket listener = listen_at(endpoint_at("127.0.0.1"));
    io_error error;
    const platform::socket client = platform::socket::connect(listener.local_endpoint(), {}, error);
    BOOST_TEST(!error);
    BOOST_TEST(!client.peer_endpoint().empty());
}
#endif

BOOST_AUTO_TEST_CASE(a_port_nobody_listens_on_refuses) {
    const refusing_port refusing;
    platform::socket client;
    const io_error error = connect_to(endpoint_at("127.0.0.1", refusing.where().port()), client);
    BOOST_CHECK(error.kind == io_failure::refused);
    BOOST_TEST(error.os_code == refused);
}

BOOST_AUTO_TEST_CASE(an_empty_endpoint_gives_an_error_and_no_socket) {
    io_error error;
    BOOST_TEST(!platform::socket::connect(platform::endpoint{}, {}, error).is_open());
    BOOST_TEST(static_cast<bool>(error));
    BOOST_TEST(!platform::socket::listen(platform::endpoint{}, {}, 1, error).is_open());
    BOOST_TEST(static_cast<bool>(error));
}

BOOST_AUTO_TEST_CASE(accepting_with_nobody_waiting_would_block) {
    platform::socket listener = listen_at(endpoint_at("127.0.0.1"));
    io_error error;
    BOOST_TEST(!listener.accept({}, error).is_open());
    BOOST_CHECK(error.kind == io_failure::would_block);
}

BOOST_AUTO_TEST_CASE(both_ends_know_each_other) {
    const socket_pair pair = connect_pair();
    BOOST_CHECK(platform::to_address(pair.client.local_endpoint()) ==
                platform::to_address(pair.server.peer_endpoint()));
    BOOST_CHECK(platform::to_address(pair.server.local_endpoint()) ==
                platform::to_address(pair.client.peer_endpoint()));
    BOOST_TEST(platform::socket().local_endpoint().empty());
    BOOST_TEST(platform::socket().peer_endpoint().empty());
}

// ---- decisions, with everything that can be answered ----

BOOST_AUTO_TEST_CASE(only_what_refuses_is_a_dead_socket_file) {
    using platform::at_path;
    using platform::socket_file_verdict;
    const auto last = static_cast<int>(io_failure::other);
    for (int value = 0; value <= last; ++value) {
        const auto answer = static_cast<io_failure>(value);
        BOOST_CHECK(platform::verdict_on(at_path::nothing, answer) == socket_file_verdict::free);
        BOOST_CHECK(platform::verdict_on(at_path::something_else, answer) == socket_file_verdict::in_use);
        const bool dead = platform::verdict_on(at_path::socket, answer) == socket_file_verdict::dead;
        BOOST_TEST(dead == (answer == io_failure::refused));
    }
    for (const io_failure live : {io_failure::none, io_failure::would_block, io_failure::backlog_full,
                                  io_failure::timed_out, io_failure::unsupported, io_failure::other})
        BOOST_CHECK(platform::verdict_on(at_path::socket, live) == socket_file_verdict::in_use);
    for (const io_failure unasked : {io_failure::permission_denied, io_failure::no_descriptors, io_failure::no_memory})
        BOOST_CHECK(platform::verdict_on(at_path::socket, unasked) == socket_file_verdict::unknown);
    BOOST_CHECK(platform::verdict_on(at_path::socket, io_failure::path_not_found) == socket_file_verdict::free);
}

BOOST_AUTO_TEST_CASE(every_interface_means_the_old_protocol_alone_only_where_the_new_one_is_missing) {
    const platform::endpoint everywhere = endpoint_at("", 7099);
    std::vector<std::string> asked;
    const auto ask = [&asked](const platform::endpoint& where, io_error first) {
        asked.clear();
        io_error error;
        return platform::detail::listen_on_every_stack(where, error, [&](const platform::endpoint& at, io_error& says) {
            says = asked.empty() ? first : io_error{};
            asked.emplace_back(platform::to_address(at).host());
            BOOST_TEST(port_of(at) == port_of(where));
            return !says;
        });
    };
    const io_error odd{io_failure::other, platform::invalid_argument};
    const std::vector<std::string> both = {"::", "0.0.0.0"};
    for (const io_error& lack :
         {io_error{io_failure::unsupported, 1}, io_error{io_failure::address_not_available, 1}, odd}) {
        BOOST_TEST(ask(everywhere, lack));
        BOOST_TEST(asked.size() == 2U);
        BOOST_TEST(asked == both);
        BOOST_TEST(!ask(endpoint_at("::1"), lack));
        BOOST_TEST(asked.size() == 1U);
    }
    BOOST_TEST(!ask(everywhere, io_error{io_failure::address_in_use, 1}));
    BOOST_TEST(asked.size() == 1U);
    BOOST_TEST(ask(everywhere, io_error{}));
    BOOST_TEST(asked.size() == 1U);
}

// ---- sockets: bytes ----

BOOST_AUTO_TEST_CASE(bytes_are_gathered_and_scattered) {
    socket_pair pair = connect_pair();
    const auto piece = [](std::string_view text) {
        return const_buffer{reinterpret_cast<const std::byte*>(text.data()), text.size()};
    };
    const std::array out = {piece("one"), piece(""), piece("two"), piece("three")};
    BOOST_TEST(pair.client.write(out).bytes == 11U);
    await(pair.server.native_handle(), POLLIN);
    BOOST_TEST(pair.server.available() == 11U);

    std::array<char, 4> first{};
    std::array<char, 20> second{};
    const std::array in = {mutable_buffer{reinterpret_cast<std::byte*>(first.data()), first.size()},
                           mutable_buffer{reinterpret_cast<std::byte*>(second.data()), second.size()}};
    const io_result got = pair.server.read(in);
    BOOST_TEST(!got.error);
    BOOST_REQUIRE_EQUAL(got.bytes, 11U);
    BOOST_TEST(std::string_view(first.data(), 4) == "onet");
    BOOST_TEST(std::string_view(second.data(), 7) == "wothree");
    BOOST_TEST(pair.server.available() == 0U);
    BOOST_CHECK(pair.server.read(in).error.kind == io_failure::would_block);
}

BOOST_AUTO_TEST_CASE(more_buffers_than_one_call_takes_are_left_for_the_next) {
    socket_pair pair = connect_pair();
    const std::byte letter{'x'};
    constexpr std::size_t too_many = platform::socket::max_buffers + 10;
    const std::vector<const_buffer> out(too_many, const_buffer{&letter, 1});
    BOOST_TEST(pair.client.write(out).bytes == platform::socket::max_buffers);
    await(pair.server.native_handle(), POLLIN);
    std::byte room{};
    const std::vector<mutable_buffer> in(too_many, mutable_buffer{&room, 1});
    BOOST_TEST(pair.server.read(in).bytes == platform::socket::max_buffers);
}

BOOST_AUTO_TEST_CASE(a_full_connection_would_block) {
    socket_pair pair = connect_pair();
    const std::vector<std::byte> block(1 << 20);
    const const_buffer piece{block.data(), block.size()};
    io_result sent;
    std::size_t total = 0;
    do {
        sent = pair.client.write({&piece, 1});
        total += sent.bytes;
    } while (!sent.error && total < (std::size_t{1} << 30));
    BOOST_CHECK(sent.error.kind == io_failure::would_block);
    BOOST_TEST(sent.bytes == 0U);
}

BOOST_AUTO_TEST_CASE(the_end_of_one_direction_leaves_the_other) {
    socket_pair pair = connect_pair();
    send_text(pair.client, "last");
    BOOST_TEST(!pair.client.shutdown_write());
    await(pair.server.native_handle(), POLLIN);
    std::array<std::byte, 16> room{};
    BOOST_TEST(read_into(pair.server, room).bytes == 4U);
    await(pair.server.native_handle(), POLLIN);
    const io_result end = read_into(pair.server, room);
    BOOST_TEST(!end.error);
    BOOST_TEST(end.bytes == 0U);
    send_text(pair.server, "answer");
    await(pair.client.native_handle(), POLLIN);
    BOOST_TEST(read_into(pair.client, room).bytes == 6U);
}

BOOST_AUTO_TEST_CASE(an_aborted_connection_is_reset_for_the_peer, *needs_told_resets()) {
    socket_pair pair = connect_pair();
    pair.client.abort();
    BOOST_TEST(!pair.client.is_open());
    await(pair.server.native_handle(), POLLIN);
    std::array<std::byte, 16> room{};
    BOOST_CHECK(read_into(pair.server, room).error.kind == io_failure::reset);
    platform::socket().abort();
}

BOOST_AUTO_TEST_CASE(what_is_written_to_a_broken_connection_is_refused_each_time) {
    socket_pair pair = connect_pair();
    pair.server.abort();
    await(pair.client.native_handle(), POLLIN);
    const std::byte letter{'x'};
    const const_buffer piece{&letter, 1};
    for (int time = 0; time < 3; ++time) {
        const io_result sent = pair.client.write({&piece, 1});
        BOOST_CHECK(sent.error.kind == io_failure::reset);
        BOOST_TEST(sent.bytes == 0U);
    }
}

BOOST_AUTO_TEST_CASE(what_is_not_open_fails_and_says_so) {
    platform::socket none;
    std::array<std::byte, 1> room{};
    const const_buffer piece{room.data(), room.size()};
    io_error error;
    BOOST_TEST(static_cast<bool>(read_into(none, room).error));
    BOOST_TEST(static_cast<bool>(none.write({&piece, 1}).error));
    BOOST_TEST(static_cast<bool>(none.shutdown_write()));
    BOOST_TEST(static_cast<bool>(none.finish_connect()));
    BOOST_TEST(!none.accept({}, error).is_open());
    BOOST_TEST(static_cast<bool>(error));
    BOOST_TEST(none.available() == 0U);
    BOOST_CHECK(none.peer_identity() == peer_credentials{});
    none.abort();
    none.close();
    BOOST_TEST(!none.is_open());
}

BOOST_AUTO_TEST_CASE(a_socket_closes_what_it_owns_and_nothing_else) {
    socket_pair pair = connect_pair();
    const native_handle handle = pair.client.native_handle();
    platform::socket moved = std::move(pair.client);
    BOOST_TEST(moved.native_handle() == handle);
    moved = platform::socket();
    BOOST_TEST(pair.client.native_handle() == platform::socket().native_handle());
    int kind = 0;
    socklen_t length = sizeof kind;
    BOOST_TEST(::getsockopt(handle, SOL_SOCKET, SO_TYPE, reinterpret_cast<char*>(&kind), &length) != 0);
    await(pair.server.native_handle(), POLLIN);
    std::array<std::byte, 1> room{};
    const io_result end = read_into(pair.server, room);
    BOOST_TEST((!end.error && end.bytes == 0U));
}

// ---- network ----

namespace {

struct recorded_resolution {
    io_failure* answer;
    std::string_view host() const { return "some.name"; }
    std::uint16_t port() const { return 1; }
    bool for_listening() const { return false; }
    bool still_wanted() const { return true; }
    void complete(std::span<const platform::endpoint> found, io_error error) noexcept {
        *answer = found.empty() ? error.kind : io_failure::none;
    }
};

} // namespace

BOOST_AUTO_TEST_CASE(unix_domain_sockets_work_where_the_system_makes_them) {
    BOOST_TEST(platform::has_unix_sockets() == system_has_uds());
}

BOOST_AUTO_TEST_CASE(a_network_of_literals_knows_no_names) {
    platform::network<platform::literals_only> network;
    io_failure answer = io_failure::none;
    network.resolve(recorded_resolution{&answer});
    BOOST_CHECK(answer == io_failure::name_not_found);
}

BOOST_AUTO_TEST_CASE(a_network_makes_listeners_and_connections) {
    platform::network<> network;
    platform::endpoint where;
    BOOST_REQUIRE(!network.to_endpoint(address(tcp_address{"127.0.0.1", 0}), true, where));
    io_error error;
    platform::socket listener = network.listen(where, {}, 4, error);
    BOOST_REQUIRE(!error);
    BOOST_TEST(network.to_address(listener.local_endpoint()).host() == "127.0.0.1");
    for (const bool kept : {false, true}) {
        const platform::socket client = network.connect(listener.local_endpoint(), {.keep_alive = kept}, error);
        BOOST_REQUIRE(client.is_open());
        BOOST_TEST((option_of(client, SOL_SOCKET, SO_KEEPALIVE) != 0) == kept);
        BOOST_TEST(accept_from(listener).is_open());
    }
}

BOOST_AUTO_TEST_SUITE_END()
