// SPDX-License-Identifier: BSL-1.0
// The contract of a PollPolicy, which reports the sockets that are ready: one concept for each requirement, and one
// sentence of the compiler for each requirement that is not met.
//
// Life of a registration:
//
//     attach --> arm ... arm --> disarm: released                              the registration is free
//                            --> disarm: owed --> sink.released(key) in wait   the registration is free from here on
//
// Thread rule: one thread at a time makes all calls, the I/O thread. Only wake() may come from any thread.
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

/// The engine moves the poller into its place before open(), and never again.
template <class P>
concept poll_moves = std::is_nothrow_move_constructible_v<P>;

/// The poller owns the network. The engine makes all its sockets with it, and closes every socket before the poller
/// ends.
template <class P>
concept poll_has_network = requires(P& p) {
    typename P::network_type;
    { p.network() }
    noexcept->std::same_as<typename P::network_type&>;
};

/// The poller's notes about one socket. A registration lies in the channel's slot, so it costs no allocation. It keeps
/// its address from attach() until disarm() returns `released`, or else until sink.released(). Then the engine may
/// attach it again.
template <class P>
concept poll_has_registration = requires {
    typename P::registration;
}
&&std::is_nothrow_default_constructible_v<typename P::registration>;

/// Takes descriptors and memory from the system. The engine calls it once, before all calls below. Errors: no_memory,
/// no_descriptors, unsupported, other; then the engine is not made.
template <class P>
concept poll_opens = requires(P& p) {
    { p.open() }
    noexcept->std::same_as<io_error>;
};

/// Makes a socket known, with interest::none. The socket stays the caller's and stays open until disarm(). The poller
/// passes `key` to the sink with every report; a key is neither 0 nor all ones. Errors: no_memory, no_descriptors,
/// no_base_handle, other. After an error the socket is unknown, and the engine ends this one channel.
template <class P>
concept poll_attaches = requires(P& p, typename P::registration& r, const typename P::network_type::socket& s,
                                 std::uintptr_t key) {
    { p.attach(r, s, key) }
    noexcept->std::same_as<io_error>;
};

/// Sets the interest in an attached socket: from now on wait() reports exactly these events, as long as they last. A
/// call with the present interest changes nothing and costs no system call. interest::none is silence: wait() reports
/// no error and no hang-up either.
///
/// Less interest always succeeds, even if the same call also asks for more and fails. Errors: no_memory (the loop
/// repeats the call later), other (the engine ends the channel).
///
/// The loop calls arm() after every report. So a poller whose watch ends with a report may renew the watch here, or in
/// the next wait(). If wait() cannot renew it, wait() reports the socket as failed and the next arm() returns the
/// error.
template <class P>
concept poll_arms = requires(P& p, typename P::registration& r, interest wanted) {
    { p.arm(r, wanted) }
    noexcept->std::same_as<io_error>;
};

/// Ends the watch of a socket, before the socket is closed. No report comes from a later wait(), except a stale one if
/// the kernel had it already; the key policy recognises those.
///
/// Returns `released` if nothing refers to the registration any more. Returns `owed` if the kernel may still write to
/// the registration; then a later wait() calls sink.released(key) once, and until then sink.registration_of(key) finds
/// the registration. Also allowed for a registration that is not attached (no effect, returns `released`) or that is
/// owed (no effect, returns `owed`). Never fails.
template <class P>
concept poll_disarms = requires(P& p, typename P::registration& r) {
    { p.disarm(r) }
    noexcept->std::same_as<disarmed>;
};

/// Waits until a socket is ready, a registration is released, wake() is called or `timeout` is over. nanoseconds::max()
/// waits for ever; zero and less only look. Any other timeout is rounded up, so that a deadline has passed when the
/// wait for it ends. A wait may end early without a report.
///
/// Reports are level-triggered: wait() reports data that was there before arm(), and reports unread data again. It
/// calls sink.ready(key, what) once for each ready socket, or up to reports_per_socket times. `what` holds only wanted
/// bits, and `failed`; `failed` comes with `readable`, because a read returns the error after all data before it.
///
/// The sink must not call the poller from ready(): it notes the report, and the engine acts after the wait. From
/// released() the engine may attach and arm the released registration.
///
/// Result:
/// - `full`: there was no room for all reports. The next wait first reports the sockets for which this wait had no
///   room. The engine counts reports to know that every socket had its turn.
/// - `interrupted`: a signal ended the wait before it looked at the sockets; this is no error. The engine waits again
///   before a deadline may expire, because time passes while a process is stopped.
/// - `error`: the wait failed. Even with timeout 0 it has slept until wake() or for a moment (10 ms are good),
///   because the engine waits again at once and would use all of a processor.
template <class P>
concept poll_waits = requires(P& p, std::chrono::nanoseconds timeout, archetype::sink<typename P::registration>& sink) {
    { p.wait(timeout, sink) }
    noexcept->std::same_as<wait_result>;
};

/// Optional, 1 if missing: the most reports of one socket in one wait.
template <class P>
concept poll_counts_its_reports = !requires {
    P::reports_per_socket;
}
|| requires {
    { P::reports_per_socket } -> std::convertible_to<std::size_t>;
};

/// Ends the present wait, or else the next one. Any thread. Many calls count as one; while one is pending, another
/// costs no system call (see platform/wake_flag.hpp). Memory that the caller wrote before is visible to the I/O thread
/// after that wait. Never fails: a poller that cannot send a signal bounds its waits instead.
template <class P>
concept poll_wakes = requires(P& p) {
    { p.wake() }
    noexcept;
};

/// Optional: one descriptor that is readable while wait() would report something, for an event loop of the application.
/// It stays the poller's.
template <class P>
concept poll_has_native_handle = requires(const P& p) {
    p.native_handle();
};

template <class P>
concept poll_policy = poll_has_category<P> && poll_moves<P> && poll_has_network<P> &&
    poll_network<typename P::network_type> && poll_has_registration<P> && poll_opens<P> && poll_attaches<P> &&
    poll_arms<P> && poll_disarms<P> && poll_waits<P> && poll_counts_its_reports<P> && poll_wakes<P>;

/// The calls whose parameters other requirements declare. Always true.
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

/// One error for each requirement that is not met, unless it is a consequence of another one. Always true.
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
