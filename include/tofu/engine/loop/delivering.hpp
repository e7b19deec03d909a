// SPDX-License-Identifier: BSL-1.0
// From the loop to the application: received messages, messages that come back, notices and goodbyes.
#ifndef TOFU_ENGINE_LOOP_DELIVERING_HPP
#define TOFU_ENGINE_LOOP_DELIVERING_HPP

#include <tofu/config.hpp>
#include <tofu/engine/loop/loop_state.hpp>
#include <tofu/engine/protocol/post_checks.hpp>

namespace tofu::inline TOFU_ABI::engine {

/// Puts a message where the group's next hand-over takes it along. A destroyed group gets nothing: the message returns
/// to its pool, and a goodbye's number is free at once.
template <class Policies>
void deliver(loop_state<Policies>& state, group_core& group, message& m) noexcept {
    if (group.destroyed) {
        if (node_of(m).kind == detail::node_kind::goodbye) state.directory.free(m.header().channel_number);
        state.cache.release(m);
        return;
    }
    group.outgoing.push_back(node_of(m));
    state.outgoing.push_back(group);
}

/// One hand-over per group for everything a turn has produced.
template <class Policies>
void hand_over(loop_state<Policies>& state) noexcept {
    while (group_core* const group = state.outgoing.pop_front()) {
        group->mail.push_all(group->outgoing);
        state.unread.push_back(*group);
    }
}

/// The message was received on this channel, or is about it: an answer must not reach a later owner of the number.
template <class Policies>
void bind_to_channel(const loop_state<Policies>& state, message& m, std::uint16_t number,
                     std::uint32_t generation) noexcept {
    m.header().channel_number = number;
    route_of(m).bind(state.engine_id, number, generation);
}

/// Sets the engine as origin and this status, which `post` removes again.
inline void put_status(message& m, status what) noexcept {
    m.header().origin = origin::engine;
    m.header().status_byte = static_cast<std::uint8_t>(what);
    route_of(m).engine_status = static_cast<std::uint8_t>(what) & 0x1FU;
}

/// A posted message comes back as it was posted, with the status that says why. Its channel may be gone already.
template <class Policies>
void give_back(loop_state<Policies>& state, group_core& group, message& m, status why,
               std::uint32_t generation) noexcept {
    put_status(m, why);
    bind_to_channel(state, m, m.header().channel_number, generation);
    deliver(state, group, m);
}

/// Adds the cause to the last message of a channel: in memory for `message::why`, as a text header for people. The text
/// headers have room for it, see reason_room.
inline void explain(message& m, const cause& why) noexcept {
    static_cast<void>(m.headers().append(reason_header, to_text(why).view()));
    m.header().text_headers_length = static_cast<std::uint16_t>(m.headers().size_bytes());
    route_of(m).explain(why);
}

/// Makes the goodbye of an opened channel out of the message that was set aside for it.
inline void make_goodbye_signal(message& m, const cause& why) noexcept {
    m.header() = {.op = op_code::signal};
    put_status(m, status::channel_closed);
    explain(m, why);
}

/// A hello_request or welcome_request that failed becomes its own answer: it keeps its id, its text headers, its body
/// and its user pointer.
inline void make_failed_answer(message& request, status what, const cause& why) noexcept {
    binary_header& h = request.header();
    h.op = h.op == op_code::welcome_request ? op_code::welcome_response : op_code::hello_response;
    put_status(request, what);
    explain(request, why);
}

/// The group is told that receiving has stopped: once per episode, and never twice before it was read.
template <class Policies>
void tell_starved(loop_state<Policies>& state, group_core& group) noexcept {
    if (group.told_episode == state.episode) return;
    group.told_episode = state.episode;
    if (group.pool_empty_unread.load(std::memory_order_acquire)) return;
    if (!group.pool_empty_reserve) group.pool_empty_reserve = owned(state.messages.allocate());
    if (!group.pool_empty_reserve) return; // the application keeps the last notice, and there is no memory for another
    message& m = *group.pool_empty_reserve.release();
    m.header() = {.op = op_code::signal};
    put_status(m, status::pool_empty);
    node_of(m).kind = detail::node_kind::pool_empty;
    group.pool_empty_unread.store(true, std::memory_order_relaxed);
    deliver(state, group, m);
}

} // namespace tofu::inline TOFU_ABI::engine

#endif
