// SPDX-License-Identifier: BSL-1.0
// A channel group inside the engine: its mailbox, its notice, and the messages that the loop is about to deliver.
#ifndef TOFU_ENGINE_CHANNEL_GROUP_CORE_HPP
#define TOFU_ENGINE_CHANNEL_GROUP_CORE_HPP

#include <tofu/config.hpp>
#include <tofu/detail/intrusive_list.hpp>
#include <tofu/engine/threads/mailbox.hpp>
#include <tofu/engine/threads/ref.hpp>
#include <tofu/message_ptr.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tofu::inline TOFU_ABI::engine {

/// Shared by the application's channel_group, the group's channels and its timers. Any thread may release a reference.
struct group_core {
    group_core(std::uint16_t number, message_ptr reserve, handoff::between which) noexcept
        : id(number), mail(which), pool_empty_reserve(std::move(reserve)) {}
    group_core(const group_core&) = delete;
    group_core& operator=(const group_core&) = delete;
    ~group_core() {
        TOFU_ASSERT(channels == 0);
        while (detail::queue_node* const node = mail.pop()) owned(&message_of(*node)).reset();
    }

    ref_count references;
    const std::uint16_t id; ///< unique among the living groups of an engine
    mailbox mail;

    // The notice that receiving has stopped. It is set aside, so that it needs no memory when memory is short.
    message_ptr pool_empty_reserve;             ///< I/O thread; the receiver, while `pool_empty_unread`
    std::atomic<bool> pool_empty_unread{false}; ///< true exactly while the notice is in the mailbox

    // I/O thread only.
    detail::node_queue outgoing; ///< handed over to the mailbox at the end of the turn
    detail::list_hook<group_core> outgoing_hook;
    detail::list_hook<group_core> unread_hook;
    detail::list_hook<group_core> registry_hook; ///< under the registry's lock
    std::size_t channels = 0;                    ///< how many have not ended
    bool destroyed = false;                      ///< true exactly when nothing is delivered any more
    std::uint64_t told_episode = 0;              ///< the last episode of starvation that the group was told of
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
