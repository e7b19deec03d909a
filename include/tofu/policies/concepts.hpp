// SPDX-License-Identifier: BSL-1.0
// The contracts of the four policies: each requirement a named concept, each assertion a sentence.
//
// A policy is written once against the concepts below; basic_reactor asserts them one by one, so that the compiler's
// first line names the policy category, the missing member and its signature. Thread rule: everything is called by the
// loop's driver (one thread at a time), except where "any thread" is said.
#ifndef TOFU_POLICIES_CONCEPTS_HPP
#define TOFU_POLICIES_CONCEPTS_HPP

#include <tofu/address.hpp>
#include <tofu/interest.hpp>
#include <tofu/io.hpp>
#include <tofu/policies/categories.hpp>
#include <tofu/slot_identity.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

namespace tofu {

/// Stand-ins a contract is checked with.
namespace archetype {

/// What a poller's wait reports to, and asks: the registration that is attached, or still owed, under a key; null when
/// there is none. Whoever is told of a release may attach and arm at once.
template <class Registration>
struct sink {
    void ready(std::uintptr_t key, readiness what) noexcept;
    void released(std::uintptr_t key) noexcept;
    [[nodiscard]] Registration* registration_of(std::uintptr_t key) noexcept;
};

/// What lives in a pool: made from its identity, and knows it.
struct slot {
    explicit slot(slot_identity who) noexcept;
    [[nodiscard]] slot_identity identity() const noexcept;
};

/// What a key is looked up in.
struct storage {
    [[nodiscard]] slot* at(std::uint32_t index) const noexcept;
};

/// What a resolver is asked with.
template <class Endpoint>
struct resolution {
    [[nodiscard]] std::string_view host() const noexcept;
    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] bool for_listening() const noexcept;
    [[nodiscard]] bool still_wanted() const noexcept;
    void complete(std::span<const Endpoint> found, io_error error) noexcept;
};

} // namespace archetype

// PollPolicy: which sockets are ready.

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
/// report. A wait that could not report everything says so (`full`), and the next one begins with what this one had no
/// room for: the loop counts reports to know that every socket had its turn. A wait that fails has rested until wake
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

// PoolPolicy: where channels live.

template <class P>
concept pool_has_category = std::same_as<typename P::category, pool_category>;

/// storage<Slot>: made empty, given its memory by open(), never moved.
template <class P>
concept pool_opens = std::is_nothrow_default_constructible_v<typename P::template storage<archetype::slot>> &&
    requires(typename P::template storage<archetype::slot>& s) {
    { s.open() }
    noexcept->std::same_as<bool>;
};

/// A new owner in a free slot (null: refused cleanly), its end, and the present owner of an index (null: none). An
/// owner may raise its identity's generation while it lives; that of the slot's next owner is later still.
template <class P>
concept pool_keeps_slots = requires(typename P::template storage<archetype::slot>& s, archetype::slot& slot) {
    { s.acquire() }
    noexcept->std::same_as<archetype::slot*>;
    { s.release(slot) }
    noexcept;
    { s.at(std::uint32_t{}) }
    noexcept->std::same_as<archetype::slot*>;
    {
        s.for_each([](archetype::slot&) noexcept {})
    }
    noexcept;
    { s.used() }
    noexcept->std::same_as<std::size_t>;
    { s.capacity() }
    noexcept->std::same_as<std::size_t>;
};

/// The addresses of slots are stable, so the storage must not be movable.
template <class P>
concept pool_stays = !std::is_move_constructible_v<typename P::template storage<archetype::slot>>;

/// At shutdown: the kernel may still write to some slots, their memory is leaked on purpose.
template <class P>
concept pool_abandons = requires(typename P::template storage<archetype::slot>& s) {
    { s.abandon() }
    noexcept;
};

template <class P>
concept pool_policy = pool_has_category<P> && pool_opens<P> && pool_keeps_slots<P> && pool_stays<P> && pool_abandons<P>;

// KeyPolicy: how a completion finds its channel.

template <class K>
concept key_has_category = std::same_as<typename K::category, key_category>;

/// One pointer-sized word; never 0, never wake_key.
template <class K>
concept key_makes = requires(const archetype::slot& slot) {
    { K::make(slot) }
    noexcept->std::same_as<std::uintptr_t>;
    { K::wake_key } -> std::convertible_to<std::uintptr_t>;
};

/// The slot, if its present owner is the one the key was made for; else null.
template <class K>
concept key_finds = requires(archetype::storage& slots, std::uintptr_t key) {
    { K::find(slots, key) }
    noexcept->std::same_as<archetype::slot*>;
};

/// May the socket be closed before the kernel has let go of its registration?
template <class K>
concept key_says_when_to_close = requires {
    { K::closes_after_release } -> std::convertible_to<bool>;
};

template <class K>
concept key_policy = key_has_category<K> && key_makes<K> && key_finds<K> && key_says_when_to_close<K>;

// TimerPolicy: deadlines through the wait's own timeout.

template <class T>
concept timer_has_category = std::same_as<typename T::category, timer_category>;

/// The engine's only clock; now() from any thread. has_timers false: limits are off, and nothing below is needed.
template <class T>
concept timer_has_clock = requires(const T& t) {
    typename T::time_point;
    { t.now() }
    noexcept->std::same_as<typename T::time_point>;
    { T::has_timers } -> std::convertible_to<bool>;
}
&&std::is_nothrow_move_constructible_v<T>;

/// Nodes lie in what they time and are moved only when not scheduled; scheduling never fails.
template <class T>
concept timer_schedules = requires(T& t, typename T::node& n, typename T::time_point when) {
    { t.schedule(n, when) }
    noexcept;
    { t.cancel(n) }
    noexcept;
    { n.scheduled() }
    noexcept->std::same_as<bool>;
    { n.deadline() }
    noexcept->std::same_as<typename T::time_point>;
};

/// The earliest node not after `now` (null: none), and the earliest deadline (time_point::max(): none).
template <class T>
concept timer_expires = requires(T& t, const T& c, typename T::time_point now) {
    { t.pop_expired(now) }
    noexcept->std::same_as<typename T::node*>;
    { c.next() }
    noexcept->std::same_as<typename T::time_point>;
};

template <class T>
concept timer_policy = timer_has_category<T> && timer_has_clock<T> && timer_schedules<T> && timer_expires<T>;

/// Instantiated by basic_reactor: every broken requirement is its own sentence.
template <class Poll, class Pool, class Key, class Timer>
struct assert_policies {
    static_assert(poll_has_category<Poll>, "PollPolicy (1st parameter): needs `using category = tofu::poll_category;`");
    static_assert(poll_has_network<Poll>,
                  "PollPolicy: needs `using network_type = ...;` with types socket and endpoint, "
                  "and `network_type& network() noexcept;`");
    static_assert(
        network_opens_sockets<typename Poll::network_type>,
        "PollPolicy: its network_type needs `socket connect(const endpoint&, const socket_options&, io_error&) "
        "noexcept;` and `socket listen(const endpoint&, const socket_options&, int backlog, io_error&) noexcept;`");
    static_assert(
        network_knows_addresses<typename Poll::network_type>,
        "PollPolicy: its network_type needs `io_error to_endpoint(const address&, bool for_listening, endpoint&) "
        "noexcept;`, `address to_address(const endpoint&) noexcept;` and `void resolve(Resolution) noexcept;`");
    static_assert(socket_is_owned<typename Poll::network_type::socket>,
                  "PollPolicy: its socket must be nothrow default constructible and movable, and not copyable");
    static_assert(
        socket_transfers<typename Poll::network_type::socket>,
        "PollPolicy: its socket needs `io_result read(std::span<const mutable_buffer>) noexcept;`, `io_result "
        "write(std::span<const const_buffer>) noexcept;` and `std::size_t available() noexcept;`");
    static_assert(socket_opens_and_closes<typename Poll::network_type::socket>,
                  "PollPolicy: its socket needs finish_connect, accept, shutdown_write, close, abort, local_endpoint, "
                  "peer_endpoint and peer_identity as in tofu/platform/posix/socket.hpp");
    static_assert(poll_has_registration<Poll>,
                  "PollPolicy: needs a type `registration`, nothrow default constructible");
    static_assert(poll_opens<Poll>, "PollPolicy: must be nothrow movable and needs `io_error open() noexcept;`");
    static_assert(poll_attaches<Poll>,
                  "PollPolicy: needs `io_error attach(registration&, const socket&, std::uintptr_t key) noexcept;`");
    static_assert(poll_arms<Poll>, "PollPolicy: needs `io_error arm(registration&, interest) noexcept;`");
    static_assert(poll_disarms<Poll>, "PollPolicy: needs `disarmed disarm(registration&) noexcept;`");
    static_assert(poll_waits<Poll>,
                  "PollPolicy: needs `template <class Sink> wait_result wait(std::chrono::nanoseconds, "
                  "Sink&) noexcept;`");
    static_assert(poll_wakes<Poll>, "PollPolicy: needs `void wake() noexcept;`, callable from any thread");

    static_assert(pool_has_category<Pool>, "PoolPolicy (2nd parameter): needs `using category = tofu::pool_category;`");
    static_assert(pool_opens<Pool>, "PoolPolicy: needs `template <class Slot> class storage`, nothrow default "
                                    "constructible, with `bool open() noexcept;`");
    static_assert(pool_keeps_slots<Pool>,
                  "PoolPolicy: its storage needs `Slot* acquire() noexcept;`, `void release(Slot&) noexcept;`, `Slot* "
                  "at(std::uint32_t) const noexcept;`, for_each, used and capacity, all noexcept");
    static_assert(pool_stays<Pool>, "PoolPolicy: its storage must not be movable: the addresses of slots are stable");
    static_assert(pool_abandons<Pool>, "PoolPolicy: its storage needs `void abandon() noexcept;`");

    static_assert(key_has_category<Key>, "KeyPolicy (3rd parameter): needs `using category = tofu::key_category;`");
    static_assert(key_makes<Key>, "KeyPolicy: needs `static std::uintptr_t make(const Slot&) noexcept;` and `static "
                                  "constexpr std::uintptr_t wake_key`");
    static_assert(key_finds<Key>, "KeyPolicy: needs `static Slot* find(Storage&, std::uintptr_t key) noexcept;`");
    static_assert(key_says_when_to_close<Key>, "KeyPolicy: needs `static constexpr bool closes_after_release`");

    static_assert(timer_has_category<Timer>,
                  "TimerPolicy (4th parameter): needs `using category = tofu::timer_category;`");
    static_assert(timer_has_clock<Timer>, "TimerPolicy: must be nothrow movable and needs `using time_point = ...;`, "
                                          "`time_point now() const noexcept;` and `static constexpr bool has_timers`");
    static_assert(timer_schedules<Timer>,
                  "TimerPolicy: needs a type `node` with scheduled() and deadline(), `void schedule(node&, time_point) "
                  "noexcept;` and `void cancel(node&) noexcept;`");
    static_assert(timer_expires<Timer>, "TimerPolicy: needs `node* pop_expired(time_point) noexcept;` and `time_point "
                                        "next() const noexcept;`");
    static constexpr bool value = true;
};

} // namespace tofu

#endif
