// SPDX-License-Identifier: BSL-1.0
// An I/O completion port: the one place where a thread waits for all its sockets and for being woken.

#ifndef TOFU_PLATFORM_WINDOWS_COMPLETION_PORT_HPP
#define TOFU_PLATFORM_WINDOWS_COMPLETION_PORT_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/windows/error.hpp>
#include <tofu/platform/windows/handle.hpp>
#include <tofu/platform/windows/winsock.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace tofu::inline TOFU_ABI::windows {

/// What was dequeued: lpCompletionKey names the handle it came from (as given to associate, or post), lpOverlapped is
/// the operation's context.
using completion = ::OVERLAPPED_ENTRY;

/// Closed with its owner. One thread at a time, except post.
class completion_port {
public:
    /// Once, before anything else. Errors: no_memory, no_descriptors.
    io_error open() noexcept {
        port_ = unique_handle(::CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 1));
        return port_.is_open() ? io_error{} : from_win32(::GetLastError());
    }

    /// What completes on `handle` is queued here from now on, for as long as it is open: a handle can be associated
    /// once only. `mark` comes back with every completion of it. The handle's own event is not set, as nobody waits for
    /// it (SetFileCompletionNotificationModes: FILE_SKIP_SET_EVENT_ON_HANDLE).
    io_error associate(HANDLE handle, std::uintptr_t mark) noexcept {
        if (::CreateIoCompletionPort(handle, port_.get(), mark, 0) == nullptr) return from_win32(::GetLastError());
        // It only saves a little; a provider that does not know it is right all the same.
        static_cast<void>(::SetFileCompletionNotificationModes(handle, FILE_SKIP_SET_EVENT_ON_HANDLE));
        return {};
    }

    /// Queues a completion that no operation has made. False: the system had no memory for it. Any thread.
    [[nodiscard]] bool post(std::uintptr_t mark) noexcept {
        return ::PostQueuedCompletionStatus(port_.get(), 0, mark, nullptr) != FALSE;
    }

    /// Dequeues what is there, at most as many as there is room for; waits up to `milliseconds` for the first. 0 with
    /// `error` none: time ran out. (Only the return value tells: the count is not zeroed then.)
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
