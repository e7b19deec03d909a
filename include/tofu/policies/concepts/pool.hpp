// SPDX-License-Identifier: BSL-1.0
// The contract of a PoolPolicy, which owns the memory of channels: one concept for each requirement, and one sentence
// of the compiler for each requirement that is not met.
//
// A pool has slots, numbered from 0. A slot is free or has one owner, a channel. Thread rule: one thread at a time, the
// I/O thread.
#ifndef TOFU_POLICIES_CONCEPTS_POOL_HPP
#define TOFU_POLICIES_CONCEPTS_POOL_HPP

#include <tofu/config.hpp>
#include <tofu/policies/categories.hpp>
#include <tofu/policies/concepts/archetypes.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace tofu::inline TOFU_ABI {

template <class P>
concept pool_has_category = category_is<P, pool_category>;

/// The engine moves the pool policy into its place before open(), and never again.
template <class P>
concept pool_moves = std::is_nothrow_move_constructible_v<P>;

/// `storage<Slot>` holds the slots for one type of channel. It is empty until open(). Before it is destroyed, its user
/// releases every owner or calls abandon().
///
/// Optional, for keys that are addresses: `Slot* owner_at(std::uintptr_t address) const noexcept` returns the present
/// owner of the slot at an address that acquire() has returned once, or null. The address can come from a stale event,
/// so a pool with this function must not give memory back to the system before its end.
template <class P>
concept pool_has_storage = requires {
    typename P::template storage<archetype::slot>;
}
&&std::is_nothrow_default_constructible_v<typename P::template storage<archetype::slot>>;

/// The storage of the slots a pool is checked with.
template <class P>
using checked_storage = typename P::template storage<archetype::slot>;

/// The storage is not movable, because slots never move: the kernel, the key policy and the timers hold their
/// addresses.
template <class P>
concept pool_stays = !std::is_move_constructible_v<checked_storage<P>>;

/// Allocates the memory that must be there from the start. Called once, before all calls below, with the policy object.
/// Returns false if memory is short; then the engine is not made.
template <class P>
concept pool_opens = requires(checked_storage<P>& s, P& pool) {
    { s.open(pool) }
    noexcept->std::same_as<bool>;
};

/// Constructs an owner in a free slot, from the slot's identity: its index and a generation that this slot never had.
/// Returns null if the pool is full or memory is short; the opening then ends with out_of_channels if used() is
/// capacity(), else with out_of_memory.
template <class P>
concept pool_acquires = requires(checked_storage<P>& s) {
    { s.acquire() }
    noexcept->std::same_as<archetype::slot*>;
};

/// Destroys an owner; its slot is free. An owner may have raised the generation of its identity; the next owner's
/// generation is greater than slot.identity().generation.
template <class P>
concept pool_releases = requires(checked_storage<P>& s, archetype::slot& slot) {
    { s.release(slot) }
    noexcept;
};

/// Returns the present owner of a slot by index; null if it has none, and for a number that is no index.
template <class P>
concept pool_finds = requires(const checked_storage<P>& s) {
    { s.at(std::uint32_t{}) }
    noexcept->std::same_as<archetype::slot*>;
};

/// Calls `visit(Slot&)` for every owner. The visit may release the slot it was given, and no other.
template <class P>
concept pool_visits = requires(checked_storage<P>& s) {
    {
        s.for_each([](archetype::slot&) noexcept {})
    }
    noexcept;
};

/// The number of owners now.
template <class P>
concept pool_counts = requires(const checked_storage<P>& s) {
    { s.used() }
    noexcept->std::same_as<std::size_t>;
};

/// The most owners at a time.
template <class P>
concept pool_says_its_limit = requires(const checked_storage<P>& s) {
    { s.capacity() }
    noexcept->std::same_as<std::size_t>;
};

/// The number of slots that have memory now.
template <class P>
concept pool_says_its_room = requires(const checked_storage<P>& s) {
    { s.reserved() }
    noexcept->std::same_as<std::size_t>;
};

/// Gives up the memory of all slots without freeing it, at shutdown: the kernel may still write to registrations that
/// are owed. No other call follows.
template <class P>
concept pool_abandons = requires(checked_storage<P>& s) {
    { s.abandon() }
    noexcept;
};

template <class P>
concept pool_policy = pool_has_category<P> && pool_moves<P> && pool_has_storage<P> && pool_stays<P> && pool_opens<P> &&
    pool_acquires<P> && pool_releases<P> && pool_finds<P> && pool_visits<P> && pool_counts<P> &&
    pool_says_its_limit<P> && pool_says_its_room<P> && pool_abandons<P>;

/// The calls of a storage, if the policy has one. Always true.
template <class Pool>
consteval bool assert_pool_storage() {
    static_assert(pool_stays<Pool>, "PoolPolicy: its storage must not be movable: the addresses of slots are stable");
    static_assert(pool_opens<Pool>, "PoolPolicy: its storage needs `bool open(PoolPolicy&) noexcept;`");
    static_assert(pool_acquires<Pool>, "PoolPolicy: its storage needs `Slot* acquire() noexcept;`");
    static_assert(pool_releases<Pool>, "PoolPolicy: its storage needs `void release(Slot&) noexcept;`");
    static_assert(pool_finds<Pool>, "PoolPolicy: its storage needs `Slot* at(std::uint32_t index) const noexcept;`");
    static_assert(pool_visits<Pool>,
                  "PoolPolicy: its storage needs `template <class Visit> void for_each(Visit) noexcept;`");
    static_assert(pool_counts<Pool>, "PoolPolicy: its storage needs `std::size_t used() const noexcept;`");
    static_assert(pool_says_its_limit<Pool>, "PoolPolicy: its storage needs `std::size_t capacity() const noexcept;`");
    static_assert(pool_says_its_room<Pool>, "PoolPolicy: its storage needs `std::size_t reserved() const noexcept;`");
    static_assert(pool_abandons<Pool>, "PoolPolicy: its storage needs `void abandon() noexcept;`");
    return true;
}

/// One error for each requirement that is not met, unless it is a consequence of another one. Always true.
template <class Pool>
consteval bool assert_pool_policy() {
    if constexpr (!has_another_category<Pool, pool_category>)
        static_assert(pool_has_category<Pool>,
                      "PoolPolicy (2nd parameter): needs `using category = tofu::pool_category;`");
    if constexpr (pool_has_category<Pool>) {
        static_assert(pool_moves<Pool>, "PoolPolicy: must be nothrow move constructible (its storage must not)");
        static_assert(pool_has_storage<Pool>,
                      "PoolPolicy: needs `template <class Slot> class storage`, nothrow default constructible");
        if constexpr (pool_has_storage<Pool>) assert_pool_storage<Pool>();
    }
    return true;
}

} // namespace tofu::inline TOFU_ABI

#endif
