// SPDX-License-Identifier: BSL-1.0
// Groups and the delivery to them, without a loop. Used by the tests of the loop's own classes.
#ifndef TOFU_TEST_SUPPORT_BARE_DELIVERY_HPP
#define TOFU_TEST_SUPPORT_BARE_DELIVERY_HPP

#include <tofu/engine/channel/channel_directory.hpp>
#include <tofu/engine/channel/group_core.hpp>
#include <tofu/engine/loop/delivery.hpp>
#include <tofu/engine/memory/message_cache.hpp>
#include <tofu/engine/memory/message_pool.hpp>
#include <tofu/message.hpp>
#include <tofu/message_ptr.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace tofu_test {

/// The delivery of an engine with the number 7, and its groups.
struct bare_delivery {
    using group_core = tofu::engine::group_core;
    using group_ref = tofu::engine::ref<group_core>;

    bare_delivery()
        : pool(*tofu::engine::message_pool::create({.initial_messages = 0}))
        , cache(pool)
        , out(engine, directory, pool, cache) {}
    bare_delivery(const bare_delivery&) = delete;
    bare_delivery& operator=(const bare_delivery&) = delete;
    ~bare_delivery() {
        for (const group_ref& each : groups)
            if (!each->destroyed) out.destroy(*each);
        groups.clear();
        cache.flush();
        pool.close();
    }

    group_core& make_group() {
        const auto id = static_cast<std::uint16_t>(groups.size() + 1);
        tofu::message_ptr reserve = tofu::engine::owned(pool.allocate());
        groups.push_back(
            group_ref::adopt(new group_core(id, std::move(reserve), tofu::engine::handoff::between::one_thread)));
        return *groups.back();
    }

    /// A message that can be told from others by its id.
    tofu::message& make_message(std::uint64_t id) {
        tofu::message& m = *pool.acquire_uncounted();
        m.header().message_id = id;
        return m;
    }

    void deliver(group_core& group, std::uint64_t id) { out.deliver(group, make_message(id)); }

    /// Messages that are not in the pool.
    std::size_t messages_outside() {
        cache.flush();
        return pool.outstanding();
    }

    static constexpr std::uint32_t engine = 7;
    tofu::engine::message_pool& pool;
    tofu::engine::channel_directory directory;
    tofu::engine::message_cache cache;
    tofu::engine::delivery out;
    std::vector<group_ref> groups;
};

/// Receives the next message as the application does. Null: there is none.
inline tofu::message_ptr receive(tofu::engine::group_core& group) {
    tofu::detail::queue_node* const node = group.mail.pop();
    return tofu::engine::owned(node != nullptr ? &tofu::engine::message_of(*node) : nullptr);
}

/// The ids of all messages that the application can receive, in their order.
inline std::vector<std::uint64_t> receive_all(tofu::engine::group_core& group) {
    std::vector<std::uint64_t> ids;
    while (const tofu::message_ptr m = receive(group)) ids.push_back(m->header().message_id);
    return ids;
}

} // namespace tofu_test

#endif
