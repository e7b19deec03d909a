// SPDX-License-Identifier: BSL-1.0
// A key policy outside of the library: keys of 16 bits, for pollers that have no more room for a key.
//
//     15               IndexBits          0
//     +--------------------+--------------+      0x0000 and 0xffff are never made: pollers keep 0 and all ones
//     |    generation      |    index     |      for marks of their own
//     +--------------------+--------------+
//
// Each bit of the index doubles the number of channels and halves the number of generations. With 10 bits there are
// 1024 channels, as many as the default pool has, and 62 generations. An event that is late by exactly a multiple of 62
// owners of its slot would reach the present owner.
//
// Pollers that never owe a registration (select, poll, epoll, kqueue) report no event older than the present wait, and
// the engine finds the owner of each report before it uses a slot again. A poller that owes a registration keeps its
// slot from being used again. So the few generations are a second line of defence. Use slot_index_key if the poller has
// room for it.
#ifndef TOFU_EXAMPLE_POLICIES_COMPACT_KEY_HPP
#define TOFU_EXAMPLE_POLICIES_COMPACT_KEY_HPP

#include <tofu/contract/slot_identity.hpp>
#include <tofu/policies/concepts.hpp>

#include <cstddef>
#include <cstdint>

namespace example {

/// Costs no memory, and one division of a 32-bit number for each event. It has no state, so all members are static.
template <unsigned IndexBits = 10>
struct compact_key {
    static_assert(IndexBits >= 1 && IndexBits <= 12, "compact_key: leave at least 4 of the 16 bits to the generation");
    using category = tofu::key_category;

    /// The key does not contain the handle.
    static constexpr bool closes_after_release = false;

    static constexpr std::size_t most_channels = std::size_t{1} << IndexBits;
    static constexpr std::uint32_t generations = (1U << (16U - IndexBits)) - 2; // neither all zeros nor all ones

    /// Returns false if the pool has more slots than the index can express; then the engine does not start. Otherwise
    /// the error would only appear at the 1025th connection.
    [[nodiscard]] static constexpr bool open(std::size_t channels) noexcept { return channels <= most_channels; }

    /// Returns 0 if a growing pool has made too many slots; the engine refuses that channel as if memory were short.
    template <class Slot, class Socket>
    [[nodiscard]] static std::uintptr_t make(const Slot& slot, const Socket&) noexcept {
        const tofu::slot_identity who = slot.identity();
        return who.index < most_channels ? key_of(who) : 0;
    }

    /// No effect: the policy keeps no table.
    static constexpr void forget(std::uintptr_t) noexcept {}

    //[find
    /// The slot that the key was made for if it has the same owner, else null. `key` may be any number.
    template <class Storage>
    [[nodiscard]] static auto* find(Storage& storage, std::uintptr_t key) noexcept {
        auto* const slot = storage.at(static_cast<std::uint32_t>(key % most_channels));
        return slot != nullptr && key_of(slot->identity()) == key ? slot : nullptr;
    }
    //]

private:
    [[nodiscard]] static constexpr std::uintptr_t key_of(tofu::slot_identity who) noexcept {
        return std::uintptr_t{1 + who.generation % generations} << IndexBits | who.index;
    }
};

static_assert(tofu::key_policy<compact_key<>>);

} // namespace example

#endif
