// SPDX-License-Identifier: BSL-1.0
// Who turns a name into addresses: the system's own resolver, as POSIX systems have it.

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

/// What getaddrinfo answered (getaddrinfo(3)). There are many ways not to have an address, but they have one meaning.
constexpr io_error lookup_error(int code, int system_code) noexcept {
    switch (code) {
    case 0: return {};
    case EAI_MEMORY: return io_error{io_failure::no_memory, code};
    case EAI_SYSTEM: return from_errno(system_code);
    default: return io_error{io_failure::name_not_found, code};
    }
}

} // namespace detail

/// A look-up that asks the system: /etc/hosts, DNS, or whatever the host is configured to ask, in the order it prefers
/// (getaddrinfo(3)). Blocks, for many seconds when nobody answers. Any thread.
struct system_names {
    /// Errors: no_memory; name_not_found, with the code of getaddrinfo; whatever errno said.
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
