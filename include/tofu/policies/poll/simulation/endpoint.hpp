// SPDX-License-Identifier: BSL-1.0
// Addresses of a simulated world: IPv4 literals. Every engine can listen at 127/8 and 10/8.
#ifndef TOFU_POLICIES_POLL_SIMULATION_ENDPOINT_HPP
#define TOFU_POLICIES_POLL_SIMULATION_ENDPOINT_HPP

#include <tofu/address.hpp>
#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace tofu::inline TOFU_ABI::simulation {

/// A plain value. Host 0 is every interface of the machine.
struct endpoint {
    std::uint32_t host = 0;
    std::uint16_t port = 0;

    friend bool operator==(const endpoint&, const endpoint&) noexcept = default;
};

/// An engine can listen at this host.
[[nodiscard]] constexpr bool is_own(std::uint32_t host) noexcept {
    return host == 0 || host >> 24 == 127 || host >> 24 == 10;
}

/// Returns false if `text` is no IPv4 literal.
[[nodiscard]] inline bool parse_host(std::string_view text, std::uint32_t& host) noexcept {
    std::uint32_t value = 0;
    const char* at = text.data();
    const char* const end = at + text.size();
    for (int part = 0; part < 4; ++part) {
        if (part != 0 && (at == end || *at++ != '.')) return false;
        unsigned byte = 0;
        const auto [stop, error] = std::from_chars(at, end, byte);
        if (error != std::errc{} || byte > 255) return false;
        value = value << 8 | byte;
        at = stop;
    }
    host = value;
    return at == end;
}

/// As platform::to_endpoint; Unix domain sockets are unsupported.
[[nodiscard]] inline io_error to_endpoint(const address& from, bool for_listening, endpoint& out) noexcept {
    if (from.kind() != address_kind::tcp) return {io_failure::unsupported, 0};
    std::uint32_t host = 0;
    if (from.host().empty()) {
        if (!for_listening) return {io_failure::address_not_available, 0};
    } else if (!parse_host(from.host(), host)) {
        return {io_failure::name_required, 0};
    }
    out = {host, from.port()};
    return {};
}

[[nodiscard]] inline address to_address(const endpoint& from) noexcept {
    std::string host;
    for (int part = 3; part >= 0; --part) {
        host += std::to_string((from.host >> (8 * part)) & 0xFF);
        if (part != 0) host += '.';
    }
    return address(tcp_address{host, from.port});
}

} // namespace tofu::inline TOFU_ABI::simulation

#endif
