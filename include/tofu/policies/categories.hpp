// SPDX-License-Identifier: BSL-1.0
// The tags that name the category of a policy. Each policy has one of them as its member type `category`.
#ifndef TOFU_POLICIES_CATEGORIES_HPP
#define TOFU_POLICIES_CATEGORIES_HPP

#include <tofu/config.hpp>

#include <concepts>

namespace tofu::inline TOFU_ABI {

struct poll_category {};  ///< reports sockets that are ready
struct pool_category {};  ///< owns the memory of channels
struct key_category {};   ///< finds the channel of an event
struct timer_category {}; ///< has the clock and the deadlines

template <class P, class Category>
concept category_is = requires {
    typename P::category;
    requires std::same_as<typename P::category, Category>;
};

/// A policy of another category.
template <class P, class Category>
concept has_another_category =
    !category_is<P, Category> && (category_is<P, poll_category> || category_is<P, pool_category> ||
                                  category_is<P, key_category> || category_is<P, timer_category>);

} // namespace tofu::inline TOFU_ABI

#endif
