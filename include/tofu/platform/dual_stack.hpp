// SPDX-License-Identifier: BSL-1.0
// One listener for every interface of IPv6 and IPv4, and what becomes of it where IPv6 is missing.

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
           error.os_code == invalid_argument; // serving both families is refused by some systems with this
}

/// `listen(endpoint, io_error&)` makes a socket; it is called again with 0.0.0.0 when the any address of IPv6 is not to
/// be had.
template <class Listen>
auto listen_on_every_stack(const endpoint& at, io_error& error, Listen listen) noexcept {
    auto made = listen(at, error);
    if (error && is_any_v6(at) && is_lack_of_v6(error)) {
        const std::uint16_t port = ntohs(raw_of<sockaddr_in6>(at).sin6_port);
        made = listen(v4_endpoint(in_addr{}, port), error);
    }
    return made;
}

} // namespace tofu::inline TOFU_ABI::platform::detail

#endif // TOFU_PLATFORM_DUAL_STACK_HPP
