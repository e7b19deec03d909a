// SPDX-License-Identifier: BSL-1.0
// Updates a channel after any event: sends, follows the conversation, and tells the poller and the timer what the
// channel wants.
#ifndef TOFU_ENGINE_LOOP_UPDATING_HPP
#define TOFU_ENGINE_LOOP_UPDATING_HPP

#include <tofu/config.hpp>
#include <tofu/detail/prefetch.hpp>
#include <tofu/detail/queue_node.hpp>
#include <tofu/engine/channel/channel_word.hpp>
#include <tofu/engine/loop/attaching.hpp>
#include <tofu/engine/loop/closing.hpp>
#include <tofu/engine/loop/loop_state.hpp>
#include <tofu/engine/loop/reading.hpp>
#include <tofu/engine/loop/writing.hpp>
#include <tofu/engine/protocol/failure.hpp>
#include <tofu/reason.hpp>
#include <tofu/status.hpp>

#include <algorithm>
#include <utility>

namespace tofu::inline TOFU_ABI::engine {

template <class Policies>
class updating {
    using state_type = loop_state<Policies>;
    using channel_type = channel<Policies>;

public:
    /// Updates all channels that requested it. A request that comes meanwhile waits for the next call.
    static void update_all(state_type& state) noexcept {
        detail::intrusive_list<channel_type, &channel_type::update_hook> now;
        now.splice(state.needs_update);
        while (channel_type* const ch = now.pop_front()) {
            detail::prefetch(now.front(), sizeof(channel_type)); // with many channels, the next one is not in the cache
            update(state, *ch);
        }
    }

    /// Sends what is queued, and does what the conversation says comes next.
    static void advance(state_type& state, channel_type& ch) noexcept {
        writing<Policies>::flush(state, ch);
        follow_conversation(state, ch);
    }

    /// Makes sure that the timer expires no later than the channel's first limit. It may expire early: postponing a
    /// limit deliberately does not reschedule it.
    static void arm_limits(state_type& state, channel_type& ch) noexcept {
        if constexpr (Policies::timer::has_timers) {
            using time_point = typename state_type::time_point;
            const time_point first = ch.limits.first();
            if (first == (time_point::max)()) return;
            const auto remaining = (std::max)(first - state.reading_time(), time_point::duration::zero());
            const time_point due = state.turn_time + remaining;
            if (!ch.scheduled() || due < ch.deadline()) state.timers.schedule(ch, due);
        }
    }

    [[nodiscard]] static cause cause_of_failed_output(const channel_type& ch) noexcept {
        return cause_of_broken(ch.write_error, status::send_failed);
    }

private:
    static void update(state_type& state, channel_type& ch) noexcept {
        if (ch.has_ended()) return;
        TOFU_ASSERT(ch.is_consistent());
        if (ch.is_open()) {
            advance(state, ch);
            if (!ch.has_ended() && ch.conversation.output_has_failed()) bound_failed_output(state, ch);
            if (ch.has_ended()) return;
        }
        if (ch.is_attached() && !attaching<Policies>::arm(state, ch)) return;
        if (std::exchange(ch.resumed, false)) ch.resumed_in = state.counters.turns.value();
        arm_limits(state, ch);
    }

    /// Does what the conversation says comes next, until it says nothing.
    static void follow_conversation(state_type& state, channel_type& ch) noexcept {
        while (!ch.has_ended()) {
            const conversation::decision next = ch.conversation.next(ch.writer.empty());
            switch (next.what) {
            case conversation::action::nothing: return;
            case conversation::action::close: closing<Policies>::end(state, ch, cause_of_end(ch, next.why)); return;
            case conversation::action::give_up: closing<Policies>::end(state, ch, cause_of_failed_output(ch)); return;
            case conversation::action::mark_end: mark_end_of_stream(state, ch); break;
            case conversation::action::end_output: end_output(state, ch); break;
            }
        }
    }

    /// Both byes are exchanged: ends our output.
    static void end_output(state_type& state, channel_type& ch) noexcept {
        static_cast<void>(ch.socket.shutdown_write()); // fails only when the peer is gone, and reading shows that
        ch.conversation.output_ended();
        if (!Policies::timer::has_timers || state.opts.grace_time.count() == 0)
            closing<Policies>::end(state, ch, cause::of(reason::bye));
        ch.limits.begin_grace(state.reading_time(), state.opts.grace_time);
    }

    /// Delivers a marker behind the last message of a half-closed peer. The marker comes back when the application has
    /// received everything before it.
    static void mark_end_of_stream(state_type& state, channel_type& ch) noexcept {
        ch.conversation.end_marked();
        ch.limits.begin_bye(state.reading_time(), state.opts.bye_time);
        if (message* const marker = state.messages.allocate()) {
            state.delivery.bind(*marker, ch.number, ch.generation);
            node_of(*marker).kind = detail::node_kind::end_of_stream;
            state.delivery.deliver(*ch.group, *marker);
            return;
        }
        // No memory for a marker: behave as if the application had nothing more to post. Posted messages are still
        // sent.
        ch.conversation.end_seen();
        state.directory.mark(ch.number, channel_word::posting_over);
        state.room_made = true;
    }

    /// The cause for `why`; a failed read keeps the system's error code.
    [[nodiscard]] static cause cause_of_end(const channel_type& ch, reason why) noexcept {
        return why == reason::peer_reset ? cause_of_broken(ch.read_error, status::recv_failed) : cause::of(why);
    }

    /// A write has failed, and reading has not told the cause yet. Without grace_time, the channel ends as soon as
    /// reading is allowed and nothing is left to read.
    TOFU_COLD static void bound_failed_output(state_type& state, channel_type& ch) noexcept {
        if (ch.limits.begin_write_grace(state.reading_time(), state.opts.grace_time) || ch.is_paused()) return;
        reading<Policies>::read_all(state, ch);
        follow_conversation(state, ch);
        if (ch.has_ended() || ch.resumed || ch.is_paused()) return; // `resumed`: it reads in the next turn
        closing<Policies>::end(state, ch, cause_of_failed_output(ch));
    }
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
