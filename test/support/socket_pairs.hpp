// SPDX-License-Identifier: BSL-1.0
// Loopback sockets for tests: made, connected and awaited by event.

#ifndef TOFU_TEST_SUPPORT_SOCKET_PAIRS_HPP
#define TOFU_TEST_SUPPORT_SOCKET_PAIRS_HPP

#include <boost/test/unit_test.hpp>

#include <tofu/address.hpp>
#include <tofu/platform/socket.hpp>

#if !defined(_WIN32)
#include <poll.h>
#endif

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tofu_test {

using native_handle = tofu::platform::socket::native_handle_type;

/// Waits at most `milliseconds` for `events`, and for the events that poll always reports. Returns the events found, or
/// 0.
inline short poll_once(native_handle handle, short events, int milliseconds) {
    pollfd one{};
    one.fd = handle;
    one.events = events;
#if defined(_WIN32)
    const int count = ::WSAPoll(&one, 1, milliseconds);
#else
    const int count = ::poll(&one, 1, milliseconds);
#endif
    BOOST_REQUIRE(count >= 0);
    return one.revents;
}

/// Ends the test when nothing of `events` happens within ten seconds.
inline short await(native_handle handle, short events) {
    const short seen = poll_once(handle, events, 10'000);
    BOOST_REQUIRE(seen != 0);
    return seen;
}

inline int option_of(const tofu::platform::socket& from, int level, int name) {
    int value = 0; // Winsock writes one byte only for some
    socklen_t length = sizeof value;
    BOOST_REQUIRE_EQUAL(::getsockopt(from.native_handle(), level, name, reinterpret_cast<char*>(&value), &length), 0);
    return value;
}

inline tofu::platform::endpoint endpoint_at(std::string_view host, std::uint16_t port = 0) {
    tofu::platform::endpoint made;
    BOOST_REQUIRE(!tofu::platform::to_endpoint(tofu::address(tofu::tcp_address{host, port}), true, made));
    return made;
}

inline std::uint16_t port_of(const tofu::platform::endpoint& where) { return tofu::platform::to_address(where).port(); }

inline tofu::platform::socket listen_at(const tofu::platform::endpoint& where) {
    tofu::io_error error;
    tofu::platform::socket made = tofu::platform::socket::listen(where, {}, 16, error);
    BOOST_REQUIRE_EQUAL(error.os_code, 0);
    BOOST_REQUIRE(!error && made.is_open());
    return made;
}

/// Connects to `to`, and returns the result. `made` is the socket.
inline tofu::io_error connect_to(const tofu::platform::endpoint& to, tofu::platform::socket& made,
                                 const tofu::socket_options& options = {}) {
    tofu::io_error error;
    made = tofu::platform::socket::connect(to, options, error);
    if (error.kind == tofu::io_failure::would_block) {
        await(made.native_handle(), POLLOUT);
        error = made.finish_connect();
    }
    return error;
}

inline tofu::platform::socket accept_from(tofu::platform::socket& listener, const tofu::socket_options& options = {}) {
    await(listener.native_handle(), POLLIN);
    tofu::io_error error;
    tofu::platform::socket made = listener.accept(options, error);
    BOOST_REQUIRE(!error && made.is_open());
    return made;
}

struct socket_pair {
    tofu::platform::socket client;
    tofu::platform::socket server;
};

inline socket_pair connect_pair(tofu::platform::socket& listener, const tofu::socket_options& options = {}) {
    socket_pair made;
    tofu::platform::endpoint to = listener.local_endpoint();
    BOOST_REQUIRE(!connect_to(to, made.client, options));
    made.server = accept_from(listener, options);
    return made;
}

inline socket_pair connect_pair() {
    tofu::platform::socket listener = listen_at(endpoint_at("127.0.0.1"));
    return connect_pair(listener);
}

inline std::size_t send_text(tofu::platform::socket& to, std::string_view text) {
    const tofu::const_buffer piece{reinterpret_cast<const std::byte*>(text.data()), text.size()};
    const tofu::io_result sent = to.write({&piece, 1});
    BOOST_REQUIRE(!sent.error);
    return sent.bytes;
}

inline tofu::io_result read_into(tofu::platform::socket& from, std::span<std::byte> room) {
    const tofu::mutable_buffer piece{room.data(), room.size()};
    return from.read({&piece, 1});
}

} // namespace tofu_test

#endif // TOFU_TEST_SUPPORT_SOCKET_PAIRS_HPP
