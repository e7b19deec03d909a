// SPDX-License-Identifier: BSL-1.0
// The commands that other threads give to the loop: destroy a group, wait until all is sent, describe a channel.
#ifndef TOFU_ENGINE_LOOP_GROUP_COMMANDS_HPP
#define TOFU_ENGINE_LOOP_GROUP_COMMANDS_HPP

#include <tofu/config.hpp>
#include <tofu/engine/loop/closing.hpp>
#include <tofu/engine/loop/loop_state.hpp>
#include <tofu/reason.hpp>
#include <tofu/stats.hpp>

#include <cstdint>

namespace tofu::inline TOFU_ABI::engine {

template <class Policies>
class group_commands {
    using state_type = loop_state<Policies>;
    using channel_type = channel<Policies>;

public:
    /// Closes the group's channels. True: the last of them has ended. Nothing is delivered to the group from now on.
    [[nodiscard]] static bool destroy(state_type& state, group_core& group) noexcept {
        if (!group.destroyed) {
            state.delivery.destroy(group);
            state.channels.for_each([&](channel_type& ch) noexcept {
                if (ch.group.get() == &group) closing<Policies>::end(state, ch, cause::of(reason::group_destroyed));
            });
            state.application_timers.abandon([&](const auto& timer) { return timer.group.get() == &group; });
        }
        return group.channels == 0;
    }

    /// True: no send queue holds a message, and no ended channel still has messages to return.
    [[nodiscard]] static bool all_is_sent(state_type& state) noexcept {
        bool sent = state.closing.empty() && state.failed_openings.empty();
        state.channels.for_each(
            [&](channel_type& ch) noexcept { sent = sent && (ch.has_ended() || ch.writer.empty()); });
        return sent;
    }

    /// Fills in the figures of a channel. False: the group has no such channel.
    [[nodiscard]] static bool describe(state_type& state, const group_core& group, std::uint16_t number,
                                       channel_stats& into) noexcept {
        const channel_type* const ch = state.channel_of(number);
        if (ch == nullptr || ch->has_ended() || ch->is_hidden() || ch->group.get() != &group) return false;
        auto& network = state.poller.network();
        into.listener = ch->listener;
        if (ch->is_attached())
            into.peer = network.to_address(ch->listener ? ch->socket.local_endpoint() : ch->socket.peer_endpoint());
        if (ch->is_attached() && !ch->listener) into.credentials = ch->socket.peer_identity();
        into.queued_messages = state.directory.queued_messages(number);
        into.queued_bytes = state.directory.queued_bytes(number);
        if (!ch->listener && !ch->is_opened()) { // its hello_request counts too, without room in the queue
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
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
