// SPDX-License-Identifier: BSL-1.0
// Tests in a network namespace of their own: a socket that connects to itself, and addresses without a route.
#include "own_network.hpp"

#include "support/harness.hpp"

#include <cstdint>
#include <string>

BOOST_AUTO_TEST_SUITE(own_networks)

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

namespace {

constexpr std::uint16_t port = 40000;

/// Connecting to an address fails with this reason.
void expect_failure(dialogue& talk, const tofu::tcp_address& to, std::string_view reason) {
    const tofu::binary_header hello = talk.hello(to);
    const tofu::message_ptr m = talk.expect(talk.client, op_code::hello_response);
    BOOST_TEST_INFO(std::string(to.host));
    BOOST_TEST(m->header().channel_number == hello.channel_number);
    BOOST_TEST(to_string(m->status()) == to_string(status::connect_failed));
    BOOST_TEST(reason_of(*m) == reason);
}

} // namespace

// Before: a client that waited for its server could connect to itself and report a violation.
BOOST_TEST_DECORATOR(*boost::unit_test::precondition(own_network_there))
TOFU_TEST_CASE(a_connection_to_oneself_is_refused, here, tcp_only) {
    in_own_network([&](const own_network& net) {
        net.add_address("10.0.0.1"); // one that does not look like loopback
        own_network::only_port(port);
        for (const char* host : {"127.0.0.1", "10.0.0.1", "::1"}) {
            dialogue talk(here);
            expect_failure(talk, {host, port}, "connect_refused");
            expect_failure(talk, {host, port}, "connect_refused"); // nothing lingers that would refuse the port
            talk.listen(tofu::tcp_address{host, port});
        }
    });
}

BOOST_TEST_DECORATOR(*boost::unit_test::precondition(own_network_there))
TOFU_TEST_CASE(an_address_without_a_way_is_not_available, here, tcp_only) {
    in_own_network([&](const own_network& net) {
        net.reject("192.0.2.1");
        dialogue talk(here);
        expect_failure(talk, {"192.0.2.1", port}, "address_not_available");    // EHOSTUNREACH
        expect_failure(talk, {"198.51.100.1", port}, "address_not_available"); // ENETUNREACH
        expect_failure(talk, {"2001:db8::1", port}, "address_not_available");
    });
}

BOOST_AUTO_TEST_SUITE_END()
