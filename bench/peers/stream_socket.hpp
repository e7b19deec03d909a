// SPDX-License-Identifier: BSL-1.0
// A bare stream socket, TCP or Unix domain, for the peers that use the system's calls directly.
#ifndef TOFU_BENCH_PEERS_STREAM_SOCKET_HPP
#define TOFU_BENCH_PEERS_STREAM_SOCKET_HPP

#include <tofu/address.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace bench {

/// The result of a system call, or an exception that names it.
template <class Result>
Result checked(Result result, const char* what) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), what);
    return result;
}

/// Owns a descriptor.
class descriptor {
public:
    explicit descriptor(int number = -1) noexcept : number_(number) {}
    descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    [[nodiscard]] int number() const noexcept { return number_; }

private:
    int number_;
};

/// tcp|127.0.0.1|PORT and uds|PATH, the way the system wants it.
class socket_address {
public:
    explicit socket_address(const tofu::address& from) {
        if (from.kind() == tofu::address_kind::uds) {
            auto& path = reinterpret_cast<sockaddr_un&>(storage_);
            path.sun_family = AF_UNIX;
            from.path().copy(path.sun_path, sizeof path.sun_path - 1);
            size_ = sizeof path;
        } else {
            auto& endpoint = reinterpret_cast<sockaddr_in&>(storage_);
            endpoint.sin_family = AF_INET;
            endpoint.sin_port = htons(from.port());
            endpoint.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            size_ = sizeof endpoint;
        }
    }
    /// What a socket was bound to.
    explicit socket_address(const descriptor& bound) {
        checked(::getsockname(bound.number(), data(), &size_), "getsockname");
    }

    [[nodiscard]] sockaddr* data() noexcept { return reinterpret_cast<sockaddr*>(&storage_); }
    [[nodiscard]] socklen_t size() const noexcept { return size_; }
    [[nodiscard]] int family() const noexcept { return storage_.ss_family; }
    [[nodiscard]] unsigned port() const noexcept {
        return ntohs(reinterpret_cast<const sockaddr_in&>(storage_).sin_port);
    }

private:
    sockaddr_storage storage_{};
    socklen_t size_ = sizeof storage_;
};

/// Small messages are not held back; a Unix domain socket does not do that anyway.
inline void send_at_once(const descriptor& socket, int family) {
    if (family == AF_UNIX) return;
    const int on = 1;
    checked(::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
}

/// Non-blocking; `announced` is set to where clients can connect to.
inline descriptor listen_on(std::string_view transport, const std::string& path, std::string& announced) {
    const tofu::address where =
        transport == "uds" ? tofu::address(tofu::uds_address{path}) : tofu::address(tofu::tcp_address{"127.0.0.1", 0});
    socket_address wanted(where);
    descriptor listener(checked(::socket(wanted.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
    checked(::bind(listener.number(), wanted.data(), wanted.size()), "bind");
    checked(::listen(listener.number(), SOMAXCONN), "listen");
    announced = transport == "uds" ? "uds|" + path : "tcp|127.0.0.1|" + std::to_string(socket_address(listener).port());
    return listener;
}

/// Non-blocking, connected.
inline descriptor accept_from(const descriptor& listener) {
    descriptor accepted(
        checked(::accept4(listener.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC), "accept4"));
    send_at_once(accepted, socket_address(accepted).family());
    return accepted;
}

/// Blocks until it is connected; non-blocking from then on.
inline descriptor connect_to(const std::string& announced) {
    const tofu::parsed_address parsed = tofu::parse_address(announced);
    if (!parsed.value.valid()) throw std::invalid_argument("no address: " + announced);
    socket_address to(parsed.value);
    descriptor socket(checked(::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    checked(::connect(socket.number(), to.data(), to.size()), "connect");
    send_at_once(socket, to.family());
    checked(::fcntl(socket.number(), F_SETFL, O_NONBLOCK), "O_NONBLOCK");
    return socket;
}

} // namespace bench

#endif
