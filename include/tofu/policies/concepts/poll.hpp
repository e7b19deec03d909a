// SPDX-License-Identifier: BSL-1.0
// The contract of a PollPolicy: which sockets are ready.
#ifndef TOFU_POLICIES_CONCEPTS_POLL_HPP
#define TOFU_POLICIES_CONCEPTS_POLL_HPP

#include <tofu/address.hpp>
#include <tofu/interest.hpp>
#include <tofu/io.hpp>
#include <tofu/policies/categories.hpp>
#include <tofu/policies/concepts/archetypes.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace tofu {

template <class P>
concept poll_has_category = std::same_as<typename P::category, poll_category>;

/// The network: what a socket is, how one is made, and who knows names.
template <class P>
concept poll_has_network = requires(P& p) {
    typename P::network_type;
    typename P::network_type::socket;
    typename P::network_type::endpoint;
    { p.network() }
    noexcept->std::same_as<typename P::network_type&>;
};

template <class N>
concept network_opens_sockets = requires(N& n, const typename N::endpoint& where, io_error& error) {
    { n.connect(where, {.keep_alive = true}, error) }
    noexcept->std::same_as<typename N::socket>;
    { n.listen(where, {.keep_alive = true}, 1, error) }
    noexcept->std::same_as<typename N::socket>;
};

template <class N>
concept network_knows_addresses = requires(N& n, const address& text, typename N::endpoint& where) {
    { n.to_endpoint(text, true, where) }
    noexcept->std::same_as<io_error>;
    { n.to_address(where) }
    noexcept->std::same_as<address>;
    { n.resolve(archetype::resolution<typename N::endpoint>{}) }
    noexcept;
};

template <class S>
concept socket_is_owned = std::is_nothrow_default_constructible_v<S> && std::is_nothrow_move_constructible_v<S> &&
    std::is_nothrow_move_assignable_v<S> && !std::is_copy_constructible_v<S>;

/// No bytes and no error from a read is the end of the stream; would_block means: arm interest, then try again.
template <class S>
concept socket_transfers = requires(S& s, std::span<const mutable_buffer> in, std::span<const const_buffer> out) {
    { s.read(in) }
    noexcept->std::same_as<io_result>;
    { s.write(out) }
    noexcept->std::same_as<io_result>;
    { s.available() }
    noexcept->std::same_as<std::size_t>;
};

template <class S>
concept socket_opens_and_closes = requires(S& s, const S& c, io_error& error) {
    { s.finish_connect() }
    noexcept->std::same_as<io_error>;
    { s.accept({.keep_alive = true}, error) }
    noexcept->std::same_as<S>;
    { s.shutdown_write() }
    noexcept->std::same_as<io_error>;
    { s.close() }
    noexcept;
    { s.abort() }
    noexcept;
    { c.local_endpoint() }
    noexcept;
    { c.peer_endpoint() }
    noexcept;
    { c.peer_identity() }
    noexcept->std::same_as<peer_credentials>;
};

/// Kernel-facing state of one socket; it lives in the channel's slot and does not move while attached.
template <class P>
concept poll_has_registration = std::is_nothrow_default_constructible_v<typename P::registration>;

template <class P>
concept poll_opens = std::is_nothrow_move_constructible_v<P> && requires(P& p) {
    { p.open() }
    noexcept->std::same_as<io_error>;
};

/// Makes a socket known, without interest; the key comes back with every report.
template <class P>
concept poll_attaches = requires(P& p, typename P::registration& r, const typename P::network_type::socket& s,
                                 std::uintptr_t key) {
    { p.attach(r, s, key) }
    noexcept->std::same_as<io_error>;
};

/// Declarative and idempotent: this is what is wanted from now on, however often it is reported. Unchanged interest
/// costs no system call; none is silence. What is not wanted any more is silent even when the call fails: only wanting
/// more can fail. After no_memory the loop says it again later. A poller whose watch ends with each report may renew it
/// here, as the loop calls this after every report, or in the next wait; if that fails it reports the socket as failed,
/// and the call that follows says why.
template <class P>
concept poll_arms = requires(P& p, typename P::registration& r, interest wanted) {
    { p.arm(r, wanted) }
    noexcept->std::same_as<io_error>;
};

/// Released at once, or owed: then wait reports released(key) when the kernel has let go.
template <class P>
concept poll_disarms = requires(P& p, typename P::registration& r) {
    { p.disarm(r) }
    noexcept->std::same_as<disarmed>;
};

/// Level-triggered: data already there when interest is armed is reported. What is ready of a socket comes in one
/// report, or in as many as `static constexpr std::size_t reports_per_socket` says. A wait that could not report
/// everything says so (`full`), and the next one begins with what this one had no room for: the loop counts reports to
/// know that every socket had its turn. A wait that fails has rested until wake
/// was called or a moment was over, whatever its timeout: the loop tries again at once.
template <class P>
concept poll_waits = requires(P& p, std::chrono::nanoseconds timeout, archetype::sink<typename P::registration>& sink) {
    { p.wait(timeout, sink) }
    noexcept->std::same_as<wait_result>;
};

/// Ends a wait, or the next one; any thread, coalesced.
template <class P>
concept poll_wakes = requires(P& p) {
    { p.wake() }
    noexcept;
};

template <class P>
concept poll_policy = poll_has_category<P> && poll_has_network<P> && network_opens_sockets<typename P::network_type> &&
    network_knows_addresses<typename P::network_type> && socket_is_owned<typename P::network_type::socket> &&
    socket_transfers<typename P::network_type::socket> && socket_opens_and_closes<typename P::network_type::socket> &&
    poll_has_registration<P> && poll_opens<P> && poll_attaches<P> && poll_arms<P> && poll_disarms<P> && poll_waits<P> &&
    poll_wakes<P>;

} // namespace tofu

#endif
