// SPDX-License-Identifier: BSL-1.0
// The path of the temporary directory, in UTF-8.

#ifndef TOFU_PLATFORM_WINDOWS_TEMPORARY_DIRECTORY_HPP
#define TOFU_PLATFORM_WINDOWS_TEMPORARY_DIRECTORY_HPP

#include <tofu/config.hpp>
#include <tofu/platform/windows/utf8.hpp>
#include <tofu/platform/windows/winsock.hpp>

#include <cstddef>
#include <string_view>

namespace tofu::inline TOFU_ABI::windows {

/// A path in a buffer of its own. A plain value.
class path_text {
public:
    path_text() noexcept = default;
    /// Empty if `path` has half a surrogate pair.
    explicit path_text(std::wstring_view path) noexcept : size_(to_utf8(path, text_)) {}

    [[nodiscard]] std::string_view view() const noexcept { return {text_, size_}; }

private:
    // A unit of UTF-16 becomes at most three bytes.
    char text_[3 * (MAX_PATH + 1)] = {};
    std::size_t size_ = 0;
};

/// The path of GetTempPathW (TMP, TEMP, or the user's profile), with a backslash at its end. Empty if unknown. The
/// directory may not exist. Any thread.
inline path_text temporary_directory() noexcept {
    wchar_t path[MAX_PATH + 1];
    const DWORD length = ::GetTempPathW(MAX_PATH + 1, path);
    return length == 0 || length > MAX_PATH ? path_text() : path_text(std::wstring_view(path, length));
}

} // namespace tofu::inline TOFU_ABI::windows

#endif // TOFU_PLATFORM_WINDOWS_TEMPORARY_DIRECTORY_HPP
