// SPDX-License-Identifier: BSL-1.0
// The contract of a KeyPolicy, which finds the channel of an event: one concept for each requirement, and one sentence
// of the compiler for each requirement that is not met.
//
// A key is one pointer-sized word. The poller gives it to the kernel with each registration and gets it back with each
// event. Slots, addresses and handles are used again, so an event can arrive after its channel has ended. The key must
// tell such a stale event from one of the present owner.
//
// Thread rule: one thread at a time, the I/O thread. Every member may be static.
#ifndef TOFU_POLICIES_CONCEPTS_KEY_HPP
#define TOFU_POLICIES_CONCEPTS_KEY_HPP

#include <tofu/config.hpp>
#include <tofu/policies/categories.hpp>
#include <tofu/policies/concepts/archetypes.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace tofu::inline TOFU_ABI {

template <class K>
concept key_has_category = category_is<K, key_category>;

/// The engine moves the key policy into its place before open(), and never again.
template <class K>
concept key_moves = std::is_nothrow_move_constructible_v<K>;

/// False: the engine may close the socket before its registration is released. True: the engine closes the socket only
/// after the release. Keys that contain the handle need true, because the system uses the number of a closed handle
/// again.
template <class K>
concept key_says_when_to_close = requires {
    { K::closes_after_release } -> std::convertible_to<bool>;
};

/// Makes room for `channels` keys, the number of slots the pool has at first. Called once, before all calls below.
/// Returns false if memory is short; then the engine is not made.
template <class K>
concept key_opens = requires(K& k, std::size_t channels) {
    { k.open(channels) }
    noexcept->std::same_as<bool>;
};

/// Makes the key of a slot whose socket is about to be attached. The slot has a new generation for each key. Returns 0
/// if no key can be made; the channel then ends with out_of_memory. Never returns all ones: pollers use 0 and all ones
/// for marks of their own.
template <class K, class Slot = archetype::slot, class Socket = archetype::socket>
concept key_makes = requires(K& k, const Slot& slot, const Socket& socket) {
    { k.make(slot, socket) }
    noexcept->std::same_as<std::uintptr_t>;
};

/// Ends a key: called once for each, when its registration is released or could not be attached. Stale events with this
/// key may still come; find() must return null for them.
template <class K>
concept key_forgets = requires(K& k, std::uintptr_t key) {
    { k.forget(key) }
    noexcept;
};

/// Returns the slot the key was made for if that owner is still the present one, else null. Any word may come, also one
/// that was never made. Reads no memory but the policy's and the storage's.
template <class K, class Storage = archetype::storage, class Slot = archetype::slot>
concept key_finds = requires(const K& k, Storage& storage, std::uintptr_t key) {
    { k.find(storage, key) }
    noexcept->std::same_as<Slot*>;
};

template <class K>
concept key_policy = key_has_category<K> && key_moves<K> && key_says_when_to_close<K> && key_opens<K> && key_makes<K> &&
    key_forgets<K> && key_finds<K>;

/// One error for each requirement that is not met, unless it is a consequence of another one. Always true.
template <class Key>
consteval bool assert_key_policy() {
    if constexpr (!has_another_category<Key, key_category>)
        static_assert(key_has_category<Key>, "KeyPolicy (3rd parameter): needs `using category = tofu::key_category;`");
    if constexpr (key_has_category<Key>) {
        static_assert(key_moves<Key>, "KeyPolicy: must be nothrow move constructible");
        static_assert(key_says_when_to_close<Key>, "KeyPolicy: needs `static constexpr bool closes_after_release`");
        static_assert(key_opens<Key>, "KeyPolicy: needs `bool open(std::size_t channels) noexcept;`");
        static_assert(key_makes<Key>, "KeyPolicy: needs `template <class Slot, class Socket> std::uintptr_t "
                                      "make(const Slot&, const Socket&) noexcept;`");
        static_assert(key_forgets<Key>, "KeyPolicy: needs `void forget(std::uintptr_t key) noexcept;`");
        static_assert(key_finds<Key>, "KeyPolicy: needs `template <class Storage> Slot* find(Storage&, "
                                      "std::uintptr_t key) const noexcept;`");
    }
    return true;
}

} // namespace tofu::inline TOFU_ABI

#endif
