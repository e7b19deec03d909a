// SPDX-License-Identifier: BSL-1.0
// The look-up of names on Windows, by GetAddrInfoW.

#ifndef TOFU_PLATFORM_WINDOWS_RESOLVER_HPP
#define TOFU_PLATFORM_WINDOWS_RESOLVER_HPP

#include <tofu/address.hpp>
#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/contract/nothrow_vector.hpp>
#include <tofu/platform/endpoint.hpp>
#include <tofu/platform/lookup_results.hpp>
#include <tofu/platform/windows/utf8.hpp>
#include <tofu/platform/windows/winsock.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace tofu::inline TOFU_ABI::windows {

namespace detail {

/// Translates a result of GetAddrInfoW (its page has the list). Its many codes for a missing address become
/// name_not_found.
constexpr io_error lookup_error(int code) noexcept {
    switch (code) {
    case 0: return {};
    case WSA_NOT_ENOUGH_MEMORY: // EAI_MEMORY
    case WSAENOBUFS: return io_error{io_failure::no_memory, code};
    case WSANOTINITIALISED: return io_error{io_failure::other, code}; // no server was asked: the caller has no session
    default: return io_error{io_failure::name_not_found, code};
    }
}

} // namespace detail

/// Looks up a name in the sources that the host is configured for, such as the hosts file and DNS, and keeps the order
/// of the addresses. Uses GetAddrInfoW, because the narrow call would read the name in the present code page. Looks up
/// a name beyond ASCII in its IDNA form. Blocks, for many seconds if no server answers. Any thread; Winsock must be
/// started.
struct system_names {
    /// Errors: no_memory; name_not_found, with the code of Windows; other, without Winsock.
    io_error operator()(std::string_view host, std::uint16_t port, bool for_listening,
                        nothrow_vector<platform::endpoint>& found) const noexcept {
        wchar_t text[max_host_length + 1] = {}; // a text never has more units in UTF-16 than bytes in UTF-8
        if (to_utf16(host, std::span(text, max_host_length)) == 0) { // an empty name would be this machine's own
            return io_error{io_failure::name_not_found, WSAHOST_NOT_FOUND};
        }
        const auto wanted = platform::detail::wanted_results<ADDRINFOW>(for_listening);
        ADDRINFOW* list = nullptr;
        const int code = ::GetAddrInfoW(text, nullptr, &wanted, &list);
        if (const io_error error = detail::lookup_error(code); error || list == nullptr) {
            return error;
        }
        const io_error error = platform::detail::collect_results(list, port, found);
        ::FreeAddrInfoW(list);
        return error;
    }
};

} // namespace tofu::inline TOFU_ABI::windows

#endif // TOFU_PLATFORM_WINDOWS_RESOLVER_HPP
