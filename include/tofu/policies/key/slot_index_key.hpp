// SPDX-License-Identifier: BSL-1.0
// The key policy whose keys are the index and the generation of a slot.
#ifndef TOFU_POLICIES_KEY_SLOT_INDEX_KEY_HPP
#define TOFU_POLICIES_KEY_SLOT_INDEX_KEY_HPP

#include <tofu/config.hpp>
#include <tofu/contract/slot_identity.hpp>
#include <tofu/policies/categories.hpp>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tofu::inline TOFU_ABI {

/// Meets the contract in policies/concepts/key.hpp. Index and generation take half of a pointer-sized word each: 32
/// bits, or 16 bits on 32-bit systems. A stale event holds an old generation, so it finds nothing. Only an event that
/// is late by exactly 2^32 owners of its slot (2^16 on 32-bit systems) would reach a later owner. Costs no memory; an
/// event costs one access to the pool's table. The default, because it needs nothing from the system, the pool or the
/// socket.
struct slot_index_key {
    using category = key_category;
    static constexpr std::string_view name = "slot_index_key";

    static constexpr bool closes_after_release = false;
    static constexpr unsigned half = sizeof(std::uintptr_t) * CHAR_BIT / 2;
    static constexpr std::uintptr_t low_half = (std::uintptr_t{1} << half) - 1;

    [[nodiscard]] static constexpr bool open(std::size_t) noexcept { return true; }

    /// Not 0, because the lower half is the index plus 1. Not all ones, because no pool has that many slots.
    template <class Slot, class Socket>
    [[nodiscard]] static std::uintptr_t make(const Slot& slot, const Socket&) noexcept {
        return of(slot.identity());
    }
    static constexpr void forget(std::uintptr_t) noexcept {}

    template <class Storage>
    [[nodiscard]] static auto* find(Storage& storage, std::uintptr_t key) noexcept {
        const std::uintptr_t index = (key & low_half) - 1;
        auto* const slot = storage.at(static_cast<std::uint32_t>(index));
        return slot != nullptr && of(slot->identity()) == key ? slot : nullptr;
    }

private:
    [[nodiscard]] static constexpr std::uintptr_t of(slot_identity who) noexcept {
        TOFU_ASSERT(who.index < low_half - 1);
        return (std::uintptr_t{who.generation} << half) | (std::uintptr_t{who.index} + 1);
    }
};

} // namespace tofu::inline TOFU_ABI

#endif
