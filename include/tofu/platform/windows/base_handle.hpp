// SPDX-License-Identifier: BSL-1.0
// Finds the socket below all layered service providers, which AFD knows.

#ifndef TOFU_PLATFORM_WINDOWS_BASE_HANDLE_HPP
#define TOFU_PLATFORM_WINDOWS_BASE_HANDLE_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/windows/error.hpp>
#include <tofu/platform/windows/winsock.hpp>

// A layered service provider (a firewall, a proxy, a parental control) can put its own socket in front of the socket of
// the base provider. SIO_BASE_HANDLE returns the base socket, and Microsoft's page on LSPs forbids providers to
// intercept it. Some intercept it: Komodia's provider, part of several products, fails it and passes
// SIO_BSP_HANDLE_POLL, which returns the next socket below. Others block both. So this code asks for the base; if that
// fails, it goes one layer down and asks again. It stops if a layer returns the same socket, and after most_layers.

namespace tofu::inline TOFU_ABI::windows {

/// The answer of WSAIoctl: a socket, or a WSA code; 0 is success.
struct handle_answer {
    SOCKET handle = INVALID_SOCKET;
    int refused = 0;
};

namespace detail {

inline constexpr int most_layers = 16;

inline constexpr DWORD base_handle_query = 0x48000022;        // SIO_BASE_HANDLE, mswsock.h
inline constexpr DWORD handle_for_polling_query = 0x4800001D; // SIO_BSP_HANDLE_POLL, mswsock.h

inline handle_answer ask_for_handle(SOCKET of, DWORD question) noexcept {
    handle_answer answer;
    DWORD size = 0;
    if (::WSAIoctl(of, question, nullptr, 0, &answer.handle, sizeof answer.handle, &size, nullptr, nullptr) != 0)
        answer = {INVALID_SOCKET, ::WSAGetLastError()};
    return answer;
}

} // namespace detail

/// The search, without system calls: `ask_base(socket)` and `ask_below(socket)` return a handle_answer.
/// Errors: no_base_handle, with the code of the first refusal; other (WSAENOTSOCK: it is no socket at all). Any thread.
template <class AskBase, class AskBelow>
io_error find_base_handle(SOCKET of, AskBase ask_base, AskBelow ask_below, SOCKET& base) noexcept {
    int first_refusal = 0;
    SOCKET current = of;
    for (int layer = 0; layer < detail::most_layers; ++layer) {
        const handle_answer bottom = ask_base(current);
        if (bottom.refused == 0 && bottom.handle != INVALID_SOCKET) {
            base = bottom.handle;
            return {};
        }
        if (bottom.refused == WSAENOTSOCK) return from_wsa(WSAENOTSOCK);
        if (first_refusal == 0) first_refusal = bottom.refused;
        const handle_answer below = ask_below(current);
        if (below.refused != 0 || below.handle == INVALID_SOCKET || below.handle == current) break;
        current = below.handle;
    }
    return {io_failure::no_base_handle, first_refusal};
}

/// Finds the base provider's socket of `of`, mostly `of` itself. Errors: see find_base_handle. Any thread.
inline io_error base_handle_of(SOCKET of, SOCKET& base) noexcept {
    return find_base_handle(
        of, [](SOCKET layer) noexcept { return detail::ask_for_handle(layer, detail::base_handle_query); },
        [](SOCKET layer) noexcept { return detail::ask_for_handle(layer, detail::handle_for_polling_query); }, base);
}

} // namespace tofu::inline TOFU_ABI::windows

#endif // TOFU_PLATFORM_WINDOWS_BASE_HANDLE_HPP
