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

#include <type_traits>

namespace tofu {

namespace detail {

template <class Type>
concept is_any_policy = category_is<Type, poll_category> || category_is<Type, pool_category> ||
    category_is<Type, key_category> || category_is<Type, timer_category>;

/// Always true, like all that follow; the compiler's trace names the types that are wrong.
template <class Type>
consteval bool assert_is_a_policy() {
    static_assert(is_any_policy<Type>,
                  "reactor_with: this type is no policy: it needs `using category = tofu::poll_category;` (or "
                  "pool_category, key_category, timer_category)");
    return true;
}

/// The policies among the arguments that claim one category: none or one.
template <class... Policies>
struct poll_policies {
    static_assert(sizeof...(Policies) <= 1, "reactor_with: two PollPolicies (their category is tofu::poll_category)");
};
template <class... Policies>
struct pool_policies {
    static_assert(sizeof...(Policies) <= 1, "reactor_with: two PoolPolicies (their category is tofu::pool_category)");
};
template <class... Policies>
struct key_policies {
    static_assert(sizeof...(Policies) <= 1, "reactor_with: two KeyPolicies (their category is tofu::key_category)");
};
template <class... Policies>
struct timer_policies {
    static_assert(sizeof...(Policies) <= 1, "reactor_with: two TimerPolicies (their category is tofu::timer_category)");
};

template <class Type, class Category>
using has_category = std::bool_constant<category_is<Type, Category>>;

/// The one for `Category` among the arguments, else the default.
template <class Category, template <class...> class AtMostOne, class Default, class... Policies>
struct chosen_policy {
    using claims = boost::mp11::mp_filter_q<boost::mp11::mp_bind<has_category, boost::mp11::_1, Category>,
                                            boost::mp11::mp_list<Policies...>>;
    static_assert(sizeof(boost::mp11::mp_rename<claims, AtMostOne>) != 0);
    using type = boost::mp11::mp_front<boost::mp11::mp_push_back<claims, Default>>;
};

template <class... Policies>
struct reactor_from {
    static_assert((assert_is_a_policy<Policies>() && ... && true));
    using type =
        basic_reactor<typename chosen_policy<poll_category, poll_policies, default_poll, Policies...>::type,
                      typename chosen_policy<pool_category, pool_policies, default_pool, Policies...>::type,
                      typename chosen_policy<key_category, key_policies, default_key, Policies...>::type,
                      typename chosen_policy<timer_category, timer_policies, default_timer, Policies...>::type>;
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
