// SPDX-License-Identifier: BSL-1.0
// Ports that no other process uses. Tests run in parallel, so another test may get a port that was released.
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
/// port of a connect is never a bound port, so a connect cannot reach itself here.)
class refusing_port {
public:
    refusing_port() : holder_(AF_INET) { holder_.bind(tofu::tcp_address{"127.0.0.1", 0}); }

    [[nodiscard]] tofu::address where() const { return holder_.where(); }

private:
    bare_socket holder_;
};

/// A loopback address of this process alone, if the system has more than one. A port that was released there can be
/// bound again.
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
