// SPDX-License-Identifier: BSL-1.0
// One non-blocking stream socket of Winsock, with the options that tofu needs.

#ifndef TOFU_PLATFORM_WINDOWS_SOCKET_HPP
#define TOFU_PLATFORM_WINDOWS_SOCKET_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/dual_stack.hpp>
#include <tofu/platform/endpoint.hpp>
#include <tofu/platform/windows/error.hpp>
#include <tofu/platform/windows/initial_rto.hpp>
#include <tofu/platform/windows/socket_calls.hpp>
#include <tofu/platform/windows/socket_file.hpp>
#include <tofu/platform/windows/socket_handle.hpp>
#include <tofu/platform/windows/winsock.hpp>
#include <tofu/stats.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

namespace tofu::inline TOFU_ABI::windows {

using platform::endpoint;

namespace detail {

/// Sets the options of a connection, connected or accepted. Unix domain sockets of Windows do not have the two options,
/// and do not need them (SO_KEEPALIVE fails with WSAENOPROTOOPT, curl#19812).
inline io_error prepare_connection(SOCKET handle, int family, const socket_options& options) noexcept {
    if (family != AF_INET && family != AF_INET6) return {};
    io_error error = detail::set_option(handle, IPPROTO_TCP, TCP_NODELAY, 1);
    if (!error && options.keep_alive) error = detail::set_option(handle, SOL_SOCKET, SO_KEEPALIVE, 1);
    return error;
}

/// True for errors of the connection that was about to be accepted, not of the listener: a reset or an unreachable
/// peer.
constexpr bool is_lost_connection(int code) noexcept {
    switch (code) {
    case WSAECONNRESET:
    case WSAECONNABORTED:
    case WSAENETRESET:
    case WSAETIMEDOUT:
    case WSAEHOSTDOWN:
    case WSAEHOSTUNREACH:
    case WSAENETUNREACH: return true;
    default: return false;
    }
}

} // namespace detail

/// A listener or a connection. Meets the contract in policies/concepts/network.hpp. Move-only; closes in its
/// destructor. No call blocks or throws. No child process inherits a socket. The process needs an open winsock_session.
/// One thread at a time.
class socket {
public:
    using native_handle_type = SOCKET;

    /// The most buffers of one read or write; the others are left for the next call.
    static constexpr std::size_t max_buffers = 1024;

    /// Buffers per system call. Each call first converts them to an array of WSABUF on the stack.
    static constexpr std::size_t max_pieces = 256;

    /// The most bytes of one read or write. While a connection has any room, Windows buffers a whole write of any
    /// length. So this limit bounds the kernel memory of a connection. A write too long for the kernel's memory would
    /// fail with WSAENOBUFS again and again (Microsoft's KB 201213).
    static constexpr std::size_t max_transfer = std::size_t{1} << 20;

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
    /// INVALID_SOCKET if not open. The socket keeps the ownership.
    native_handle_type native_handle() const noexcept { return handle_.get(); }

    /// Starts to connect. No error: connected. would_block: in progress; when the socket is writable, finish_connect()
    /// returns the result. Any other error: failed, and the socket returned is not open. A full backlog is refused like
    /// a missing listener.
    static socket connect(const endpoint& to, const socket_options& options, io_error& error) noexcept {
        socket made(detail::open_stream(to.family(), error));
        if (!error) error = detail::prepare_connection(made.native_handle(), to.family(), options);
        if (!error) {
            detail::fail_loopback_fast(made.native_handle(), to);
            if (::connect(made.native_handle(), to.data(), to.length) != 0) error = connect_error(to);
        }
        if (!error && to.family() != AF_UNIX) error = made.refuse_itself(made.peer_endpoint());
        if (error && error.kind != io_failure::would_block) made.close();
        return made;
    }

    /// Returns the state of a connect. No error: connected. would_block: no result yet. Any other error: failed; a
    /// failure is returned once. A socket that has connected to itself fails with `refused`.
    io_error finish_connect() noexcept {
        int code = 0;
        int length = sizeof code;
        if (::getsockopt(native_handle(), SOL_SOCKET, SO_ERROR, reinterpret_cast<char*>(&code), &length) != 0)
            return last_error();
        if (code != 0) return from_wsa(code);
        // SO_ERROR is also 0 while the connect is in progress; without a peer address it is not connected yet.
        const endpoint peer = peer_endpoint();
        return peer.empty() ? io_error{io_failure::would_block, 0} : refuse_itself(peer);
    }

    /// Listens at `at`; for port 0, local_endpoint() has the chosen port. The any address of IPv6 also accepts IPv4; if
    /// the system cannot do that, it becomes 0.0.0.0. Any other IPv6 address accepts IPv6 only. A port with a listener
    /// fails with address_in_use, and no other socket can take it (SO_EXCLUSIVEADDRUSE); a port with connections in
    /// TIME_WAIT is free. For a path see socket_file.hpp. On an error the socket returned is not open.
    static socket listen(const endpoint& at, const socket_options& options, int backlog, io_error& error) noexcept {
        static_cast<void>(options); // files have no permission bits here
        return platform::detail::listen_on_every_stack(
            at, error, [backlog](const endpoint& one, io_error& failure) { return listen_at(one, backlog, failure); });
    }

    /// Takes the next connection of a listener. On an error the socket returned is not open. would_block: there is
    /// none. aborted: the connection was lost; try again. no_descriptors, no_memory: it stays in the backlog; try again
    /// later.
    socket accept(const socket_options& options, io_error& error) noexcept {
        endpoint from;
        from.length = sizeof from.storage;
        socket made{socket_handle(::accept(native_handle(), from.data(), &from.length))};
        if (!made.is_open()) {
            error = last_error();
            if (detail::is_lost_connection(error.os_code)) error.kind = io_failure::aborted;
            return made;
        }
        // It may inherit the listener's settings, but no document promises that.
        error = detail::make_private(made.native_handle());
        if (!error) error = detail::make_non_blocking(made.native_handle());
        if (!error) error = detail::prepare_connection(made.native_handle(), from.family(), options);
        if (error) {
            // The system may refuse options on a connection that its peer has reset. That is no error of the listener.
            error.kind = io_failure::aborted;
            made.close();
        }
        return made;
    }

    /// Reads available bytes into the buffers in turn, which must have room for at least one byte. 0 bytes and no
    /// error: the peer has closed its sending direction.
    io_result read(std::span<const mutable_buffer> buffers) noexcept {
        return in_pieces(buffers, [this](WSABUF* pieces, DWORD count, DWORD& got) noexcept {
            DWORD flags = 0;
            return ::WSARecv(native_handle(), pieces, count, &got, &flags, nullptr, nullptr);
        });
    }

    /// Writes as many bytes as the kernel takes at once, possibly fewer than there are. WSAENOBUFS becomes no_memory:
    /// the socket may be writable while the kernel has no memory for the bytes, so a wait for it would end at once. The
    /// engine tries again after a pause.
    io_result write(std::span<const const_buffer> buffers) noexcept {
        return in_pieces(buffers, [this](WSABUF* pieces, DWORD count, DWORD& sent) noexcept {
            return ::WSASend(native_handle(), pieces, count, &sent, 0, nullptr, nullptr);
        });
    }

    /// Bytes that can be read now; 0 also if the system does not say.
    std::size_t available() noexcept {
        u_long bytes = 0;
        return ::ioctlsocket(native_handle(), FIONREAD, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
    }

    /// Closes the sending direction: the peer reads the end of the stream after all bytes written before.
    io_error shutdown_write() noexcept { return ::shutdown(native_handle(), SD_SEND) == 0 ? io_error{} : last_error(); }

    /// Closes the socket. The system still delivers written bytes if it can.
    void close() noexcept {
        file_.reset(); // first: a file that exists belongs to a live socket
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

    /// The process of a connected Unix domain socket; Windows knows no user or group by number. For any other socket
    /// everything is unknown. See tofu::peer_credentials.
    peer_credentials peer_identity() const noexcept {
        ULONG process = 0;
        DWORD bytes = 0;
        if (local_endpoint().family() != AF_UNIX) return {};
        if (::WSAIoctl(native_handle(), SIO_AF_UNIX_GETPEERPID, nullptr, 0, &process, sizeof process, &bytes, nullptr,
                       nullptr) != 0)
            return {};
        return {.process = static_cast<std::int64_t>(process)};
    }

private:
    explicit socket(socket_handle handle) noexcept : handle_(std::move(handle)) {}

    void reset_when_closed() noexcept {
        const linger at_once{.l_onoff = 1, .l_linger = 0};
        const auto* const value = reinterpret_cast<const char*>(&at_once);
        ::setsockopt(native_handle(), SOL_SOCKET, SO_LINGER, value, sizeof at_once);
    }

    /// Returns `refused` if the socket has connected to itself, and makes its close send a reset. The reset avoids
    /// TIME_WAIT, so a server can bind the port at once.
    io_error refuse_itself(const endpoint& peer) noexcept {
        if (!platform::detail::is_same_end(peer, local_endpoint())) return {};
        reset_when_closed();
        return io_error{io_failure::refused, WSAECONNREFUSED};
    }

    static io_error connect_error(const endpoint& to) noexcept {
        const io_error error = last_error();
        if (error.kind == io_failure::would_block || !platform::detail::is_path(to)) return error;
        return detail::connect_error_at(to, error);
    }

    static socket listen_at(const endpoint& at, int backlog, io_error& error) noexcept {
        socket made(detail::open_stream(at.family(), error));
        const SOCKET handle = made.native_handle();
        if (!error && platform::detail::is_path(at)) {
            error = listen_at_path(handle, at, backlog, made.file_);
            if (error) made.close();
            return made;
        }
        if (!error) error = detail::set_option(handle, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1);
        if (!error && at.family() == AF_INET6)
            error = detail::set_option(handle, IPPROTO_IPV6, IPV6_V6ONLY, platform::detail::is_any_v6(at) ? 0 : 1);
        if (!error && ::bind(handle, at.data(), at.length) != 0) error = last_error();
        if (!error && ::listen(handle, backlog) != 0) error = last_error();
        if (error) made.close();
        return made;
    }

    /// Calls `call` with up to max_pieces buffers at a time. Ends after the last buffer, after max_transfer bytes, or
    /// when a call transfers less than it was given. A failure after the first call is not reported; the next read or
    /// write meets the failure.
    template <class Buffer, class Call>
    static io_result in_pieces(std::span<const Buffer> buffers, Call call) noexcept {
        WSABUF pieces[max_pieces];
        io_result all;
        std::size_t room = max_transfer;
        buffers = buffers.first((std::min)(buffers.size(), max_buffers));
        for (;;) {
            const std::size_t before = room;
            const DWORD count = to_pieces(buffers, room, pieces);
            DWORD moved = 0;
            if (call(pieces, count, moved) != 0) return all.bytes != 0 ? all : io_result{0, last_error()};
            all.bytes += moved;
            buffers = buffers.subspan(count);
            if (moved < before - room || room == 0 || buffers.empty()) return all;
        }
    }

    /// Subtracts the bytes from `room`. Stops after a buffer that did not fit whole.
    template <class Buffer>
    static DWORD to_pieces(std::span<const Buffer> buffers, std::size_t& room, WSABUF (&pieces)[max_pieces]) noexcept {
        DWORD count = 0;
        for (const Buffer& one : buffers) {
            if (count == max_pieces || (room == 0 && one.size != 0)) break;
            const std::size_t taken = (std::min)(one.size, room);
            pieces[count].buf = reinterpret_cast<char*>(const_cast<std::byte*>(one.data));
            pieces[count].len = static_cast<ULONG>(taken);
            room -= taken;
            ++count;
            if (taken < one.size) break;
        }
        return count;
    }

    template <class Question>
    endpoint ask(Question question) const noexcept {
        endpoint answer;
        answer.length = sizeof answer.storage;
        return question(native_handle(), answer.data(), &answer.length) == 0 ? answer : endpoint{};
    }

    socket_handle handle_;
    std::unique_ptr<socket_file> file_; ///< the file of a listening Unix domain socket, else null
};

} // namespace tofu::inline TOFU_ABI::windows

#endif // TOFU_PLATFORM_WINDOWS_SOCKET_HPP
