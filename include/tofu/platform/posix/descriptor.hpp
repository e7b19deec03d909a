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

/// Move-only; -1 when there is none. One thread at a time.
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

    /// Gives ownership away.
    int release() noexcept { return std::exchange(value_, -1); }

    /// Closes what it has and takes `value`. A close interrupted by a signal is not tried again: the descriptor's
    /// state is unspecified then (POSIX), and on Linux it is closed already and may be somebody else's by now.
    void reset(int value = -1) noexcept {
        const int old = std::exchange(value_, value);
        if (old >= 0) {
            ::close(old);
        }
    }

private:
    int value_ = -1;
};

/// For systems on which a descriptor cannot be born so: no blocking, closed on exec.
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
