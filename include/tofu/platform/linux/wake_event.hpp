// SPDX-License-Identifier: BSL-1.0
// An eventfd(2) that ends a wait of the own process.

#ifndef TOFU_PLATFORM_LINUX_WAKE_EVENT_HPP
#define TOFU_PLATFORM_LINUX_WAKE_EVENT_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/posix/descriptor.hpp>
#include <tofu/platform/posix/error.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace tofu::inline TOFU_ABI::linux_api {

/// Move-only. Watch it edge-triggered; then it need not be read, because every write is a new edge (epoll(7)). Its
/// counter would be full after 2^64 writes.
class wake_event {
public:
    /// Called once, before the other calls. Errors: no_descriptors, no_memory.
    io_error open() noexcept {
        handle_.reset(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
        return handle_.is_open() ? io_error{} : posix::last_error();
    }

    int descriptor() const noexcept { return handle_.get(); }

    /// Any thread, also in a signal handler: errno stays as it was.
    void wake() const noexcept {
        const int kept = errno;
        const std::uint64_t one = 1;
        while (::write(handle_.get(), &one, sizeof one) < 0 && errno == EINTR) {
        }
        errno = kept;
    }

    /// Closes it; in a forked child only the child's copy.
    void close() noexcept { handle_.reset(); }

private:
    posix::descriptor handle_;
};

} // namespace tofu::inline TOFU_ABI::linux_api

#endif // TOFU_PLATFORM_LINUX_WAKE_EVENT_HPP
