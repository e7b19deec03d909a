// SPDX-License-Identifier: BSL-1.0
// Decides whether a posted message may enter the engine. Gives a new channel its number; checks the word of an existing
// one.
#ifndef TOFU_ENGINE_CHANNEL_ADMISSION_HPP
#define TOFU_ENGINE_CHANNEL_ADMISSION_HPP

#include <tofu/binary_header.hpp>
#include <tofu/config.hpp>
#include <tofu/engine/channel/channel_directory.hpp>
#include <tofu/engine/channel/channel_word.hpp>
#include <tofu/engine/channel/group_core.hpp>
#include <tofu/engine/protocol/post_checks.hpp>
#include <tofu/message.hpp>
#include <tofu/options.hpp>
#include <tofu/status.hpp>

#include <atomic>
#include <cstdint>

namespace tofu::inline TOFU_ABI::engine {

/// Any thread.
class admission {
public:
    /// `stopping` becomes true when the engine refuses posts, and stays true. All arguments must outlive this object.
    admission(channel_directory& directory, const options& opts, std::uint32_t engine,
              const std::atomic<bool>& stopping) noexcept
        : directory_(directory), opts_(opts), engine_(engine), stopping_(stopping) {}

    struct verdict {
        status result = status::success;
        bool consumed = false; ///< with success: the message is accepted and discarded; no post is in flight
        bool wakes = false;    ///< without success: the loop waited only for this post, so the caller must wake it
    };

    /// On success, unless the message is consumed, one post is in flight. The caller ends it with
    /// channel_directory::exit.
    [[nodiscard]] verdict admit(const group_core& group, message& m) noexcept {
        verdict given = opens_channel(m.header().op) ? open(group, m) : enter(group, m);
        if (given.result == status::invalid_channel_number && is_stopping()) given.result = status::shutdown_started;
        return given;
    }

    /// True: the send queue of the channel has room for `bytes` more, or posting to it is over, or the engine stops.
    [[nodiscard]] bool has_room(std::uint16_t number, std::size_t bytes) const noexcept {
        return is_stopping() || directory_.has_room(number, bytes, opts_.max_queued_messages, opts_.max_queued_bytes);
    }

private:
    [[nodiscard]] bool is_stopping() const noexcept { return stopping_.load(std::memory_order_seq_cst); }

    [[nodiscard]] verdict enter(const group_core& group, message& m) noexcept {
        const binary_header& h = m.header();
        const message_route& route = route_of(m);
        // True: this engine delivered `m` under the number to which it is posted now.
        const bool bound = route.engine == engine_ && route.number == h.channel_number;
        const std::uint32_t generation = bound ? route.generation : channel_directory::any_generation;
        const auto entered = directory_.enter(h.channel_number, group.id, generation, h.op);
        if (entered.result != status::success || !needs_room(h.op)) return {entered.result, entered.consumed};
        if (directory_.reserve(h.channel_number, m.wire_size(), opts_.max_queued_messages, opts_.max_queued_bytes))
            return {status::success, entered.consumed};
        return {.result = status::send_failed, .wakes = directory_.exit(h.channel_number, h.op)};
    }

    /// Takes a number, before any network work is done. The number comes first, then the look at `stopping`, both
    /// seq_cst: either the stopping loop sees the post in flight, or the post sees that the engine stops.
    [[nodiscard]] verdict open(const group_core& group, message& m) noexcept {
        // A request that fails later comes back with a reason, so the memory for the reason is reserved now.
        if (!m.headers().buffer().reserve(m.headers().size_bytes() + reason_room)) return {status::allocation_failed};
        const bool listens = m.header().op == op_code::welcome_request;
        const auto given = directory_.open(group.id, listens ? channel_word::listener : 0, true);
        if (given.number == no_channel) return {status::allocation_failed};
        if (is_stopping()) {
            static_cast<void>(directory_.exit(given.number, m.header().op));
            directory_.free(given.number);
            return {status::shutdown_started};
        }
        m.header().channel_number = given.number;
        route_of(m).bind(0, given.number, given.generation);
        return {};
    }

    channel_directory& directory_;
    const options& opts_;
    const std::uint32_t engine_;
    const std::atomic<bool>& stopping_;
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
