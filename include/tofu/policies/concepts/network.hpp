// SPDX-License-Identifier: BSL-1.0
// The contract of a poller's network and of its sockets: one concept for each requirement, and one sentence of the
// compiler for each requirement that is not met.
//
// Thread rule: one thread at a time, the I/O thread, with one exception: while the I/O thread waits in the poller, one
// other thread at a time may call write() of a socket. No call blocks, throws or raises a signal.
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

// The network: it makes sockets, converts addresses and resolves names.

/// `endpoint` is an address as connect and listen take it: default constructible, trivially copyable, and not aligned
/// more than new aligns.
template <class N>
concept network_has_types = requires {
    typename N::socket;
    typename N::endpoint;
};

/// Starts to connect and returns the socket. No error: it is connected. would_block: the connect is under way; when the
/// socket is writable, finish_connect() has the result. Any other error: the socket returned is not open.
template <class N>
concept network_connects = requires(N& n, const typename N::endpoint& where, io_error& error) {
    { n.connect(where, {.keep_alive = true}, error) }
    noexcept->std::same_as<typename N::socket>;
};

/// Returns a listening socket whose backlog holds at least some connections. On an error the socket is not open.
template <class N>
concept network_listens = requires(N& n, const typename N::endpoint& where, io_error& error) {
    { n.listen(where, {.keep_alive = true}, 1, error) }
    noexcept->std::same_as<typename N::socket>;
};

/// Converts an address without blocking. name_required: the host is a name, so the engine calls resolve(). `where` is
/// unchanged on an error.
template <class N>
concept network_reads_addresses = requires(N& n, const address& text, typename N::endpoint& where) {
    { n.to_endpoint(text, true, where) }
    noexcept->std::same_as<io_error>;
};

/// Converts an endpoint to an address; kind none if it cannot be expressed.
template <class N>
concept network_writes_addresses = requires(N& n, const typename N::endpoint& where) {
    { n.to_address(where) }
    noexcept->std::same_as<address>;
};

/// Looks up a name without blocking. The resolver owns the resolution, a movable handle, and calls its complete() once,
/// now or later, from any thread. A resolution that is destroyed without an answer counts as an unknown name.
/// still_wanted(), from any thread, is false if nobody waits for the answer any more.
template <class N>
concept network_resolves = requires(N& n) {
    { n.resolve(archetype::resolution<typename N::endpoint>{}) }
    noexcept;
};

// The socket.

/// Owns one socket of the system and closes it in its destructor. Default constructed, it is not open.
template <class S>
concept socket_is_owned = std::is_nothrow_default_constructible_v<S> && std::is_nothrow_move_constructible_v<S> &&
    std::is_nothrow_move_assignable_v<S> && !std::is_copy_constructible_v<S>;

/// Reads available bytes into the buffers in turn. The buffers have room for at least one byte. No bytes and no error
/// is the end of the stream. would_block: nothing is available; the engine arms interest::read.
template <class S>
concept socket_reads = requires(S& s, std::span<const mutable_buffer> in) {
    { s.read(in) }
    noexcept->std::same_as<io_result>;
};

/// Writes as many bytes as the system takes, possibly fewer than there are. would_block: it takes none now; the engine
/// arms interest::write. no_memory: the engine tries again after a while.
template <class S>
concept socket_writes = requires(S& s, std::span<const const_buffer> out) {
    { s.write(out) }
    noexcept->std::same_as<io_result>;
};

/// The least number of bytes that a read would return; 0 if that is unknown.
template <class S>
concept socket_counts_what_came = requires(S& s) {
    { s.available() }
    noexcept->std::same_as<std::size_t>;
};

/// Returns the state of a connect. No error: connected. would_block: no result yet. Any other error: failed; a failure
/// is returned once. May be called at any time, also if the poller did not report the socket.
template <class S>
concept socket_finishes_connect = requires(S& s) {
    { s.finish_connect() }
    noexcept->std::same_as<io_error>;
};

/// Takes the next connection from a listener. would_block: there is none. aborted: the connection was lost before it
/// was accepted. no_descriptors and no_memory: it stays in the backlog. On an error the socket returned is not open.
template <class S>
concept socket_accepts = requires(S& s, io_error& error) {
    { s.accept({.keep_alive = true}, error) }
    noexcept->std::same_as<S>;
};

/// Ends the sending direction: the peer reads the end of the stream after all bytes written before.
template <class S>
concept socket_shuts_down = requires(S& s) {
    { s.shutdown_write() }
    noexcept->std::same_as<io_error>;
};

/// Closes the socket; no effect if it is not open. The system still delivers written bytes if it can.
template <class S>
concept socket_closes = requires(S& s) {
    { s.close() }
    noexcept;
};

/// Closes the socket with a reset, if the system can.
template <class S>
concept socket_aborts = requires(S& s) {
    { s.abort() }
    noexcept;
};

/// The socket's own endpoint: after listen with port 0, with the port that the system chose.
template <class S, class Endpoint>
concept socket_knows_its_endpoint = requires(const S& s) {
    { s.local_endpoint() }
    noexcept->std::convertible_to<const Endpoint&>;
};

/// The peer's endpoint of a connection.
template <class S, class Endpoint>
concept socket_knows_the_peers_endpoint = requires(const S& s) {
    { s.peer_endpoint() }
    noexcept->std::convertible_to<const Endpoint&>;
};

/// The peer's process, user and group as far as the system knows them; see tofu::peer_credentials.
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

/// One error for each requirement that a socket does not meet. Always true.
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
