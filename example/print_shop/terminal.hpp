// SPDX-License-Identifier: BSL-1.0
// What there is to know about the terminal behind a stream, if there is one: the only file here that asks the system.
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

/// Whether lines written to this stream can be taken back. The console of Windows 10 can, once it is told to look for
/// escape sequences; it stays that way.
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

/// Whether lines written to this stream can be taken back.
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

/// Nobody knows how to ask: no.
[[nodiscard]] inline bool is_terminal(std::FILE*) { return false; }
[[nodiscard]] inline terminal_size size_of_terminal(std::FILE*) { return {}; }

#endif

} // namespace print_shop

#endif
