// SPDX-License-Identifier: BSL-1.0
// The contract of a PoolPolicy: where channels live.
#ifndef TOFU_POLICIES_CONCEPTS_POOL_HPP
#define TOFU_POLICIES_CONCEPTS_POOL_HPP

#include <tofu/policies/categories.hpp>
#include <tofu/policies/concepts/archetypes.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace tofu {

template <class P>
concept pool_has_category = std::same_as<typename P::category, pool_category>;

/// The policy is an object that the engine keeps: what its user gave to the constructor, or made by default.
/// storage<Slot>: made empty, given its memory by open(), never moved.
template <class P>
concept pool_opens = std::is_nothrow_move_constructible_v<P> &&
    std::is_nothrow_default_constructible_v<typename P::template storage<archetype::slot>> &&
    requires(typename P::template storage<archetype::slot>& s, P& pool) {
    { s.open(pool) }
    noexcept->std::same_as<bool>;
};

/// A new owner in a free slot (null: refused cleanly), its end, and the present owner of an index (null: none). An
/// owner may raise its identity's generation while it lives; that of the slot's next owner is later still. How many
/// owners there are, how many there can be, and for how many there is memory now. Where keys are addresses, there is
/// also `Slot* owner_at(std::uintptr_t address) const noexcept`: the present owner of the slot that acquire() has once
/// given out there.
template <class P>
concept pool_keeps_slots = requires(typename P::template storage<archetype::slot>& s, archetype::slot& slot) {
    { s.acquire() }
    noexcept->std::same_as<archetype::slot*>;
    { s.release(slot) }
    noexcept;
    { s.at(std::uint32_t{}) }
    noexcept->std::same_as<archetype::slot*>;
    {
        s.for_each([](archetype::slot&) noexcept {})
    }
    noexcept;
    { s.used() }
    noexcept->std::same_as<std::size_t>;
    { s.capacity() }
    noexcept->std::same_as<std::size_t>;
    { s.reserved() }
    noexcept->std::same_as<std::size_t>;
};

/// The addresses of slots are stable, so the storage must not be movable.
template <class P>
concept pool_stays = !std::is_move_constructible_v<typename P::template storage<archetype::slot>>;

/// At shutdown: the kernel may still write to some slots, their memory is leaked on purpose.
template <class P>
concept pool_abandons = requires(typename P::template storage<archetype::slot>& s) {
    { s.abandon() }
    noexcept;
};

template <class P>
concept pool_policy = pool_has_category<P> && pool_opens<P> && pool_keeps_slots<P> && pool_stays<P> && pool_abandons<P>;

} // namespace tofu

#endif
