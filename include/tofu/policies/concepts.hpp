// SPDX-License-Identifier: BSL-1.0
// The contracts of the four policies, asserted one by one.
//
// Each requirement is a named concept, in concepts/; here each is a sentence, so that the compiler's first line names
// the policy category, the missing member and its signature. Thread rule of all contracts: everything is called by the
// loop's driver (one thread at a time), except where "any thread" is said.
#ifndef TOFU_POLICIES_CONCEPTS_HPP
#define TOFU_POLICIES_CONCEPTS_HPP

#include <tofu/policies/concepts/key.hpp>
#include <tofu/policies/concepts/poll.hpp>
#include <tofu/policies/concepts/pool.hpp>
#include <tofu/policies/concepts/timer.hpp>

namespace tofu {

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
                                    "constructible, with `bool open(Pool&) noexcept;`");
    static_assert(pool_keeps_slots<Pool>,
                  "PoolPolicy: its storage needs `Slot* acquire() noexcept;`, `void release(Slot&) noexcept;`, `Slot* "
                  "at(std::uint32_t) const noexcept;`, for_each, used, capacity and reserved, all noexcept");
    static_assert(pool_stays<Pool>, "PoolPolicy: its storage must not be movable: the addresses of slots are stable");
    static_assert(pool_abandons<Pool>, "PoolPolicy: its storage needs `void abandon() noexcept;`");

    static_assert(key_has_category<Key>, "KeyPolicy (3rd parameter): needs `using category = tofu::key_category;`");
    static_assert(key_opens<Key>, "KeyPolicy: must be nothrow movable and needs `bool open(std::size_t) noexcept;`");
    static_assert(key_makes<Key>, "KeyPolicy: needs `std::uintptr_t make(const Slot&, const Socket&) noexcept;`");
    static_assert(key_forgets<Key>, "KeyPolicy: needs `void forget(std::uintptr_t key) noexcept;`");
    static_assert(key_finds<Key>, "KeyPolicy: needs `Slot* find(Storage&, std::uintptr_t key) const noexcept;`");
    static_assert(key_says_when_to_close<Key>, "KeyPolicy: needs `static constexpr bool closes_after_release`");

    static_assert(timer_has_category<Timer>,
                  "TimerPolicy (4th parameter): needs `using category = tofu::timer_category;`");
    static_assert(timer_has_clock<Timer>, "TimerPolicy: must be nothrow movable and needs `using time_point = ...;`, "
                                          "`time_point now() const noexcept;` and `static constexpr bool has_timers`");
    static_assert(!Timer::has_timers || timer_schedules<Timer>,
                  "TimerPolicy: needs a type `node` with scheduled() and deadline(), `void schedule(node&, time_point) "
                  "noexcept;` and `void cancel(node&) noexcept;`");
    static_assert(!Timer::has_timers || timer_expires<Timer>,
                  "TimerPolicy: needs `node* pop_expired(time_point) noexcept;` and `time_point "
                  "next() const noexcept;`");

    static_assert(
        key_fits_sockets<Key, Poll>,
        "KeyPolicy and PollPolicy do not go together: make() does not take this network's sockets (handle_key "
        "needs sockets with native_handle())");
    static_assert(
        key_fits_pool<Key, Pool>,
        "KeyPolicy and PoolPolicy do not go together: find() cannot look into this pool's storage (pointer_key "
        "needs a storage with `Slot* owner_at(std::uintptr_t address) const noexcept;`)");
    static constexpr bool value = true;
};

} // namespace tofu

#endif
