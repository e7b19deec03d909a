// SPDX-License-Identifier: BSL-1.0
// An I/O completion port, in which a thread waits for completions and wake-ups.

#ifndef TOFU_PLATFORM_WINDOWS_COMPLETION_PORT_HPP
#define TOFU_PLATFORM_WINDOWS_COMPLETION_PORT_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/wait_milliseconds.hpp>
#include <tofu/platform/windows/error.hpp>
#include <tofu/platform/windows/handle.hpp>
#include <tofu/platform/windows/winsock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tofu::inline TOFU_ABI::windows {

/// No wait is longer. So a wake-up that the kernel refused to queue, for lack of memory, is noticed within this time.
inline constexpr std::chrono::milliseconds longest_wait = std::chrono::seconds(1);

/// A timeout for GetQueuedCompletionStatusEx. Zero and less become 0. Everything else is rounded up to milliseconds and
/// cut to longest_wait. The system's clock ticks in steps of up to 15.6 ms, and a wait can end late by one step. Any
/// thread.
constexpr DWORD to_wait_time(std::chrono::nanoseconds timeout) noexcept {
    return static_cast<DWORD>(platform::wait_milliseconds(timeout, longest_wait).count());
}

/// A dequeued completion. lpCompletionKey is the mark given to associate() or post(); lpOverlapped is the operation's
/// context.
using completion = ::OVERLAPPED_ENTRY;

/// Owns one port. One thread at a time, except post().
class completion_port {
public:
    /// Called once, before the other calls. Errors: no_memory, no_descriptors.
    io_error open() noexcept {
        port_ = unique_handle(::CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 1));
        return port_.is_open() ? io_error{} : from_win32(::GetLastError());
    }

    /// Queues all completions of `handle` here until it is closed, with `mark`. A handle can be associated once only.
    /// The handle's own event is not set, because no thread waits for it (FILE_SKIP_SET_EVENT_ON_HANDLE of
    /// SetFileCompletionNotificationModes).
    io_error associate(HANDLE handle, std::uintptr_t mark) noexcept {
        if (::CreateIoCompletionPort(handle, port_.get(), mark, 0) == nullptr) return from_win32(::GetLastError());
        // The call only saves time, so a failure does not matter.
        static_cast<void>(::SetFileCompletionNotificationModes(handle, FILE_SKIP_SET_EVENT_ON_HANDLE));
        return {};
    }

    /// Queues a completion without an operation. Returns false if the system has no memory. Any thread.
    [[nodiscard]] bool post(std::uintptr_t mark) noexcept {
        return ::PostQueuedCompletionStatus(port_.get(), 0, mark, nullptr) != FALSE;
    }

    /// Dequeues completions, at most into.size(); waits up to `milliseconds` for the first. Returns their number; 0
    /// without an error after the timeout. The system does not set the count then.
    std::size_t wait(std::span<completion> into, DWORD milliseconds, io_error& error) noexcept {
        ULONG count = 0;
        if (::GetQueuedCompletionStatusEx(port_.get(), into.data(), static_cast<ULONG>(into.size()), &count,
                                          milliseconds, FALSE) != FALSE)
            return count;
        const DWORD code = ::GetLastError();
        error = code == WAIT_TIMEOUT ? io_error{} : from_win32(code);
        return 0;
    }

private:
    unique_handle port_;
};

} // namespace tofu::inline TOFU_ABI::windows

#endif // TOFU_PLATFORM_WINDOWS_COMPLETION_PORT_HPP
