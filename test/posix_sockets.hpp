// SPDX-License-Identifier: BSL-1.0
// Loopback sockets for tests: made, connected and awaited by event.

#ifndef TOFU_TEST_POSIX_SOCKETS_HPP
#define TOFU_TEST_POSIX_SOCKETS_HPP

#include <boost/test/unit_test.hpp>

#include <tofu/address.hpp>
#include <tofu/platform/posix/socket.hpp>

#include <poll.h>

#include <cstdint>
#include <string_view>

namespace tofu_test {

/// Ends the test when nothing of `events` happens within ten seconds.
inline short await(int descriptor, short events) {
    pollfd one{.fd = descriptor, .events = events, .revents = 0};
    BOOST_REQUIRE_EQUAL(::poll(&one, 1, 10'000), 1);
    return one.revents;
}

inline tofu::platform::endpoint endpoint_at(std::string_view host, std::uint16_t port = 0) {
    tofu::platform::endpoint made;
    BOOST_REQUIRE(!tofu::platform::to_endpoint(tofu::address(tofu::tcp_address{host, port}), true, made));
    return made;
}

inline std::uint16_t port_of(const tofu::platform::endpoint& where) { return tofu::platform::to_address(where).port(); }

inline tofu::posix::socket listen_at(const tofu::platform::endpoint& where) {
    tofu::io_error error;
    tofu::posix::socket made = tofu::posix::socket::listen(where, {}, 16, error);
    BOOST_REQUIRE_EQUAL(error.os_code, 0);
    BOOST_REQUIRE(!error && made.is_open());
    return made;
}

/// How connecting to `to` ends; `made` is the socket.
inline tofu::io_error connect_to(const tofu::platform::endpoint& to, tofu::posix::socket& made,
                                 const tofu::socket_options& options = {}) {
    tofu::io_error error;
    made = tofu::posix::socket::connect(to, options, error);
    if (error.kind == tofu::io_failure::would_block) {
        await(made.native_handle(), POLLOUT);
        error = made.finish_connect();
    }
    return error;
}

inline tofu::posix::socket accept_from(tofu::posix::socket& listener, const tofu::socket_options& options = {}) {
    await(listener.native_handle(), POLLIN);
    tofu::io_error error;
    tofu::posix::socket made = listener.accept(options, error);
    BOOST_REQUIRE(!error && made.is_open());
    return made;
}

struct socket_pair {
    tofu::posix::socket client;
    tofu::posix::socket server;
};

inline socket_pair connect_pair(tofu::posix::socket& listener, const tofu::socket_options& options = {}) {
    socket_pair made;
    tofu::platform::endpoint to = listener.local_endpoint();
    BOOST_REQUIRE(!connect_to(to, made.client, options));
    made.server = accept_from(listener, options);
    return made;
}

inline socket_pair connect_pair() {
    tofu::posix::socket listener = listen_at(endpoint_at("127.0.0.1"));
    return connect_pair(listener);
}

inline std::size_t send_text(tofu::posix::socket& to, std::string_view text) {
    const tofu::const_buffer piece{reinterpret_cast<const std::byte*>(text.data()), text.size()};
    const tofu::io_result sent = to.write({&piece, 1});
    BOOST_REQUIRE(!sent.error);
    return sent.bytes;
}

} // namespace tofu_test

#endif // TOFU_TEST_POSIX_SOCKETS_HPP
