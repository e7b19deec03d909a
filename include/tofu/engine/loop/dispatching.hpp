// SPDX-License-Identifier: BSL-1.0
// What comes out of the inbox, and where it goes.
#ifndef TOFU_ENGINE_LOOP_DISPATCHING_HPP
#define TOFU_ENGINE_LOOP_DISPATCHING_HPP

#include <tofu/config.hpp>
#include <tofu/engine/loop/closing.hpp>
#include <tofu/engine/loop/loop_state.hpp>
#include <tofu/engine/loop/opening.hpp>
#include <tofu/engine/loop/writing.hpp>
#include <tofu/engine/threads/loop_command.hpp>

#include <memory>

namespace tofu::inline TOFU_ABI::engine {

/// A message for a channel that exists.
template <class Policies>
void dispatch_to_channel(loop_state<Policies>& state, channel<Policies>& ch, message& m) noexcept {
    const op_code op = m.header().op;
    if (op == op_code::bye_signal) {
        end_channel(state, ch, cause::of(reason::aborted));
        state.cache.release(m);
    } else if (ch.ended()) {
        ch.returns.push_back(node_of(m));
    } else if (!ch.conversation.queue(op)) {
        // Two threads posted at once, and the bye came in first.
        give_back(state, *ch.group, m, status::channel_closed, ch.generation);
    } else {
        // The peer's answer to it may be here, and be answered, before the thread that has posted it goes on.
        if (op == op_code::hello_response) state.directory.mark(ch.number, channel_word::hello_posted);
        ch.writer.push(m);
        if (op == op_code::bye_request) begin_bye_limit(state, ch);
        state.touch(ch);
    }
}

template <class Policies>
void dispatch_message(loop_state<Policies>& state, message& m) noexcept {
    const op_code op = m.header().op;
    if (op == op_code::hello_request || op == op_code::welcome_request) {
        open_channel(state, m);
        return;
    }
    void* const slot = state.directory.channel(m.header().channel_number);
    if (slot != nullptr) {
        dispatch_to_channel(state, *static_cast<channel<Policies>*>(slot), m);
    } else if (op == op_code::bye_signal) {
        state.cache.release(m);
    } else {
        // The channel never got a slot: its failed answer waits for this very post to be through.
        give_back(state, *route_of(m).group, m, status::allocation_failed, route_of(m).generation);
    }
}

/// The application has taken everything a half-closed peer sent: nothing more can be posted, what is queued is sent.
template <class Policies>
void dispatch_end_of_stream(loop_state<Policies>& state, message& marker) noexcept {
    auto* const ch = static_cast<channel<Policies>*>(state.directory.channel(marker.header().channel_number));
    if (ch != nullptr && ch->generation == route_of(marker).generation && !ch->ended()) {
        ch->conversation.end_seen();
        state.directory.mark(ch->number, channel_word::posting_over);
        state.room_made = true; // whoever waits for room in this queue must learn that nothing is taken any more
        state.touch(*ch);
    }
    state.cache.release(marker);
}

/// A timer arrives once to be scheduled, and once more if it is cancelled after that.
template <class Policies>
void dispatch_timer(loop_state<Policies>& state, application_timer<typename Policies::timer>& timer) noexcept {
    using stage = typename application_timer<typename Policies::timer>::stage;
    const bool first_time = !timer.hook.linked;
    if (first_time && !state.stopping && !timer.group->destroyed && timer.advance(stage::posted, stage::scheduled)) {
        state.timers.schedule(timer, timer.due);
        state.application_timers.push_back(timer);
        return;
    }
    drop_timer(state, timer);
}

/// The loop's share in a timer ends.
template <class Policies>
void drop_timer(loop_state<Policies>& state, application_timer<typename Policies::timer>& timer) noexcept {
    using timer_type = application_timer<typename Policies::timer>;
    state.timers.cancel(timer);
    state.application_timers.erase(timer);
    if (timer.state.exchange(timer_type::stage::settled, std::memory_order_acq_rel) != timer_type::stage::settled)
        timer.content.reset(); // its group is gone, or the engine ends
    static_cast<void>(ref<timer_type>::adopt(&timer));
}

/// The group of a scheduled timer is gone, or the engine ends. One that was cancelled stays: it is on its way through
/// the inbox once more, and leaves then.
template <class Policies>
void abandon_timer(loop_state<Policies>& state, application_timer<typename Policies::timer>& timer) noexcept {
    using stage = typename application_timer<typename Policies::timer>::stage;
    if (!timer.advance(stage::scheduled, stage::settled)) return;
    timer.content.reset();
    drop_timer(state, timer);
}

/// Those of which `is_over` is true.
template <class Policies, class IsOver>
void abandon_timers([[maybe_unused]] loop_state<Policies>& state, [[maybe_unused]] IsOver is_over) noexcept {
    if constexpr (Policies::timer::has_timers) {
        for (auto* timer = state.application_timers.front(); timer != nullptr;) {
            auto* const next = decltype(state.application_timers)::next(*timer);
            if (is_over(*timer)) abandon_timer(state, *timer);
            timer = next;
        }
    }
}

/// A timer's time has come: if nobody has cancelled it, its message is on its way.
template <class Policies>
void fire_timer(loop_state<Policies>& state, application_timer<typename Policies::timer>& timer) noexcept {
    using stage = typename application_timer<typename Policies::timer>::stage;
    if (!timer.advance(stage::scheduled, stage::settled)) return; // its cancellation is in the inbox
    deliver(state, *timer.group, *timer.content.release());
    drop_timer(state, timer);
}

template <class Policies>
void run_command(loop_state<Policies>& state, loop_command& command) noexcept {
    if (command.run(&state, command.context)) {
        state.commands_done = true;
        command.done.store(true, std::memory_order_seq_cst); // its caller may be gone after this
    } else {
        state.commands.push_back(command);
    }
}

/// Commands that were not complete when they were last asked.
template <class Policies>
void ask_commands_again(loop_state<Policies>& state) noexcept {
    detail::node_queue waiting(std::move(state.commands));
    while (detail::queue_node* const node = waiting.pop_front()) run_command(state, static_cast<loop_command&>(*node));
}

/// Everything that has come in, in its order.
template <class Policies>
void drain_inbox(loop_state<Policies>& state) noexcept {
    using resolution_type = resolution<typename channel<Policies>::endpoint>;
    detail::node_queue batch = state.in.take_all();
    while (detail::queue_node* const node = batch.pop_front()) {
        switch (node->kind) {
        case detail::node_kind::message: dispatch_message(state, message_of(*node)); break;
        case detail::node_kind::end_of_stream: dispatch_end_of_stream(state, message_of(*node)); break;
        case detail::node_kind::command: run_command(state, static_cast<loop_command&>(*node)); break;
        case detail::node_kind::timer:
            if constexpr (Policies::timer::has_timers)
                dispatch_timer(state, static_cast<application_timer<typename Policies::timer>&>(*node));
            break;
        case detail::node_kind::resolution:
            take_resolution(state, std::unique_ptr<resolution_type>(static_cast<resolution_type*>(node)));
            break;
        case detail::node_kind::goodbye:
        case detail::node_kind::pool_empty: break; // travel the other way only
        }
    }
}

} // namespace tofu::inline TOFU_ABI::engine

#endif
