// SPDX-License-Identifier: BSL-1.0
// Channels that must not read or accept for a while: who is parked why, and what lets them go on.
#ifndef TOFU_ENGINE_LOOP_PAUSED_CHANNELS_HPP
#define TOFU_ENGINE_LOOP_PAUSED_CHANNELS_HPP

#include <tofu/config.hpp>
#include <tofu/engine/loop/delivering.hpp>
#include <tofu/engine/loop/loop_state.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace tofu::inline TOFU_ABI::engine {

/// After so many retries in vain a channel's limits hold without a look at its socket.
inline constexpr std::uint8_t most_refused_arms = 8;

/// An episode of starvation begins, unless enough credit came back at the last moment. True: nobody reads now.
template <class Policies>
[[nodiscard]] bool begin_starvation(loop_state<Policies>& state) noexcept {
    if (state.starving) return true;
    if (!state.messages.begin_starvation()) return false;
    state.starving = true;
    state.starving_since = state.turn_time;
    ++state.episode;
    state.counters.starvation_episodes.add();
    return true;
}

/// This channel had something to read when there was no credit: its interest is dropped, its group is told.
template <class Policies>
void park_for_credit(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    ch.parked_for_partial = false;
    state.parked_for_credit.push_back(ch);
    state.touch(ch);
    tell_starved(state, *ch.group);
}

/// The channel reads again when an incomplete message elsewhere is complete, or after the retry time.
template <class Policies>
void park_for_retry(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    ch.parked_for_partial = true;
    state.parked_for_partial.push_back(ch);
    state.retry_later();
}

/// Everything in a list may look at its socket again.
template <class Policies, class List>
void unpark(loop_state<Policies>& state, List& parked) noexcept {
    while (channel<Policies>* const ch = parked.pop_front()) {
        ch->resumed = true;
        state.touch(*ch);
    }
}

/// When a quarter of the credit is free again, reading goes on and time does, too.
template <class Policies>
void end_starvation_if_over(loop_state<Policies>& state) noexcept {
    if (!state.starving || state.messages.starved()) return;
    state.starved_for += (std::max)(state.turn_time, state.starving_since) - state.starving_since;
    state.starving = false;
    unpark(state, state.parked_for_credit);
    while (channel<Policies>* const ch = state.stalled_limits.pop_front()) state.touch(*ch);
}

/// Incomplete messages hold at most half of the credit, so that complete ones get through beside them.
template <class Policies>
[[nodiscard]] bool partial_has_room(const loop_state<Policies>& state) noexcept {
    return state.partials < state.messages.credit_limit() / 2;
}

/// False after the system has cut reads short of messages that were there whole (see read_exactly): then even all of
/// the credit may be held by incomplete messages, and it comes back only if they go on. They need none for that.
template <class Policies>
[[nodiscard]] bool partials_in_bounds(const loop_state<Policies>& state) noexcept {
    return state.partials <= state.messages.credit_limit() / 2;
}

template <class Policies>
void count_partial(loop_state<Policies>& state, channel<Policies>& ch, bool holds) noexcept {
    if (ch.holds_partial == holds) return;
    ch.holds_partial = holds;
    state.partials += holds ? std::size_t{1} : ~std::size_t{0};
    if (!holds) unpark(state, state.parked_for_partial);
}

/// A listener takes nothing from its backlog until `resume_listeners`.
template <class Policies>
void pause_listener(loop_state<Policies>& state, channel<Policies>& listener) noexcept {
    state.paused_listeners.push_back(listener);
    state.touch(listener);
}

/// A channel has ended or said hello, or some time has passed: accepting may work again.
template <class Policies>
void resume_listeners(loop_state<Policies>& state) noexcept {
    unpark(state, state.paused_listeners);
}

/// The system had no buffers for what this channel sends. The socket may be called writable all the while, so that is
/// not listened to before the retry time.
template <class Policies>
void pause_writing(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    ch.write_blocked = true;
    state.paused_writers.push_back(ch);
    state.retry_later();
}

/// The poller has refused to look at its socket, and will be asked again.
template <class Policies>
[[nodiscard]] bool is_deaf(const channel<Policies>& ch) noexcept {
    return ch.attached && ch.refused_arms != 0 && ch.refused_arms < most_refused_arms;
}

/// The poller had no memory for what this channel wants to hear about: it says it again after the retry time. Its
/// limits wait as long, as nobody looks for its data; but not for ever.
template <class Policies>
void rearm_later(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    if (ch.refused_arms == 0) ch.refused_arms = 1;
    state.arm_refused = true;
    state.retry_later();
}

/// The retry time is over: everything the system has refused may work again.
template <class Policies>
void resume_parked(loop_state<Policies>& state) noexcept {
    if (std::exchange(state.arm_refused, false))
        state.channels.for_each([&state](channel<Policies>& ch) {
            if (ch.refused_arms == 0) return;
            if (ch.refused_arms < most_refused_arms) ++ch.refused_arms;
            ch.resumed = true;
            state.touch(ch);
        });
    unpark(state, state.parked_for_partial);
    resume_listeners(state);
    while (channel<Policies>* const ch = state.paused_writers.pop_front()) {
        ch->write_blocked = false;
        state.touch(*ch);
    }
}

/// The channel ends: it is in none of the lists any more.
template <class Policies>
void leave_lists(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    state.ready.erase(ch);
    state.touched.erase(ch);
    state.stalled_limits.erase(ch);
    state.paused_writers.erase(ch);
    if (!ch.parked_hook.linked) return;
    if (ch.listener)
        state.paused_listeners.erase(ch);
    else if (ch.awaits_backlog)
        state.paused_connects.erase(ch);
    else if (ch.parked_for_partial)
        state.parked_for_partial.erase(ch);
    else
        state.parked_for_credit.erase(ch);
}

} // namespace tofu::inline TOFU_ABI::engine

#endif
