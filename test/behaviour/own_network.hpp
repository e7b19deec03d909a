// SPDX-License-Identifier: BSL-1.0
// A network of the test's own: a network namespace of Linux with nothing in it but a loopback interface.
#ifndef TOFU_TEST_BEHAVIOUR_OWN_NETWORK_HPP
#define TOFU_TEST_BEHAVIOUR_OWN_NETWORK_HPP

#include "support/bare_socket.hpp"

#include <boost/test/unit_test.hpp>

#include <arpa/inet.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <thread>

namespace tofu_test {

/// The settings of the network the calling thread is in; see in_own_network.
class own_network {
public:
    own_network() : control_(::socket(AF_INET, SOCK_DGRAM, 0)) {}
    own_network(const own_network&) = delete;
    own_network& operator=(const own_network&) = delete;
    ~own_network() { ::close(control_); }

    /// The loopback interface has this IPv4 address, too.
    void add_address(const char* address) const {
        ifreq request = interface("lo:1");
        const sockaddr_in where = at(address);
        std::memcpy(&request.ifr_addr, &where, sizeof where);
        BOOST_REQUIRE(::ioctl(control_, SIOCSIFADDR, &request) == 0);
    }
    /// No packet goes to this IPv4 address: EHOSTUNREACH.
    void reject(const char* address) const {
        rtentry route{};
        const sockaddr_in where = at(address);
        const sockaddr_in mask = at("255.255.255.255");
        std::memcpy(&route.rt_dst, &where, sizeof where);
        std::memcpy(&route.rt_genmask, &mask, sizeof mask);
        route.rt_flags = RTF_UP | RTF_HOST | RTF_REJECT;
        BOOST_REQUIRE(::ioctl(control_, SIOCADDRT, &route) == 0);
    }
    /// Every socket that connects gets this port.
    static void only_port(std::uint16_t port) {
        std::ofstream range("/proc/sys/net/ipv4/ip_local_port_range");
        range << port << ' ' << port << std::flush;
        BOOST_REQUIRE(range.good());
    }
    void raise_loopback() const {
        ifreq request = interface("lo");
        BOOST_REQUIRE(::ioctl(control_, SIOCGIFFLAGS, &request) == 0);
        request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
        BOOST_REQUIRE(::ioctl(control_, SIOCSIFFLAGS, &request) == 0);
    }

private:
    static ifreq interface(const char* name) {
        ifreq made{};
        std::strcpy(made.ifr_name, name);
        return made;
    }
    static sockaddr_in at(const char* address) {
        sockaddr_in made{};
        made.sin_family = AF_INET;
        BOOST_REQUIRE(::inet_pton(AF_INET, address, &made.sin_addr) == 1);
        return made;
    }

    int control_;
};

/// Runs `body(own_network&)` on a new thread in a new network namespace and joins the thread. Threads and sockets made
/// there inherit the namespace.
template <class Body>
void in_own_network(Body body) {
    std::thread([&] {
        BOOST_REQUIRE(::unshare(CLONE_NEWNET) == 0);
        const own_network mine;
        mine.raise_loopback();
        body(mine);
    }).join();
}

/// For a case that needs one.
inline boost::test_tools::assertion_result own_network_there(boost::unit_test::test_unit_id) {
    static const bool has = [] {
        bool made = false;
        std::thread([&] { made = ::unshare(CLONE_NEWNET) == 0; }).join();
        return made;
    }();
    boost::test_tools::assertion_result result(has);
    if (!has) result.message() << "this user may not make a network namespace";
    return result;
}

} // namespace tofu_test

#endif
