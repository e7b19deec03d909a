// SPDX-License-Identifier: BSL-1.0
// The problems that the options of an engine can have, each with a sentence that names the option.

#ifndef TOFU_OPTIONS_PROBLEM_HPP
#define TOFU_OPTIONS_PROBLEM_HPP

#include <tofu/config.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace tofu::inline TOFU_ABI {

/// The option whose value is wrong. For max_messages_alive: it is not above max_messages. As a std::error_code it has a
/// sentence of its own and equals status::not_allowed.
enum class options_problem : std::uint8_t {
    none,
    max_messages,
    max_messages_alive,
    max_queued_messages,
    max_queued_bytes,
    max_awaiting_hello,
    read_budget,
    write_budget,
    accept_budget,
    backlog,
    uds_permissions,
    connect_time,
    hello_time,
    message_time,
    idle_time,
    bye_time,
    grace_time,
    retry_time,
};

/// The number of values, `none` included.
inline constexpr std::size_t options_problem_count = 18;

namespace detail {

inline constexpr std::array<std::string_view, options_problem_count> options_sentences{
    "",
    "max_messages must be at least 4.",
    "max_messages_alive must be above max_messages, or 0 for no limit.",
    "max_queued_messages must be at least 1.",
    "max_queued_bytes must be at least 131086, the largest message.",
    "max_awaiting_hello must be at least 1.",
    "read_budget must be at least 1.",
    "write_budget must be at least 1.",
    "accept_budget must be at least 1.",
    "backlog must be at least 1.",
    "uds_permissions must be at most 0777.",
    "connect_time must be between 0 and 366 days.",
    "hello_time must be between 0 and 366 days.",
    "message_time must be between 0 and 366 days.",
    "idle_time must be between 0 and 366 days.",
    "bye_time must be between 0 and 366 days.",
    "grace_time must be between 0 and 366 days.",
    "retry_time must be between 1 ms and 366 days.",
};

} // namespace detail

/// The sentence that names the option and its rule. Empty for `none` and for values that do not exist. Static storage.
/// Any thread.
[[nodiscard]] constexpr std::string_view to_string(options_problem what) noexcept {
    const auto index = static_cast<std::size_t>(what);
    return detail::options_sentences[index < options_problem_count ? index : 0];
}

} // namespace tofu::inline TOFU_ABI

template <>
struct std::is_error_code_enum<tofu::options_problem> : std::true_type {};

#endif // TOFU_OPTIONS_PROBLEM_HPP
