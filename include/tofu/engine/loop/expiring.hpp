// SPDX-License-Identifier: BSL-1.0
// What happens when a deadline is reached.
#ifndef TOFU_ENGINE_LOOP_EXPIRING_HPP
#define TOFU_ENGINE_LOOP_EXPIRING_HPP

#include <tofu/config.hpp>
#include <tofu/engine/loop/dispatching.hpp>
#include <tofu/engine/loop/limits.hpp>
#include <tofu/engine/loop/opening.hpp>
#include <tofu/engine/loop/paused_channels.hpp>
#include <tofu/engine/loop/reading.hpp>

#include <cstdint>

namespace tofu::inline TOFU_ABI::engine {

/// The limit of the channel's present phase is reached.
template <class Policies>
void expire_phase(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    if (ch.phase == channel_phase::connecting) {
        finish_connect(state, ch, io_failure::timed_out); // the name may have other addresses
        return;
    }
    if (ch.phase == channel_phase::resolving) {
        stop_waiting_for_address(state, ch);
        return;
    }
    // grace_time after both byes ends with reason bye. grace_time after a write error ends with that error.
    const bool grace_of_output = ch.limits.phase_reason == reason::os_error;
    end_channel(state, ch, grace_of_output ? cause_of_failed_output(ch) : cause::of(ch.limits.phase_reason));
}

/// A limit may be due, and the channel's budget has ended its reading: what was there by now is read first, and what
/// the peer sends meanwhile does not count.
template <class Policies>
[[nodiscard]] bool reads_first(channel<Policies>& ch) noexcept {
    if (ch.budget_spent && ch.read_first == 0) ch.read_first = ch.counts.bytes_received + ch.socket.available();
    if (ch.budget_spent && ch.counts.bytes_received < ch.read_first) return true;
    ch.read_first = 0;
    return false;
}

/// A limit is due: what has come by now is read first, whatever the poller has told of it. A poller that works by
/// completions tells what there was when an operation completed, and that may be long ago. True: there was something.
template <class Policies>
[[nodiscard]] bool reads_unseen(loop_state<Policies>& state, channel<Policies>& ch,
                                typename loop_state<Policies>::time_point now) noexcept {
    const bool due = ch.limits.phase <= now || ch.limits.message <= now || ch.limits.idle <= now;
    if (!due || ch.phase != channel_phase::open || !ch.conversation.reads()) return false;
    const std::size_t there = ch.socket.available();
    if (there == 0) return false;
    ch.read_first = ch.counts.bytes_received + there; // more than that does not count
    std::uint64_t before = 0;
    do { // a read may be short
        before = ch.counts.bytes_received;
        read_channel(state, ch);
    } while (!ch.ended() && !ch.budget_spent && ch.counts.bytes_received != before &&
             ch.counts.bytes_received < ch.read_first);
    return true;
}

/// The channel's timer has rung: for one of its limits, or too early because that limit has moved. What was not due
/// `by` then waits: the data that came since has not been looked for.
template <class Policies>
void check_limits(loop_state<Policies>& state, channel<Policies>& ch, typename loop_state<Policies>::time_point by,
                  bool has_looked = false) noexcept {
    if (ch.phase == channel_phase::open) {
        // What this turn has brought comes first: it may end the wait (a bye, the end of the stream).
        flush(state, ch);
        follow_conversation(state, ch);
    }
    if (ch.ended()) return;
    const auto now = by - state.starved_for; // in reading time
    if (state.starving) {
        state.stalled_limits.push_back(ch); // time stands still; what has come meanwhile is read before it goes on
    } else if (state.is_parked(ch) || is_deaf(ch)) {
        // When it is let go on it is touched, and its timer set again.
    } else if (ch.resumed || ch.resumed_in >= state.counting_since || reads_first(ch)) {
        state.touch(ch); // what is there for it will be reported by the next wait, which does not wait
    } else if (!has_looked && reads_unseen(state, ch, now)) {
        check_limits(state, ch, by, true);
    } else if (ch.limits.phase <= now) {
        expire_phase(state, ch);
    } else if (ch.limits.message <= now) {
        end_channel(state, ch, cause::of(reason::message_timeout));
    } else if (ch.limits.idle <= now) {
        end_channel(state, ch, cause::of(reason::idle_timeout));
    } else {
        arm_limits(state, ch);
    }
}

/// Everything whose time had come by then.
template <class Policies>
void expire(loop_state<Policies>& state, typename loop_state<Policies>::time_point by) noexcept {
    using timer = typename Policies::timer;
    while (auto* const node = state.timers.pop_expired(by)) {
        auto& item = static_cast<timer_item<timer>&>(*node);
        switch (item.what) {
        case timer_kind::channel: check_limits(state, static_cast<channel<Policies>&>(item), by); break;
        case timer_kind::application: fire_timer(state, static_cast<application_timer<timer>&>(item)); break;
        }
    }
}

} // namespace tofu::inline TOFU_ABI::engine

#endif
