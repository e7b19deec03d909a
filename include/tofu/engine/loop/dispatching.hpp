// SPDX-License-Identifier: BSL-1.0
// Takes the nodes out of the inbox, and gives each node to the step that handles it.
#ifndef TOFU_ENGINE_LOOP_DISPATCHING_HPP
#define TOFU_ENGINE_LOOP_DISPATCHING_HPP

#include <tofu/config.hpp>
#include <tofu/detail/queue_node.hpp>
#include <tofu/engine/channel/channel_word.hpp>
#include <tofu/engine/channel/resolution.hpp>
#include <tofu/engine/loop/closing.hpp>
#include <tofu/engine/loop/loop_state.hpp>
#include <tofu/engine/loop/opening.hpp>
#include <tofu/engine/threads/loop_command.hpp>
#include <tofu/reason.hpp>
#include <tofu/status.hpp>

#include <memory>

namespace tofu::inline TOFU_ABI::engine {

template <class Policies>
class dispatching {
    using state_type = loop_state<Policies>;
    using channel_type = channel<Policies>;
    using resolution_type = resolution<typename channel_type::endpoint>;

public:
    /// Handles everything in the inbox, oldest first.
    static void drain_inbox(state_type& state) noexcept {
        detail::node_queue batch = state.inbox.take_all();
        while (detail::queue_node* const node = batch.pop_front()) {
            switch (node->kind) {
            case detail::node_kind::message: dispatch_message(state, message_of(*node)); break;
            case detail::node_kind::end_of_stream: dispatch_end_of_stream(state, message_of(*node)); break;
            case detail::node_kind::command: state.commands.run(&state, static_cast<loop_command&>(*node)); break;
            case detail::node_kind::timer:
                if constexpr (Policies::timer::has_timers) state.application_timers.take(*node, !state.stopping);
                break;
            case detail::node_kind::resolution:
                opening<Policies>::take_resolution(
                    state, std::unique_ptr<resolution_type>(static_cast<resolution_type*>(node)));
                break;
            case detail::node_kind::goodbye:
            case detail::node_kind::pool_empty: TOFU_ASSERT(false); break; // they travel the other way only
            }
        }
    }

    /// Handles a message for a channel that exists.
    static void dispatch_to_channel(state_type& state, channel_type& ch, message& m) noexcept {
        const op_code op = m.header().op;
        if (op == op_code::bye_signal) {
            closing<Policies>::end(state, ch, cause::of(reason::aborted));
            state.cache.release(m);
        } else if (ch.has_ended()) {
            ch.returns.push_back(node_of(m));
        } else if (!ch.conversation.queue(op)) {
            // Two threads posted at once, and the bye came in first.
            state.delivery.return_posted(*ch.group, m, status::channel_closed, ch.generation);
        } else {
            // Mark now: before the posting thread goes on, the peer may answer, and the application may answer the
            // peer.
            if (op == op_code::hello_response) state.directory.mark(ch.number, channel_word::hello_posted);
            ch.writer.push(m);
            if (op == op_code::bye_request && ch.is_open())
                ch.limits.begin_bye(state.reading_time(), state.opts.bye_time);
            state.request_update(ch);
        }
    }

private:
    static void dispatch_message(state_type& state, message& m) noexcept {
        const op_code op = m.header().op;
        if (opens_channel(op)) {
            opening<Policies>::open(state, m);
        } else if (channel_type* const ch = state.channel_of(m.header().channel_number)) {
            dispatch_to_channel(state, *ch, m);
        } else if (op == op_code::bye_signal) {
            state.cache.release(m);
        } else {
            // The channel never got a slot. Its failed answer waits until this post has ended.
            state.delivery.return_posted(*route_of(m).group, m, status::allocation_failed, route_of(m).generation);
        }
    }

    /// The application has received everything that a half-closed peer has sent. From now on `post` refuses; queued
    /// messages are still sent.
    static void dispatch_end_of_stream(state_type& state, message& marker) noexcept {
        channel_type* const ch = state.channel_of(marker.header().channel_number);
        if (ch != nullptr && ch->generation == route_of(marker).generation && !ch->has_ended()) {
            ch->conversation.end_seen();
            state.directory.mark(ch->number, channel_word::posting_over);
            state.room_made = true; // a thread that waits for room must learn that `post` refuses
            state.request_update(*ch);
        }
        state.cache.release(marker);
    }
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
