// SPDX-License-Identifier: BSL-1.0
// Converts between integer types that are the same type on some systems only.
#ifndef TOFU_DETAIL_INTEGER_CAST_HPP
#define TOFU_DETAIL_INTEGER_CAST_HPP

#include <tofu/config.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace tofu::inline TOFU_ABI::detail {

/// Converts `value`, which must fit. Each system chooses the types size_t, time_t and mode_t. A static_cast to such a
/// type is needed on some systems and useless on others, where g++ -Wuseless-cast reports it. Any thread.
template <std::integral To, std::integral From>
[[nodiscard]] constexpr To integer_cast(From value) noexcept {
    if constexpr (std::is_same_v<To, From>)
        return value;
    else
        return (TOFU_ASSERT(std::in_range<To>(value)), static_cast<To>(value));
}

} // namespace tofu::inline TOFU_ABI::detail

#endif
