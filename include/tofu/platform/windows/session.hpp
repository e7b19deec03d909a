// SPDX-License-Identifier: BSL-1.0
// Starts Winsock before the first socket and ends it after the last.

#ifndef TOFU_PLATFORM_WINDOWS_SESSION_HPP
#define TOFU_PLATFORM_WINDOWS_SESSION_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/windows/error.hpp>
#include <tofu/platform/windows/winsock.hpp>

#include <utility>

namespace tofu::inline TOFU_ABI::windows {

namespace detail {

/// Serialises WSAStartup and WSACleanup, because their own counting is not thread-safe everywhere (Wine bug 60084). The
/// lock has no constructor and no destructor, so it also works before and after main.
inline constinit SRWLOCK winsock_lock = SRWLOCK_INIT;

/// Holds the lock during its life.
class winsock_turn {
public:
    winsock_turn() noexcept { ::AcquireSRWLockExclusive(&winsock_lock); }
    winsock_turn(const winsock_turn&) = delete;
    winsock_turn& operator=(const winsock_turn&) = delete;
    ~winsock_turn() { ::ReleaseSRWLockExclusive(&winsock_lock); }
};

} // namespace detail

/// The process can use sockets while at least one session is open. Any number may be open, on any threads; each
/// session: one thread at a time. Not for static objects of a DLL that is unloaded, because DllMain must not make these
/// calls.
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

    /// Starts Winsock 2.2; no effect if this session is open. Errors: unsupported (no version 2.2),
    /// unreachable (the network is not ready), no_memory, other.
    io_error open() noexcept {
        if (open_) return {};
        const detail::winsock_turn turn;
        WSADATA found{};
        // It returns the error itself; WSAGetLastError is not available before it has succeeded.
        if (const int code = ::WSAStartup(version, &found); code != 0) return from_wsa(code);
        if (found.wVersion != version) {
            ::WSACleanup();
            return from_wsa(WSAVERNOTSUPPORTED);
        }
        open_ = true;
        return {};
    }

    /// With the last session of the process, Winsock closes every open socket.
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
