// SPDX-License-Identifier: BSL-1.0
// Winsock has to be started before the first socket and ended after the last: here by whoever needs sockets, one thread
// after the other.

#ifndef TOFU_PLATFORM_WINDOWS_SESSION_HPP
#define TOFU_PLATFORM_WINDOWS_SESSION_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/windows/error.hpp>
#include <tofu/platform/windows/winsock.hpp>

#include <utility>

namespace tofu::inline TOFU_ABI::windows {

namespace detail {

/// WSAStartup and WSACleanup count by themselves, but not safely in every system (Wine bug 60084: two threads in them
/// at once). The lock needs no constructor and no destructor, so it serves before main and after it, too.
inline constinit SRWLOCK winsock_lock = SRWLOCK_INIT;

/// Holds it as long as it lives.
class winsock_turn {
public:
    winsock_turn() noexcept { ::AcquireSRWLockExclusive(&winsock_lock); }
    winsock_turn(const winsock_turn&) = delete;
    winsock_turn& operator=(const winsock_turn&) = delete;
    ~winsock_turn() { ::ReleaseSRWLockExclusive(&winsock_lock); }
};

} // namespace detail

/// As long as one of these is open, this process can use sockets. Any number may be open at the same time, in any
/// threads; each is one thread's at a time. Not for static objects of a library that is loaded and unloaded: neither
/// call may be made from DllMain.
class winsock_session {
public:
    /// Not open.
    winsock_session() noexcept = default;
    winsock_session(winsock_session&& other) noexcept : open_(std::exchange(other.open_, false)) {}
    winsock_session& operator=(winsock_session&& other) noexcept {
        if (this != &other) {
            close();
            open_ = std::exchange(other.open_, false);
        }
        return *this;
    }
    ~winsock_session() { close(); }

    bool is_open() const noexcept { return open_; }

    /// Starts Winsock 2.2; nothing to do when this session is open already. Errors: unsupported (no version 2.2),
    /// unreachable (the network is not ready), no_memory, other.
    io_error open() noexcept {
        if (open_) return {};
        const detail::winsock_turn turn;
        WSADATA found{};
        // It answers with the error itself: there is no last error before it has succeeded.
        if (const int code = ::WSAStartup(version, &found); code != 0) return from_wsa(code);
        if (found.wVersion != version) {
            ::WSACleanup();
            return from_wsa(WSAVERNOTSUPPORTED);
        }
        open_ = true;
        return {};
    }

    /// When it was the last one of the process, Winsock closes every socket that is still open.
    void close() noexcept {
        if (!std::exchange(open_, false)) return;
        const detail::winsock_turn turn;
        ::WSACleanup();
    }

private:
    static constexpr WORD version = 0x0202;

    bool open_ = false;
};

} // namespace tofu::inline TOFU_ABI::windows

#endif // TOFU_PLATFORM_WINDOWS_SESSION_HPP
