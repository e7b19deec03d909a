// SPDX-License-Identifier: BSL-1.0
// The time limits of channels: when each begins and ends, and when the timer has to ring for the first of them.
#ifndef TOFU_ENGINE_LOOP_LIMITS_HPP
#define TOFU_ENGINE_LOOP_LIMITS_HPP

#include <tofu/config.hpp>
#include <tofu/engine/loop/loop_state.hpp>
#include <tofu/engine/protocol/failure.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace tofu::inline TOFU_ABI::engine {

/// Limits are kept in reading time, which stands still while the engine does not read; 0 is off. A set of policies
/// without timers has none: all of this is nothing then.
template <class Policies>
[[nodiscard]] auto limit_after(const loop_state<Policies>& state, std::chrono::milliseconds time) noexcept {
    using time_point = typename loop_state<Policies>::time_point;
    return time.count() == 0 ? (time_point::max)() : state.reading_time() + time;
}

/// The limit of the channel's present phase (connect, hello, bye or grace) begins now and replaces the one before.
template <class Policies>
void begin_phase_limit(loop_state<Policies>& state, channel<Policies>& ch, std::chrono::milliseconds time,
                       reason why) noexcept {
    if constexpr (Policies::timer::has_timers) {
        ch.limits.phase = limit_after(state, time);
        ch.limits.phase_reason = why;
    }
}

/// connect_time begins: for the look-up of a name and for all its addresses together.
template <class Policies>
void begin_connect_limit(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    if constexpr (Policies::timer::has_timers) ch.limits.connect = limit_after(state, state.opts.connect_time);
}

/// Limits the present phase to all that is left of connect_time.
template <class Policies>
void restore_connect_limit(channel<Policies>& ch) noexcept {
    if constexpr (Policies::timer::has_timers) {
        ch.limits.phase = ch.limits.connect;
        ch.limits.phase_reason = reason::connect_timeout;
    }
}

/// Limits the attempt at one address to an equal share of the rest of connect_time. `addresses` is the number of
/// addresses that share: the present one and all untried ones.
template <class Policies>
void begin_address_limit(loop_state<Policies>& state, channel<Policies>& ch, std::size_t addresses) noexcept {
    if constexpr (Policies::timer::has_timers) {
        restore_connect_limit(ch);
        if (ch.limits.connect == (loop_state<Policies>::time_point::max)() || addresses == 1) return;
        const auto left = ch.limits.connect - state.reading_time();
        ch.limits.phase = state.reading_time() + left / static_cast<decltype(left.count())>(addresses);
    }
}

template <class Policies>
[[nodiscard]] bool connect_limit_is_over(const loop_state<Policies>& state, const channel<Policies>& ch) noexcept {
    if constexpr (Policies::timer::has_timers) return ch.limits.connect <= state.reading_time();
    return false;
}

template <class Policies>
void end_phase_limit(channel<Policies>& ch) noexcept {
    if constexpr (Policies::timer::has_timers) {
        ch.limits.phase = (loop_state<Policies>::time_point::max)();
        ch.limits.phase_reason = reason::none;
    }
}

/// A bye_request was posted or has come, or the peer has half-closed: the first of these counts. While a hello is
/// missing, its limit goes on if it is the earlier one; before the connection stands, the bye has to wait for it.
template <class Policies>
void begin_bye_limit(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    if constexpr (Policies::timer::has_timers) {
        if (ch.phase != channel_phase::open || ch.limits.phase <= limit_after(state, state.opts.bye_time)) return;
        begin_phase_limit(state, ch, state.opts.bye_time, reason::bye_timeout);
    }
}

/// The hello has come. A bye that was posted meanwhile has its own limit.
template <class Policies>
void end_hello_limit(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    if constexpr (Policies::timer::has_timers) {
        if (ch.limits.phase_reason != reason::hello_timeout) return;
        end_phase_limit(ch);
        if (ch.conversation.bye_queued()) begin_bye_limit(state, ch);
    }
}

/// Something was read or written.
template <class Policies>
void restart_idle_limit(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    if constexpr (Policies::timer::has_timers) {
        if (state.opts.idle_time.count() == 0 || ch.conversation.done()) return;
        ch.limits.idle = limit_after(state, state.opts.idle_time);
    }
}

/// A message has begun to arrive; its limit runs from its first byte.
template <class Policies>
void begin_message_limit(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    if constexpr (Policies::timer::has_timers) {
        if (ch.limits.message != (loop_state<Policies>::time_point::max)()) return;
        ch.limits.message = limit_after(state, state.opts.message_time);
    }
}

/// It is complete, or it is not the peer who is late.
template <class Policies>
void end_message_limit(channel<Policies>& ch) noexcept {
    if constexpr (Policies::timer::has_timers) ch.limits.message = (loop_state<Policies>::time_point::max)();
}

/// Both byes are said, only the grace is left: nothing is late any more that could spoil the good end.
template <class Policies>
void begin_grace_limit(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    if constexpr (Policies::timer::has_timers) {
        ch.limits.message = ch.limits.idle = (loop_state<Policies>::time_point::max)();
        begin_phase_limit(state, ch, state.opts.grace_time, reason::bye);
    }
}

template <class Policies>
[[nodiscard]] cause cause_of_failed_output(const channel<Policies>& ch) noexcept {
    return cause_of_broken(ch.write_error, status::send_failed);
}

/// After a write error, reading may still tell the cause: grace_time limits that. False: grace_time is 0, or the engine
/// has no timers.
template <class Policies>
[[nodiscard]] bool begin_write_grace(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    if constexpr (Policies::timer::has_timers) {
        if (state.opts.grace_time.count() == 0) return false;
        if (ch.limits.phase > limit_after(state, state.opts.grace_time))
            begin_phase_limit(state, ch, state.opts.grace_time, reason::os_error);
        return true;
    }
    return false;
}

/// Sees to it that the timer rings no later than the channel's first limit. It may ring earlier: a limit that moved
/// away (idle does with every message) costs nothing until then.
template <class Policies>
void arm_limits(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    if constexpr (Policies::timer::has_timers) {
        const auto first = (std::min)({ch.limits.phase, ch.limits.message, ch.limits.idle});
        if (first == (loop_state<Policies>::time_point::max)()) return;
        const auto remaining = (std::max)(first - state.reading_time(), decltype(first - first)::zero());
        const auto due = state.turn_time + remaining;
        if (!ch.scheduled() || due < ch.deadline()) state.timers.schedule(ch, due);
    }
}

} // namespace tofu::inline TOFU_ABI::engine

#endif
