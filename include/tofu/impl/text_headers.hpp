// SPDX-License-Identifier: BSL-1.0
// The bodies of the functions that change text headers. Programs do not include this header.
#ifndef TOFU_IMPL_TEXT_HEADERS_HPP
#define TOFU_IMPL_TEXT_HEADERS_HPP

#include <tofu/config.hpp>
#include <tofu/text_headers.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace tofu::inline TOFU_ABI {

TOFU_FUNCTION tofu::status text_headers::append(std::string_view name, std::string_view value) noexcept {
    if (!acceptable(name, value)) return status::invalid_message;
    const std::size_t separator = missing_line_end(wire());
    if (!fits(name, value, buffer_.size() + separator)) return status::invalid_headers_len;
    const std::size_t total = buffer_.size() + separator + line_length(name, value);
    if (total > buffer_.capacity()) {
        // The old block stays until the line is written, as name and value may point into it.
        byte_buffer grown;
        if (!grown.reserve(grown_capacity(total)) && !grown.reserve(total)) return status::allocation_failed;
        static_cast<void>(grown.append(buffer_.bytes()));
        write_line(grown, name, value);
        buffer_.swap(grown);
    } else {
        write_line(buffer_, name, value);
    }
    return status::success;
}

TOFU_FUNCTION tofu::status text_headers::set(std::string_view name, std::string_view value) noexcept {
    if (!contains(name)) return append(name, value);
    if (!acceptable(name, value)) return status::invalid_message;
    const std::size_t kept = length_without(name);
    if (!fits(name, value, kept)) return status::invalid_headers_len;
    byte_buffer next;
    // Room for one more CRLF: the first header with that name may be in a last line without one.
    if (!next.reserve(kept + line_length(name, value) + detail::header_line_end.size())) {
        return status::allocation_failed;
    }
    bool written = false;
    for (std::string_view rest = wire(); !rest.empty();) {
        const std::string_view line = detail::take_header_line(rest);
        if (detail::parse_header_line(line).name != name) {
            static_cast<void>(next.append(line));
        } else if (!std::exchange(written, true)) {
            write_line(next, name, value);
        }
    }
    buffer_.swap(next);
    return status::success;
}

TOFU_FUNCTION void text_headers::erase(std::string_view name) noexcept {
    if (name.empty() || !contains(name)) return;
    // The first matching line stays in its place until the end, because `name` may point into it.
    std::string_view rest = wire();
    std::string_view line = detail::take_header_line(rest);
    while (detail::parse_header_line(line).name != name) line = detail::take_header_line(rest);
    const std::size_t first = offset_of(line);
    const std::size_t first_length = line.size();
    const std::string_view stable_name = detail::parse_header_line(line).name;

    std::size_t end = first + first_length;
    while (!rest.empty()) {
        const std::string_view next = detail::take_header_line(rest);
        if (detail::parse_header_line(next).name != stable_name) end = move_down(next, end);
    }
    cut(first, first_length, end);
}

TOFU_FUNCTION bool text_headers::erase_last(std::string_view name, std::string_view value) noexcept {
    std::string_view line;
    for (std::string_view rest = wire(); !rest.empty();) {
        const std::string_view next = detail::take_header_line(rest);
        if (detail::parse_header_line(next) == text_header{name, value}) line = next;
    }
    if (line.empty()) return false;
    cut(offset_of(line), line.size(), buffer_.size());
    return true;
}

TOFU_FUNCTION bool text_headers::acceptable(std::string_view name, std::string_view value) noexcept {
    // find_first_of of libstdc++ calls a function for each character.
    const auto breaks = [](char each) { return each == '\r' || each == '\n' || each == '\0'; };
    return !name.empty() && std::none_of(name.begin(), name.end(), breaks) &&
           name.find(':') == std::string_view::npos && std::none_of(value.begin(), value.end(), breaks);
}

} // namespace tofu::inline TOFU_ABI

#endif
