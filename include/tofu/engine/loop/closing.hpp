// SPDX-License-Identifier: BSL-1.0
// The end of a channel: what comes back, the one goodbye, and when slot and number are free again.
//
// Post and close meet in the channel's word. Once it says closed, `post` refuses; but a post may have been admitted
// just before. So a channel ends in three steps, over one or more turns:
//
//   end_channel    the decision, from anywhere in a turn: the word says closed, the channel waits in `closing`
//   shut           at the end of the turn, when no event of this batch can name the socket any more: registration,
//                  socket, timer and lists are let go; what was queued is set aside to come back
//   conclude       when no post was in flight before the inbox was drained once more: what came back, then the goodbye.
//                  A post still in flight wakes the loop when it is through, and the channel is looked at again.
//
#ifndef TOFU_ENGINE_LOOP_CLOSING_HPP
#define TOFU_ENGINE_LOOP_CLOSING_HPP

#include <tofu/config.hpp>
#include <tofu/engine/loop/delivering.hpp>
#include <tofu/engine/loop/loop_state.hpp>
#include <tofu/engine/loop/paused_channels.hpp>

namespace tofu::inline TOFU_ABI::engine {

/// Decides that the channel ends, and why; the first cause counts.
template <class Policies>
void end_channel(loop_state<Policies>& state, channel<Policies>& ch, cause why) noexcept {
    if (ch.ended()) return;
    ch.phase = channel_phase::closing;
    ch.why = why;
    state.directory.close(ch.number);
    state.closing.push_back(ch);
}

/// Takes the socket from the poller, which may owe the release of its registration.
template <class Policies>
void detach(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    if (!std::exchange(ch.attached, false)) return;
    ch.owed = state.poller.disarm(ch.registration) == disarmed::owed;
    if (!ch.owed) state.keys.forget(ch.key);
}

/// At once, or when the poller has let go of it: by then another socket might have its handle.
template <class Policies>
void close_socket(channel<Policies>& ch) noexcept {
    if (Policies::key::closes_after_release && ch.owed) return;
    if (ch.why.why == reason::aborted && !ch.listener)
        ch.socket.abort();
    else
        ch.socket.close();
}

/// Keeps a hello_request with its channel: if nobody answers it, it comes back to the application as it was posted.
template <class Policies>
void keep_until_answered(loop_state<Policies>& state, channel<Policies>& ch, message& hello) noexcept {
    if (ch.opened)
        state.cache.release(hello); // the answer came first
    else
        ch.request = owned(&hello);
}

/// Lets go of the system's side of a channel. Once only.
template <class Policies>
void shut(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    if (ch.is_shut) return;
    ch.is_shut = true;
    leave_lists(state, ch);
    if constexpr (Policies::timer::has_timers) state.timers.cancel(ch);
    detach(state, ch);
    close_socket(ch);
    if (message* const partial = ch.reader.abandon()) state.cache.release(*partial);
    count_partial(state, ch, false);
    if (state.leftover.owner == &ch) state.leftover = {};
    if (std::exchange(ch.waits_for_hello, false)) {
        --state.awaiting_hello;
        resume_listeners(state);
    }
    ch.addresses.reset(); // a zombie may stay for long: free what it does not need
    detail::node_queue unsent = ch.writer.abandon();
    unsent.splice(ch.returns);
    ch.returns.splice(unsent);
}

/// Accepted messages that were not sent come back before the goodbye. A hello_request that was not answered is set
/// aside: it becomes the goodbye.
template <class Policies>
void return_unsent(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    const status why = status_of(ch.why, ch.step());
    while (detail::queue_node* const node = ch.returns.pop_front()) {
        message& m = message_of(*node);
        if (m.header().op == op_code::hello_request)
            keep_until_answered(state, ch, m);
        else
            give_back(state, *ch.group, m, why, ch.generation);
    }
}

template <class Policies>
void say_goodbye(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    if (!ch.announced) { // nobody has ever heard of this channel
        state.directory.free(ch.number);
        return;
    }
    message& last = ch.opened ? *ch.goodbye.release() : *ch.request.release();
    if (ch.opened)
        make_goodbye_signal(last, ch.why);
    else
        make_failed_answer(last, status_of(ch.why, ch.step()), ch.why);
    bind_to_channel(state, last, ch.number, ch.generation);
    node_of(last).kind = detail::node_kind::goodbye;
    deliver(state, *ch.group, last);
}

/// Returns the messages that were kept for the channel's end to the pool: a zombie may stay for long.
template <class Policies>
void release_messages(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    if (ch.goodbye) state.cache.release(*ch.goodbye.release());
    if (ch.request) state.cache.release(*ch.request.release());
}

/// The slot is free again, or a zombie until the kernel lets go of its registration.
template <class Policies>
void release_slot(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    if (ch.owed) {
        ch.phase = channel_phase::zombie;
        state.counters.zombies.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    state.channels.release(ch);
    state.counters.channels.store(state.channels.used(), std::memory_order_relaxed);
    resume_listeners(state);
}

template <class Policies>
void conclude(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    state.closing.erase(ch);
    return_unsent(state, ch);
    state.directory.channel(ch.number, nullptr);
    say_goodbye(state, ch);
    release_messages(state, ch);
    --ch.group->channels;
    ch.group = {};          // a zombie may stay for long
    state.room_made = true; // whoever waits for room in this queue must learn that it is gone
    release_slot(state, ch);
}

/// The poller reports that it holds a registration no longer.
template <class Policies>
void conclude_zombie(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    if (ch.phase != channel_phase::zombie) return; // its turn to end comes by itself
    release_slot(state, ch);
    state.counters.zombies.fetch_sub(1, std::memory_order_release); // who sees none of them sees their slots free
}

/// A hello_request or welcome_request that found no slot is its own answer; same rule, no channel.
template <class Policies>
void conclude_failed_opening(loop_state<Policies>& state, message& answer) noexcept {
    group_core& group = *route_of(answer).group;
    --group.channels;
    bind_to_channel(state, answer, answer.header().channel_number, route_of(answer).generation);
    node_of(answer).kind = detail::node_kind::goodbye;
    deliver(state, group, answer);
}

/// To be asked after the loop has declared itself asleep. A post in flight that an end waited for may have gone through
/// unseen, between the last look and now; the word is changed and read seq_cst, as the inbox's handshake needs it.
template <class Policies>
[[nodiscard]] bool an_end_is_due(const loop_state<Policies>& state) noexcept {
    using closing_list = decltype(state.closing);
    for (const channel<Policies>* ch = state.closing.front(); ch != nullptr; ch = closing_list::next(*ch))
        if (!state.directory.posts_in_flight(ch->number)) return true;
    for (detail::queue_node* node = state.failed_openings.front(); node != nullptr; node = node->next)
        if (!state.directory.posts_in_flight(message_of(*node).header().channel_number)) return true;
    return false;
}

/// At the end of a turn. `drain_inbox()` takes in everything that was posted until now; it may end more channels.
template <class Policies, class DrainInbox>
void finish_closes(loop_state<Policies>& state, DrainInbox drain_inbox) noexcept {
    using channel_type = channel<Policies>;
    using closing_list = decltype(state.closing);
    for (bool again = !state.closing.empty() || !state.failed_openings.empty(); again;) {
        for (channel_type* ch = state.closing.front(); ch != nullptr; ch = closing_list::next(*ch)) {
            shut(state, *ch);
            ch->quiet = !state.directory.posts_in_flight(ch->number);
        }
        detail::node_queue failed(std::move(state.failed_openings));
        detail::node_queue quiet_failed;
        while (detail::queue_node* const node = failed.pop_front()) {
            const bool quiet = !state.directory.posts_in_flight(message_of(*node).header().channel_number);
            (quiet ? quiet_failed : state.failed_openings).push_back(*node);
        }
        drain_inbox();
        while (detail::queue_node* const node = quiet_failed.pop_front())
            conclude_failed_opening(state, message_of(*node));
        again = false;
        for (channel_type *ch = state.closing.front(), *next = nullptr; ch != nullptr; ch = next) {
            next = closing_list::next(*ch);
            again = again || !ch->is_shut; // came in with the inbox
            if (ch->is_shut && ch->quiet) conclude(state, *ch);
        }
    }
}

} // namespace tofu::inline TOFU_ABI::engine

#endif
