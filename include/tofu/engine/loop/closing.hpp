// SPDX-License-Identifier: BSL-1.0
// Ends channels: unsent messages come back, one goodbye is delivered, and slot and number become free again.
//
// Post and close meet in the channel's word. Once the word says closed, `post` refuses; but a post may have been
// admitted just before. So a channel ends in three steps, over one or more turns:
//
//   end        the decision, from anywhere in a turn: the word says closed, the channel waits in `state.closing`
//   shut       at the end of the turn, when no event of this batch can name the socket any more: the registration, the
//              socket and the timer are released, the channel leaves its lists, and its queued messages are set aside
//   conclude   when no post was in flight before the latest drain of the inbox: the unsent messages come back, then the
//              goodbye is delivered. A post that is still in flight wakes the loop at its end, and the loop looks at
//              the channel again.
#ifndef TOFU_ENGINE_LOOP_CLOSING_HPP
#define TOFU_ENGINE_LOOP_CLOSING_HPP

#include <tofu/config.hpp>
#include <tofu/detail/queue_node.hpp>
#include <tofu/engine/loop/loop_state.hpp>
#include <tofu/engine/protocol/notices.hpp>
#include <tofu/message_ptr.hpp>
#include <tofu/reason.hpp>
#include <tofu/status.hpp>

#include <atomic>
#include <cstdint>
#include <utility>

namespace tofu::inline TOFU_ABI::engine {

template <class Policies>
class closing {
    using state_type = loop_state<Policies>;
    using channel_type = channel<Policies>;

public:
    /// Decides that the channel ends, and why. The first cause counts.
    static void end(state_type& state, channel_type& ch, cause why) noexcept {
        if (ch.has_ended()) return;
        TOFU_ASSERT(ch.is_consistent());
        TOFU_ASSERT(why.why != reason::none);
        ch.phase = channel_phase::closing;
        ch.why = why;
        state.directory.close(ch.number);
        state.closing.push_back(ch);
    }

    /// Takes the socket from the poller. The poller may report the release of the registration later.
    static void detach(state_type& state, channel_type& ch) noexcept {
        if (!ch.is_attached()) return;
        const bool owed = state.poller.disarm(ch.registration) == disarmed::owed;
        ch.held = owed ? registration_state::owed : registration_state::released;
        if (!owed) state.keys.forget(ch.key);
    }

    /// Closes the socket. If the key policy finds channels by their handle, the socket stays open while the poller
    /// holds its registration: else a new socket could get the same handle too early.
    static void close_socket(channel_type& ch) noexcept {
        TOFU_ASSERT(!ch.is_attached());
        if (Policies::key::closes_after_release && ch.is_owed()) return;
        if (ch.why.why == reason::aborted && !ch.listener)
            ch.socket.abort();
        else
            ch.socket.close();
    }

    /// The poller has released the registration of this channel.
    static void take_release(state_type& state, channel_type& ch) noexcept {
        TOFU_ASSERT(ch.is_owed());
        state.keys.forget(ch.key);
        ch.held = registration_state::released;
        if (Policies::key::closes_after_release) close_socket(ch);
    }

    /// Keeps a hello_request with its channel. If no answer comes, the hello_request goes back to the application as
    /// its own failed answer.
    static void keep_until_answered(state_type& state, channel_type& ch, message& hello) noexcept {
        TOFU_ASSERT(hello.header().op == op_code::hello_request);
        if (ch.is_opened()) {
            state.cache.release(hello); // the answer came first
            return;
        }
        TOFU_ASSERT(!ch.request);
        ch.request = owned(&hello);
    }

    /// Fails a hello_request or welcome_request for which there is no slot, or no memory. The message comes back as its
    /// own failed answer, once no post is in flight.
    static void fail_opening(state_type& state, message& request, reason why) noexcept {
        const bool listener = request.header().op == op_code::welcome_request;
        const channel_step step = listener ? channel_step::listening : channel_step::connecting;
        make_failed_answer(request, status_of(cause::of(why), step), cause::of(why));
        ++route_of(request).group->channels;
        state.directory.close(request.header().channel_number);
        state.failed_openings.push_back(node_of(request));
    }

    /// Call at the end of a turn. `drain_inbox()` takes everything that was posted until now, and may end more
    /// channels.
    template <class DrainInbox>
    static void finish(state_type& state, DrainInbox drain_inbox) noexcept {
        for (bool again = !state.closing.empty() || !state.failed_openings.empty(); again;) {
            shut_all(state);
            detail::node_queue quiet = take_quiet_openings(state);
            drain_inbox();
            while (detail::queue_node* const node = quiet.pop_front())
                conclude_failed_opening(state, message_of(*node));
            again = conclude_all(state);
        }
    }

    /// True: the loop must not sleep, because an end no longer waits for a post. Call after the loop has declared
    /// itself asleep: the post may have left since the last look. The word is changed and read seq_cst, as the inbox's
    /// handshake needs it.
    [[nodiscard]] static bool is_due(const state_type& state) noexcept {
        for (const channel_type* ch = state.closing.front(); ch != nullptr; ch = state.closing.next(*ch))
            if (!state.directory.posts_in_flight(ch->number)) return true;
        for (detail::queue_node* node = state.failed_openings.front(); node != nullptr; node = node->next)
            if (!state.directory.posts_in_flight(message_of(*node).header().channel_number)) return true;
        return false;
    }

    /// Frees the slot of a zombie whose registration was released.
    static void conclude_zombie(state_type& state, channel_type& ch) noexcept {
        TOFU_ASSERT(ch.phase == channel_phase::zombie && !ch.is_owed());
        release_slot(state, ch);
        // release: a thread that reads 0 zombies also sees that their slots are free.
        state.counters.zombies.fetch_sub(1, std::memory_order_release);
    }

private:
    static void shut_all(state_type& state) noexcept {
        for (channel_type* ch = state.closing.front(); ch != nullptr; ch = state.closing.next(*ch)) {
            if (ch->phase == channel_phase::closing) shut(state, *ch);
            ch->is_quiet = !state.directory.posts_in_flight(ch->number);
        }
    }

    /// Releases what the system holds for a channel. A zombie may live long, so everything that it does not need is
    /// freed.
    static void shut(state_type& state, channel_type& ch) noexcept {
        TOFU_ASSERT(ch.phase == channel_phase::closing);
        ch.ready_hook.unlink();
        ch.update_hook.unlink();
        ch.stalled_hook.unlink();
        ch.pause_hook.unlink();
        ch.retry_hook.unlink();
        if constexpr (Policies::timer::has_timers) state.timers.cancel(ch);
        detach(state, ch);
        close_socket(ch);
        ch.phase = channel_phase::shut;
        if (message* const partial = ch.reader.abandon()) state.cache.release(*partial);
        state.note_partial(ch, false);
        if (state.undecoded_input.owner == &ch) state.undecoded_input = {};
        if (ch.is_hidden()) {
            TOFU_ASSERT(state.awaiting_hello != 0);
            --state.awaiting_hello;
            state.resume_listeners();
        }
        ch.addresses.reset();
        detail::node_queue unsent = ch.writer.abandon();
        unsent.splice(ch.returns);
        ch.returns.splice(unsent);
    }

    /// True: drain_inbox has ended more channels, and they are not shut yet.
    [[nodiscard]] static bool conclude_all(state_type& state) noexcept {
        bool again = false;
        for (channel_type *ch = state.closing.front(), *next = nullptr; ch != nullptr; ch = next) {
            next = state.closing.next(*ch);
            if (ch->phase == channel_phase::closing)
                again = true;
            else if (ch->is_quiet)
                conclude(state, *ch);
        }
        return again;
    }

    static void conclude(state_type& state, channel_type& ch) noexcept {
        TOFU_ASSERT(ch.phase == channel_phase::shut && ch.writer.empty());
        state.closing.erase(ch);
        return_unsent(state, ch);
        state.directory.channel(ch.number, nullptr);
        say_goodbye(state, ch);
        release_messages(state, ch);
        TOFU_ASSERT(ch.group->channels != 0);
        --ch.group->channels;
        ch.group = {};
        state.room_made = true; // a thread that waits for room in this queue must learn that the queue is gone
        release_slot(state, ch);
    }

    /// Accepted messages that were not sent come back before the goodbye. A hello_request that was not answered is set
    /// aside: it becomes the goodbye.
    static void return_unsent(state_type& state, channel_type& ch) noexcept {
        const status why = status_of(ch.why, ch.step());
        while (detail::queue_node* const node = ch.returns.pop_front()) {
            message& m = message_of(*node);
            if (m.header().op == op_code::hello_request)
                keep_until_answered(state, ch, m);
            else
                state.delivery.return_posted(*ch.group, m, why, ch.generation);
        }
    }

    static void say_goodbye(state_type& state, channel_type& ch) noexcept {
        if (ch.is_hidden()) { // the application does not know of this channel
            state.directory.free(ch.number);
            return;
        }
        TOFU_ASSERT(ch.is_opened() ? ch.goodbye != nullptr : ch.request != nullptr);
        message& last = ch.is_opened() ? *ch.goodbye.release() : *ch.request.release();
        if (ch.is_opened())
            make_goodbye_signal(last, ch.why);
        else
            make_failed_answer(last, status_of(ch.why, ch.step()), ch.why);
        state.delivery.bind(last, ch.number, ch.generation);
        node_of(last).kind = detail::node_kind::goodbye;
        state.delivery.deliver(*ch.group, last);
    }

    /// Returns the messages that were kept for the channel's end to the pool.
    static void release_messages(state_type& state, channel_type& ch) noexcept {
        if (ch.goodbye) state.cache.release(*ch.goodbye.release());
        if (ch.request) state.cache.release(*ch.request.release());
    }

    /// Frees the slot, or makes the channel a zombie until the poller has released its registration.
    static void release_slot(state_type& state, channel_type& ch) noexcept {
        if (ch.is_owed()) {
            ch.phase = channel_phase::zombie;
            state.counters.zombies.fetch_add(1, std::memory_order_relaxed);
            return;
        }
        state.channels.release(ch);
        state.counters.channels.store(state.channels.used(), std::memory_order_relaxed);
        state.resume_listeners();
    }

    /// The failed openings for which no post is in flight. The others stay.
    [[nodiscard]] static detail::node_queue take_quiet_openings(state_type& state) noexcept {
        detail::node_queue failed(std::move(state.failed_openings));
        detail::node_queue quiet;
        while (detail::queue_node* const node = failed.pop_front()) {
            const bool waits = state.directory.posts_in_flight(message_of(*node).header().channel_number);
            (waits ? state.failed_openings : quiet).push_back(*node);
        }
        return quiet;
    }

    static void conclude_failed_opening(state_type& state, message& answer) noexcept {
        group_core& group = *route_of(answer).group;
        TOFU_ASSERT(group.channels != 0);
        --group.channels;
        state.delivery.bind(answer, answer.header().channel_number, route_of(answer).generation);
        node_of(answer).kind = detail::node_kind::goodbye;
        state.delivery.deliver(group, answer);
    }
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
