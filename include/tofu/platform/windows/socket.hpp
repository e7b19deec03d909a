// SPDX-License-Identifier: BSL-1.0
// One non-blocking stream socket of Winsock, with every option set that tofu needs.

#ifndef TOFU_PLATFORM_WINDOWS_SOCKET_HPP
#define TOFU_PLATFORM_WINDOWS_SOCKET_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/dual_stack.hpp>
#include <tofu/platform/endpoint.hpp>
#include <tofu/platform/socket_options.hpp>
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

/// What every connection gets, made or accepted. Unix domain sockets of Windows know neither option (SO_KEEPALIVE fails
/// with WSAENOPROTOOPT, curl#19812), and need neither.
inline io_error prepare_connection(SOCKET handle, int family, const socket_options& options) noexcept {
    if (family != AF_INET && family != AF_INET6) return {};
    io_error error = set_option(handle, IPPROTO_TCP, TCP_NODELAY, 1);
    if (!error && options.keep_alive) error = set_option(handle, SOL_SOCKET, SO_KEEPALIVE, 1);
    return error;
}

/// Errors that belong to the one connection which was about to be accepted, not to the listener: its peer has reset it
/// or has become unreachable meanwhile.
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

/// A listener or a connection. Move-only, closes in its destructor. One thread at a time. Nothing here blocks or
/// throws; no child process inherits a socket. Somebody in the process has to hold an open winsock_session meanwhile.
class socket {
public:
    using native_handle_type = SOCKET;

    /// No more buffers than these are handed to one read or write; the rest is left for the next.
    static constexpr std::size_t max_buffers = 1024;

    /// Buffers per system call. Each call first converts them to an array of WSABUF on the stack.
    static constexpr std::size_t max_pieces = 256;

    /// Nor more bytes. As long as a connection has any room left, Windows buffers the whole of a write, however long it
    /// is, so the bound of what one ties up in the kernel is made here; and a write too long for the kernel's memory
    /// would fail with WSAENOBUFS every time it is tried again (Microsoft's KB 201213).
    static constexpr std::size_t max_transfer = std::size_t{1} << 20;

    /// What one socket allocates at most, in bytes; see memory_bound.hpp.
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
    /// INVALID_SOCKET when not open. Stays owned by the socket.
    native_handle_type native_handle() const noexcept { return handle_.get(); }

    /// Begins to connect. `error` none: connected already; would_block: in progress, wait until it is writable and ask
    /// finish_connect; anything else: failed, and the socket returned is not open. A full backlog cannot be told from a
    /// listener that is not there: both are refused.
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

    /// The state of a connect: none, it is connected; would_block, there is no result yet; anything else, it failed. A
    /// failure is reported once. A socket that has connected to itself is refused.
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

    /// Listens at `at`; local_endpoint tells the port when it was 0. The any address of IPv6 serves IPv4 too, and where
    /// IPv6 (or serving both) is missing it becomes 0.0.0.0; any other IPv6 address serves IPv6 only. A port somebody
    /// listens on is address_in_use, and nobody can take it away (SO_EXCLUSIVEADDRUSE); one whose connections linger in
    /// TIME_WAIT is free. At a path, see socket_file.hpp. On failure the socket returned is not open.
    static socket listen(const endpoint& at, const socket_options& options, int backlog, io_error& error) noexcept {
        static_cast<void>(options); // files have no permission bits here
        return platform::detail::listen_on_every_stack(
            at, error, [backlog](const endpoint& one, io_error& failure) { return listen_at(one, backlog, failure); });
    }

    /// The next waiting connection, ready to use. would_block: none is waiting; aborted: that one was lost on the way,
    /// try again; no_descriptors, no_memory: it waits on, try again later. On failure the socket returned is not open.
    socket accept(const socket_options& options, io_error& error) noexcept {
        endpoint from;
        from.length = sizeof from.storage;
        socket made{socket_handle(::accept(native_handle(), from.data(), &from.length))};
        if (!made.is_open()) {
            error = last_error();
            if (detail::is_lost_connection(error.os_code)) error.kind = io_failure::aborted;
            return made;
        }
        // It may have been born with the listener's settings; that it was is nowhere promised.
        error = detail::make_private(made.native_handle());
        if (!error) error = detail::make_non_blocking(made.native_handle());
        if (!error) error = detail::prepare_connection(made.native_handle(), from.family(), options);
        if (error) {
            // Options may be refused on a connection its peer has already reset; the listener is not to blame.
            error.kind = io_failure::aborted;
            made.close();
        }
        return made;
    }

    /// As much as is there, into the buffers in turn. 0 bytes and no error: the peer has ended its direction - so there
    /// must be room for a byte at least.
    io_result read(std::span<const mutable_buffer> buffers) noexcept {
        return in_pieces(buffers, [this](WSABUF* pieces, DWORD count, DWORD& got) noexcept {
            DWORD flags = 0;
            return ::WSARecv(native_handle(), pieces, count, &got, &flags, nullptr, nullptr);
        });
    }

    /// As much as the kernel takes at once, possibly less than everything. WSAENOBUFS is no_memory, as ENOBUFS is: the
    /// kernel may have room for this socket and none for the bytes, and then waiting until the socket is writable would
    /// end at once, each time. Whoever writes pauses and tries again.
    io_result write(std::span<const const_buffer> buffers) noexcept {
        return in_pieces(buffers, [this](WSABUF* pieces, DWORD count, DWORD& sent) noexcept {
            return ::WSASend(native_handle(), pieces, count, &sent, 0, nullptr, nullptr);
        });
    }

    /// Bytes that can be read now; 0 also when the system does not say.
    std::size_t available() noexcept {
        u_long bytes = 0;
        return ::ioctlsocket(native_handle(), FIONREAD, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
    }

    /// Ends the sending direction: the peer reads the end of stream after everything written before.
    io_error shutdown_write() noexcept { return ::shutdown(native_handle(), SD_SEND) == 0 ? io_error{} : last_error(); }

    /// What was written is still delivered, as far as the system can.
    void close() noexcept {
        file_.reset(); // before the socket: as long as the file is there, it is that of a live one
        handle_.reset();
    }

    /// Closes with a reset: the peer sees io_failure::reset, and nothing lingers here. Unix domain sockets know no such
    /// thing: the peer reads what was sent, then the end of the stream (or a reset, if something it sent was not read).
    void abort() noexcept {
        if (is_open()) reset_when_closed();
        close();
    }

    /// Empty when not open.
    endpoint local_endpoint() const noexcept { return ask(::getsockname); }
    /// Empty when not connected.
    endpoint peer_endpoint() const noexcept { return ask(::getpeername); }

    /// Of a connected Unix domain socket: the process, as Windows knows no user or group by number. Everything unknown
    /// for any other. See tofu::peer_credentials.
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
    std::unique_ptr<socket_file> file_; ///< of a listening Unix domain socket
};

} // namespace tofu::inline TOFU_ABI::windows

#endif // TOFU_PLATFORM_WINDOWS_SOCKET_HPP
