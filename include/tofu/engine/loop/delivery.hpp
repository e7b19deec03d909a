// SPDX-License-Identifier: BSL-1.0
// From the loop to the application: received messages, messages that come back, notices and goodbyes.
#ifndef TOFU_ENGINE_LOOP_DELIVERY_HPP
#define TOFU_ENGINE_LOOP_DELIVERY_HPP

#include <tofu/config.hpp>
#include <tofu/detail/intrusive_list.hpp>
#include <tofu/engine/channel/channel_directory.hpp>
#include <tofu/engine/channel/group_core.hpp>
#include <tofu/engine/memory/message_cache.hpp>
#include <tofu/engine/memory/message_pool.hpp>
#include <tofu/engine/protocol/notices.hpp>
#include <tofu/message_ptr.hpp>

#include <atomic>
#include <cstdint>

namespace tofu::inline TOFU_ABI::engine {

/// Collects the messages that a turn has for the groups, and hands them over once per group. I/O thread, or the
/// borrower of its loan.
class delivery {
public:
    /// `engine` is the number of the engine; see next_engine_id.
    delivery(std::uint32_t engine, channel_directory& directory, message_pool& pool, message_cache& cache) noexcept
        : engine_(engine), directory_(directory), pool_(pool), cache_(cache) {}

    /// Adds a message to the group's next hand-over. A destroyed group gets nothing: the message returns to its pool,
    /// and the number of a goodbye is free at once.
    void deliver(group_core& group, message& m) noexcept {
        if (group.destroyed) {
            if (node_of(m).kind == detail::node_kind::goodbye) directory_.free(m.header().channel_number);
            cache_.release(m);
            return;
        }
        group.outgoing.push_back(node_of(m));
        outgoing_.push_back(group);
    }

    /// Notes in the message which channel it belongs to, so that an answer cannot reach a later owner of the number.
    void bind(message& m, std::uint16_t number, std::uint32_t generation) const noexcept {
        TOFU_ASSERT(number != no_channel);
        m.header().channel_number = number;
        route_of(m).bind(engine_, number, generation);
    }

    /// Returns a posted message as it was posted, with the status `why`. Its channel may be gone already.
    void return_posted(group_core& group, message& m, status why, std::uint32_t generation) noexcept {
        TOFU_ASSERT(why != status::success);
        put_status(m, why);
        bind(m, m.header().channel_number, generation);
        deliver(group, m);
    }

    /// Tells the group, at most once per episode, that receiving has stopped. Says nothing if memory is short. No
    /// second notice follows before the application has received the first one.
    void tell_starved(group_core& group, std::uint64_t episode) noexcept {
        TOFU_ASSERT(group.told_episode <= episode);
        if (group.told_episode == episode) return;
        group.told_episode = episode;
        if (group.pool_empty_unread.load(std::memory_order_acquire)) return;
        if (!group.pool_empty_reserve) group.pool_empty_reserve = owned(pool_.allocate());
        if (!group.pool_empty_reserve) return; // the application keeps the last notice, and memory is short
        message& m = *group.pool_empty_reserve.release();
        m.header() = {.op = op_code::signal};
        put_status(m, status::pool_empty);
        node_of(m).kind = detail::node_kind::pool_empty;
        group.pool_empty_unread.store(true, std::memory_order_relaxed);
        deliver(group, m);
    }

    /// Hands over everything that was delivered: one push for each group.
    void hand_over() noexcept {
        while (group_core* const group = outgoing_.pop_front()) {
            group->mail.push_all(group->outgoing);
            unread_.push_back(*group);
        }
    }

    /// Call when the group got mail that did not go through the loop.
    void note_mail(group_core& group) noexcept { unread_.push_back(group); }

    /// True: a group has mail that its application has not received.
    [[nodiscard]] bool has_unread() noexcept {
        while (group_core* const group = unread_.front()) {
            if (group->mail.has_unread()) return true;
            unread_.erase(*group);
        }
        return false;
    }

    /// Marks the group as destroyed. Messages that were delivered before go into its mailbox, and the mailbox's owner
    /// empties it.
    void destroy(group_core& group) noexcept {
        TOFU_ASSERT(!group.destroyed);
        group.destroyed = true;
        unread_.erase(group);
        outgoing_.erase(group);
        group.mail.push_all(group.outgoing);
    }

private:
    const std::uint32_t engine_;
    channel_directory& directory_;
    message_pool& pool_;
    message_cache& cache_;
    detail::intrusive_list<group_core, &group_core::outgoing_hook> outgoing_; ///< groups with something to hand over
    detail::intrusive_list<group_core, &group_core::unread_hook> unread_;     ///< groups that may have mail
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
