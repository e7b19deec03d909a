// SPDX-License-Identifier: BSL-1.0
// The contracts of the four policies, and of their combination.
//
// The headers of tofu/policies/concepts/ hold the whole contract of each policy. basic_reactor asserts the concepts one
// by one, so the compiler's first line names the policy category, the missing member and its signature. basic_reactor
// then replaces a broken policy by the default, so that no further errors follow from the first.
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

/// None of the four arguments has the category tag of another position.
template <class Poll, class Pool, class Key, class Timer>
concept policies_are_in_order =
    !has_another_category<Poll, poll_category> && !has_another_category<Pool, pool_category> &&
    !has_another_category<Key, key_category> && !has_another_category<Timer, timer_category>;

/// Gives one compile error if a policy has the category of another position. Always returns true.
template <class Poll, class Pool, class Key, class Timer>
consteval bool assert_order() {
    static_assert(policies_are_in_order<Poll, Pool, Key, Timer>,
                  "basic_reactor takes a PollPolicy, a PoolPolicy, a KeyPolicy and a TimerPolicy in this order; "
                  "tofu::reactor_with takes them in any");
    return true;
}

/// The key policy makes keys for the sockets of the poller's network.
template <class Key, class Poll>
concept key_fits_sockets = key_makes<Key, archetype::slot, typename Poll::network_type::socket>;

/// The key policy can find the slot of a key in the storage of this pool.
template <class Key, class Pool>
concept key_fits_pool = key_finds<Key, checked_storage<Pool>>;

/// Errors of a combination, reported only if its parts are right. Always true.
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

/// The given policy if it meets its contract, else the default. basic_reactor has already reported a broken policy. A
/// key must also fit the poller and the pool.
template <class Poll>
using usable_poll = std::conditional_t<poll_policy<Poll>, Poll, default_poll>;
template <class Pool>
using usable_pool = std::conditional_t<pool_policy<Pool>, Pool, default_pool>;
template <class Timer>
using usable_timer = std::conditional_t<timer_policy<Timer>, Timer, default_timer>;
template <class Key, class Poll, class Pool>
using usable_key =
    std::conditional_t<key_policy<Key> && key_fits_sockets<Key, Poll> && key_fits_pool<Key, Pool>, Key, default_key>;

/// The four policies, with defaults in place of broken ones.
template <class Poll, class Pool, class Key, class Timer>
using usable_policies = policy_set<usable_poll<Poll>, usable_pool<Pool>,
                                   usable_key<Key, usable_poll<Poll>, usable_pool<Pool>>, usable_timer<Timer>>;

template <class Poll, class Pool, class Key, class Timer>
struct composition {
    static_assert(assert_order<Poll, Pool, Key, Timer>());
    static_assert(assert_poll_policy<Poll>());
    static_assert(assert_pool_policy<Pool>());
    static_assert(assert_key_policy<Key>());
    static_assert(assert_timer_policy<Timer>());
    static_assert(assert_combination<Poll, Pool, Key>());

    using policies = usable_policies<Poll, Pool, Key, Timer>;
};

} // namespace tofu::inline TOFU_ABI

#endif
