// SPDX-License-Identifier: BSL-1.0
// The contract of a poller's network and of its sockets: each requirement a concept, and a sentence for when it is not
// met.
#ifndef TOFU_POLICIES_CONCEPTS_NETWORK_HPP
#define TOFU_POLICIES_CONCEPTS_NETWORK_HPP

#include <tofu/address.hpp>
#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/policies/concepts/archetypes.hpp>
#include <tofu/stats.hpp>

#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>

namespace tofu::inline TOFU_ABI {

// The network: what a socket is, how one is made, and who knows names.

template <class N>
concept network_has_types = requires {
    typename N::socket;
    typename N::endpoint;
};

template <class N>
concept network_connects = requires(N& n, const typename N::endpoint& where, io_error& error) {
    { n.connect(where, {.keep_alive = true}, error) }
    noexcept->std::same_as<typename N::socket>;
};

template <class N>
concept network_listens = requires(N& n, const typename N::endpoint& where, io_error& error) {
    { n.listen(where, {.keep_alive = true}, 1, error) }
    noexcept->std::same_as<typename N::socket>;
};

template <class N>
concept network_reads_addresses = requires(N& n, const address& text, typename N::endpoint& where) {
    { n.to_endpoint(text, true, where) }
    noexcept->std::same_as<io_error>;
};

template <class N>
concept network_writes_addresses = requires(N& n, const typename N::endpoint& where) {
    { n.to_address(where) }
    noexcept->std::same_as<address>;
};

/// The answer comes by Resolution::complete, once, from any thread.
template <class N>
concept network_resolves = requires(N& n) {
    { n.resolve(archetype::resolution<typename N::endpoint>{}) }
    noexcept;
};

// Its socket.

template <class S>
concept socket_is_owned = std::is_nothrow_default_constructible_v<S> && std::is_nothrow_move_constructible_v<S> &&
    std::is_nothrow_move_assignable_v<S> && !std::is_copy_constructible_v<S>;

/// No bytes and no error is the end of the stream; would_block means: arm interest, then try again.
template <class S>
concept socket_reads = requires(S& s, std::span<const mutable_buffer> in) {
    { s.read(in) }
    noexcept->std::same_as<io_result>;
};

template <class S>
concept socket_writes = requires(S& s, std::span<const const_buffer> out) {
    { s.write(out) }
    noexcept->std::same_as<io_result>;
};

/// How many bytes a read would find at least.
template <class S>
concept socket_counts_what_came = requires(S& s) {
    { s.available() }
    noexcept->std::same_as<std::size_t>;
};

/// The state of a connect: none, it is connected; would_block, there is no result yet; anything else, it failed. May be
/// called at any time; a failure is reported once.
template <class S>
concept socket_finishes_connect = requires(S& s) {
    { s.finish_connect() }
    noexcept->std::same_as<io_error>;
};

template <class S>
concept socket_accepts = requires(S& s, io_error& error) {
    { s.accept({.keep_alive = true}, error) }
    noexcept->std::same_as<S>;
};

template <class S>
concept socket_shuts_down = requires(S& s) {
    { s.shutdown_write() }
    noexcept->std::same_as<io_error>;
};

template <class S>
concept socket_closes = requires(S& s) {
    { s.close() }
    noexcept;
};

/// Closes so that the peer gets a reset, if the system can.
template <class S>
concept socket_aborts = requires(S& s) {
    { s.abort() }
    noexcept;
};

template <class S, class Endpoint>
concept socket_knows_its_endpoint = requires(const S& s) {
    { s.local_endpoint() }
    noexcept->std::convertible_to<const Endpoint&>;
};

template <class S, class Endpoint>
concept socket_knows_the_peers_endpoint = requires(const S& s) {
    { s.peer_endpoint() }
    noexcept->std::convertible_to<const Endpoint&>;
};

template <class S>
concept socket_knows_who_the_peer_is = requires(const S& s) {
    { s.peer_identity() }
    noexcept->std::same_as<peer_credentials>;
};

template <class S, class Endpoint>
concept network_socket = socket_is_owned<S> && socket_reads<S> && socket_writes<S> && socket_counts_what_came<S> &&
    socket_finishes_connect<S> && socket_accepts<S> && socket_shuts_down<S> && socket_closes<S> && socket_aborts<S> &&
    socket_knows_its_endpoint<S, Endpoint> && socket_knows_the_peers_endpoint<S, Endpoint> &&
    socket_knows_who_the_peer_is<S>;

template <class N>
concept poll_network =
    network_has_types<N> && network_connects<N> && network_listens<N> && network_reads_addresses<N> &&
    network_writes_addresses<N> && network_resolves<N> && network_socket<typename N::socket, typename N::endpoint>;

/// Each requirement that a socket does not meet is an error of its own. Always true.
template <class Socket, class Endpoint>
consteval bool assert_socket() {
    static_assert(socket_is_owned<Socket>, "PollPolicy: its socket must be nothrow default constructible and movable, "
                                           "and not copyable");
    static_assert(socket_reads<Socket>,
                  "PollPolicy: its socket needs `io_result read(std::span<const mutable_buffer>) noexcept;`");
    static_assert(socket_writes<Socket>,
                  "PollPolicy: its socket needs `io_result write(std::span<const const_buffer>) noexcept;`");
    static_assert(socket_counts_what_came<Socket>, "PollPolicy: its socket needs `std::size_t available() noexcept;`");
    static_assert(socket_finishes_connect<Socket>,
                  "PollPolicy: its socket needs `io_error finish_connect() noexcept;`");
    static_assert(socket_accepts<Socket>,
                  "PollPolicy: its socket needs `socket accept(const socket_options&, io_error&) noexcept;`");
    static_assert(socket_shuts_down<Socket>, "PollPolicy: its socket needs `io_error shutdown_write() noexcept;`");
    static_assert(socket_closes<Socket>, "PollPolicy: its socket needs `void close() noexcept;`");
    static_assert(socket_aborts<Socket>, "PollPolicy: its socket needs `void abort() noexcept;`");
    static_assert(socket_knows_its_endpoint<Socket, Endpoint>,
                  "PollPolicy: its socket needs `endpoint local_endpoint() const noexcept;`");
    static_assert(socket_knows_the_peers_endpoint<Socket, Endpoint>,
                  "PollPolicy: its socket needs `endpoint peer_endpoint() const noexcept;`");
    static_assert(socket_knows_who_the_peer_is<Socket>,
                  "PollPolicy: its socket needs `peer_credentials peer_identity() const noexcept;`");
    return true;
}

/// The same for a network, and for its socket if it has one.
template <class Network>
consteval bool assert_network() {
    static_assert(network_has_types<Network>, "PollPolicy: its network_type needs types `socket` and `endpoint`");
    if constexpr (network_has_types<Network>) {
        static_assert(network_connects<Network>, "PollPolicy: its network_type needs `socket connect(const endpoint&, "
                                                 "const socket_options&, io_error&) noexcept;`");
        static_assert(network_listens<Network>, "PollPolicy: its network_type needs `socket listen(const endpoint&, "
                                                "const socket_options&, int backlog, io_error&) noexcept;`");
        static_assert(network_reads_addresses<Network>,
                      "PollPolicy: its network_type needs `io_error to_endpoint(const address&, bool for_listening, "
                      "endpoint&) noexcept;`");
        static_assert(network_writes_addresses<Network>,
                      "PollPolicy: its network_type needs `address to_address(const endpoint&) noexcept;`");
        static_assert(network_resolves<Network>, "PollPolicy: its network_type needs `template <class Resolution> "
                                                 "void resolve(Resolution) noexcept;`");
        assert_socket<typename Network::socket, typename Network::endpoint>();
    }
    return true;
}

} // namespace tofu::inline TOFU_ABI

#endif
