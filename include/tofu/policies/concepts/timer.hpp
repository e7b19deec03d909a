// SPDX-License-Identifier: BSL-1.0
// The contract of a TimerPolicy: deadlines through the wait's own timeout.
#ifndef TOFU_POLICIES_CONCEPTS_TIMER_HPP
#define TOFU_POLICIES_CONCEPTS_TIMER_HPP

#include <tofu/policies/categories.hpp>

#include <concepts>
#include <type_traits>

namespace tofu {

template <class T>
concept timer_has_category = std::same_as<typename T::category, timer_category>;

/// The engine's only clock; now() from any thread. has_timers false: all limits are off, there is no
/// update_receiver_after, and nothing below is needed.
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
concept timer_policy = timer_has_category<T> && timer_has_clock<T> &&
    (!T::has_timers || (timer_schedules<T> && timer_expires<T>));

} // namespace tofu

#endif
