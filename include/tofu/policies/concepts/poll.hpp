// SPDX-License-Identifier: BSL-1.0
// The contract of a PollPolicy, which knows what sockets are ready: each requirement a concept, and a sentence for when
// it is not met.
#ifndef TOFU_POLICIES_CONCEPTS_POLL_HPP
#define TOFU_POLICIES_CONCEPTS_POLL_HPP

#include <tofu/config.hpp>
#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/policies/categories.hpp>
#include <tofu/policies/concepts/archetypes.hpp>
#include <tofu/policies/concepts/network.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace tofu::inline TOFU_ABI {

template <class P>
concept poll_has_category = category_is<P, poll_category>;

/// The engine gets its own by move, before it is opened.
template <class P>
concept poll_moves = std::is_nothrow_move_constructible_v<P>;

template <class P>
concept poll_has_network = requires(P& p) {
    typename P::network_type;
    { p.network() }
    noexcept->std::same_as<typename P::network_type&>;
};

/// Kernel-facing state of one socket; it lives in the channel's slot and does not move while attached.
template <class P>
concept poll_has_registration = requires {
    typename P::registration;
}
&&std::is_nothrow_default_constructible_v<typename P::registration>;

/// Takes what it needs from the system; once, before everything below.
template <class P>
concept poll_opens = requires(P& p) {
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
/// report, or in as many as reports_per_socket says. A wait that could not report everything says so (`full`), and the
/// next one begins with what this one had no room for: the loop counts reports to know that every socket had its turn.
/// A wait that fails has rested until wake was called or a moment was over, whatever its timeout: the loop tries again
/// at once. A wait that a signal ended before it looked at the sockets says so (`interrupted`): the loop looks again
/// before a deadline may expire.
template <class P>
concept poll_waits = requires(P& p, std::chrono::nanoseconds timeout, archetype::sink<typename P::registration>& sink) {
    { p.wait(timeout, sink) }
    noexcept->std::same_as<wait_result>;
};

/// Optional: in how many reports of one wait the readiness of a socket may come, if not in one.
template <class P>
concept poll_counts_its_reports = !requires {
    P::reports_per_socket;
}
|| requires {
    { P::reports_per_socket } -> std::convertible_to<std::size_t>;
};

/// Ends a wait, or the next one; any thread, coalesced.
template <class P>
concept poll_wakes = requires(P& p) {
    { p.wake() }
    noexcept;
};

/// Optional: what becomes readable when a wait would have something to report, for loops of the application's own.
template <class P>
concept poll_has_native_handle = requires(const P& p) {
    p.native_handle();
};

template <class P>
concept poll_policy = poll_has_category<P> && poll_moves<P> && poll_has_network<P> &&
    poll_network<typename P::network_type> && poll_has_registration<P> && poll_opens<P> && poll_attaches<P> &&
    poll_arms<P> && poll_disarms<P> && poll_waits<P> && poll_counts_its_reports<P> && poll_wakes<P>;

/// The calls that take what other requirements are about.
template <class Poll>
consteval bool assert_poll_registration() {
    if constexpr (poll_has_network<Poll>) {
        if constexpr (network_has_types<typename Poll::network_type>)
            static_assert(poll_attaches<Poll>, "PollPolicy: needs `io_error attach(registration&, const socket&, "
                                               "std::uintptr_t key) noexcept;`");
    }
    static_assert(poll_arms<Poll>, "PollPolicy: needs `io_error arm(registration&, interest) noexcept;`");
    static_assert(poll_disarms<Poll>, "PollPolicy: needs `disarmed disarm(registration&) noexcept;`");
    static_assert(poll_waits<Poll>, "PollPolicy: needs `template <class Sink> wait_result "
                                    "wait(std::chrono::nanoseconds, Sink&) noexcept;`");
    return true;
}

/// Each requirement that is not met is an error of its own, unless it is only a consequence. Always true.
template <class Poll>
consteval bool assert_poll_policy() {
    if constexpr (!has_another_category<Poll, poll_category>)
        static_assert(poll_has_category<Poll>,
                      "PollPolicy (1st parameter): needs `using category = tofu::poll_category;`");
    if constexpr (poll_has_category<Poll>) {
        static_assert(poll_moves<Poll>, "PollPolicy: must be nothrow move constructible (before it is opened)");
        static_assert(poll_has_network<Poll>, "PollPolicy: needs `using network_type = ...;` and "
                                              "`network_type& network() noexcept;`");
        static_assert(poll_has_registration<Poll>,
                      "PollPolicy: needs a type `registration`, nothrow default constructible");
        static_assert(poll_opens<Poll>, "PollPolicy: needs `io_error open() noexcept;`");
        static_assert(poll_counts_its_reports<Poll>,
                      "PollPolicy: reports_per_socket must be `static constexpr std::size_t`");
        static_assert(poll_wakes<Poll>, "PollPolicy: needs `void wake() noexcept;`, callable from any thread");
        if constexpr (poll_has_registration<Poll>) assert_poll_registration<Poll>();
        if constexpr (poll_has_network<Poll>) assert_network<typename Poll::network_type>();
    }
    return true;
}

} // namespace tofu::inline TOFU_ABI

#endif
