// SPDX-License-Identifier: BSL-1.0
// The list of all key policies that exist for this processor.
#ifndef TOFU_TEST_SUPPORT_ALL_KEYS_HPP
#define TOFU_TEST_SUPPORT_ALL_KEYS_HPP

#include <tofu/policies/key/handle_key.hpp>
#include <tofu/policies/key/pointer_key.hpp>
#include <tofu/policies/key/slot_index_key.hpp>

#include <boost/mp11.hpp>

#include <cstdint>
#include <type_traits>

namespace tofu_test {

/// An address of 32 bits has no room for a generation.
inline constexpr bool has_pointer_key = sizeof(std::uintptr_t) == sizeof(std::uint64_t);
using pointer_key_or_index = std::conditional_t<has_pointer_key, tofu::pointer_key, tofu::slot_index_key>;

using all_keys =
    boost::mp11::mp_unique<boost::mp11::mp_list<tofu::slot_index_key, pointer_key_or_index, tofu::handle_key>>;

} // namespace tofu_test

#endif
