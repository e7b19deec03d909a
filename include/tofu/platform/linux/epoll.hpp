// SPDX-License-Identifier: BSL-1.0
// epoll(7) and its constants, for the policy that waits with it.

#ifndef TOFU_PLATFORM_LINUX_EPOLL_HPP
#define TOFU_PLATFORM_LINUX_EPOLL_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/posix/descriptor.hpp>
#include <tofu/platform/posix/error.hpp>
#include <tofu/platform/posix/poll_timeout.hpp>

#include <poll.h>
#include <sys/epoll.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tofu::inline TOFU_ABI::linux_api {

using epoll_entry = ::epoll_event;

/// One instance of epoll; closed with it. One thread at a time, except that waking what it watches is any thread's.
class epoll_set {
public:
    /// Once, before anything else. Errors: no_descriptors, no_memory.
    io_error open() noexcept {
        handle_.reset(::epoll_create1(EPOLL_CLOEXEC));
        return handle_.is_open() ? io_error{} : posix::last_error();
    }

    /// Readable (to poll, select, another epoll) while something watched has anything to report.
    int descriptor() const noexcept { return handle_.get(); }

    /// `data` comes back with every report. Errors: no_memory, which is also what the limit on watches of one user is
    /// (ENOSPC, /proc/sys/fs/epoll/max_user_watches).
    io_error add(int descriptor, std::uint32_t events, std::uint64_t data) noexcept {
        return control(EPOLL_CTL_ADD, descriptor, events, data);
    }
    io_error change(int descriptor, std::uint32_t events, std::uint64_t data) noexcept {
        return control(EPOLL_CTL_MOD, descriptor, events, data);
    }
    /// To be called before `descriptor` is closed: a copy of it in another process (fork) or elsewhere (dup) keeps the
    /// watch alive otherwise, and nobody could remove it any more.
    void remove(int descriptor) noexcept { static_cast<void>(control(EPOLL_CTL_DEL, descriptor, 0, 0)); }

    /// Returns the number of entries filled in; 0 without an error after the timeout. Error interrupted: a signal ended
    /// the call before it looked. SIGSTOP and SIGCONT do that to epoll_wait even without a handler, see signal(7).
    std::size_t wait(std::span<epoll_entry> entries, std::chrono::nanoseconds timeout, io_error& error) noexcept {
        const int found = ::epoll_wait(handle_.get(), entries.data(), static_cast<int>(entries.size()),
                                       posix::to_poll_timeout(timeout));
        error = found < 0 ? posix::last_error() : io_error{};
        return found > 0 ? static_cast<std::size_t>(found) : 0;
    }

    /// Closes it. In a forked child that is the child's copy only.
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

/// In place of a wait that has failed; see the contract of a poller's wait.
inline void rest(std::chrono::milliseconds time) noexcept { ::poll(nullptr, 0, static_cast<int>(time.count())); }

} // namespace tofu::inline TOFU_ABI::linux_api

#endif // TOFU_PLATFORM_LINUX_EPOLL_HPP
