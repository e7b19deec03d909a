// SPDX-License-Identifier: BSL-1.0
// Polls of AFD, the driver below Winsock. A poll asks for events of a socket, and completes when one of the events has
// occurred.

#ifndef TOFU_PLATFORM_WINDOWS_AFD_HPP
#define TOFU_PLATFORM_WINDOWS_AFD_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/windows/error.hpp>
#include <tofu/platform/windows/handle.hpp>
#include <tofu/platform/windows/nt_status.hpp>
#include <tofu/platform/windows/winsock.hpp>

#include <winternl.h>

#include <cstddef>
#include <cstdint>
#include <limits>

// winternl.h lacks this function. Microsoft's page on NtCancelIoFileEx once showed it with two arguments; it has three.
extern "C" __declspec(dllimport) NTSTATUS NTAPI
    NtCancelIoFileEx(HANDLE handle, IO_STATUS_BLOCK* request, IO_STATUS_BLOCK* outcome);

static_assert(sizeof(void*) != 8 || sizeof(IO_STATUS_BLOCK) == 16, "the kernel writes a status and a length");

// Microsoft does not document the interface of AFD. It has not changed since Windows 2000, because select() uses it.
// The structures and numbers are those of ReactOS (sdk/include/reactos/drivers/afd/shared.h) and of wepoll.

namespace tofu::inline TOFU_ABI::windows {

namespace afd {

/// The events of a poll (AFD_POLL_*). Never ask for CONNECT (0x40): it stays set for ever.
enum event : ULONG {
    receive = 0x0001,           ///< bytes can be read
    receive_expedited = 0x0002, ///< urgent data, not used
    send = 0x0004,              ///< a write would not block; a connect has succeeded
    disconnect = 0x0008,        ///< the peer has closed its sending direction, and all bytes were read
    abort = 0x0010,             ///< the connection was reset; stays set
    local_close = 0x0020,       ///< this socket was closed
    accept = 0x0080,            ///< a listener has a connection
    connect_fail = 0x0100       ///< a connect has failed
};

struct poll_handle {
    HANDLE socket;
    ULONG events;
    NTSTATUS status;
};

/// Input and output of a poll are one buffer (METHOD_BUFFERED).
struct poll_info {
    LARGE_INTEGER timeout;
    ULONG count;
    ULONG exclusive; ///< a BOOLEAN and its padding, all zero
    poll_handle handles[1];
};

inline constexpr ULONG io_control_poll = 0x00012024; // IOCTL_AFD_POLL

static_assert(offsetof(poll_info, count) == 8 && offsetof(poll_info, exclusive) == 12);
static_assert(offsetof(poll_info, handles) == 16 && sizeof(poll_info) == 32);
static_assert(sizeof(void*) != 8 ||
              (sizeof(poll_handle) == 16 && offsetof(poll_handle, events) == 8 && offsetof(poll_handle, status) == 12));
static_assert(sizeof(void*) != 4 || (sizeof(poll_handle) == 12 && offsetof(poll_handle, events) == 4));

/// Opens a handle of AFD that is no socket, for submitting polls. The name after \Device\Afd has no meaning.
/// Errors: no_memory, no_descriptors, permission_denied, other. Any thread.
inline io_error open_helper(unique_handle& helper) noexcept {
    static constexpr wchar_t name[] = L"\\Device\\Afd\\Tofu";
    UNICODE_STRING path{};
    path.Length = sizeof name - sizeof name[0];
    path.MaximumLength = sizeof name;
    path.Buffer = const_cast<wchar_t*>(name); // the call only reads it
    OBJECT_ATTRIBUTES attributes{};
    attributes.Length = sizeof attributes;
    attributes.ObjectName = &path;
    IO_STATUS_BLOCK outcome{};
    HANDLE made = nullptr;
    const NTSTATUS status = ::NtCreateFile(&made, SYNCHRONIZE, &attributes, &outcome, nullptr, 0,
                                           FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, 0, nullptr, 0);
    if (status != nt_code::success) return from_ntstatus(status);
    helper.reset(made);
    return {};
}

/// One poll of one socket. The kernel writes to it from a successful submit() until its completion is dequeued; it must
/// exist and keep its address until then. At most one submit() at a time. One thread at a time.
class poll {
public:
    poll() noexcept = default;
    poll(const poll&) = delete;
    poll& operator=(const poll&) = delete;

    /// Asks for `events` of `socket`, a base handle (see base_handle.hpp). `through` is the socket itself or a helper
    /// handle, associated with a completion port. The completion returns `context`, which is not 0, also if the poll
    /// completes at once. Level-triggered: an event that is there already completes it. After an error no completion
    /// comes.
    io_error submit(HANDLE through, HANDLE socket, ULONG events, std::uintptr_t context) noexcept {
        info_ = {};
        info_.timeout.QuadPart = (std::numeric_limits<LONGLONG>::max)();
        info_.count = 1;
        info_.handles[0] = {socket, events, 0};
        block_ = {};
        block_.Status = nt_code::pending;
        const NTSTATUS status =
            ::NtDeviceIoControlFile(through, nullptr, nullptr, reinterpret_cast<void*>(context), &block_,
                                    io_control_poll, &info_, sizeof info_, &info_, sizeof info_);
        // A poll that succeeds at once also queues a completion.
        return status == nt_code::success || status == nt_code::pending ? io_error{} : from_ntstatus(status);
    }

    /// Cancels the poll; `through` as for submit(). The completion still comes: with the status cancelled, or with
    /// events if the poll has completed before (STATUS_NOT_FOUND, which a second cancel also returns).
    void cancel(HANDLE through) noexcept {
        IO_STATUS_BLOCK outcome{};
        static_cast<void>(::NtCancelIoFileEx(through, &block_, &outcome));
    }

    /// The events, after the completion was dequeued. Checks status and count first, because a cancelled poll leaves
    /// the requested events in the buffer.
    [[nodiscard]] ULONG events() const noexcept {
        return block_.Status == nt_code::success && info_.count >= 1 ? info_.handles[0].events : 0;
    }

    /// After the completion was dequeued: true if the poll failed and was not cancelled.
    [[nodiscard]] bool failed() const noexcept { return block_.Status < 0 && block_.Status != nt_code::cancelled; }

private:
    IO_STATUS_BLOCK block_{};
    poll_info info_{};
};

} // namespace afd

} // namespace tofu::inline TOFU_ABI::windows

#endif // TOFU_PLATFORM_WINDOWS_AFD_HPP
