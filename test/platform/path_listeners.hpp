// SPDX-License-Identifier: BSL-1.0
// Listeners at paths, and the results of attempts to listen or to connect there.
#ifndef TOFU_TEST_PLATFORM_PATH_LISTENERS_HPP
#define TOFU_TEST_PLATFORM_PATH_LISTENERS_HPP

#include "support/own_directory.hpp"
#include "support/socket_pairs.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/address.hpp>
#include <tofu/platform/socket.hpp>

#include <ostream>

/// So that a failed check says more than that it failed: the number of the enumerator.
namespace tofu::inline TOFU_ABI {
inline std::ostream& operator<<(std::ostream& out, io_failure kind) { return out << static_cast<int>(kind); }
} // namespace tofu::inline TOFU_ABI

namespace tofu_test {

inline tofu::platform::endpoint at(const tofu::address& where) {
    tofu::platform::endpoint made;
    BOOST_REQUIRE(!tofu::platform::to_endpoint(where, true, made));
    return made;
}

/// The error of a listen; the socket stays in `kept`.
inline tofu::io_error try_listen(const tofu::address& where, tofu::platform::socket& kept,
                                 unsigned permissions = 0600) {
    tofu::io_error error;
    kept = tofu::platform::socket::listen(at(where), {.keep_alive = false, .file_permissions = permissions}, 16, error);
    BOOST_TEST(kept.is_open() == !error);
    return error;
}

inline tofu::io_failure failure_of_listen(const tofu::address& where) {
    tofu::platform::socket dropped;
    return try_listen(where, dropped).kind;
}

inline tofu::platform::socket listener_at(const tofu::address& where) {
    tofu::platform::socket made;
    BOOST_REQUIRE(!try_listen(where, made));
    return made;
}

inline tofu::io_failure failure_of_connect(const tofu::address& where) {
    tofu::platform::socket dropped;
    return connect_to(at(where), dropped).kind;
}

} // namespace tofu_test

#endif
