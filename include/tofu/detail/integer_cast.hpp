// SPDX-License-Identifier: BSL-1.0
// A conversion between integer types that are one type on some systems and two on others.
#ifndef TOFU_DETAIL_INTEGER_CAST_HPP
#define TOFU_DETAIL_INTEGER_CAST_HPP

#include <tofu/config.hpp>

#include <concepts>
#include <type_traits>

namespace tofu::inline TOFU_ABI::detail {

/// `value` as a `To`. The system chooses types such as size_t, time_t and mode_t. A static_cast to one of them is
/// needed on one system and is useless on another; g++ -Wuseless-cast reports the useless one. The value must fit. Any
/// thread.
template <std::integral To, std::integral From>
[[nodiscard]] constexpr To integer_cast(From value) noexcept {
    if constexpr (std::is_same_v<To, From>)
        return value;
    else
        return static_cast<To>(value);
}

} // namespace tofu::inline TOFU_ABI::detail

#endif
