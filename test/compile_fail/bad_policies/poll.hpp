// SPDX-License-Identifier: BSL-1.0
// Broken poll policies, networks and sockets. Each breaks one requirement: it hides one member of a good type.
#ifndef TOFU_TEST_COMPILE_FAIL_BAD_POLICIES_POLL_HPP
#define TOFU_TEST_COMPILE_FAIL_BAD_POLICIES_POLL_HPP

#include <tofu/tofu.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tofu_test {

using good_poll = tofu::default_poll;
using good_network = good_poll::network_type;
using good_socket = good_network::socket;

struct bad_category_poll : good_poll {
    using category = void;
};
struct bad_moving_poll : good_poll {
    bad_moving_poll() noexcept = default;
    bad_moving_poll(bad_moving_poll&& other) : good_poll(std::move(other)) {} // may throw
};
struct bad_network_poll : good_poll {
    good_network* network() noexcept;
};
struct bad_registration_poll : good_poll {
    struct registration : good_poll::registration {
        explicit registration(int) noexcept {}
    };
};
struct bad_open_poll : good_poll {
    bool open() noexcept;
};
struct bad_attach_poll : good_poll {
    tofu::io_error attach(registration&, const good_socket&) noexcept; // no key
};
struct bad_arm_poll : good_poll {
    tofu::io_error arm(registration&, tofu::interest); // may throw
};
struct bad_disarm_poll : good_poll {
    void disarm(registration&) noexcept;
};
struct bad_wait_poll : good_poll {
    template <class Sink>
    tofu::io_error wait(std::chrono::nanoseconds, Sink&) noexcept;
};
struct bad_reports_poll : good_poll {
    static constexpr const char* reports_per_socket = "2";
};
struct bad_wake_poll : good_poll {
    void wake(int) noexcept;
};
/// Breaks all it can at once.
struct bad_empty_poll {
    using category = tofu::poll_category;
};

/// A poll policy that is good but for its network.
template <class Network>
struct poll_of : good_poll {
    using network_type = Network;
    Network& network() noexcept;
};

struct bad_types_network {};
struct bad_connect_network : good_network {
    good_socket connect(const endpoint&, tofu::io_error&) noexcept; // no options
};
struct bad_listen_network : good_network {
    good_socket listen(const endpoint&, const tofu::socket_options&, tofu::io_error&) noexcept; // no backlog
};
struct bad_to_endpoint_network : good_network {
    endpoint to_endpoint(const tofu::address&) noexcept; // cannot fail
};
struct bad_to_address_network : good_network {
    tofu::address to_address(const endpoint&); // may throw
};
struct bad_resolve_network : good_network {
    void resolve(int) noexcept;
};

/// A network that is good but for its socket.
template <class Socket>
struct network_of : good_network {
    using socket = Socket;
    Socket connect(const endpoint&, const tofu::socket_options&, tofu::io_error&) noexcept;
    Socket listen(const endpoint&, const tofu::socket_options&, int, tofu::io_error&) noexcept;
};
template <class Self>
struct socket_but_for : good_socket {
    Self accept(const tofu::socket_options&, tofu::io_error&) noexcept;
};

struct bad_copied_socket : socket_but_for<bad_copied_socket> {
    bad_copied_socket() noexcept = default;
    bad_copied_socket(const bad_copied_socket&) noexcept;
    bad_copied_socket& operator=(const bad_copied_socket&) noexcept;
};
struct bad_read_socket : socket_but_for<bad_read_socket> {
    std::size_t read(std::span<const tofu::mutable_buffer>) noexcept;
};
struct bad_write_socket : socket_but_for<bad_write_socket> {
    tofu::io_result write(const void*, std::size_t) noexcept;
};
struct bad_available_socket : socket_but_for<bad_available_socket> {
    bool available() noexcept;
};
struct bad_finish_connect_socket : socket_but_for<bad_finish_connect_socket> {
    bool finish_connect() noexcept;
};
struct bad_accept_socket : good_socket {}; // accepts another type than its own
struct bad_shutdown_socket : socket_but_for<bad_shutdown_socket> {
    void shutdown_write() noexcept;
};
struct bad_close_socket : socket_but_for<bad_close_socket> {
    void close(); // may throw
};
struct bad_abort_socket : socket_but_for<bad_abort_socket> {
    void abort(); // may throw
};
struct bad_local_endpoint_socket : socket_but_for<bad_local_endpoint_socket> {
    int local_endpoint() const noexcept;
};
struct bad_peer_endpoint_socket : socket_but_for<bad_peer_endpoint_socket> {
    good_network::endpoint peer_endpoint() noexcept; // not const
};
struct bad_peer_identity_socket : socket_but_for<bad_peer_identity_socket> {
    int peer_identity() const noexcept;
};

} // namespace tofu_test

#endif
