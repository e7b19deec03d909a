// SPDX-License-Identifier: BSL-1.0
// The key policy that sends a slot's index and generation through the kernel.
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

/// Index and generation share one pointer-sized word, half each (16 + 16 bits on 32-bit systems). A stale event names
/// an old generation and finds nothing; on 32-bit systems one in 65,536 reuses of a slot could be taken for another, if
/// its event had stayed away that long. Costs no memory, and per event a look into the pool's table. The default: it
/// asks nothing of the system, the pool or the socket.
struct slot_index_key {
    using category = key_category;
    static constexpr std::string_view name = "slot_index_key";

    /// The socket may be closed before its registration is released.
    static constexpr bool closes_after_release = false;
    static constexpr unsigned half = sizeof(std::uintptr_t) * CHAR_BIT / 2;
    static constexpr std::uintptr_t low_half = (std::uintptr_t{1} << half) - 1;

    [[nodiscard]] static constexpr bool open(std::size_t) noexcept { return true; }

    /// The key of a slot: never 0, and never all ones, as no pool has so many slots.
    template <class Slot, class Socket>
    [[nodiscard]] static std::uintptr_t make(const Slot& slot, const Socket&) noexcept {
        return of(slot.identity());
    }
    static constexpr void forget(std::uintptr_t) noexcept {}

    /// The slot a key was made for, if its owner is still the same; else null.
    template <class Storage>
    [[nodiscard]] static auto* find(Storage& storage, std::uintptr_t key) noexcept {
        const std::uintptr_t index = (key & low_half) - 1;
        auto* const slot = storage.at(static_cast<std::uint32_t>(index));
        return slot != nullptr && of(slot->identity()) == key ? slot : nullptr;
    }

private:
    [[nodiscard]] static constexpr std::uintptr_t of(slot_identity who) noexcept {
        return (std::uintptr_t{who.generation} << half) | (std::uintptr_t{who.index} + 1);
    }
};

} // namespace tofu::inline TOFU_ABI

#endif
