// SPDX-License-Identifier: BSL-1.0
// Ports no other process comes upon: tests run in parallel, and a port that was let go of is the next one's to take.
#ifndef TOFU_TEST_SUPPORT_OWN_PORTS_HPP
#define TOFU_TEST_SUPPORT_OWN_PORTS_HPP

#include "bare_socket.hpp"

#include <tofu/address.hpp>

#if defined(__linux__)
#include <unistd.h>
#endif

#include <array>
#include <cstdint>
#include <string>

namespace tofu_test {

/// An address at which connections are refused while this lives: its port is bound, and nobody listens. (The source
/// port of a connect is never one that was bound, so a connect cannot meet itself here, either.)
class refusing_port {
public:
    refusing_port() : holder_(AF_INET) { holder_.bind(tofu::tcp_address{"127.0.0.1", 0}); }

    [[nodiscard]] tofu::address where() const { return holder_.where(); }

private:
    bare_socket holder_;
};

/// A loopback address of this process alone, where the system has more than one: a port let go of there can be had
/// again.
inline std::string own_loopback() {
#if defined(__linux__)
    const auto id = static_cast<std::uint32_t>(::getpid());
    const in_addr own{htonl(0x7f'40'00'01 + (id & 0x3f'ffff))};
    std::array<char, INET_ADDRSTRLEN> text{};
    BOOST_REQUIRE(::inet_ntop(AF_INET, &own, text.data(), text.size()) != nullptr);
    return text.data();
#else
    return "127.0.0.1";
#endif
}

} // namespace tofu_test

#endif
