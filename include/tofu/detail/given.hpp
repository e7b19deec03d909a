// SPDX-License-Identifier: BSL-1.0
// Sorts the policy objects that an engine's constructor gets, and default constructs the missing ones.
#ifndef TOFU_DETAIL_GIVEN_HPP
#define TOFU_DETAIL_GIVEN_HPP

#include <tofu/config.hpp>

#include <concepts>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace tofu::inline TOFU_ABI::detail {

template <class Type, class... Others>
concept one_of = (std::same_as<Type, Others> || ...);

template <class Policy, class... Given>
inline constexpr std::size_t times_given = (std::size_t{0} + ... + std::size_t{std::same_as<Policy, Given>});

/// The policy is given once, or can be made by default.
template <class Policy, class... Given>
concept can_be_had = times_given<Policy, Given...>
== 1 || (times_given<Policy, Given...> == 0 && std::is_nothrow_default_constructible_v<Policy>);

/// One error for each requirement that is not met. Always true.
template <class Policy, class... Given>
consteval bool assert_given() {
    static_assert(times_given<Policy, Given...> <= 1, "basic_reactor: its constructor is given two objects of one "
                                                      "policy");
    if constexpr (times_given<Policy, Given...> == 0)
        static_assert(std::is_nothrow_default_constructible_v<Policy>,
                      "basic_reactor: a policy that cannot be made by default has to be given to the constructor, "
                      "after driven_by (and the error_code, if there is one)");
    return true;
}

/// Moves the given object of this type out. If none was given, default constructs one.
template <class Policy, class... Given>
requires can_be_had<Policy, Given...>
[[nodiscard]] Policy take([[maybe_unused]] Given&... given) noexcept {
    if constexpr (times_given<Policy, Given...> == 1)
        return std::move(std::get<Policy&>(std::tie(given...)));
    else
        return Policy{};
}

} // namespace tofu::inline TOFU_ABI::detail

#endif
