// SPDX-License-Identifier: BSL-1.0
// Acts on deadlines that have expired.
#ifndef TOFU_ENGINE_LOOP_EXPIRING_HPP
#define TOFU_ENGINE_LOOP_EXPIRING_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/engine/channel/channel_limits.hpp>
#include <tofu/engine/channel/timer_item.hpp>
#include <tofu/engine/loop/closing.hpp>
#include <tofu/engine/loop/loop_state.hpp>
#include <tofu/engine/loop/opening.hpp>
#include <tofu/engine/loop/reading.hpp>
#include <tofu/engine/loop/updating.hpp>
#include <tofu/reason.hpp>

namespace tofu::inline TOFU_ABI::engine {

/// Only for timer policies that have timers.
template <class Policies>
class expiring {
    using state_type = loop_state<Policies>;
    using channel_type = channel<Policies>;
    using timer = typename Policies::timer;
    using time_point = typename timer::time_point;

public:
    /// Handles every timer whose deadline is `by` or earlier.
    static void expire(state_type& state, time_point by) noexcept {
        while (auto* const node = state.timers.pop_expired(by)) {
            auto& item = static_cast<timer_item<timer>&>(*node);
            switch (item.what) {
            case timer_kind::channel: check_limits(state, static_cast<channel_type&>(item), by); break;
            case timer_kind::application: state.application_timers.fire(item); break;
            }
        }
    }

private:
    /// The channel's timer has expired, either for one of its limits, or too early, because that limit was postponed.
    static void check_limits(state_type& state, channel_type& ch, time_point by) noexcept {
        if (comes_first(state, ch)) return;
        const time_point now = state.starvation.reading_time(by);
        // Bytes that have arrived are read before the limit counts. They may make the limit void.
        if (ch.limits.due(now) != due_limit::none && reading<Policies>::read_arrived(state, ch) &&
            comes_first(state, ch))
            return;
        expire_due(state, ch, now);
    }

    /// True: no limit of the channel expires now. Events of this turn come before limits: an event may end the wait (a
    /// bye, the end of the stream), or show that the engine itself delays the channel.
    [[nodiscard]] static bool comes_first(state_type& state, channel_type& ch) noexcept {
        if (ch.is_open()) updating<Policies>::advance(state, ch);
        if (ch.has_ended()) return true;
        if (state.starvation.lasts()) {
            state.starvation.stall(ch); // reading time stands still; waiting data is read before it goes on
            return true;
        }
        // When a paused or deaf channel is resumed, it requests an update, which schedules its timer again.
        if (ch.is_paused() || state.refusals.is_deaf(ch)) return true;
        if (ch.resumed || ch.resumed_in >= state.looked_since || reads_on(ch)) {
            state.request_update(ch); // the next wait returns at once, and reports data that is there for the channel
            return true;
        }
        return false;
    }

    /// True: the channel's budget has ended its reading, so the limit has to wait. Bytes that had arrived when the
    /// limit expired are read before the limit counts. Bytes that arrive later do not extend the limit.
    [[nodiscard]] static bool reads_on(channel_type& ch) noexcept {
        if (ch.budget.spent() && !ch.budget.has_goal())
            ch.budget.set_goal(ch.counts.bytes_received + ch.socket.available());
        return ch.budget.goal_is_ahead(ch.counts.bytes_received);
    }

    /// Acts on a limit that is due at `now`. A limit that becomes due later has to wait: the loop has not looked for
    /// the data of that time.
    static void expire_due(state_type& state, channel_type& ch, time_point now) noexcept {
        switch (ch.limits.due(now)) {
        case due_limit::phase: expire_phase(state, ch); break;
        case due_limit::message: closing<Policies>::end(state, ch, cause::of(reason::message_timeout)); break;
        case due_limit::idle: closing<Policies>::end(state, ch, cause::of(reason::idle_timeout)); break;
        case due_limit::none: updating<Policies>::arm_limits(state, ch); break;
        }
    }

    /// The limit of the channel's present phase is reached.
    static void expire_phase(state_type& state, channel_type& ch) noexcept {
        if (ch.phase == channel_phase::connecting) {
            opening<Policies>::stop_connecting(state, ch);
        } else if (!ch.is_open()) {
            opening<Policies>::stop_waiting(state, ch);
        } else {
            // grace_time after both byes ends with reason bye. grace_time after a write error ends with that error.
            const bool grace_of_output = ch.limits.phase_reason() == reason::os_error;
            closing<Policies>::end(state, ch,
                                   grace_of_output ? updating<Policies>::cause_of_failed_output(ch)
                                                   : cause::of(ch.limits.phase_reason()));
        }
    }
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
