// SPDX-License-Identifier: BSL-1.0
// The living groups of an engine, and their numbers.
#ifndef TOFU_ENGINE_CHANNEL_GROUP_REGISTRY_HPP
#define TOFU_ENGINE_CHANNEL_GROUP_REGISTRY_HPP

#include <tofu/config.hpp>
#include <tofu/engine/channel/group_core.hpp>
#include <tofu/status.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <utility>

namespace tofu::inline TOFU_ABI::engine {

/// Groups come and go seldom: a lock, a list and a set of numbers are enough. Any thread.
class group_registry {
public:
    /// The largest number of groups that an engine can have at a time.
    static constexpr std::size_t most_groups = 0xFFFF;

    /// A new group. Null: `why` says shutdown_started (the registry is closed) or allocation_failed (memory or numbers
    /// are short). Constant time, see free_id.
    [[nodiscard]] ref<group_core> make(message_ptr pool_empty_reserve, handoff::between which, status& why) noexcept {
        why = status::allocation_failed;
        if (!pool_empty_reserve) return {};
        const std::lock_guard lock(mutex_);
        if (closed_) {
            why = status::shutdown_started;
            return {};
        }
        const std::uint16_t id = free_id();
        if (id == 0) return {};
        auto* const group = new (std::nothrow) group_core(id, std::move(pool_empty_reserve), which);
        if (group == nullptr) return {};
        last_id_ = id;
        use(id, true);
        groups_.push_back(*group);
        why = status::success;
        return ref<group_core>::adopt(group);
    }

    /// Removes the group from the registry, and frees its number.
    void erase(group_core& group) noexcept {
        const std::lock_guard lock(mutex_);
        TOFU_ASSERT(list::contains(group) && is_used(group.id));
        groups_.erase(group);
        use(group.id, false);
    }

    /// Visits every group.
    template <class Visit>
    void for_each(Visit visit) noexcept {
        const std::lock_guard lock(mutex_);
        visit_all(visit);
    }

    /// Visits every group. No group can be made after it.
    template <class Visit>
    void close(Visit visit) noexcept {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        visit_all(visit);
    }

private:
    using list = detail::intrusive_list<group_core, &group_core::registry_hook>;

    template <class Visit>
    void visit_all(Visit visit) noexcept {
        for (group_core* group = groups_.front(); group != nullptr; group = list::next(*group)) visit(*group);
    }

    using word = std::uint64_t;
    static constexpr std::size_t bits = 64;

    /// The next free number after the last one, so that a number is not used again soon. Looks at 1,024 words at most.
    /// 0: all numbers are in use.
    [[nodiscard]] std::uint16_t free_id() const noexcept {
        const std::size_t begin = (last_id_ + std::size_t{1}) % (most_groups + 1);
        for (std::size_t i = 0; i <= used_.size(); ++i) {
            const std::size_t which = (begin / bits + i) % used_.size();
            word free = ~used_[which];
            if (i == 0) free &= ~word{0} << (begin % bits); // the numbers below `begin` come last
            if (free == 0) continue;
            return static_cast<std::uint16_t>(which * bits + static_cast<std::size_t>(std::countr_zero(free)));
        }
        return 0;
    }

    [[nodiscard]] bool is_used(std::uint16_t id) const noexcept { return (used_[id / bits] >> (id % bits) & 1U) != 0; }

    void use(std::uint16_t id, bool in_use) noexcept {
        TOFU_ASSERT(is_used(id) != in_use);
        const word bit = word{1} << (id % bits);
        word& which = used_[id / bits];
        which = in_use ? which | bit : which & ~bit;
    }

    std::mutex mutex_;
    list groups_;
    std::array<word, (most_groups + 1) / bits> used_{1}; ///< a bit for each number; the number 0 is always in use
    std::uint16_t last_id_ = 0;
    bool closed_ = false;
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
