// SPDX-License-Identifier: BSL-1.0
// Owns one kernel handle and closes it.

#ifndef TOFU_PLATFORM_WINDOWS_HANDLE_HPP
#define TOFU_PLATFORM_WINDOWS_HANDLE_HPP

#include <tofu/config.hpp>
#include <tofu/platform/windows/winsock.hpp>

#include <utility>

namespace tofu::inline TOFU_ABI::windows {

/// Move-only; null if it owns none. Not for sockets, which need closesocket. One thread at a time.
class unique_handle {
public:
    unique_handle() noexcept = default;
    /// Takes ownership of `value`. INVALID_HANDLE_VALUE, the error of CreateFileW, becomes null.
    explicit unique_handle(HANDLE value) noexcept : value_(value == INVALID_HANDLE_VALUE ? nullptr : value) {}
    unique_handle(unique_handle&& other) noexcept : value_(other.release()) {}
    unique_handle& operator=(unique_handle&& other) noexcept {
        if (this != &other) reset(other.release());
        return *this;
    }
    unique_handle(const unique_handle&) = delete;
    unique_handle& operator=(const unique_handle&) = delete;
    ~unique_handle() { reset(); }

    [[nodiscard]] HANDLE get() const noexcept { return value_; }
    [[nodiscard]] bool is_open() const noexcept { return value_ != nullptr; }

    /// Gives up ownership.
    HANDLE release() noexcept { return std::exchange(value_, nullptr); }

    void reset(HANDLE value = nullptr) noexcept {
        if (HANDLE const old = std::exchange(value_, value)) ::CloseHandle(old);
    }

private:
    HANDLE value_ = nullptr;
};

} // namespace tofu::inline TOFU_ABI::windows

#endif // TOFU_PLATFORM_WINDOWS_HANDLE_HPP
