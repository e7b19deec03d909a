// SPDX-License-Identifier: BSL-1.0
// The contract of a TimerPolicy, which has the engine's clock and a queue of deadlines: one concept for each
// requirement, and one sentence of the compiler for each requirement that is not met.
//
// The earliest deadline is the timeout of the next wait. Thread rule: one thread at a time, the I/O thread. Only now()
// may come from any thread.
#ifndef TOFU_POLICIES_CONCEPTS_TIMER_HPP
#define TOFU_POLICIES_CONCEPTS_TIMER_HPP

#include <tofu/config.hpp>
#include <tofu/policies/categories.hpp>

#include <concepts>
#include <type_traits>

namespace tofu::inline TOFU_ABI {

template <class T>
concept timer_has_category = category_is<T, timer_category>;

/// The engine moves the timer into its place while nothing is scheduled, and never again.
template <class T>
concept timer_moves = std::is_nothrow_move_constructible_v<T>;

/// A std::chrono::time_point whose duration holds milliseconds exactly. min() and max() are marks: at once, and never.
template <class T>
concept timer_has_time = requires {
    typename T::time_point;
};

/// The engine's only clock. Never goes back. Any thread.
template <class T>
concept timer_tells_time = requires(const T& t) {
    { t.now() }
    noexcept->std::same_as<typename T::time_point>;
};

/// False: no time limit of the options has an effect, update_receiver_after does not exist, and nothing below is
/// needed.
template <class T>
concept timer_says_whether = requires {
    { T::has_timers } -> std::convertible_to<bool>;
};

/// One deadline. A node lies in the object it times, so that scheduling allocates nothing. It keeps its address while
/// it is scheduled, and is cancelled before it is destroyed.
template <class T>
concept timer_has_node = requires {
    typename T::node;
}
&&std::is_default_constructible_v<typename T::node>;

/// True exactly between schedule() and the cancel() or pop_expired() that ends it.
template <class T>
concept timer_nodes_know_whether = requires(const typename T::node& n) {
    { n.scheduled() }
    noexcept->std::same_as<bool>;
};

/// The deadline of a scheduled node.
template <class T>
concept timer_nodes_know_when = requires(const typename T::node& n) {
    { n.deadline() }
    noexcept->std::same_as<typename T::time_point>;
};

/// Sets the deadline of a node, whether or not the node is scheduled. Never fails and allocates nothing.
template <class T>
concept timer_schedules = requires(T& t, typename T::node& n, typename T::time_point when) {
    { t.schedule(n, when) }
    noexcept;
};

/// Ends the deadline of a node. No effect on a node that is not scheduled.
template <class T>
concept timer_cancels = requires(T& t, typename T::node& n) {
    { t.cancel(n) }
    noexcept;
};

/// Takes the earliest node whose deadline is not after `now`; the node is not scheduled any more. Returns null if there
/// is none. Nodes come in the order of their deadlines, and never before them.
template <class T>
concept timer_expires = requires(T& t, typename T::time_point now) {
    { t.pop_expired(now) }
    noexcept->std::same_as<typename T::node*>;
};

/// The earliest deadline, or time_point::max(). May be too early, never too late: the engine would sleep through a
/// deadline. Called in every turn of the loop.
template <class T>
concept timer_knows_the_next = requires(const T& t) {
    { t.next() }
    noexcept->std::same_as<typename T::time_point>;
};

template <class T>
concept timer_keeps_deadlines = timer_has_node<T> && timer_nodes_know_whether<T> && timer_nodes_know_when<T> &&
    timer_schedules<T> && timer_cancels<T> && timer_expires<T> && timer_knows_the_next<T>;

/// The policy has deadlines.
template <class T>
concept timer_has_timers = timer_says_whether<T> && static_cast<bool>(T::has_timers);

template <class T>
concept timer_policy = timer_has_category<T> && timer_moves<T> && timer_has_time<T> && timer_tells_time<T> &&
    timer_says_whether<T> &&(!timer_has_timers<T> || timer_keeps_deadlines<T>);

/// The calls for deadlines. Always true.
template <class Timer>
consteval bool assert_timer_deadlines() {
    static_assert(timer_has_node<Timer>, "TimerPolicy: needs a type `node`, default constructible");
    if constexpr (timer_has_node<Timer>) {
        static_assert(timer_nodes_know_whether<Timer>,
                      "TimerPolicy: its node needs `bool scheduled() const noexcept;`");
        static_assert(timer_nodes_know_when<Timer>,
                      "TimerPolicy: its node needs `time_point deadline() const noexcept;`");
        static_assert(timer_schedules<Timer>, "TimerPolicy: needs `void schedule(node&, time_point) noexcept;`");
        static_assert(timer_cancels<Timer>, "TimerPolicy: needs `void cancel(node&) noexcept;`");
        static_assert(timer_expires<Timer>, "TimerPolicy: needs `node* pop_expired(time_point now) noexcept;`");
    }
    static_assert(timer_knows_the_next<Timer>, "TimerPolicy: needs `time_point next() const noexcept;`");
    return true;
}

/// One error for each requirement that is not met, unless it is a consequence of another one. Always true.
template <class Timer>
consteval bool assert_timer_policy() {
    if constexpr (!has_another_category<Timer, timer_category>)
        static_assert(timer_has_category<Timer>,
                      "TimerPolicy (4th parameter): needs `using category = tofu::timer_category;`");
    if constexpr (timer_has_category<Timer>) {
        static_assert(timer_moves<Timer>, "TimerPolicy: must be nothrow move constructible");
        static_assert(timer_says_whether<Timer>, "TimerPolicy: needs `static constexpr bool has_timers`");
        static_assert(timer_has_time<Timer>, "TimerPolicy: needs `using time_point = ...;`");
        if constexpr (timer_has_time<Timer>) {
            static_assert(timer_tells_time<Timer>,
                          "TimerPolicy: needs `time_point now() const noexcept;`, callable from any thread");
            if constexpr (timer_has_timers<Timer>) assert_timer_deadlines<Timer>();
        }
    }
    return true;
}

} // namespace tofu::inline TOFU_ABI

#endif
