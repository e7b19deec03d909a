// SPDX-License-Identifier: BSL-1.0
// reactor_with<Policies...>: an engine from any policies in any order, each put in its place by its category.
#ifndef TOFU_REACTOR_WITH_HPP
#define TOFU_REACTOR_WITH_HPP

#include <tofu/policies/categories.hpp>
#include <tofu/policies/defaults.hpp>
#include <tofu/policies/policy_set.hpp>
#include <tofu/reactor.hpp>

#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/bind.hpp>
#include <boost/mp11/list.hpp>

#include <concepts>
#include <type_traits>

namespace tofu {

namespace detail {

template <class Type>
concept says_category = requires {
    typename Type::category;
};

template <class Type, class Category>
struct has_category : std::false_type {};
template <says_category Type, class Category>
struct has_category<Type, Category> : std::is_same<typename Type::category, Category> {};

template <class Type>
concept is_any_policy = has_category<Type, poll_category>::value || has_category<Type, pool_category>::value ||
    has_category<Type, key_category>::value || has_category<Type, timer_category>::value;

/// Instantiated for each argument of reactor_with: the compiler's trace names it.
template <class Type>
struct is_a_policy {
    static_assert(is_any_policy<Type>,
                  "reactor_with: this type is no policy: it needs `using category = tofu::poll_category;` (or "
                  "pool_category, key_category, timer_category)");
    static constexpr bool value = is_any_policy<Type>;
};

/// The policies among the arguments that claim one category: none or one.
template <class... Policies>
struct at_most_one_poll_policy {
    static_assert(sizeof...(Policies) <= 1, "reactor_with: two PollPolicies (their category is tofu::poll_category)");
};
template <class... Policies>
struct at_most_one_pool_policy {
    static_assert(sizeof...(Policies) <= 1, "reactor_with: two PoolPolicies (their category is tofu::pool_category)");
};
template <class... Policies>
struct at_most_one_key_policy {
    static_assert(sizeof...(Policies) <= 1, "reactor_with: two KeyPolicies (their category is tofu::key_category)");
};
template <class... Policies>
struct at_most_one_timer_policy {
    static_assert(sizeof...(Policies) <= 1, "reactor_with: two TimerPolicies (their category is tofu::timer_category)");
};

/// The one for `Category` among the arguments, else the default.
template <class Category, template <class...> class AtMostOne, class Default, class... Policies>
struct chosen_policy {
    using claims = boost::mp11::mp_filter_q<boost::mp11::mp_bind<has_category, boost::mp11::_1, Category>,
                                            boost::mp11::mp_list<Policies...>>;
    using type = boost::mp11::mp_front<boost::mp11::mp_push_back<claims, Default>>;
    static_assert(sizeof(boost::mp11::mp_rename<claims, AtMostOne>) != 0);
};

template <class... Policies>
struct reactor_from {
    static_assert((is_a_policy<Policies>::value && ...));
    using type = basic_reactor<
        typename chosen_policy<poll_category, at_most_one_poll_policy, default_poll, Policies...>::type,
        typename chosen_policy<pool_category, at_most_one_pool_policy, default_pool, Policies...>::type,
        typename chosen_policy<key_category, at_most_one_key_policy, default_key, Policies...>::type,
        typename chosen_policy<timer_category, at_most_one_timer_policy, default_timer, Policies...>::type>;
};

} // namespace detail

/// The engine with these policies: any of the four categories, in any order, each at most once; what is not named is
/// the system's default. reactor_with<> is tofu::reactor.
template <class... Policies>
using reactor_with = typename detail::reactor_from<Policies...>::type;

/// The four policies of an engine as a boost::mp11::mp_list: poll, pool, key, timer.
template <class Reactor>
using policies_of = boost::mp11::mp_rename<typename Reactor::policies, boost::mp11::mp_list>;

} // namespace tofu

#endif
