// SPDX-License-Identifier: BSL-1.0
// What there is to know about the terminal behind a stream, if there is one: the only file here that asks the system.
#ifndef TOFU_EXAMPLE_PRINT_SHOP_TERMINAL_HPP
#define TOFU_EXAMPLE_PRINT_SHOP_TERMINAL_HPP

#include <cstddef>
#include <cstdio>

#if __has_include(<sys/ioctl.h>) && __has_include(<unistd.h>)
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>
#define TOFU_EXAMPLE_HAS_TERMINALS 1
#else
#define TOFU_EXAMPLE_HAS_TERMINALS 0
#endif

namespace print_shop {

struct terminal_size {
    std::size_t columns = 80;
    std::size_t rows = 24;
};

/// Whether lines written to this stream can be taken back. Where nobody knows how to ask: no.
[[nodiscard]] inline bool is_terminal([[maybe_unused]] std::FILE* stream) {
#if TOFU_EXAMPLE_HAS_TERMINALS
    const char* const kind = std::getenv("TERM");
    return ::isatty(::fileno(stream)) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
#else
    return false;
#endif
}

/// As it is now: windows change their size.
[[nodiscard]] inline terminal_size size_of_terminal([[maybe_unused]] std::FILE* stream) {
    terminal_size size;
#if TOFU_EXAMPLE_HAS_TERMINALS
    ::winsize window{};
    if (::ioctl(::fileno(stream), TIOCGWINSZ, &window) == 0 && window.ws_col != 0 && window.ws_row != 0)
        size = {window.ws_col, window.ws_row};
#endif
    return size;
}

} // namespace print_shop

#endif
