// SPDX-License-Identifier: BSL-1.0
// reactor_with<Policies...>: an engine from any policies, in any order. Each policy finds its place by its category.
#ifndef TOFU_REACTOR_WITH_HPP
#define TOFU_REACTOR_WITH_HPP

#include <tofu/config.hpp>
#include <tofu/impl/reactor.hpp>
#include <tofu/policies/categories.hpp>
#include <tofu/policies/defaults.hpp>
#include <tofu/policies/policy_set.hpp>
#include <tofu/reactor.hpp>

#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>

#include <concepts>
#include <type_traits>

namespace tofu::inline TOFU_ABI {

namespace detail {

template <class Type>
concept is_any_policy = category_is<Type, poll_category> || category_is<Type, pool_category> ||
    category_is<Type, key_category> || category_is<Type, timer_category>;

/// Always true, as all functions that follow. The compiler's trace names the wrong types.
template <class Type>
consteval bool assert_is_a_policy() {
    static_assert(is_any_policy<Type>,
                  "reactor_with: this type is no policy: it needs `using category = tofu::poll_category;` (or "
                  "pool_category, key_category, timer_category)");
    return true;
}

struct nobody {};

/// Checks the first two policies that claim a category. The second should be `nobody`.
template <class Category, class First, class Second>
consteval bool assert_one_claim() {
    constexpr bool alone = std::same_as<Second, nobody>;
    constexpr bool one_poll = alone || !std::same_as<Category, poll_category>;
    constexpr bool one_pool = alone || !std::same_as<Category, pool_category>;
    constexpr bool one_key = alone || !std::same_as<Category, key_category>;
    constexpr bool one_timer = alone || !std::same_as<Category, timer_category>;
    static_assert(one_poll, "reactor_with: two PollPolicies (their category is tofu::poll_category)");
    static_assert(one_pool, "reactor_with: two PoolPolicies (their category is tofu::pool_category)");
    static_assert(one_key, "reactor_with: two KeyPolicies (their category is tofu::key_category)");
    static_assert(one_timer, "reactor_with: two TimerPolicies (their category is tofu::timer_category)");
    return true;
}

/// The policies of a category: those of the arguments, then the default.
template <class Category, class Default, class... Policies>
struct claims {
    template <class Type>
    using is_of_category = std::bool_constant<category_is<Type, Category>>;
    using all = boost::mp11::mp_filter<is_of_category, boost::mp11::mp_list<Policies...>>;
    using first = boost::mp11::mp_first<boost::mp11::mp_push_back<all, Default>>;
    using second = boost::mp11::mp_second<boost::mp11::mp_push_back<all, nobody, nobody>>;
};

template <class... Policies>
struct reactor_from {
    using poll = claims<poll_category, default_poll, Policies...>;
    using pool = claims<pool_category, default_pool, Policies...>;
    using key = claims<key_category, default_key, Policies...>;
    using timer = claims<timer_category, default_timer, Policies...>;
    static_assert((assert_is_a_policy<Policies>() && ... && true));
    static_assert(assert_one_claim<poll_category, typename poll::first, typename poll::second>());
    static_assert(assert_one_claim<pool_category, typename pool::first, typename pool::second>());
    static_assert(assert_one_claim<key_category, typename key::first, typename key::second>());
    static_assert(assert_one_claim<timer_category, typename timer::first, typename timer::second>());
    using type = basic_reactor<typename poll::first, typename pool::first, typename key::first, typename timer::first>;
};

} // namespace detail

/// The engine with these policies: of each category at most one, in any order. The system's default takes the place of
/// a missing policy. reactor_with<> is tofu::reactor.
template <class... Policies>
using reactor_with = typename detail::reactor_from<Policies...>::type;

/// The four policies of an engine as a boost::mp11::mp_list: poll, pool, key, timer.
template <class Reactor>
using policies_of = boost::mp11::mp_list<typename Reactor::policies::poll, typename Reactor::policies::pool,
                                         typename Reactor::policies::key, typename Reactor::policies::timer>;

} // namespace tofu::inline TOFU_ABI

#endif
