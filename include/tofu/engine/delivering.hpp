// SPDX-License-Identifier: BSL-1.0
// From the loop to the application: received messages, messages that come back, notices and goodbyes.
#ifndef TOFU_ENGINE_DELIVERING_HPP
#define TOFU_ENGINE_DELIVERING_HPP

#include <tofu/engine/loop_state.hpp>

namespace tofu::engine {

/// Puts a message where the group's next hand-over takes it along. A destroyed group gets nothing: the message returns
/// to its pool, and a goodbye's number is free at once.
template <class Policies>
void deliver(loop_state<Policies>& state, group_core& group, message& m) noexcept {
    if (group.destroyed) {
        if (node_of(m).kind == node_kind::goodbye) state.directory.free(m.header().channel_number);
        state.cache.put(m);
        return;
    }
    group.outgoing.push_back(node_of(m));
    state.outgoing.push_back(group);
}

/// One hand-over per group for everything a turn has produced.
template <class Policies>
void hand_over(loop_state<Policies>& state) noexcept {
    while (group_core* const group = state.outgoing.pop_front()) group->mail.push_all(group->outgoing);
}

/// The message was received on this channel, or is about it: an answer must not reach a later owner of the number.
template <class Policies>
void bind_to_channel(const loop_state<Policies>& state, message& m, std::uint16_t number,
                     std::uint32_t generation) noexcept {
    m.header().channel_number = number;
    route_of(m).engine = state.engine_id;
    route_of(m).number = number;
    route_of(m).generation = generation;
}

/// A posted message comes back as it was posted, with the status that says why. Its channel may be gone already.
template <class Policies>
void give_back(loop_state<Policies>& state, group_core& group, message& m, status why,
               std::uint32_t generation) noexcept {
    m.header().origin = origin::engine;
    m.header().status_byte = static_cast<std::uint8_t>(why);
    bind_to_channel(state, m, m.header().channel_number, generation);
    deliver(state, group, m);
}

/// Makes an answer or a notice of the engine out of a message whose text headers have room for a reason.
inline void make_notice(message& m, op_code op, status why, const cause& reason) noexcept {
    binary_header& h = m.header();
    h.op = op;
    h.origin = origin::engine;
    h.more = false;
    h.status_byte = static_cast<std::uint8_t>(why);
    h.body_length = 0;
    m.body().clear();
    m.headers().clear();
    // Cannot fail: every such message has text header memory for the longest reason, see reason_room.
    static_cast<void>(m.headers().append(reason_header, to_text(reason).view()));
    h.text_headers_length = static_cast<std::uint16_t>(m.headers().size_bytes());
}

/// Bytes of text header memory a message needs to be able to carry any reason.
inline constexpr std::size_t reason_room = 64;

/// The group is told that receiving has stopped: once per episode, and never twice before it was read.
template <class Policies>
void tell_starved(loop_state<Policies>& state, group_core& group) noexcept {
    if (group.told_episode == state.episode) return;
    group.told_episode = state.episode;
    if (group.pool_empty_unread.load(std::memory_order_acquire)) return;
    if (!group.pool_empty_reserve) group.pool_empty_reserve = owned(state.messages.make());
    if (!group.pool_empty_reserve) return; // the application keeps the last notice, and there is no memory for another
    message& m = *group.pool_empty_reserve.release();
    m.header() = {
        .op = op_code::signal, .origin = origin::engine, .status_byte = static_cast<std::uint8_t>(status::pool_empty)};
    node_of(m).kind = node_kind::pool_empty;
    group.pool_empty_unread.store(true, std::memory_order_relaxed);
    deliver(state, group, m);
}

} // namespace tofu::engine

#endif
