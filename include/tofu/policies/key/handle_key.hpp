// SPDX-License-Identifier: BSL-1.0
// The key policy that sends a socket's handle through the kernel, and finds the slot in a hash table.
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

/// The handle and a serial number in one word (32 + 32 bits, 20 + 12 on 32-bit systems). Choose it when keys have to be
/// read by people or by others: a trace of the system's calls then shows descriptors, and a poller that knows nothing
/// but handles (select, a foreign loop) finds its channel. Costs up to 48 bytes per slot, and a hash lookup per event.
///
/// A handle's number is used again as soon as it is closed. So sockets are closed only after their registration is
/// released: no two that the poller knows have the same. And each key has a serial number of its own, which tells a
/// stale event from one of the handle's next owner. (The slot's generation would not: the next owner of a handle may
/// have another slot, of the same generation.) Windows: of a handle 32 bits are significant (learn.microsoft.com,
/// "Interprocess Communication Between 32-bit and 64-bit Applications").
class handle_key {
public:
    using category = key_category;
    static constexpr std::string_view name = "handle_key";

    static constexpr bool closes_after_release = true;
    static constexpr unsigned handle_bits = sizeof(std::uintptr_t) * CHAR_BIT == 64 ? 32 : 20;
    static constexpr std::uintptr_t handle_mask = (std::uintptr_t{1} << handle_bits) - 1;

    /// Makes room for so many handles, so that `make` needs no memory before there are more. False: memory is short.
    [[nodiscard]] bool open(std::size_t channels) noexcept { return channels == 0 || rehash(places_for(channels)); }

    /// The key of a socket, noted with its slot. 0: memory is short, or the handle has too large a number.
    template <class Slot, class Socket>
    requires requires(const Socket& socket) { static_cast<std::uintptr_t>(socket.native_handle()); }
    [[nodiscard]] std::uintptr_t make(const Slot& slot, const Socket& socket) noexcept {
        const std::uintptr_t number = static_cast<std::uintptr_t>(socket.native_handle()) + 1; // 0 is a handle
        if (number == 0 || number >= handle_mask) return 0;
        if ((count_ + 1) * 2 > places_.size() && !rehash(places_for(count_ + 1))) return 0;
        place& free = *lookup(static_cast<std::uint32_t>(number));
        if (free.number == 0) ++count_;
        free = {static_cast<std::uint32_t>(number), slot.identity().index, ++last_serial_ & serial_mask};
        return key_of(free);
    }

    /// The registration of this key is released.
    void forget(std::uintptr_t key) noexcept {
        place* hole = lookup(tofu::detail::integer_cast<std::uint32_t>(key & handle_mask));
        if (hole == nullptr || hole->number == 0 || key_of(*hole) != key) return;
        --count_;
        // Those behind it that could not have its place move up, so that no search ends too early.
        for (std::size_t i = next(index_of(*hole)); places_[i].number != 0; i = next(i)) {
            const std::size_t wanted = home(places_[i].number);
            if (((i - wanted) & mask()) < ((i - index_of(*hole)) & mask())) continue;
            *hole = places_[i];
            hole = &places_[i];
        }
        *hole = {};
    }

    /// The slot a key was made for, if its owner is still the same; else null.
    template <class Storage>
    [[nodiscard]] auto* find(Storage& storage, std::uintptr_t key) const noexcept {
        const place* const noted = lookup(tofu::detail::integer_cast<std::uint32_t>(key & handle_mask));
        const bool known = noted != nullptr && noted->number != 0 && key_of(*noted) == key;
        return known ? storage.at(noted->index) : nullptr;
    }

    /// What it allocates at most for so many channels, in bytes: its table, and while that grows the one before.
    [[nodiscard]] static constexpr std::size_t most_bytes(std::size_t channels) noexcept {
        return places_for(channels) * (sizeof(place) + sizeof(place) / 2);
    }

private:
    struct place {
        std::uint32_t number = 0; ///< the handle's + 1; 0: free
        std::uint32_t index = 0;  ///< of the slot
        std::uint32_t serial = 0; ///< of the key
    };

    static constexpr std::size_t least_places = 16;
    static constexpr std::uint32_t serial_mask =
        tofu::detail::integer_cast<std::uint32_t>(~std::uintptr_t{0} >> handle_bits);

    [[nodiscard]] static constexpr std::uintptr_t key_of(const place& one) noexcept {
        return std::uintptr_t{one.serial} << handle_bits | one.number;
    }
    /// A power of two, of which at most half are taken.
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
    /// Handles are small, dense numbers, or multiples of four: times an odd number near 2^32 divided by the golden
    /// ratio, the upper bits of the product are spread (Knuth, The Art of Computer Programming, volume 3, 6.4).
    [[nodiscard]] std::size_t home(std::uint32_t number) const noexcept {
        const std::uint32_t spread = number * 2654435769U;
        return (spread >> 8U) & mask();
    }

    /// The place of a number, or the free one where it would be; null when there is no table.
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
        nothrow_vector<place> old;
        if (!old.resize(places)) return false;
        old.swap(places_);
        for (const place& one : old)
            if (one.number != 0) *lookup(one.number) = one;
        return true;
    }

    nothrow_vector<place> places_;
    std::size_t count_ = 0;
    std::uint32_t last_serial_ = 0;
};

} // namespace tofu::inline TOFU_ABI

#endif
