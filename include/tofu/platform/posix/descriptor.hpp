// SPDX-License-Identifier: BSL-1.0
// Owns one file descriptor and closes it.

#ifndef TOFU_PLATFORM_POSIX_DESCRIPTOR_HPP
#define TOFU_PLATFORM_POSIX_DESCRIPTOR_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/posix/error.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace tofu::inline TOFU_ABI::posix {

/// Move-only; -1 if it owns none. One thread at a time.
class descriptor {
public:
    descriptor() noexcept = default;
    /// Takes ownership of `value`.
    explicit descriptor(int value) noexcept : value_(value) {}
    descriptor(descriptor&& other) noexcept : value_(other.release()) {}
    descriptor& operator=(descriptor&& other) noexcept {
        if (this != &other) {
            reset(other.release());
        }
        return *this;
    }
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() { reset(); }

    int get() const noexcept { return value_; }
    bool is_open() const noexcept { return value_ >= 0; }

    /// Gives up ownership.
    int release() noexcept { return std::exchange(value_, -1); }

    /// Closes its descriptor and takes ownership of `value`. Does not repeat a close that a signal interrupted: the
    /// state of the descriptor is unspecified then (POSIX). On Linux it is closed, and its number may belong to another
    /// file.
    void reset(int value = -1) noexcept {
        TOFU_ASSERT(value < 0 || value != value_); // it would be closed and owned
        const int old = std::exchange(value_, value);
        if (old >= 0) {
            ::close(old);
        }
    }

private:
    int value_ = -1;
};

/// Makes a descriptor non-blocking and closed on exec, for systems that cannot create it so.
inline io_error make_private_and_non_blocking(int value) noexcept {
    const int status_flags = ::fcntl(value, F_GETFL);
    if (status_flags < 0 || ::fcntl(value, F_SETFL, status_flags | O_NONBLOCK) < 0 ||
        ::fcntl(value, F_SETFD, FD_CLOEXEC) < 0) {
        return last_error();
    }
    return {};
}

} // namespace tofu::inline TOFU_ABI::posix

#endif // TOFU_PLATFORM_POSIX_DESCRIPTOR_HPP
