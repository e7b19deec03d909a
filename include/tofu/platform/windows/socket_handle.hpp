// SPDX-License-Identifier: BSL-1.0
// Owns one socket of Winsock and closes it.

#ifndef TOFU_PLATFORM_WINDOWS_SOCKET_HANDLE_HPP
#define TOFU_PLATFORM_WINDOWS_SOCKET_HANDLE_HPP

#include <tofu/config.hpp>
#include <tofu/platform/windows/winsock.hpp>

#include <utility>

namespace tofu::inline TOFU_ABI::windows {

/// Move-only; INVALID_SOCKET if it owns none. One thread at a time.
class socket_handle {
public:
    socket_handle() noexcept = default;
    /// Takes ownership of `value`.
    explicit socket_handle(SOCKET value) noexcept : value_(value) {}
    socket_handle(socket_handle&& other) noexcept : value_(other.release()) {}
    socket_handle& operator=(socket_handle&& other) noexcept {
        if (this != &other) reset(other.release());
        return *this;
    }
    socket_handle(const socket_handle&) = delete;
    socket_handle& operator=(const socket_handle&) = delete;
    ~socket_handle() { reset(); }

    [[nodiscard]] SOCKET get() const noexcept { return value_; }
    [[nodiscard]] bool is_open() const noexcept { return value_ != INVALID_SOCKET; }

    /// Gives up ownership.
    SOCKET release() noexcept { return std::exchange(value_, INVALID_SOCKET); }

    /// Closes its socket and takes ownership of `value`. Does not repeat a close that failed: another socket may have
    /// the number by now.
    void reset(SOCKET value = INVALID_SOCKET) noexcept {
        const SOCKET old = std::exchange(value_, value);
        if (old != INVALID_SOCKET) ::closesocket(old);
    }

private:
    SOCKET value_ = INVALID_SOCKET;
};

} // namespace tofu::inline TOFU_ABI::windows

#endif // TOFU_PLATFORM_WINDOWS_SOCKET_HANDLE_HPP
