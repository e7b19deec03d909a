// SPDX-License-Identifier: BSL-1.0
// The key policy whose keys are the handle of a socket and a serial number; a hash table finds the slot.
#ifndef TOFU_POLICIES_KEY_HANDLE_KEY_HPP
#define TOFU_POLICIES_KEY_HANDLE_KEY_HPP

#include <tofu/config.hpp>
#include <tofu/contract/nothrow_vector.hpp>
#include <tofu/detail/integer_cast.hpp>
#include <tofu/policies/categories.hpp>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tofu::inline TOFU_ABI {

/// Meets the contract in policies/concepts/key.hpp. A key is the handle and a serial number: 32 bits each, or 20 and 12
/// bits on 32-bit systems. Use it if people or other programs read the keys: a trace of system calls then shows
/// descriptors, and a poller that only knows handles finds its channel. Costs up to 48 bytes for each slot, and one
/// hash look-up for each event.
///
/// The system uses a handle again as soon as it is closed. So the engine closes a socket only after its registration is
/// released, and two sockets that the poller knows never have the same handle. The serial number is new for each key;
/// it tells a stale event from an event of the handle's next owner. The slot's generation could not: that owner may
/// have another slot with the same generation. On Windows 32 bits of a handle are significant (learn.microsoft.com,
/// "Interprocess Communication Between 32-bit and 64-bit Applications").
class handle_key {
public:
    using category = key_category;
    static constexpr std::string_view name = "handle_key";

    static constexpr bool closes_after_release = true;
    static constexpr unsigned handle_bits = sizeof(std::uintptr_t) * CHAR_BIT == 64 ? 32 : 20;
    static constexpr std::uintptr_t handle_mask = (std::uintptr_t{1} << handle_bits) - 1;

    /// make() allocates nothing up to this number of sockets.
    [[nodiscard]] bool open(std::size_t channels) noexcept { return channels == 0 || rehash(places_for(channels)); }

    /// Returns 0 if memory is short or the handle has too many bits.
    template <class Slot, class Socket>
    requires requires(const Socket& socket) { static_cast<std::uintptr_t>(socket.native_handle()); }
    [[nodiscard]] std::uintptr_t make(const Slot& slot, const Socket& socket) noexcept {
        const std::uintptr_t number = static_cast<std::uintptr_t>(socket.native_handle()) + 1; // 0 is a handle
        if (number == 0 || number >= handle_mask) return 0;
        if ((count_ + 1) * 2 > places_.size() && !rehash(places_for(count_ + 1))) return 0;
        place& free = *lookup(static_cast<std::uint32_t>(number));
        if (free.number == 0) ++count_;
        TOFU_ASSERT(count_ * 2 <= places_.size()); // a search always ends at a free place
        free = {static_cast<std::uint32_t>(number), slot.identity().index, ++last_serial_ & serial_mask};
        return key_of(free);
    }

    void forget(std::uintptr_t key) noexcept {
        place* hole = lookup(tofu::detail::integer_cast<std::uint32_t>(key & handle_mask));
        if (hole == nullptr || hole->number == 0 || key_of(*hole) != key) return;
        TOFU_ASSERT(count_ != 0);
        --count_;
        // Entries behind it move up if their search passed this place, so that no search ends too early.
        for (std::size_t i = next(index_of(*hole)); places_[i].number != 0; i = next(i)) {
            const std::size_t wanted = home(places_[i].number);
            if (((i - wanted) & mask()) < ((i - index_of(*hole)) & mask())) continue;
            *hole = places_[i];
            hole = &places_[i];
        }
        *hole = {};
    }

    template <class Storage>
    [[nodiscard]] auto* find(Storage& storage, std::uintptr_t key) const noexcept {
        const place* const noted = lookup(tofu::detail::integer_cast<std::uint32_t>(key & handle_mask));
        const bool known = noted != nullptr && noted->number != 0 && key_of(*noted) == key;
        return known ? storage.at(noted->index) : nullptr;
    }

    /// The most bytes that the policy allocates for this many channels: its table, and the previous table while it
    /// grows.
    [[nodiscard]] static constexpr std::size_t most_bytes(std::size_t channels) noexcept {
        return places_for(channels) * (sizeof(place) + sizeof(place) / 2);
    }

private:
    struct place {
        std::uint32_t number = 0; ///< handle + 1; 0 exactly when the place is free
        std::uint32_t index = 0;  ///< of the slot
        std::uint32_t serial = 0; ///< of the key
    };

    static constexpr std::size_t least_places = 16;
    static constexpr std::uint32_t serial_mask =
        tofu::detail::integer_cast<std::uint32_t>(~std::uintptr_t{0} >> handle_bits);

    [[nodiscard]] static constexpr std::uintptr_t key_of(const place& one) noexcept {
        return std::uintptr_t{one.serial} << handle_bits | one.number;
    }
    /// The size of the table: a power of two, at least twice the number of channels.
    [[nodiscard]] static constexpr std::size_t places_for(std::size_t channels) noexcept {
        std::size_t places = least_places;
        while (places < channels * 2) places *= 2;
        return places;
    }

    [[nodiscard]] std::size_t mask() const noexcept { return places_.size() - 1; }
    [[nodiscard]] std::size_t next(std::size_t i) const noexcept { return (i + 1) & mask(); }
    [[nodiscard]] std::size_t index_of(const place& one) const noexcept {
        return static_cast<std::size_t>(&one - places_.data());
    }
    /// The place where the search for a number begins. Handles are small dense numbers or multiples of four. Multiplied
    /// by an odd number near 2^32 divided by the golden ratio, they spread in the upper bits of the product (Knuth, The
    /// Art of Computer Programming, volume 3, 6.4).
    [[nodiscard]] std::size_t home(std::uint32_t number) const noexcept {
        const std::uint32_t spread = number * 2654435769U;
        return (spread >> 8U) & mask();
    }

    /// The place of a number, or the free place where the search for it ends; null without a table.
    [[nodiscard]] const place* lookup(std::uint32_t number) const noexcept {
        if (places_.empty()) return nullptr;
        std::size_t i = home(number);
        while (places_[i].number != 0 && places_[i].number != number) i = next(i);
        return &places_[i];
    }
    [[nodiscard]] place* lookup(std::uint32_t number) noexcept {
        return const_cast<place*>(static_cast<const handle_key*>(this)->lookup(number));
    }

    [[nodiscard]] bool rehash(std::size_t places) noexcept {
        TOFU_ASSERT((places & (places - 1)) == 0 && places >= count_ * 2);
        nothrow_vector<place> old;
        if (!old.resize(places)) return false;
        old.swap(places_);
        for (const place& one : old)
            if (one.number != 0) *lookup(one.number) = one;
        return true;
    }

    nothrow_vector<place> places_;
    std::size_t count_ = 0; ///< places that are not free
    std::uint32_t last_serial_ = 0;
};

} // namespace tofu::inline TOFU_ABI

#endif
