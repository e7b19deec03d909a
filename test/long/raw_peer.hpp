// SPDX-License-Identifier: BSL-1.0
// Peers made of bare system calls: rude ones for the engine, and the echo that shows what the system itself can do.
#ifndef TOFU_TEST_LONG_RAW_PEER_HPP
#define TOFU_TEST_LONG_RAW_PEER_HPP

#include "long_run.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>

namespace long_run {

/// A TCP socket on 127.0.0.1; closes in its destructor.
class raw_peer {
public:
    explicit raw_peer(int handle = -1) : handle_(handle) {}
    raw_peer(raw_peer&& other) noexcept : handle_(std::exchange(other.handle_, -1)) {}
    raw_peer& operator=(raw_peer&&) = delete;
    ~raw_peer() { close(); }

    static raw_peer connect(std::uint16_t port) {
        raw_peer made(::socket(AF_INET, SOCK_STREAM, 0));
        const sockaddr_in where = address_of(port);
        demand(::connect(made.handle_, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0, "a raw connect");
        made.no_delay();
        return made;
    }
    static raw_peer listen(std::uint16_t& port) {
        raw_peer made(::socket(AF_INET, SOCK_STREAM, 0));
        sockaddr_in where = address_of(0);
        demand(::bind(made.handle_, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0, "a raw bind");
        demand(::listen(made.handle_, 16) == 0, "a raw listen");
        socklen_t length = sizeof where;
        ::getsockname(made.handle_, reinterpret_cast<sockaddr*>(&where), &length);
        port = ntohs(where.sin_port);
        return made;
    }
    [[nodiscard]] raw_peer accept() const {
        raw_peer made(::accept(handle_, nullptr, nullptr));
        demand(made.handle_ >= 0, "a raw accept");
        made.no_delay();
        return made;
    }

    void set_non_blocking() const { ::fcntl(handle_, F_SETFL, ::fcntl(handle_, F_GETFL) | O_NONBLOCK); }
    /// A socket in blocking mode; false when the peer is gone.
    bool send_all(std::span<const std::byte> bytes) const {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(handle_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR) continue;
            if (sent <= 0) return false;
            bytes = bytes.subspan(static_cast<std::size_t>(sent));
        }
        return true;
    }
    /// Bytes sent; 0: not now, or the peer is gone.
    [[nodiscard]] std::size_t send_some(std::span<const std::byte> bytes) const {
        const ssize_t sent = ::send(handle_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        return sent > 0 ? static_cast<std::size_t>(sent) : 0;
    }
    /// Waits with poll(2), then reads; 0: the end of the stream.
    [[nodiscard]] std::size_t poll_and_read(std::span<std::byte> into) const {
        pollfd entry{handle_, POLLIN, 0};
        while (::poll(&entry, 1, -1) < 0 && errno == EINTR) {
        }
        const ssize_t got = ::recv(handle_, into.data(), into.size(), 0);
        return got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    bool read_exactly(std::span<std::byte> into) const {
        while (!into.empty()) {
            const std::size_t got = poll_and_read(into);
            if (got == 0) return false;
            into = into.subspan(got);
        }
        return true;
    }
    /// One gathered write of all these parts, repeated until all is out.
    bool writev_all(std::vector<iovec> parts) const {
        for (std::size_t first = 0; first < parts.size();) {
            const ssize_t sent = ::writev(handle_, parts.data() + first, static_cast<int>(parts.size() - first));
            if (sent < 0 && errno == EINTR) continue;
            if (sent <= 0) return false;
            auto left = static_cast<std::size_t>(sent);
            while (first < parts.size() && left >= parts[first].iov_len) left -= parts[first++].iov_len;
            if (first == parts.size()) break;
            parts[first].iov_base = static_cast<std::byte*>(parts[first].iov_base) + left;
            parts[first].iov_len -= left;
        }
        return true;
    }

    void close() {
        if (handle_ >= 0) ::close(std::exchange(handle_, -1));
    }
    void reset() {
        const linger at_once{1, 0};
        ::setsockopt(handle_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close();
    }

private:
    static sockaddr_in address_of(std::uint16_t port) {
        sockaddr_in where{};
        where.sin_family = AF_INET;
        where.sin_port = htons(port);
        where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return where;
    }
    void no_delay() const {
        const int yes = 1;
        ::setsockopt(handle_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }

    int handle_;
};

/// A message's bytes; `announced` more bytes of body than are there make it a half message.
inline std::vector<std::byte> frame(op_code op, std::string_view headers, std::size_t body, std::size_t announced = 0) {
    std::array<std::byte, tofu::binary_header::wire_size> wire{};
    tofu::encode({.op = op,
                  .message_id = 1,
                  .text_headers_length = static_cast<std::uint16_t>(headers.size()),
                  .body_length = static_cast<std::uint16_t>(body + announced)},
                 wire);
    std::vector<std::byte> bytes(wire.begin(), wire.end());
    for (const char c : headers) bytes.push_back(static_cast<std::byte>(c));
    bytes.resize(bytes.size() + body, std::byte{'b'});
    return bytes;
}
inline std::vector<std::byte> hello_frame() {
    return frame(op_code::hello_request, "~connect_to:tcp|127.0.0.1|1\r\n", 0);
}

/// A raw connection that has said hello and has read the answer.
inline raw_peer connect_politely(std::uint16_t port) {
    raw_peer peer = raw_peer::connect(port);
    demand(peer.send_all(hello_frame()), "a raw hello");
    const std::size_t answer_size = hello_frame().size(); // the serving thread answers with what it was given
    std::vector<std::byte> answer(answer_size);
    demand(peer.read_exactly(answer), "an answer to a raw hello");
    return peer;
}

} // namespace long_run

#endif
