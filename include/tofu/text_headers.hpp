// SPDX-License-Identifier: BSL-1.0
// The text headers of a message: `name:value` lines kept exactly as they travel, and reading them from any bytes.

#ifndef TOFU_TEXT_HEADERS_HPP
#define TOFU_TEXT_HEADERS_HPP

#include <tofu/binary_header.hpp>
#include <tofu/byte_buffer.hpp>
#include <tofu/config.hpp>
#include <tofu/status.hpp>

#include <cstddef>
#include <cstring>
#include <iterator>
#include <span>
#include <string_view>

namespace tofu::inline TOFU_ABI {

/// One header. The views point into the bytes from which it was read. Names are case-sensitive and compared byte by
/// byte.
struct text_header {
    std::string_view name{};
    std::string_view value{}; // without the spaces and tabs around it

    friend constexpr bool operator==(const text_header&, const text_header&) noexcept = default;
};

namespace detail {

inline constexpr std::string_view header_line_end = "\r\n";
inline constexpr std::string_view header_blanks = " \t";

constexpr std::string_view trim_blanks(std::string_view text) noexcept {
    while (!text.empty() && header_blanks.find(text.front()) != std::string_view::npos) text.remove_prefix(1);
    while (!text.empty() && header_blanks.find(text.back()) != std::string_view::npos) text.remove_suffix(1);
    return text;
}

/// Cuts the first line off `rest`, with its CRLF if it has one.
constexpr std::string_view take_header_line(std::string_view& rest) noexcept {
    const std::size_t end = rest.find(header_line_end);
    const std::size_t length = end == std::string_view::npos ? rest.size() : end + header_line_end.size();
    const std::string_view line = rest.substr(0, length);
    rest.remove_prefix(length);
    return line;
}

/// The header in a line. The name is empty if the line has no colon, or nothing before it.
constexpr text_header parse_header_line(std::string_view line) noexcept {
    if (line.ends_with(header_line_end)) line.remove_suffix(header_line_end.size());
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return {};
    return {line.substr(0, colon), trim_blanks(line.substr(colon + 1))};
}

} // namespace detail

/// The headers in a block of text. Any bytes are accepted: a line without a colon, or with nothing before it, is
/// skipped; a last line without CRLF counts; the first colon splits. The text must outlive the range, its iterators and
/// their views. Any thread, as for any reader.
class text_header_range {
public:
    class iterator {
    public:
        using iterator_concept = std::forward_iterator_tag;
        using iterator_category = std::input_iterator_tag; // the reference is a value
        using value_type = text_header;
        using difference_type = std::ptrdiff_t;
        using reference = text_header;
        using pointer = const text_header*;

        constexpr iterator() noexcept = default;

        constexpr text_header operator*() const noexcept { return current_; }
        constexpr const text_header* operator->() const noexcept { return &current_; }

        constexpr iterator& operator++() noexcept {
            advance();
            return *this;
        }

        constexpr iterator operator++(int) noexcept {
            const iterator before = *this;
            advance();
            return before;
        }

        // Two headers of one text never start at the same byte; the end has no name at all.
        friend constexpr bool operator==(const iterator& left, const iterator& right) noexcept {
            return left.current_.name.data() == right.current_.name.data();
        }

    private:
        friend class text_header_range;

        constexpr explicit iterator(std::string_view wire) noexcept : rest_(wire) { advance(); }

        constexpr void advance() noexcept {
            current_ = {};
            while (current_.name.empty() && !rest_.empty()) {
                current_ = detail::parse_header_line(detail::take_header_line(rest_));
            }
        }

        std::string_view rest_;
        text_header current_;
    };

    using const_iterator = iterator;

    constexpr text_header_range() noexcept = default;
    constexpr explicit text_header_range(std::string_view wire) noexcept : wire_(wire) {}

    [[nodiscard]] constexpr iterator begin() const noexcept { return iterator(wire_); }
    [[nodiscard]] constexpr iterator end() const noexcept { return iterator(); }

    /// The value of the first header of that name; a view with a null data() when there is none. Linear.
    [[nodiscard]] constexpr std::string_view find(std::string_view name) const noexcept {
        for (const text_header header : *this) {
            if (header.name == name) return header.value;
        }
        return {};
    }

    /// True when there is a header of that name. Linear.
    [[nodiscard]] constexpr bool contains(std::string_view name) const noexcept { return find(name).data() != nullptr; }

private:
    std::string_view wire_;
};

/// The text headers of one message, stored as they travel. Move-only. The functions check the headers that they write.
/// Headers from a peer may be any bytes, and are read as text_header_range describes. A failing call changes nothing.
/// Names and values may be views into the same object. A change makes iterators and views into the object invalid. One
/// thread at a time.
class text_headers {
public:
    using iterator = text_header_range::iterator;
    using const_iterator = iterator;

    /// Adds a header at the end. Spaces and tabs around the value are written, but readers do not see them. Errors:
    /// invalid_message: an empty name; CR, LF, NUL or ':' in the name; CR, LF or NUL in the value. invalid_headers_len:
    /// more than 65,535 bytes in all. allocation_failed: memory is short.
    [[nodiscard]] tofu::status append(std::string_view name, std::string_view value) noexcept;

    /// Sets the value of the first header with that name, and removes the other headers with that name. Appends a
    /// header if there is none. Errors as `append`.
    [[nodiscard]] tofu::status set(std::string_view name, std::string_view value) noexcept;

    /// Removes every header with that name. Allocates nothing. Linear.
    void erase(std::string_view name) noexcept;

    /// Removes the last header with this name and this value. False: there is none. Allocates nothing. Linear.
    bool erase_last(std::string_view name, std::string_view value) noexcept;

    /// The value of the first header of that name; a view with a null data() when there is none. Linear.
    [[nodiscard]] std::string_view find(std::string_view name) const noexcept { return range().find(name); }

    /// True when there is a header of that name. Linear.
    [[nodiscard]] bool contains(std::string_view name) const noexcept { return range().contains(name); }

    [[nodiscard]] iterator begin() const noexcept { return range().begin(); }
    [[nodiscard]] iterator end() const noexcept { return range().end(); }

    /// The number of bytes on the wire.
    [[nodiscard]] std::size_t size_bytes() const noexcept { return buffer_.size(); }
    /// True: there are no bytes.
    [[nodiscard]] bool empty() const noexcept { return buffer_.empty(); }
    /// Removes all headers, and keeps the memory.
    void clear() noexcept { buffer_.clear(); }

    /// The bytes as they travel.
    [[nodiscard]] std::string_view wire() const noexcept { return buffer_.text(); }

    /// Replaces the content with bytes as they travelled. Accepts any bytes. False: more than 65,535 bytes, or memory
    /// is short; nothing has changed.
    [[nodiscard]] bool assign_wire(std::string_view bytes) noexcept {
        return bytes.size() <= max_part_length && buffer_.assign(std::as_bytes(std::span(bytes.data(), bytes.size())));
    }

    /// The memory, for the engine, which reads from the wire directly into it. Must not hold more than 65,535 bytes
    /// afterwards.
    [[nodiscard]] byte_buffer& buffer() noexcept { return buffer_; }
    [[nodiscard]] const byte_buffer& buffer() const noexcept { return buffer_; }

private:
    [[nodiscard]] static bool acceptable(std::string_view name, std::string_view value) noexcept;

    [[nodiscard]] static std::size_t line_length(std::string_view name, std::string_view value) noexcept {
        return name.size() + 1 + value.size() + detail::header_line_end.size();
    }

    // Checks each length alone first, because their sum could overflow.
    [[nodiscard]] static bool fits(std::string_view name, std::string_view value, std::size_t others) noexcept {
        return name.size() <= max_part_length && value.size() <= max_part_length &&
               others + line_length(name, value) <= max_part_length;
    }

    // The last line of a peer may have no CRLF; the next line must not become part of it.
    [[nodiscard]] static std::size_t missing_line_end(std::string_view text) noexcept {
        return text.empty() || text.ends_with(detail::header_line_end) ? 0 : detail::header_line_end.size();
    }

    // The caller has made the room, so no append fails and none moves the bytes.
    static void write_line(byte_buffer& to, std::string_view name, std::string_view value) noexcept {
        if (missing_line_end(to.text()) != 0) static_cast<void>(to.append(detail::header_line_end));
        static_cast<void>(to.append(name));
        static_cast<void>(to.append(std::string_view(":")));
        static_cast<void>(to.append(value));
        static_cast<void>(to.append(detail::header_line_end));
    }

    [[nodiscard]] std::size_t grown_capacity(std::size_t total) const noexcept {
        const std::size_t doubled = buffer_.capacity() * 2;
        return total > doubled ? total : doubled;
    }

    [[nodiscard]] text_header_range range() const noexcept { return text_header_range(wire()); }

    [[nodiscard]] std::size_t length_without(std::string_view name) const noexcept {
        std::size_t length = 0;
        for (std::string_view rest = wire(); !rest.empty();) {
            const std::string_view line = detail::take_header_line(rest);
            if (detail::parse_header_line(line).name != name) length += line.size();
        }
        return length;
    }

    [[nodiscard]] std::size_t offset_of(std::string_view part) const noexcept {
        return static_cast<std::size_t>(part.data() - wire().data());
    }

    [[nodiscard]] std::size_t move_down(std::string_view line, std::size_t to) noexcept {
        std::memmove(buffer_.data() + to, buffer_.data() + offset_of(line), line.size());
        return to + line.size();
    }

    void cut(std::size_t from, std::size_t length, std::size_t end) noexcept {
        std::memmove(buffer_.data() + from, buffer_.data() + from + length, end - from - length);
        static_cast<void>(buffer_.resize(end - length)); // a shrink cannot fail
    }

    byte_buffer buffer_;
};

} // namespace tofu::inline TOFU_ABI

#if !TOFU_COMPILED
#include <tofu/impl/text_headers.hpp>
#endif

#endif // TOFU_TEXT_HEADERS_HPP
