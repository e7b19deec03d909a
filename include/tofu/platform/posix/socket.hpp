// SPDX-License-Identifier: BSL-1.0
// One non-blocking stream socket of a POSIX system, with the options that tofu needs. Raises no signal.

#ifndef TOFU_PLATFORM_POSIX_SOCKET_HPP
#define TOFU_PLATFORM_POSIX_SOCKET_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/detail/integer_cast.hpp>
#include <tofu/platform/dual_stack.hpp>
#include <tofu/platform/endpoint.hpp>
#include <tofu/platform/posix/descriptor.hpp>
#include <tofu/platform/posix/error.hpp>
#include <tofu/platform/posix/peer_credentials.hpp>
#include <tofu/platform/posix/socket_file.hpp>
#include <tofu/stats.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace tofu::inline TOFU_ABI::posix {

using platform::endpoint;

namespace detail {

// The constants themselves tell what a system has, not the system's name.
#if defined(SOCK_NONBLOCK) && defined(SOCK_CLOEXEC)
inline constexpr bool born_non_blocking = true;
inline constexpr int birth_flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
#else
inline constexpr bool born_non_blocking = false;
inline constexpr int birth_flags = 0;
#endif
#if defined(MSG_NOSIGNAL)
inline constexpr int send_flags = MSG_NOSIGNAL;
#else
inline constexpr int send_flags = 0;
#endif

inline io_error set_option(int handle, int level, int name, int value) noexcept {
    return ::setsockopt(handle, level, name, &value, static_cast<socklen_t>(sizeof value)) == 0 ? io_error{}
                                                                                                : last_error();
}

/// macOS got MSG_NOSIGNAL late: a program built with it may run on an older kernel that ignores it.
inline io_error forbid_signal([[maybe_unused]] int handle) noexcept {
#if defined(SO_NOSIGPIPE) && (defined(__APPLE__) || !defined(MSG_NOSIGNAL))
    return detail::set_option(handle, SOL_SOCKET, SO_NOSIGPIPE, 1);
#else
    return {};
#endif
}

/// Sets the options of a connection, connected or accepted.
inline io_error prepare_connection(int handle, int family, const socket_options& options) noexcept {
    io_error error = forbid_signal(handle);
    if (!error && (family == AF_INET || family == AF_INET6)) {
        error = detail::set_option(handle, IPPROTO_TCP, TCP_NODELAY, 1);
    }
    if (!error && options.keep_alive) {
        error = detail::set_option(handle, SOL_SOCKET, SO_KEEPALIVE, 1);
    }
    return error;
}

inline descriptor open_stream(int family, io_error& error) noexcept {
    descriptor made(::socket(family, SOCK_STREAM | birth_flags, 0));
    error = made.is_open() ? io_error{} : last_error();
    if (!error && !born_non_blocking) {
        error = make_private_and_non_blocking(made.get());
    }
    if (error) {
        made.reset();
    }
    return made;
}

inline int accept_once(int listener, sockaddr* from, socklen_t* length) noexcept {
#if defined(SOCK_NONBLOCK) && defined(SOCK_CLOEXEC)
    return ::accept4(listener, from, length, birth_flags);
#else
    return ::accept(listener, from, length);
#endif
}

// A buffer has the layout of an iovec, so an array of buffers goes to the system without a copy. POSIX does not promise
// the order of the two members. All supported systems use this order, asserted below.
template <class Buffer>
inline constexpr bool is_iovec = sizeof(Buffer) == sizeof(iovec) && alignof(Buffer) == alignof(iovec) &&
                                 std::is_standard_layout_v<Buffer>&& offsetof(Buffer, data) ==
                                     offsetof(iovec, iov_base) &&
                                 sizeof(Buffer::data) == sizeof(iovec::iov_base) &&
                                 offsetof(Buffer, size) == offsetof(iovec, iov_len) &&
                                 sizeof(Buffer::size) == sizeof(iovec::iov_len);
static_assert(is_iovec<const_buffer> && is_iovec<mutable_buffer>,
              "tofu: a buffer is not laid out as this system's iovec");

/// readv(2) and sendmsg(2) take a non-const iovec pointer but do not modify the array.
template <class Buffer>
iovec* pieces_of(std::span<const Buffer> buffers) noexcept {
    return reinterpret_cast<iovec*>(const_cast<Buffer*>(buffers.data()));
}

/// True for errors of the connection that was about to be accepted, not of the listener. Linux returns errors that are
/// pending on the new connection (accept(2)); POSIX names ECONNABORTED for them, System V EPROTO.
constexpr bool is_lost_connection(int code) noexcept {
    switch (code) {
    case ECONNABORTED:
    case ENETDOWN:
    case EPROTO:
    case ENOPROTOOPT:
#if defined(EHOSTDOWN)
    case EHOSTDOWN:
#endif
#if defined(ENONET)
    case ENONET:
#endif
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH: return true;
    default: return false;
    }
}

} // namespace detail

/// A listener or a connection. Meets the contract in policies/concepts/network.hpp. Move-only; closes in its
/// destructor. No call blocks, throws or raises SIGPIPE. Every descriptor is closed on exec. One thread at a time.
class socket {
public:
    using native_handle_type = int;

    /// The most buffers of one read or write; the others are left for the next call.
    static constexpr std::size_t max_buffers = 1024;

    /// Bytes that one socket allocates at most; see memory_bound.hpp.
    static constexpr std::size_t most_bytes = sizeof(socket_file);

    /// Not open.
    socket() noexcept = default;
    socket(socket&&) noexcept = default;
    socket& operator=(socket&& other) noexcept {
        if (this != &other) {
            close(); // the file first
            handle_ = std::move(other.handle_);
            file_ = std::move(other.file_);
        }
        return *this;
    }
    ~socket() { close(); }

    bool is_open() const noexcept { return handle_.is_open(); }
    /// -1 if not open. The socket keeps the ownership.
    native_handle_type native_handle() const noexcept { return handle_.get(); }

    /// Starts to connect. No error: connected. would_block: in progress; when the socket is writable, finish_connect()
    /// returns the result. Any other error: failed, and the socket returned is not open. A Unix domain socket connects
    /// at once or fails; backlog_full: its listener's backlog is full.
    static socket connect(const endpoint& to, const socket_options& options, io_error& error) noexcept {
        socket made(detail::open_stream(to.family(), error));
        if (!error) {
            error = detail::prepare_connection(made.native_handle(), to.family(), options);
        }
        if (!error && ::connect(made.native_handle(), to.data(), to.length) != 0) {
            error = connect_error(errno, to.family());
            // On the loopback interface Linux returns "in progress" and completes the connection before the call
            // returns.
            const bool may_stand = error.kind == io_failure::would_block && platform::detail::is_loopback(to);
            if (may_stand && !made.peer_endpoint().empty()) error = {};
        }
        if (!error && to.family() != AF_UNIX) error = made.refuse_itself(made.peer_endpoint());
        if (error && error.kind != io_failure::would_block) {
            made.close();
        }
        return made;
    }

    /// Returns the state of a connect. No error: connected. would_block: no result yet. Any other error: failed; a
    /// failure is returned once. A socket that has connected to itself fails with `refused`.
    io_error finish_connect() noexcept {
        int code = 0;
        socklen_t length = sizeof code;
        if (::getsockopt(native_handle(), SOL_SOCKET, SO_ERROR, &code, &length) != 0) {
            return last_error();
        }
        if (code != 0) return from_errno(code);
        // SO_ERROR is also 0 while the connect is in progress; without a peer address it is not connected yet.
        const endpoint peer = peer_endpoint();
        return peer.empty() ? io_error{io_failure::would_block, 0} : refuse_itself(peer);
    }

    /// Listens at `at`; for port 0, local_endpoint() has the chosen port. The any address of IPv6 also accepts IPv4; if
    /// the system cannot do that, it becomes 0.0.0.0. Any other IPv6 address accepts IPv6 only. A port with a listener
    /// fails with address_in_use; a port with connections in TIME_WAIT is free (SO_REUSEADDR). For a path see
    /// socket_file.hpp. On an error the socket returned is not open.
    static socket listen(const endpoint& at, const socket_options& options, int backlog, io_error& error) noexcept {
        return platform::detail::listen_on_every_stack(at, error, [&](const endpoint& one, io_error& failure) {
            return listen_at(one, options, backlog, failure);
        });
    }

    /// Takes the next connection of a listener. On an error the socket returned is not open. would_block: there is
    /// none. aborted: the connection was lost; try again. no_descriptors, no_memory: it stays in the backlog; try again
    /// later.
    socket accept(const socket_options& options, io_error& error) noexcept {
        endpoint from;
        int accepted = -1;
        do {
            from.length = sizeof from.storage;
            accepted = detail::accept_once(native_handle(), from.data(), &from.length);
        } while (accepted < 0 && errno == EINTR);
        socket made{descriptor(accepted)};
        if (!made.is_open()) {
            const int code = errno;
            error = detail::is_lost_connection(code) ? io_error{io_failure::aborted, code} : from_errno(code);
            return made;
        }
        error = detail::born_non_blocking ? io_error{} : make_private_and_non_blocking(accepted);
        if (!error) {
            error = detail::prepare_connection(accepted, from.family(), options);
        }
        if (error) {
            // Some systems refuse options on a connection that its peer has reset. That is no error of the listener.
            error.kind = io_failure::aborted;
            made.close();
        }
        return made;
    }

    /// Reads available bytes into the buffers in turn, which must have room for at least one byte. 0 bytes and no
    /// error: the peer has closed its sending direction.
    io_result read(std::span<const mutable_buffer> buffers) noexcept {
        ssize_t got = -1;
        do {
            got = buffers.size() == 1 ? ::recv(native_handle(), buffers[0].data, buffers[0].size, 0)
                                      : read_pieces(buffers);
        } while (got < 0 && errno == EINTR);
        return to_result(got);
    }

    /// Writes as many bytes as the kernel takes at once, possibly fewer than there are.
    io_result write(std::span<const const_buffer> buffers) noexcept {
        ssize_t sent = -1;
        do {
            sent = buffers.size() == 1 ? ::send(native_handle(), buffers[0].data, buffers[0].size, detail::send_flags)
                                       : write_pieces(buffers);
        } while (sent < 0 && errno == EINTR);
        return to_written(sent);
    }

    /// Bytes that can be read now; 0 also if the system does not say.
    std::size_t available() noexcept {
        int bytes = 0;
        return ::ioctl(native_handle(), FIONREAD, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
    }

    /// Closes the sending direction: the peer reads the end of the stream after all bytes written before.
    io_error shutdown_write() noexcept { return ::shutdown(native_handle(), SHUT_WR) == 0 ? io_error{} : last_error(); }

    /// Closes the socket. The system still delivers written bytes if it can.
    void close() noexcept {
        file_.reset(); // first: a file that exists belongs to a live socket
        handle_.reset();
    }

    /// In a forked child: closes the child's copy only. The parent keeps the socket and its file.
    void close_copy() noexcept {
        file_.reset(); // removes no file in a child
        handle_.reset();
    }

    /// Closes with a reset: the peer gets io_failure::reset, and no state lingers here. Unix domain sockets have no
    /// resets: the peer reads all bytes sent, then the end of the stream, or a reset if bytes that it sent were not
    /// read.
    void abort() noexcept {
        if (is_open()) reset_when_closed();
        close();
    }

    /// Empty if not open.
    endpoint local_endpoint() const noexcept { return ask(::getsockname); }
    /// Empty if not connected.
    endpoint peer_endpoint() const noexcept { return ask(::getpeername); }

    /// The peer of a connected Unix domain socket; unknown for any other socket. See tofu::peer_credentials.
    peer_credentials peer_identity() const noexcept { return credentials_of(native_handle()); }

private:
    explicit socket(descriptor handle) noexcept : handle_(std::move(handle)) {}

    void reset_when_closed() noexcept {
        const linger at_once{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(native_handle(), SOL_SOCKET, SO_LINGER, &at_once, static_cast<socklen_t>(sizeof at_once));
    }

    /// Returns `refused` if the socket has connected to itself, and makes its close send a reset. The reset avoids
    /// TIME_WAIT, so a server can bind the port at once.
    io_error refuse_itself(const endpoint& peer) noexcept {
        if (!platform::detail::is_same_end(peer, local_endpoint())) return {};
        reset_when_closed();
        return io_error{io_failure::refused, ECONNREFUSED};
    }

    static io_error connect_error(int code, int family) noexcept {
        if (code == EINTR) {
            return io_error{io_failure::would_block, code}; // POSIX: the connect continues, as with EINPROGRESS
        }
        if (code == EAGAIN && family == AF_UNIX) return io_error{io_failure::backlog_full, code};
        if (code == EAGAIN) {
            // connect(2) of Linux: no local port or no routing cache entry is free; no event will follow.
            return io_error{io_failure::address_not_available, code};
        }
        return from_errno(code);
    }

    static socket listen_at(const endpoint& at, const socket_options& options, int backlog, io_error& error) noexcept {
        socket made(detail::open_stream(at.family(), error));
        const int handle = made.native_handle();
        if (!error && platform::detail::is_path(at)) {
            error = listen_at_path(handle, at, options.file_permissions, backlog, made.file_);
            if (error) made.close();
            return made;
        }
        if (!error) {
            error = detail::set_option(handle, SOL_SOCKET, SO_REUSEADDR, 1);
        }
        if (!error && at.family() == AF_INET6) {
            error = detail::set_option(handle, IPPROTO_IPV6, IPV6_V6ONLY, platform::detail::is_any_v6(at) ? 0 : 1);
        }
        if (!error && ::bind(handle, at.data(), at.length) != 0) {
            error = last_error();
        }
        if (!error && ::listen(handle, backlog) != 0) {
            error = last_error();
        }
        if (error) {
            made.close();
        }
        return made;
    }

    // For several buffers; a single buffer uses recv and send, which cost less.
    ssize_t read_pieces(std::span<const mutable_buffer> buffers) const noexcept {
        const int count = static_cast<int>((std::min)(buffers.size(), max_buffers));
        return ::readv(native_handle(), detail::pieces_of(buffers), count);
    }
    ssize_t write_pieces(std::span<const const_buffer> buffers) const noexcept {
        msghdr gathered{};
        gathered.msg_iov = detail::pieces_of(buffers);
        gathered.msg_iovlen =
            tofu::detail::integer_cast<decltype(gathered.msg_iovlen)>((std::min)(buffers.size(), max_buffers));
        return ::sendmsg(native_handle(), &gathered, detail::send_flags);
    }

    static io_result to_result(ssize_t bytes) noexcept {
        return bytes < 0 ? io_result{0, last_error()} : io_result{static_cast<std::size_t>(bytes), {}};
    }

    /// macOS also returns EPROTOTYPE while a connection is being closed (see src/unix/stream.c of libuv).
    static io_result to_written(ssize_t bytes) noexcept {
        if (bytes < 0 && errno == EPROTOTYPE) return io_result{0, io_error{io_failure::reset, errno}};
        return to_result(bytes);
    }

    template <class Question>
    endpoint ask(Question question) const noexcept {
        endpoint answer;
        answer.length = sizeof answer.storage;
        return question(native_handle(), answer.data(), &answer.length) == 0 ? answer : endpoint{};
    }

    descriptor handle_;
    std::unique_ptr<socket_file> file_; ///< the file of a listening Unix domain socket, else null
};

} // namespace tofu::inline TOFU_ABI::posix

#endif // TOFU_PLATFORM_POSIX_SOCKET_HPP
