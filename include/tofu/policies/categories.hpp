// SPDX-License-Identifier: BSL-1.0
// The four tags by which a policy says which of the four places it is for, and how they are read.
#ifndef TOFU_POLICIES_CATEGORIES_HPP
#define TOFU_POLICIES_CATEGORIES_HPP

#include <tofu/config.hpp>

#include <concepts>

namespace tofu::inline TOFU_ABI {

struct poll_category {};  ///< which sockets are ready
struct pool_category {};  ///< where channels live
struct key_category {};   ///< how a completion finds its channel
struct timer_category {}; ///< deadlines, and the clock

template <class P, class Category>
concept category_is = requires {
    typename P::category;
    requires std::same_as<typename P::category, Category>;
};

/// It is a policy, but for another place.
template <class P, class Category>
concept has_another_category =
    !category_is<P, Category> && (category_is<P, poll_category> || category_is<P, pool_category> ||
                                  category_is<P, key_category> || category_is<P, timer_category>);

} // namespace tofu::inline TOFU_ABI

#endif
