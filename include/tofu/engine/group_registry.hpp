// SPDX-License-Identifier: BSL-1.0
// The groups of an engine that live, and their numbers.
#ifndef TOFU_ENGINE_GROUP_REGISTRY_HPP
#define TOFU_ENGINE_GROUP_REGISTRY_HPP

#include <tofu/engine/group_core.hpp>
#include <tofu/status.hpp>

#include <cstdint>
#include <mutex>
#include <new>
#include <utility>

namespace tofu::engine {

/// Any thread. Groups come and go seldom: a lock and a list are enough.
class group_registry {
public:
    /// A new group, unless the registry is closed (shutdown_started) or memory or numbers are short
    /// (allocation_failed).
    [[nodiscard]] ref<group_core> make(message_ptr pool_empty_reserve, status& why) noexcept {
        why = status::allocation_failed;
        if (!pool_empty_reserve) return {};
        const std::lock_guard lock(mutex_);
        if (closed_) {
            why = status::shutdown_started;
            return {};
        }
        const std::uint16_t id = free_id();
        if (id == 0) return {};
        auto* const group = new (std::nothrow) group_core(id, std::move(pool_empty_reserve));
        if (group == nullptr) return {};
        groups_.push_back(*group);
        why = status::success;
        return ref<group_core>::adopt(group);
    }

    void erase(group_core& group) noexcept {
        const std::lock_guard lock(mutex_);
        groups_.erase(group);
    }

    /// Visits every group and lets none be made after it.
    template <class Visit>
    void close(Visit visit) noexcept {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        for (group_core* group = groups_.front(); group != nullptr; group = list::next(*group)) visit(*group);
    }

private:
    using list = intrusive_list<group_core, &group_core::registry_hook>;

    /// Numbers go round, so that one is not used again soon. 0: all are in use.
    [[nodiscard]] std::uint16_t free_id() noexcept {
        for (std::uint32_t tried = 0; tried < last_id; ++tried) {
            next_id_ = next_id_ % last_id + 1;
            if (!in_use(next_id_)) return static_cast<std::uint16_t>(next_id_);
        }
        return 0;
    }

    [[nodiscard]] bool in_use(std::uint32_t id) const noexcept {
        for (const group_core* group = groups_.front(); group != nullptr; group = list::next(*group))
            if (group->id == id) return true;
        return false;
    }

    static constexpr std::uint32_t last_id = 0xFFFF;
    std::mutex mutex_;
    list groups_;
    std::uint32_t next_id_ = 0;
    bool closed_ = false;
};

} // namespace tofu::engine

#endif
