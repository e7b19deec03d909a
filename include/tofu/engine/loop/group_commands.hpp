// SPDX-License-Identifier: BSL-1.0
// What other threads have the loop do: destroy a group, wait until all is sent, tell about a channel.
#ifndef TOFU_ENGINE_LOOP_GROUP_COMMANDS_HPP
#define TOFU_ENGINE_LOOP_GROUP_COMMANDS_HPP

#include <tofu/config.hpp>
#include <tofu/engine/loop/closing.hpp>
#include <tofu/engine/loop/dispatching.hpp>
#include <tofu/engine/loop/loop_state.hpp>

#include <atomic>

namespace tofu::inline TOFU_ABI::engine {

/// Closes the group's channels; complete when the last has ended. Nothing is delivered to it from now on.
template <class Policies>
[[nodiscard]] bool destroy_group(loop_state<Policies>& state, group_core& group) noexcept {
    if (!group.destroyed) {
        group.destroyed = true;
        state.unread.erase(group);
        state.outgoing.erase(group);
        group.mail.push_all(group.outgoing); // for whoever drains the mailbox in the end
        using channel_type = channel<Policies>;
        state.channels.for_each([&](channel_type& ch) {
            if (ch.group.get() == &group) end_channel(state, ch, cause::of(reason::group_destroyed));
        });
        abandon_timers(state, [&](const auto& timer) { return timer.group.get() == &group; });
    }
    return group.channels == 0;
}

/// Everything that `post` accepted before is handed to the kernel or on its way back.
template <class Policies>
[[nodiscard]] bool all_is_sent(loop_state<Policies>& state) noexcept {
    bool sent = state.closing.empty() && state.failed_openings.empty();
    state.channels.for_each([&](channel<Policies>& ch) { sent = sent && (ch.ended() || ch.writer.empty()); });
    return sent;
}

/// False when the group has no such channel.
template <class Policies>
[[nodiscard]] bool describe_channel(loop_state<Policies>& state, const group_core& group, std::uint16_t number,
                                    channel_stats& into) noexcept {
    auto* const ch = static_cast<channel<Policies>*>(state.directory.channel(number));
    if (ch == nullptr || ch->ended() || ch->unannounced() || ch->group.get() != &group) return false;
    auto& network = state.poller.network();
    into.listener = ch->listener;
    if (ch->attached)
        into.peer = network.to_address(ch->listener ? ch->socket.local_endpoint() : ch->socket.peer_endpoint());
    if (ch->attached && !ch->listener) into.credentials = ch->socket.peer_identity();
    into.queued_messages = state.directory.queued_messages(number);
    into.queued_bytes = state.directory.queued_bytes(number);
    if (!ch->listener && !ch->opened) { // its hello_request is kept until it is answered
        const message& hello = ch->request ? *ch->request : *ch->writer.first();
        ++into.queued_messages;
        into.queued_bytes += hello.wire_size();
    }
    into.bytes_sent = ch->counts.bytes_sent;
    into.bytes_received = ch->counts.bytes_received;
    into.messages_sent = ch->counts.messages_sent;
    into.messages_received = ch->counts.messages_received;
    return true;
}

} // namespace tofu::inline TOFU_ABI::engine

#endif
