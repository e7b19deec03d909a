// SPDX-License-Identifier: BSL-1.0
// Makes one listener for all interfaces of IPv6 and IPv4, or of IPv4 alone if the system lacks IPv6.

#ifndef TOFU_PLATFORM_DUAL_STACK_HPP
#define TOFU_PLATFORM_DUAL_STACK_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/endpoint.hpp>
#include <tofu/platform/socket_api.hpp>

#include <cstdint>

namespace tofu::inline TOFU_ABI::platform::detail {

constexpr bool is_lack_of_v6(const io_error& error) noexcept {
    return error.kind == io_failure::unsupported || error.kind == io_failure::address_not_available ||
           error.os_code == invalid_argument; // some systems refuse a socket for both families with this number
}

/// Calls `listen(endpoint, io_error&)`, which makes a socket. If the system refuses the any address of IPv6, calls it
/// again with 0.0.0.0 and the same port.
template <class Listen>
auto listen_on_every_stack(const endpoint& at, io_error& error, Listen listen) noexcept {
    auto made = listen(at, error);
    if (error && is_any_v6(at) && is_lack_of_v6(error)) {
        const std::uint16_t port = ntohs(raw_of<sockaddr_in6>(at).sin6_port);
        made = listen(detail::v4_endpoint(in_addr{}, port), error);
    }
    return made;
}

} // namespace tofu::inline TOFU_ABI::platform::detail

#endif // TOFU_PLATFORM_DUAL_STACK_HPP
