// SPDX-License-Identifier: BSL-1.0
// The contracts of the four policies, and of four policies together.
//
// A policy is written once against the concepts of tofu/policies/concepts/; basic_reactor asserts them one by one, so
// that the compiler's first line names the policy category, the missing member and its signature. What is broken is
// then replaced by a default, so that it is the last line, too: the compiler finds nothing to say about the rest.
// Thread rule: everything is called by the loop's driver (one thread at a time), except where "any thread" is said.
#ifndef TOFU_POLICIES_CONCEPTS_HPP
#define TOFU_POLICIES_CONCEPTS_HPP

#include <tofu/config.hpp>
#include <tofu/policies/categories.hpp>
#include <tofu/policies/concepts/key.hpp>
#include <tofu/policies/concepts/poll.hpp>
#include <tofu/policies/concepts/pool.hpp>
#include <tofu/policies/concepts/timer.hpp>
#include <tofu/policies/defaults.hpp>
#include <tofu/policies/policy_set.hpp>

#include <type_traits>

namespace tofu::inline TOFU_ABI {

/// None stands in another one's place.
template <class Poll, class Pool, class Key, class Timer>
concept policies_are_in_order =
    !has_another_category<Poll, poll_category> && !has_another_category<Pool, pool_category> &&
    !has_another_category<Key, key_category> && !has_another_category<Timer, timer_category>;

/// Each requirement that is not met is an error of its own, unless it is only a consequence. Always true.
template <class Poll, class Pool, class Key, class Timer>
consteval bool assert_order() {
    static_assert(policies_are_in_order<Poll, Pool, Key, Timer>,
                  "basic_reactor takes a PollPolicy, a PoolPolicy, a KeyPolicy and a TimerPolicy in this order; "
                  "tofu::reactor_with takes them in any");
    return true;
}

/// Keys are made of the sockets of a poller's network: not of every one's.
template <class Key, class Poll>
concept key_fits_sockets = key_makes<Key, archetype::slot, typename Poll::network_type::socket>;

/// Keys are looked up in the storage of a pool: not in every one's.
template <class Key, class Pool>
concept key_fits_pool = key_finds<Key, checked_storage<Pool>>;

/// What is wrong with a combination is said when nothing is wrong with its parts. Always true.
template <class Poll, class Pool, class Key>
consteval bool assert_combination() {
    if constexpr (poll_policy<Poll> && key_policy<Key>)
        static_assert(key_fits_sockets<Key, Poll>,
                      "KeyPolicy and PollPolicy do not go together: make() does not take this network's sockets "
                      "(handle_key needs sockets with native_handle())");
    if constexpr (pool_policy<Pool> && key_policy<Key>)
        static_assert(key_fits_pool<Key, Pool>,
                      "KeyPolicy and PoolPolicy do not go together: find() cannot look into this pool's storage "
                      "(pointer_key needs a storage with `Slot* owner_at(std::uintptr_t address) const noexcept;`)");
    return true;
}

/// The default instead of a policy that is broken: there is an error already, and one is enough.
template <class Poll>
using usable_poll = std::conditional_t<poll_policy<Poll>, Poll, default_poll>;
template <class Pool>
using usable_pool = std::conditional_t<pool_policy<Pool>, Pool, default_pool>;
template <class Timer>
using usable_timer = std::conditional_t<timer_policy<Timer>, Timer, default_timer>;
template <class Key, class Poll, class Pool>
using usable_key =
    std::conditional_t<key_policy<Key> && key_fits_sockets<Key, Poll> && key_fits_pool<Key, Pool>, Key, default_key>;

/// The four, as far as they can be used.
template <class Poll, class Pool, class Key, class Timer>
using usable_policies = policy_set<usable_poll<Poll>, usable_pool<Pool>,
                                   usable_key<Key, usable_poll<Poll>, usable_pool<Pool>>, usable_timer<Timer>>;

} // namespace tofu::inline TOFU_ABI

#endif
