// SPDX-License-Identifier: BSL-1.0
// epoll(7) and its constants, for linux_epoll.

#ifndef TOFU_PLATFORM_LINUX_EPOLL_HPP
#define TOFU_PLATFORM_LINUX_EPOLL_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/posix/descriptor.hpp>
#include <tofu/platform/posix/error.hpp>
#include <tofu/platform/posix/poll.hpp>

#include <sys/epoll.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tofu::inline TOFU_ABI::linux_api {

using epoll_entry = ::epoll_event;

/// Owns one epoll set. One thread at a time.
class epoll_set {
public:
    /// Called once, before the other calls. Errors: no_descriptors, no_memory.
    io_error open() noexcept {
        handle_.reset(::epoll_create1(EPOLL_CLOEXEC));
        return handle_.is_open() ? io_error{} : posix::last_error();
    }

    /// Readable (by poll, select, another epoll) while wait() would return an entry.
    int descriptor() const noexcept { return handle_.get(); }

    /// Adds a descriptor; each of its entries holds `data`. Errors: no_memory, also for the user's limit on watches
    /// (ENOSPC, /proc/sys/fs/epoll/max_user_watches).
    io_error add(int descriptor, std::uint32_t events, std::uint64_t data) noexcept {
        return control(EPOLL_CTL_ADD, descriptor, events, data);
    }
    io_error change(int descriptor, std::uint32_t events, std::uint64_t data) noexcept {
        return control(EPOLL_CTL_MOD, descriptor, events, data);
    }
    /// Must be called before `descriptor` is closed. Otherwise a copy of the descriptor (fork, dup) keeps the watch,
    /// and no call can remove it any more.
    void remove(int descriptor) noexcept { static_cast<void>(control(EPOLL_CTL_DEL, descriptor, 0, 0)); }

    /// Fills in entries and returns their number; 0 without an error after the timeout. Error interrupted: a signal
    /// ended the call before it checked the descriptors. SIGSTOP and SIGCONT interrupt epoll_wait even without a
    /// handler (signal(7)).
    std::size_t wait(std::span<epoll_entry> entries, std::chrono::nanoseconds timeout, io_error& error) noexcept {
        const int found = ::epoll_wait(handle_.get(), entries.data(), static_cast<int>(entries.size()),
                                       posix::to_poll_timeout(timeout));
        error = found < 0 ? posix::last_error() : io_error{};
        return found > 0 ? static_cast<std::size_t>(found) : 0;
    }

    /// Closes the set; in a forked child only the child's copy.
    void close() noexcept { handle_.reset(); }

private:
    io_error control(int operation, int descriptor, std::uint32_t events, std::uint64_t data) noexcept {
        epoll_entry entry{};
        entry.events = events;
        entry.data.u64 = data;
        if (::epoll_ctl(handle_.get(), operation, descriptor, &entry) == 0) return {};
        return errno == ENOSPC ? io_error{io_failure::no_memory, ENOSPC} : posix::last_error();
    }

    posix::descriptor handle_;
};

} // namespace tofu::inline TOFU_ABI::linux_api

#endif // TOFU_PLATFORM_LINUX_EPOLL_HPP
