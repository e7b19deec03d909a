// SPDX-License-Identifier: BSL-1.0
// The look-up of names on POSIX systems, by getaddrinfo(3).

#ifndef TOFU_PLATFORM_POSIX_RESOLVER_HPP
#define TOFU_PLATFORM_POSIX_RESOLVER_HPP

#include <tofu/address.hpp>
#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/contract/nothrow_vector.hpp>
#include <tofu/platform/endpoint.hpp>
#include <tofu/platform/lookup_results.hpp>
#include <tofu/platform/posix/error.hpp>

#include <netdb.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tofu::inline TOFU_ABI::posix {

namespace detail {

/// Translates a result of getaddrinfo(3). Its many codes for a missing address become name_not_found.
constexpr io_error lookup_error(int code, int system_code) noexcept {
    switch (code) {
    case 0: return {};
    case EAI_MEMORY: return io_error{io_failure::no_memory, code};
    case EAI_SYSTEM: return from_errno(system_code);
    default: return io_error{io_failure::name_not_found, code};
    }
}

} // namespace detail

/// Looks up a name in the sources that the host is configured for, such as /etc/hosts and DNS, and keeps the order of
/// the addresses. Blocks, for many seconds if no server answers. Any thread.
struct system_names {
    /// Errors: no_memory; name_not_found, with the code of getaddrinfo; any other failure of errno.
    io_error operator()(std::string_view host, std::uint16_t port, bool for_listening,
                        nothrow_vector<platform::endpoint>& found) const noexcept {
        char text[max_host_length + 1] = {};
        if (host.size() >= sizeof text) {
            return io_error{io_failure::name_not_found, EAI_NONAME};
        }
        std::memcpy(text, host.data(), host.size());
        const auto wanted = platform::detail::wanted_results<addrinfo>(for_listening);
        addrinfo* list = nullptr;
        const int code = ::getaddrinfo(text, nullptr, &wanted, &list);
        if (const io_error error = detail::lookup_error(code, errno); error || list == nullptr) {
            return error;
        }
        const io_error error = platform::detail::collect_results(list, port, found);
        ::freeaddrinfo(list);
        return error;
    }
};

} // namespace tofu::inline TOFU_ABI::posix

#endif // TOFU_PLATFORM_POSIX_RESOLVER_HPP
