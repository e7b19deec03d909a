// SPDX-License-Identifier: BSL-1.0
// The four tags by which a policy says which of the four places it is for.
#ifndef TOFU_POLICIES_CATEGORIES_HPP
#define TOFU_POLICIES_CATEGORIES_HPP

namespace tofu {

struct poll_category {};  ///< which sockets are ready
struct pool_category {};  ///< where channels live
struct key_category {};   ///< how a completion finds its channel
struct timer_category {}; ///< deadlines, and the clock

} // namespace tofu

#endif
