// SPDX-License-Identifier: BSL-1.0
// A key policy of one's own: 16 bits, for pollers that have no more room than that beside a socket.
//
//     15               IndexBits          0
//     +--------------------+--------------+      0x0000 and 0xffff are never made: pollers keep 0 and all ones
//     |    incarnation     |    index     |      for themselves, of as many bits as they have
//     +--------------------+--------------+
//
// The trade: each bit for the index doubles how many channels there can be, and halves how many incarnations of a slot
// are told apart. With 10 bits that is 1024 channels, as many as the default pool has, and 62 incarnations: an event
// that stays away while its slot gets exactly 62 new owners (or 124, ...) would be taken for the present owner's.
//
// When that is no danger: a poller that lets go at once (select, poll, epoll, kqueue) reports nothing older than the
// wait it is in, and the engine finds the owner of each report at once and uses no slot again before all of them are
// dealt with. A poller that owes the release keeps the slot from being used until it has said so. The incarnation is
// the net below both; take slot_index_key, unless the poller has no room for it.
#ifndef TOFU_EXAMPLE_POLICIES_COMPACT_KEY_HPP
#define TOFU_EXAMPLE_POLICIES_COMPACT_KEY_HPP

#include <tofu/contract/slot_identity.hpp>
#include <tofu/policies/concepts.hpp>

#include <cstddef>
#include <cstdint>

namespace example {

/// Costs no memory, and a division of a 32-bit number per event. It has no state, so all its members are static.
template <unsigned IndexBits = 10>
struct compact_key {
    static_assert(IndexBits >= 1 && IndexBits <= 12, "compact_key: leave at least 4 of the 16 bits to the incarnation");
    using category = tofu::key_category;

    /// The socket may be closed before its registration is released: a handle plays no part in the key.
    static constexpr bool closes_after_release = false;

    static constexpr std::size_t most_channels = std::size_t{1} << IndexBits;
    static constexpr std::uint32_t incarnations = (1U << (16U - IndexBits)) - 2; // neither all zeros nor all ones

    /// False for a pool that has more slots already than could be told apart: the engine then does not start. (Else a
    /// wrong set of policies would be noticed at the 1025th connection.)
    [[nodiscard]] static constexpr bool open(std::size_t channels) noexcept { return channels <= most_channels; }

    /// The key of a slot. 0: a pool that grows has made one too many; that channel is refused, as if memory were short.
    template <class Slot, class Socket>
    [[nodiscard]] static std::uintptr_t make(const Slot& slot, const Socket&) noexcept {
        const tofu::slot_identity who = slot.identity();
        return who.index < most_channels ? key_of(who) : 0;
    }

    /// Nothing was noted, so there is nothing to forget.
    static constexpr void forget(std::uintptr_t) noexcept {}

    //[find
    /// The slot a key was made for, if its owner is still the same; else null. Any key may come, also one that was
    /// never made, or whose slot was never used.
    template <class Storage>
    [[nodiscard]] static auto* find(Storage& storage, std::uintptr_t key) noexcept {
        auto* const slot = storage.at(static_cast<std::uint32_t>(key % most_channels));
        return slot != nullptr && key_of(slot->identity()) == key ? slot : nullptr;
    }
    //]

private:
    [[nodiscard]] static constexpr std::uintptr_t key_of(tofu::slot_identity who) noexcept {
        return std::uintptr_t{1 + who.generation % incarnations} << IndexBits | who.index;
    }
};

static_assert(tofu::key_policy<compact_key<>>);

} // namespace example

#endif
