// SPDX-License-Identifier: BSL-1.0
// Every policy there is for this system, by category, and their product. A policy that is added to a list is run with
// all others.
#ifndef TOFU_TEST_PRODUCT_LISTS_HPP
#define TOFU_TEST_PRODUCT_LISTS_HPP

#include "support/all_keys.hpp"

#include <tofu/policies/defaults.hpp>
#include <tofu/policies/policy_set.hpp>
#include <tofu/policies/pool/growing_channel_pool.hpp>
#include <tofu/policies/timer/manual_timer.hpp>
#include <tofu/policies/timer/no_timers.hpp>

#include <pollers.hpp>

#include <boost/mp11.hpp>

#include <cstddef>
#include <type_traits>

namespace tofu_test {

namespace mp = boost::mp11;

// The first of each list is what the others are varied from where the whole product would take too long. Pools are
// small, so that one becomes full and the other grows.
using product_polls = system_pollers_over<tofu::platform::network<>>;
using product_pools = mp::mp_list<tofu::fixed_channel_pool<8>, tofu::growing_channel_pool<4>>;
using product_keys = all_keys;
using product_timers = mp::mp_list<tofu::wait_timeout, tofu::manual_timer, tofu::no_timers>;

using whole_product = mp::mp_product<tofu::policy_set, product_polls, product_pools, product_keys, product_timers>;

/// The number of places in which a set differs from the first set of all.
template <class Set>
using places_varied = mp::mp_count_if_q<mp::mp_transform<std::is_same, mp::mp_rename<Set, mp::mp_list>,
                                                         mp::mp_rename<mp::mp_first<whole_product>, mp::mp_list>>,
                                        mp::mp_quote<mp::mp_not>>;

#if defined(TOFU_TEST_WHOLE_PRODUCT)
using product = whole_product;
#else
template <class Set>
using is_varied_once = std::bool_constant<(places_varied<Set>::value <= 1)>;
using product = mp::mp_copy_if<whole_product, is_varied_once>;
#endif

/// 0: as many as there are numbers.
template <class Pool>
inline constexpr std::size_t most_channels_of = 0;
template <std::size_t N>
inline constexpr std::size_t most_channels_of<tofu::fixed_channel_pool<N>> = N;

/// The number of files that share the work of compiling the product.
inline constexpr std::size_t product_parts = TOFU_TEST_PRODUCT_PARTS;

} // namespace tofu_test

#endif
