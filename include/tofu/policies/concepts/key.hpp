// SPDX-License-Identifier: BSL-1.0
// The contract of a KeyPolicy: how a completion finds its channel.
#ifndef TOFU_POLICIES_CONCEPTS_KEY_HPP
#define TOFU_POLICIES_CONCEPTS_KEY_HPP

#include <tofu/policies/categories.hpp>
#include <tofu/policies/concepts/archetypes.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace tofu {

template <class K>
concept key_has_category = std::same_as<typename K::category, key_category>;

/// The policy is an object of the engine; members may be static. open() makes room for so many keys at first (false:
/// memory is short).
template <class K>
concept key_opens = std::is_nothrow_move_constructible_v<K> && requires(K& k, std::size_t channels) {
    { k.open(channels) }
    noexcept->std::same_as<bool>;
};

/// One pointer-sized word for a slot whose socket is about to be attached; 0: memory is short. Never all ones: pollers
/// keep 0 and that for themselves. A slot that is attached again has a new generation.
template <class K, class Slot = archetype::slot, class Socket = archetype::socket>
concept key_makes = requires(K& k, const Slot& slot, const Socket& socket) {
    { k.make(slot, socket) }
    noexcept->std::same_as<std::uintptr_t>;
};

/// Once for each key, when the poller has let go of its registration: nothing is looked up under it any more, but for
/// events that are stale.
template <class K>
concept key_forgets = requires(K& k, std::uintptr_t key) {
    { k.forget(key) }
    noexcept;
};

/// The slot, if its present owner is the one the key was made for; else null.
template <class K, class Storage = archetype::storage, class Slot = archetype::slot>
concept key_finds = requires(const K& k, Storage& slots, std::uintptr_t key) {
    { k.find(slots, key) }
    noexcept->std::same_as<Slot*>;
};

/// May the socket be closed before the kernel has let go of its registration?
template <class K>
concept key_says_when_to_close = requires {
    { K::closes_after_release } -> std::convertible_to<bool>;
};

template <class K>
concept key_policy =
    key_has_category<K> && key_opens<K> && key_makes<K> && key_forgets<K> && key_finds<K> && key_says_when_to_close<K>;

/// Keys go with the sockets of a poller, and with the storage of a pool: not every one with every other.
template <class K, class Poll>
concept key_fits_sockets = key_makes<K, archetype::slot, typename Poll::network_type::socket>;
template <class K, class Pool>
concept key_fits_pool = key_finds<K, typename Pool::template storage<archetype::slot>>;

} // namespace tofu

#endif
