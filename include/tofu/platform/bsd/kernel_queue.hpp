// SPDX-License-Identifier: BSL-1.0
// kqueue(2) and its constants, for the policy that waits with it.

#ifndef TOFU_PLATFORM_BSD_KERNEL_QUEUE_HPP
#define TOFU_PLATFORM_BSD_KERNEL_QUEUE_HPP

#include <tofu/config.hpp>

#if __has_include(<sys/event.h>)

#include <tofu/contract/io.hpp>
#include <tofu/platform/bsd/wait_time.hpp>
#include <tofu/platform/posix/descriptor.hpp>
#include <tofu/platform/posix/error.hpp>

#include <sys/types.h>
// After <sys/types.h>, which older systems want first.
#include <sys/event.h>

#include <fcntl.h>

#include <chrono>
#include <ctime>
#include <span>

// Events of the program's own are in macOS, in FreeBSD since 8.1, in DragonFly, and in NetBSD since 10.
#if defined(EVFILT_USER) && defined(EV_RECEIPT)

namespace tofu::inline TOFU_ABI::bsd {

/// One kernel queue; closed with it. Its types and constants are those of the system's own header, whose integers have
/// other widths on each system: whoever fills in an event converts to the type of the member.
class kernel_queue {
public:
    using event = struct ::kevent;

    static constexpr auto read_filter = EVFILT_READ;
    static constexpr auto write_filter = EVFILT_WRITE;
    static constexpr auto user_filter = EVFILT_USER;
    static constexpr auto add_flag = EV_ADD;
    static constexpr auto remove_flag = EV_DELETE;
    static constexpr auto clear_flag = EV_CLEAR;
    static constexpr auto receipt_flag = EV_RECEIPT;
    static constexpr auto end_flag = EV_EOF;
    static constexpr auto trigger_note = NOTE_TRIGGER;

    /// Once, before anything else. Errors: no_descriptors, no_memory. (A forked child does not inherit the queue, so
    /// that nothing can come between its birth and the flag.)
    io_error open() noexcept {
        handle_.reset(::kqueue());
        if (!handle_.is_open() || ::fcntl(handle_.get(), F_SETFD, FD_CLOEXEC) != 0) return posix::last_error();
        return {};
    }

    /// Readable (to poll, select, another queue) while the queue has anything to report.
    [[nodiscard]] int descriptor() const noexcept { return handle_.get(); }

    /// As kevent(2): the number of events, or -1 with errno. nanoseconds::max() is for ever; see to_wait_time. Any
    /// thread.
    int exchange(std::span<const event> changes, std::span<event> events, std::chrono::nanoseconds timeout) noexcept {
        const std::chrono::microseconds time = to_wait_time(timeout);
        const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
        struct ::timespec limit {};
        limit.tv_sec = static_cast<decltype(limit.tv_sec)>(seconds.count());
        limit.tv_nsec = static_cast<decltype(limit.tv_nsec)>(std::chrono::nanoseconds(time - seconds).count());
        const bool endless = timeout == (std::chrono::nanoseconds::max)();
        return ::kevent(handle_.get(), changes.data(), static_cast<int>(changes.size()), events.data(),
                        static_cast<int>(events.size()), endless ? nullptr : &limit);
    }

private:
    posix::descriptor handle_;
};

} // namespace tofu::inline TOFU_ABI::bsd

#endif // defined(EVFILT_USER) && defined(EV_RECEIPT)

#endif // __has_include(<sys/event.h>)

#endif // TOFU_PLATFORM_BSD_KERNEL_QUEUE_HPP
