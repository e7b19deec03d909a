// SPDX-License-Identifier: BSL-1.0
// The key policy that sends a slot's address through the kernel, with a piece of its generation where addresses are 0.
#ifndef TOFU_POLICIES_KEY_POINTER_KEY_HPP
#define TOFU_POLICIES_KEY_POINTER_KEY_HPP

#include <tofu/config.hpp>
#include <tofu/contract/slot_identity.hpp>
#include <tofu/detail/integer_cast.hpp>
#include <tofu/policies/categories.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tofu::inline TOFU_ABI {

/// 48 bits of address, 16 of the generation. An address alone would be the next owner's as well; with the generation a
/// stale event finds nothing, unless it stayed away for exactly a multiple of 65,536 owners of one slot. Costs no
/// memory, and per event one load from the slot itself: the cheapest there is, and the one whose speed does not depend
/// on the pool. Needs 64-bit addresses, and a pool that knows its slots by address.
///
/// The 16 bits are free in the addresses that programs get: Linux gives none beyond 47 bits unless it is asked to
/// (Documentation/arch/x86/x86_64/5level-paging.rst; 48 on arm64, Documentation/arch/arm64/memory.rst), Windows has 47
/// (learn.microsoft.com, "Virtual Address Space"). Where they are not (memory tagging, hardware-assisted address
/// sanitizing), no key can be made, and opening a channel fails as if memory were short: take slot_index_key there.
struct pointer_key {
    using category = key_category;
    static constexpr std::string_view name = "pointer_key";

    /// The socket may be closed before its registration is released.
    static constexpr bool closes_after_release = false;
    static constexpr unsigned address_bits = 48;
    static constexpr std::uint64_t address_mask = (std::uint64_t{1} << address_bits) - 1;

    [[nodiscard]] static constexpr bool open(std::size_t) noexcept { return true; }

    /// The key of a slot; 0: its address has no room for a generation.
    template <class Slot, class Socket>
    [[nodiscard]] static std::uintptr_t make(const Slot& slot, const Socket&) noexcept {
        static_assert(sizeof(Slot*) == sizeof(std::uint64_t),
                      "pointer_key: addresses of this system have no room for a generation; use slot_index_key");
        const std::uint64_t address = reinterpret_cast<std::uintptr_t>(&slot);
        return (address & ~address_mask) == 0 ? static_cast<std::uintptr_t>(address | tag(slot.identity())) : 0;
    }
    static constexpr void forget(std::uintptr_t) noexcept {}

    /// The slot a key was made for, if its owner is still the same; else null.
    template <class Storage>
    requires requires(Storage& storage) { storage.owner_at(std::uintptr_t{}); }
    [[nodiscard]] static auto* find(Storage& storage, std::uintptr_t key) noexcept {
        auto* const slot = storage.owner_at(tofu::detail::integer_cast<std::uintptr_t>(key & address_mask));
        return slot != nullptr && tag(slot->identity()) == (key & ~address_mask) ? slot : nullptr;
    }

private:
    [[nodiscard]] static constexpr std::uint64_t tag(slot_identity who) noexcept {
        return std::uint64_t{who.generation} << address_bits;
    }
};

} // namespace tofu::inline TOFU_ABI

#endif
