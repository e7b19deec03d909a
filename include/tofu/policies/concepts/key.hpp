// SPDX-License-Identifier: BSL-1.0
// The contract of a KeyPolicy, by which a completion finds its channel: each requirement a concept, and a sentence for
// when it is not met.
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

/// The engine gets its own by move.
template <class K>
concept key_moves = std::is_nothrow_move_constructible_v<K>;

/// May the socket be closed before the kernel has let go of its registration?
template <class K>
concept key_says_when_to_close = requires {
    { K::closes_after_release } -> std::convertible_to<bool>;
};

/// Makes room for so many keys at first. False: memory is short. The policy is an object of the engine; members may be
/// static.
template <class K>
concept key_opens = requires(K& k, std::size_t channels) {
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
concept key_finds = requires(const K& k, Storage& storage, std::uintptr_t key) {
    { k.find(storage, key) }
    noexcept->std::same_as<Slot*>;
};

template <class K>
concept key_policy = key_has_category<K> && key_moves<K> && key_says_when_to_close<K> && key_opens<K> && key_makes<K> &&
    key_forgets<K> && key_finds<K>;

/// Each requirement that is not met is an error of its own, unless it is only a consequence. Always true.
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
