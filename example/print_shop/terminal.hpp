// SPDX-License-Identifier: BSL-1.0
// Describes the terminal behind a stream, if there is one. Only this file makes calls of the operating system.
#ifndef TOFU_EXAMPLE_PRINT_SHOP_TERMINAL_HPP
#define TOFU_EXAMPLE_PRINT_SHOP_TERMINAL_HPP

#include <cstddef>
#include <cstdio>

#if defined(_WIN32)
#include <tofu/platform/windows/winsock.hpp>

#include <io.h>
#elif __has_include(<sys/ioctl.h>) && __has_include(<unistd.h>)
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>
#define TOFU_EXAMPLE_HAS_TERMINALS 1
#endif

namespace print_shop {

struct terminal_size {
    std::size_t columns = 80;
    std::size_t rows = 24;
};

#if defined(_WIN32)

namespace detail {

inline HANDLE handle_of(std::FILE* stream) { return reinterpret_cast<HANDLE>(::_get_osfhandle(::_fileno(stream))); }

} // namespace detail

/// True: lines written to this stream can be overwritten. The console of Windows 10 allows that after a call that
/// enables escape sequences. The setting stays.
[[nodiscard]] inline bool is_terminal(std::FILE* stream) {
    const HANDLE console = detail::handle_of(stream);
    DWORD mode = 0;
    if (::_isatty(::_fileno(stream)) == 0 || ::GetConsoleMode(console, &mode) == 0) return false;
    return ::SetConsoleMode(console, mode | ENABLE_PROCESSED_OUTPUT | ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0;
}

/// As it is now: windows change their size.
[[nodiscard]] inline terminal_size size_of_terminal(std::FILE* stream) {
    CONSOLE_SCREEN_BUFFER_INFO screen{};
    if (::GetConsoleScreenBufferInfo(detail::handle_of(stream), &screen) == 0) return {};
    const SMALL_RECT& window = screen.srWindow;
    return {static_cast<std::size_t>(window.Right - window.Left + 1),
            static_cast<std::size_t>(window.Bottom - window.Top + 1)};
}

#elif defined(TOFU_EXAMPLE_HAS_TERMINALS)

/// True: lines written to this stream can be overwritten.
[[nodiscard]] inline bool is_terminal(std::FILE* stream) {
    const char* const kind = std::getenv("TERM");
    return ::isatty(::fileno(stream)) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

/// As it is now: windows change their size.
[[nodiscard]] inline terminal_size size_of_terminal(std::FILE* stream) {
    ::winsize window{};
    if (::ioctl(::fileno(stream), TIOCGWINSZ, &window) != 0 || window.ws_col == 0 || window.ws_row == 0) return {};
    return {window.ws_col, window.ws_row};
}

#else

/// Unknown system: false.
[[nodiscard]] inline bool is_terminal(std::FILE*) { return false; }
[[nodiscard]] inline terminal_size size_of_terminal(std::FILE*) { return {}; }

#endif

} // namespace print_shop

#endif
