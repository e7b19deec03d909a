// SPDX-License-Identifier: BSL-1.0
// Text for the calls of Windows, which want UTF-16, and back; tofu's own text is UTF-8 everywhere.

#ifndef TOFU_PLATFORM_WINDOWS_UTF8_HPP
#define TOFU_PLATFORM_WINDOWS_UTF8_HPP

#include <tofu/platform/windows/winsock.hpp>

#include <cstddef>
#include <limits>
#include <span>
#include <string_view>

namespace tofu::windows {

/// Units written to `room`, without a terminator; 0 for no text, for text that is not UTF-8, and for text that does not
/// fit. Any thread.
inline std::size_t to_utf16(std::string_view text, std::span<wchar_t> room) noexcept {
    constexpr std::size_t most = static_cast<std::size_t>((std::numeric_limits<int>::max)());
    if (text.empty() || text.size() > most || room.size() > most) return 0;
    return static_cast<std::size_t>(::MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text.data(),
                                                          static_cast<int>(text.size()), room.data(),
                                                          static_cast<int>(room.size())));
}

/// Bytes written to `room`, without a terminator; 0 for no text, for half a surrogate pair, and for text that does not
/// fit. Any thread.
inline std::size_t to_utf8(std::wstring_view text, std::span<char> room) noexcept {
    constexpr std::size_t most = static_cast<std::size_t>((std::numeric_limits<int>::max)());
    if (text.empty() || text.size() > most || room.size() > most) return 0;
    return static_cast<std::size_t>(::WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, text.data(),
                                                          static_cast<int>(text.size()), room.data(),
                                                          static_cast<int>(room.size()), nullptr, nullptr));
}

} // namespace tofu::windows

#endif // TOFU_PLATFORM_WINDOWS_UTF8_HPP
