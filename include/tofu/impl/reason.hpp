// SPDX-License-Identifier: BSL-1.0
// The text of a cause, and a cause from its text. Programs do not include this header.
#ifndef TOFU_IMPL_REASON_HPP
#define TOFU_IMPL_REASON_HPP

#include <tofu/config.hpp>
#include <tofu/reason.hpp>

#include <charconv>

namespace tofu::inline TOFU_ABI {

TOFU_FUNCTION void reason_text::append(int number) noexcept {
    const auto end = std::to_chars(buffer_.data() + size_, buffer_.data() + buffer_.size(), number).ptr;
    size_ = static_cast<std::size_t>(end - buffer_.data());
}

TOFU_FUNCTION reason_text to_text(const cause& why) noexcept {
    reason_text text;
    text.append(to_string(why.why));
    if (why.why == reason::violation) {
        text.append(":");
        text.append(to_string(why.code));
    } else if (why.why == reason::os_error) {
        text.append(":");
        text.append(why.os_code);
    }
    return text;
}

namespace detail {

TOFU_FUNCTION std::optional<cause> parse_violation(std::string_view rule) noexcept {
    for (std::size_t index = 1; index < status_count; ++index) {
        if (status_table[index].name == rule) return cause::violation(static_cast<status>(index));
    }
    return std::nullopt;
}

TOFU_FUNCTION std::optional<cause> parse_os_error(std::string_view digits) noexcept {
    int code = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, code);
    if (error != std::errc{} || stop != end) return std::nullopt;
    return cause::os(code, status::unknown_error);
}

} // namespace detail

TOFU_FUNCTION std::optional<cause> parse_reason(std::string_view text) noexcept {
    std::optional<cause> found;
    if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
        const std::string_view kind = text.substr(0, colon);
        const std::string_view detail_part = text.substr(colon + 1);
        if (kind == to_string(reason::violation)) found = detail::parse_violation(detail_part);
        if (kind == to_string(reason::os_error)) found = detail::parse_os_error(detail_part);
    } else {
        for (std::size_t index = 1; index < static_cast<std::size_t>(reason::violation); ++index) {
            if (detail::reason_table[index].name == text) found = cause::of(static_cast<reason>(index));
        }
    }
    // A number can be written in several ways ("007", "-0"); only the form that to_text writes is accepted.
    if (found && to_text(*found).view() != text) return std::nullopt;
    return found;
}

} // namespace tofu::inline TOFU_ABI

#endif
