// SPDX-License-Identifier: BSL-1.0
// A bare stream socket, TCP or Unix domain, for the peers that use the system's calls directly.
#ifndef TOFU_BENCH_PEERS_STREAM_SOCKET_HPP
#define TOFU_BENCH_PEERS_STREAM_SOCKET_HPP

#include "../harness/task.hpp"

#include <tofu/address.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
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
    /// As the system tells it.
    socket_address(const void* from, std::size_t size) { std::memcpy(&storage_, from, size); }
    /// The address that a socket was bound to.
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

/// The address at which a server is to listen. The system chooses the port.
inline tofu::address place_to_listen(const task& what) {
    return what.transport == "uds" ? tofu::address(tofu::uds_address{what.path})
                                   : tofu::address(tofu::tcp_address{"127.0.0.1", 0});
}

/// The address that clients connect to, when the listening socket is bound to `bound`.
inline std::string to_announce(const task& what, const socket_address& bound) {
    return what.transport == "uds" ? "uds|" + what.path : "tcp|127.0.0.1|" + std::to_string(bound.port());
}

inline tofu::address announced_place(const std::string& announced) {
    const tofu::parsed_address parsed = tofu::parse_address(announced);
    if (!parsed.value.valid()) throw std::invalid_argument("no address: " + announced);
    return parsed.value;
}

/// Small messages are not held back; a Unix domain socket does not do that anyway.
inline void send_at_once(const descriptor& socket, int family) {
    if (family == AF_UNIX) return;
    const int on = 1;
    checked(::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
}

/// A socket that clients connect to, and what they need to know for it.
struct listening_socket {
    descriptor socket;
    int family;
    std::string address;
};

/// `flags`: SOCK_NONBLOCK, or 0 for a listener that waits.
inline listening_socket listen_on(const task& what, int flags) {
    socket_address wanted(place_to_listen(what));
    descriptor socket(checked(::socket(wanted.family(), SOCK_STREAM | SOCK_CLOEXEC | flags, 0), "socket"));
    checked(::bind(socket.number(), wanted.data(), wanted.size()), "bind");
    checked(::listen(socket.number(), SOMAXCONN), "listen");
    std::string address = to_announce(what, socket_address(socket));
    return {std::move(socket), wanted.family(), std::move(address)};
}

/// The next connection; one without a number when a listener that does not wait has none. `flags` are the connection's.
inline descriptor accept_from(const listening_socket& listener, int flags) {
    for (;;) {
        descriptor accepted(::accept4(listener.socket.number(), nullptr, nullptr, SOCK_CLOEXEC | flags));
        if (accepted.number() < 0) {
            if (errno == EINTR || errno == ECONNABORTED) continue;
            if (errno != EAGAIN) checked(-1, "accept4");
            return accepted;
        }
        send_at_once(accepted, listener.family);
        return accepted;
    }
}

/// Waits until it is connected, and so does all that is done with it.
inline descriptor connect_to(const std::string& announced) {
    socket_address to(announced_place(announced));
    descriptor socket(checked(::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    checked(::connect(socket.number(), to.data(), to.size()), "connect");
    send_at_once(socket, to.family());
    return socket;
}

inline void never_wait(const descriptor& socket) {
    checked(::fcntl(socket.number(), F_SETFL, O_NONBLOCK), "O_NONBLOCK");
}

/// The number of bytes that the socket has taken; 0 when it is full.
inline std::size_t send_some(const descriptor& socket, std::span<const std::byte> bytes) {
    const auto sent = ::send(socket.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    return static_cast<std::size_t>(checked(sent, "send"));
}

} // namespace bench

#endif
