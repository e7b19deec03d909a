// SPDX-License-Identifier: BSL-1.0
// Converts between UTF-8, the encoding of tofu, and UTF-16, the encoding of Windows.

#ifndef TOFU_PLATFORM_WINDOWS_UTF8_HPP
#define TOFU_PLATFORM_WINDOWS_UTF8_HPP

#include <tofu/config.hpp>
#include <tofu/platform/windows/winsock.hpp>

#include <cstddef>
#include <limits>
#include <span>
#include <string_view>

namespace tofu::inline TOFU_ABI::windows {

namespace detail {

inline constexpr std::size_t most_text = static_cast<std::size_t>((std::numeric_limits<int>::max)());

inline int to_wide(std::string_view text, wchar_t* room, int size) noexcept {
    return ::MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text.data(), static_cast<int>(text.size()), room, size);
}

inline int to_narrow(std::wstring_view text, char* room, int size) noexcept {
    return ::WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, text.data(), static_cast<int>(text.size()), room, size,
                                 nullptr, nullptr);
}

} // namespace detail

/// Returns the number of units written to `room`, without a terminator; 0 for an empty text, for a text that is not
/// UTF-8, and for one that does not fit. Any thread.
inline std::size_t to_utf16(std::string_view text, std::span<wchar_t> room) noexcept {
    if (text.empty() || text.size() > detail::most_text) return 0;
    // First asks for the size: Wine 8 accepts a last surrogate pair with room for only half of it.
    const int units = detail::to_wide(text, nullptr, 0);
    if (units <= 0 || static_cast<std::size_t>(units) > room.size()) return 0;
    return static_cast<std::size_t>(detail::to_wide(text, room.data(), units));
}

/// Returns the number of bytes written to `room`, without a terminator; 0 for an empty text, for half a surrogate pair,
/// and for a text that does not fit. Any thread.
inline std::size_t to_utf8(std::wstring_view text, std::span<char> room) noexcept {
    if (text.empty() || text.size() > detail::most_text) return 0;
    const int bytes = detail::to_narrow(text, nullptr, 0);
    if (bytes <= 0 || static_cast<std::size_t>(bytes) > room.size()) return 0;
    return static_cast<std::size_t>(detail::to_narrow(text, room.data(), bytes));
}

} // namespace tofu::inline TOFU_ABI::windows

#endif // TOFU_PLATFORM_WINDOWS_UTF8_HPP
