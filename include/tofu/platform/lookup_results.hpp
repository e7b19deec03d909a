// SPDX-License-Identifier: BSL-1.0
// The question and the answer of getaddrinfo and GetAddrInfoW.

#ifndef TOFU_PLATFORM_LOOKUP_RESULTS_HPP
#define TOFU_PLATFORM_LOOKUP_RESULTS_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/contract/nothrow_vector.hpp>
#include <tofu/platform/endpoint.hpp>
#include <tofu/platform/socket_api.hpp>

#if !defined(_WIN32)
#include <netdb.h>
#endif

#include <cstdint>
#include <cstring>

// `Info` is addrinfo or ADDRINFOW of Windows; they differ in the type of their texts only.

namespace tofu::inline TOFU_ABI::platform::detail {

/// Asks for stream addresses of both families, also of a family that no interface has now. So a host without a network
/// finds localhost.
template <class Info>
Info wanted_results(bool for_listening) noexcept {
    Info wanted{};
    wanted.ai_family = AF_UNSPEC;
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = for_listening ? AI_PASSIVE : 0;
    return wanted;
}

/// Empty for an address family other than IPv4 and IPv6.
template <class Info>
endpoint endpoint_of_result(const Info& from, std::uint16_t port) noexcept {
    if (from.ai_addr != nullptr && from.ai_family == AF_INET && from.ai_addrlen >= sizeof(sockaddr_in)) {
        sockaddr_in raw;
        std::memcpy(&raw, from.ai_addr, sizeof raw);
        return detail::v4_endpoint(raw.sin_addr, port);
    }
    if (from.ai_addr != nullptr && from.ai_family == AF_INET6 && from.ai_addrlen >= sizeof(sockaddr_in6)) {
        sockaddr_in6 raw;
        std::memcpy(&raw, from.ai_addr, sizeof raw);
        return detail::is_v4_mapped(raw.sin6_addr) ? detail::v4_endpoint(detail::mapped_v4(raw.sin6_addr), port)
                                                   : detail::v6_endpoint(raw.sin6_addr, port, raw.sin6_scope_id);
    }
    return {};
}

inline bool contains(const nothrow_vector<endpoint>& all, const endpoint& one) noexcept {
    for (const endpoint& each : all) {
        if (each.length == one.length && std::memcmp(&each.storage, &one.storage, one.size()) == 0) {
            return true;
        }
    }
    return false;
}

/// Appends each address once, in the order of the list. A hosts file can list an address twice. Error: no_memory.
template <class Info>
io_error collect_results(const Info* list, std::uint16_t port, nothrow_vector<endpoint>& found) noexcept {
    for (const Info* each = list; each != nullptr; each = each->ai_next) {
        const endpoint where = endpoint_of_result(*each, port);
        if (!where.empty() && !contains(found, where) && !found.push_back(where)) {
            return io_error{io_failure::no_memory, 0};
        }
    }
    return {};
}

} // namespace tofu::inline TOFU_ABI::platform::detail

#endif // TOFU_PLATFORM_LOOKUP_RESULTS_HPP
