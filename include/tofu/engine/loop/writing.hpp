// SPDX-License-Identifier: BSL-1.0
// From the send queues to the kernel: many messages with one gathered write, and what follows when they are out.
#ifndef TOFU_ENGINE_LOOP_WRITING_HPP
#define TOFU_ENGINE_LOOP_WRITING_HPP

#include <tofu/config.hpp>
#include <tofu/detail/prefetch.hpp>
#include <tofu/engine/loop/closing.hpp>
#include <tofu/engine/loop/limits.hpp>
#include <tofu/engine/loop/loop_state.hpp>
#include <tofu/engine/loop/paused_channels.hpp>
#include <tofu/engine/loop/reading.hpp>
#include <tofu/engine/protocol/failure.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace tofu::inline TOFU_ABI::engine {

/// So many bytes were handed to the kernel: the messages that are out with them return to the pool.
template <class Policies>
void retire_sent(loop_state<Policies>& state, channel<Policies>& ch, std::size_t sent) noexcept {
    std::size_t all = 0;
    std::size_t messages = 0; // of those that had to have room in the queue
    std::size_t bytes = 0;
    ch.writer.sent(sent, [&](message& m, std::size_t size) {
        ch.conversation.sent(m.header().op);
        if (is_regular(m.header().op)) {
            ++messages;
            bytes += size;
        }
        ++all;
        if (m.header().op == op_code::hello_request)
            keep_until_answered(state, ch, m);
        else
            state.cache.release(m);
    });
    ch.counts.messages_sent += all;
    state.counters.messages_sent.add(all);
    if (messages == 0) return;
    state.directory.unreserve(ch.number, messages, bytes);
    state.core.driver.notify(); // at once: who waits for room may fill it while the rest is being sent
}

/// Writing is over. The channel still reads the data that can be read.
template <class Policies>
void fail_output(channel<Policies>& ch, io_error error) noexcept {
    ch.conversation.output_failed();
    ch.write_error = error;
}

/// Writes until the queue is empty, the socket full, or the channel's budget for this turn spent.
template <class Policies>
void flush(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    std::size_t budget = state.opts.write_budget;
    while (!ch.writer.empty() && !ch.write_blocked && ch.conversation.writes() && budget != 0) {
        ch.writer.gather(state.gathered, budget);
        const io_result result = ch.socket.write(state.gathered.buffers());
        state.counters.writes.add();
        if (result.error) {
            if (result.error.kind == io_failure::would_block)
                ch.write_blocked = true;
            else if (result.error.kind == io_failure::no_memory)
                pause_writing(state, ch);
            else
                fail_output(ch, result.error);
            return;
        }
        state.counters.bytes_sent.add(result.bytes);
        ch.counts.bytes_sent += result.bytes;
        restart_idle_limit(state, ch);
        ch.write_blocked = result.bytes < state.gathered.bytes();
        retire_sent(state, ch, result.bytes);
        budget -= (std::min)(budget, result.bytes);
    }
    if (budget == 0) state.touch(ch); // the rest in the next turn, which does not wait
}

/// The marker behind the last message of a peer that has half-closed. It comes back when the application has reached
/// it.
template <class Policies>
void mark_end_of_stream(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    ch.conversation.end_marked();
    begin_bye_limit(state, ch);
    if (message* const marker = state.messages.allocate()) {
        bind_to_channel(state, *marker, ch.number, ch.generation);
        node_of(*marker).kind = detail::node_kind::end_of_stream;
        deliver(state, *ch.group, *marker);
        return;
    }
    // No memory to ask with: behave as if the application had nothing more to post. What it has posted is still sent.
    ch.conversation.end_seen();
    state.directory.mark(ch.number, channel_word::posting_over);
    state.room_made = true;
}

/// The cause for `why`; a failed read keeps the system's error code.
template <class Policies>
[[nodiscard]] cause cause_of_end(const channel<Policies>& ch, reason why) noexcept {
    return why == reason::peer_reset ? cause_of_broken(ch.read_error, status::recv_failed) : cause::of(why);
}

/// Does what the conversation says comes next, until it says nothing.
template <class Policies>
void follow_conversation(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    while (!ch.ended()) {
        const conversation::decision next = ch.conversation.next(ch.writer.empty());
        switch (next.what) {
        case conversation::action::nothing: return;
        case conversation::action::close: end_channel(state, ch, cause_of_end(ch, next.why)); return;
        case conversation::action::give_up: end_channel(state, ch, cause_of_failed_output(ch)); return;
        case conversation::action::mark_end: mark_end_of_stream(state, ch); break;
        case conversation::action::end_output:
            static_cast<void>(ch.socket.shutdown_write()); // fails only when the peer is gone, and then reading tells
            ch.conversation.output_ended();
            if (!Policies::timer::has_timers || state.opts.grace_time.count() == 0)
                end_channel(state, ch, cause::of(reason::bye));
            begin_grace_limit(state, ch);
            break;
        }
    }
}

/// What the channel wants to hear about now. Empty interest is silence: a starved engine hears nothing from a reset
/// peer.
template <class Policies>
[[nodiscard]] interest wanted_interest(const loop_state<Policies>& state, const channel<Policies>& ch) noexcept {
    const bool parked = state.is_parked(ch);
    interest wanted = interest::none;
    switch (ch.phase) {
    case channel_phase::connecting: return interest::write;
    case channel_phase::listening: return parked ? interest::none : interest::read;
    case channel_phase::open:
        if (ch.conversation.reads() && !parked) wanted |= interest::read;
        if (ch.write_blocked && !state.paused_writers.contains(ch) && ch.conversation.writes())
            wanted |= interest::write;
        return wanted;
    case channel_phase::resolving:
    case channel_phase::closing:
    case channel_phase::zombie: return wanted; // no socket to hear about
    }
    return wanted;
}

/// Tells the poller what is wanted now. False: the channel has ended, or is deaf for a while.
template <class Policies>
[[nodiscard]] bool arm(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    const io_error error = state.poller.arm(ch.registration, wanted_interest(state, ch));
    if (!error) {
        ch.refused_arms = 0;
        return true;
    }
    if (error.kind == io_failure::no_memory) {
        rearm_later(state, ch);
        return !is_deaf(ch);
    }
    end_channel(state, ch, cause_of(error, status::processing_failed));
    return false;
}

/// A write has failed, and reading has not told the cause yet. Without grace_time the channel ends as soon as it may be
/// read and nothing is left to read.
template <class Policies>
TOFU_COLD void bound_failed_output(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    if (begin_write_grace(state, ch) || state.is_parked(ch)) return;
    read_what_is_there(state, ch);
    follow_conversation(state, ch);
    if (ch.ended() || ch.resumed || state.is_parked(ch)) return; // `resumed`: it reads in the next turn
    end_channel(state, ch, cause_of_failed_output(ch));
}

/// After anything has happened to a channel: send, draw the conclusions, say what is wanted now.
template <class Policies>
void settle(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    if (ch.ended()) return;
    if (ch.phase == channel_phase::open) {
        flush(state, ch);
        follow_conversation(state, ch);
        if (!ch.ended() && ch.conversation.output_has_failed()) bound_failed_output(state, ch);
        if (ch.ended()) return;
    }
    if (ch.attached && !arm(state, ch)) return;
    if (std::exchange(ch.resumed, false)) ch.resumed_in = state.counters.turns.value();
    arm_limits(state, ch);
}

/// All channels something has happened to; what they cause for others waits for the next round or turn.
template <class Policies>
void settle_touched(loop_state<Policies>& state) noexcept {
    decltype(state.touched) now;
    now.swap(state.touched);
    while (channel<Policies>* const ch = now.pop_front()) {
        detail::prefetch(now.front(), sizeof(channel<Policies>)); // of many channels each is cold when its turn comes
        settle(state, *ch);
    }
}

} // namespace tofu::inline TOFU_ABI::engine

#endif
