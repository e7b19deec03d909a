// SPDX-License-Identifier: BSL-1.0
// kqueue(2) and its constants, for bsd_kqueue.

#ifndef TOFU_PLATFORM_BSD_KERNEL_QUEUE_HPP
#define TOFU_PLATFORM_BSD_KERNEL_QUEUE_HPP

#include <tofu/config.hpp>

#include <algorithm>
#include <chrono>

namespace tofu::inline TOFU_ABI::bsd {

/// A timeout for kevent(2). Zero and less become 0. Everything else is rounded up to microseconds, so that a deadline
/// has passed when the wait for it ends: kevent(2) takes nanoseconds, but clocks tick more slowly (at 24 MHz on Apple's
/// processors), and the kernel counts in ticks. More than a day becomes a day, which every kernel takes. Any thread.
constexpr std::chrono::microseconds to_wait_time(std::chrono::nanoseconds timeout) noexcept {
    constexpr std::chrono::nanoseconds none{0};
    constexpr std::chrono::nanoseconds most = std::chrono::hours(24);
    return std::chrono::ceil<std::chrono::microseconds>(std::clamp(timeout, none, most));
}

} // namespace tofu::inline TOFU_ABI::bsd

#if __has_include(<sys/event.h>)

#include <tofu/contract/io.hpp>
#include <tofu/platform/posix/descriptor.hpp>
#include <tofu/platform/posix/error.hpp>

#include <sys/types.h>
// After <sys/types.h>, which older systems need first.
#include <sys/event.h>

#include <fcntl.h>

#include <ctime>
#include <span>

// User events exist in macOS, FreeBSD since 8.1, DragonFly, and NetBSD since 10.
#if defined(EVFILT_USER) && defined(EV_RECEIPT)

namespace tofu::inline TOFU_ABI::bsd {

/// Owns one kernel queue. Its types and constants are those of the system's header, where integers have different
/// widths on each system. So code that fills in an event converts to the type of the member.
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

    /// Called once, before the other calls. Errors: no_descriptors, no_memory. A second call sets the flag for exec.
    /// That is no danger, because a forked child does not inherit the queue.
    io_error open() noexcept {
        handle_.reset(::kqueue());
        if (!handle_.is_open() || ::fcntl(handle_.get(), F_SETFD, FD_CLOEXEC) != 0) return posix::last_error();
        return {};
    }

    /// Readable (by poll, select, another queue) while the queue has an event.
    [[nodiscard]] int descriptor() const noexcept { return handle_.get(); }

    /// Calls kevent(2). Returns the number of events, or -1 with errno. nanoseconds::max() waits for ever; see
    /// to_wait_time. Any thread.
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
