// SPDX-License-Identifier: BSL-1.0
// The key policy whose keys are the address of a slot and 16 bits of its generation.
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

/// Meets the contract in policies/concepts/key.hpp. A key is 48 bits of address and 16 bits of generation. The next
/// owner of a slot has the same address; the generation tells them apart, unless an event is late by exactly a multiple
/// of 65,536 owners of its slot. Costs no memory; an event costs one load from the slot itself, with any pool. Needs
/// 64-bit addresses and a pool with owner_at().
///
/// The upper 16 bits of an address are 0 in ordinary programs: Linux assigns at most 47 bits unless a program asks for
/// more (Documentation/arch/x86/x86_64/5level-paging.rst; 48 on arm64, Documentation/arch/arm64/memory.rst), Windows 47
/// (learn.microsoft.com, "Virtual Address Space"). With memory tagging or a hardware-assisted address sanitizer they
/// are not 0. Then make() returns 0 and each opening fails as if memory were short; use slot_index_key there.
struct pointer_key {
    using category = key_category;
    static constexpr std::string_view name = "pointer_key";

    static constexpr bool closes_after_release = false;
    static constexpr unsigned address_bits = 48;
    static constexpr std::uint64_t address_mask = (std::uint64_t{1} << address_bits) - 1;

    [[nodiscard]] static constexpr bool open(std::size_t) noexcept { return true; }

    /// Returns 0 if the address has no room for a generation.
    template <class Slot, class Socket>
    [[nodiscard]] static std::uintptr_t make(const Slot& slot, const Socket&) noexcept {
        static_assert(sizeof(Slot*) == sizeof(std::uint64_t),
                      "pointer_key: addresses of this system have no room for a generation; use slot_index_key");
        const std::uint64_t address = reinterpret_cast<std::uintptr_t>(&slot);
        return (address & ~address_mask) == 0 ? static_cast<std::uintptr_t>(address | tag(slot.identity())) : 0;
    }
    static constexpr void forget(std::uintptr_t) noexcept {}

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
