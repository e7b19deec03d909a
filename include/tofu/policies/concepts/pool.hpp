// SPDX-License-Identifier: BSL-1.0
// The contract of a PoolPolicy, in which channels live: each requirement a concept, and a sentence for when it is not
// met.
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

/// The engine gets its own by move.
template <class P>
concept pool_moves = std::is_nothrow_move_constructible_v<P>;

/// storage<Slot>: made empty, given its memory by open(). Where keys are addresses it also has `Slot* owner_at(
/// std::uintptr_t address) const noexcept`: the present owner of the slot that acquire() has once given out there.
template <class P>
concept pool_has_storage = requires {
    typename P::template storage<archetype::slot>;
}
&&std::is_nothrow_default_constructible_v<typename P::template storage<archetype::slot>>;

/// The storage of the slots a pool is checked with.
template <class P>
using checked_storage = typename P::template storage<archetype::slot>;

/// The addresses of slots are stable, so the storage must not be movable.
template <class P>
concept pool_stays = !std::is_move_constructible_v<checked_storage<P>>;

/// Once, before everything below, with the policy it belongs to. False: no memory.
template <class P>
concept pool_opens = requires(checked_storage<P>& s, P& pool) {
    { s.open(pool) }
    noexcept->std::same_as<bool>;
};

/// A new owner in a free slot; null: refused cleanly. An owner may raise its identity's generation while it lives; that
/// of the slot's next owner is later still.
template <class P>
concept pool_acquires = requires(checked_storage<P>& s) {
    { s.acquire() }
    noexcept->std::same_as<archetype::slot*>;
};

/// The end of an owner.
template <class P>
concept pool_releases = requires(checked_storage<P>& s, archetype::slot& slot) {
    { s.release(slot) }
    noexcept;
};

/// The present owner of an index; null: none.
template <class P>
concept pool_finds = requires(const checked_storage<P>& s) {
    { s.at(std::uint32_t{}) }
    noexcept->std::same_as<archetype::slot*>;
};

/// Every owner; the visit may release the one it is given.
template <class P>
concept pool_visits = requires(checked_storage<P>& s) {
    {
        s.for_each([](archetype::slot&) noexcept {})
    }
    noexcept;
};

template <class P>
concept pool_counts = requires(const checked_storage<P>& s) {
    { s.used() }
    noexcept->std::same_as<std::size_t>;
};

template <class P>
concept pool_says_its_limit = requires(const checked_storage<P>& s) {
    { s.capacity() }
    noexcept->std::same_as<std::size_t>;
};

/// For how many there is memory now.
template <class P>
concept pool_says_its_room = requires(const checked_storage<P>& s) {
    { s.reserved() }
    noexcept->std::same_as<std::size_t>;
};

/// At shutdown: the kernel may still write to some slots, their memory is leaked on purpose.
template <class P>
concept pool_abandons = requires(checked_storage<P>& s) {
    { s.abandon() }
    noexcept;
};

template <class P>
concept pool_policy = pool_has_category<P> && pool_moves<P> && pool_has_storage<P> && pool_stays<P> && pool_opens<P> &&
    pool_acquires<P> && pool_releases<P> && pool_finds<P> && pool_visits<P> && pool_counts<P> &&
    pool_says_its_limit<P> && pool_says_its_room<P> && pool_abandons<P>;

/// The calls of a storage, if there is one.
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

/// Each requirement that is not met is an error of its own, unless it is only a consequence. Always true.
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
