// SPDX-License-Identifier: BSL-1.0
// The printed names of policies.
#ifndef TOFU_POLICIES_NAMES_HPP
#define TOFU_POLICIES_NAMES_HPP

#include <tofu/config.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace tofu::inline TOFU_ABI {

namespace detail {

/// Joins several texts at compile time.
template <const std::string_view&... Parts>
struct joined_text {
    static constexpr auto characters = [] {
        std::array<char, (std::size_t{0} + ... + Parts.size())> all{};
        auto end = all.begin();
        const auto add = [&end](std::string_view part) {
            for (const char each : part) *end++ = each;
        };
        (add(Parts), ...);
        return all;
    }();
    static constexpr std::string_view value{characters.data(), characters.size()};
};

/// Formats a number in decimal at compile time.
template <std::size_t Number>
struct decimal_text {
    static constexpr std::size_t length = [] {
        std::size_t digits = 1;
        for (std::size_t rest = Number; rest >= 10; rest /= 10) ++digits;
        return digits;
    }();
    static constexpr auto characters = [] {
        std::array<char, length> all{};
        std::size_t rest = Number;
        for (std::size_t i = length; i > 0; --i, rest /= 10) all[i - 1] = static_cast<char>('0' + rest % 10);
        return all;
    }();
    static constexpr std::string_view value{characters.data(), characters.size()};
};

/// The compiler's name of a type, cut from the function's name: "... [with Type = NAME; ...]" with g++,
/// "... [Type = NAME]" with clang. The whole text if it has another form.
template <class Type>
constexpr std::string_view type_name() noexcept {
    std::string_view text = TOFU_FUNCTION_NAME;
    constexpr std::string_view before = "Type = ";
    const std::size_t start = text.find(before);
    if (start == std::string_view::npos) return text;
    text.remove_prefix(start + before.size());
    return text.substr(0, text.rfind(']')).substr(0, text.find(';'));
}

inline constexpr std::string_view opening = "<";
inline constexpr std::string_view closing = ">";
inline constexpr std::string_view comma = ", ";

} // namespace detail

/// "stem<4>", for the name of a policy that is a template of one number.
template <const std::string_view& Stem, std::size_t Number>
inline constexpr std::string_view name_with_number =
    detail::joined_text<Stem, detail::opening, detail::decimal_text<Number>::value, detail::closing>::value;

/// The name of a policy: its member `static constexpr std::string_view name`, else the name of its type.
template <class Policy>
inline constexpr std::string_view policy_name = [] {
    if constexpr (requires { std::string_view(Policy::name); })
        return std::string_view(Policy::name);
    else
        return detail::type_name<Policy>();
}();

/// "linux_epoll, fixed_channel_pool<1024>, slot_index_key, wait_timeout": the names of several policies.
template <class First, class... Others>
struct policy_names {
    template <class Policy>
    struct behind_comma {
        static constexpr std::string_view value = detail::joined_text<detail::comma, policy_name<Policy>>::value;
    };
    static constexpr std::string_view value =
        detail::joined_text<policy_name<First>, behind_comma<Others>::value...>::value;
};

} // namespace tofu::inline TOFU_ABI

#endif
