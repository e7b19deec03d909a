// SPDX-License-Identifier: BSL-1.0
// Polls of AFD, the driver below Winsock: one asks what a socket is ready for, and completes when it is.

#ifndef TOFU_PLATFORM_WINDOWS_AFD_HPP
#define TOFU_PLATFORM_WINDOWS_AFD_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/windows/error.hpp>
#include <tofu/platform/windows/handle.hpp>
#include <tofu/platform/windows/nt.hpp>
#include <tofu/platform/windows/nt_status.hpp>
#include <tofu/platform/windows/winsock.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>

// AFD's interface is not documented by Microsoft, and has been the same since Windows 2000: select() is made of it.
// The structures and numbers are those of ReactOS (sdk/include/reactos/drivers/afd/shared.h) and of wepoll.

namespace tofu::inline TOFU_ABI::windows {

namespace afd {

/// What a poll can ask for, and be told (AFD_POLL_*). Never ask for CONNECT (0x40): it stays set for ever.
enum event : ULONG {
    receive = 0x0001,           ///< there is something to read
    receive_expedited = 0x0002, ///< urgent data, which tofu does not know
    send = 0x0004,              ///< a write would not block; a connect has succeeded
    disconnect = 0x0008,        ///< the peer has ended its direction and everything was read
    abort = 0x0010,             ///< the connection was reset; stays set
    local_close = 0x0020,       ///< this very socket was closed
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
    ULONG exclusive; ///< a BOOLEAN and its padding: all of it is zero
    poll_handle handles[1];
};

inline constexpr ULONG io_control_poll = 0x00012024; // IOCTL_AFD_POLL

static_assert(offsetof(poll_info, count) == 8 && offsetof(poll_info, exclusive) == 12);
static_assert(offsetof(poll_info, handles) == 16 && sizeof(poll_info) == 32);
static_assert(sizeof(void*) != 8 ||
              (sizeof(poll_handle) == 16 && offsetof(poll_handle, events) == 8 && offsetof(poll_handle, status) == 12));
static_assert(sizeof(void*) != 4 || (sizeof(poll_handle) == 12 && offsetof(poll_handle, events) == 4));

/// A handle of AFD that is no socket, to issue polls through. It keeps no name: what follows \Device\Afd is anybody's.
/// Errors: no_memory, no_descriptors, permission_denied, other. Any thread.
inline io_error open_helper(unique_handle& helper) noexcept {
    static constexpr wchar_t name[] = L"\\Device\\Afd\\Tofu";
    UNICODE_STRING path{};
    path.Length = sizeof name - sizeof name[0];
    path.MaximumLength = sizeof name;
    path.Buffer = const_cast<wchar_t*>(name); // it is only read
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

/// One poll of one socket. From a submit that succeeds until its completion was dequeued the kernel writes to it: it
/// must stay alive, and where it is. At most one poll is in flight. One thread at a time.
class poll {
public:
    poll() noexcept = default;
    poll(const poll&) = delete;
    poll& operator=(const poll&) = delete;

    /// Asks for `events` of `socket` (a base handle, see base_handle.hpp) on `through`: the socket itself or a helper,
    /// associated with a completion port. `context`, which is not 0, comes with the completion, also when the answer
    /// was there at once. Level-triggered: what is there already completes it. After an error nothing will complete.
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
        // A poll that succeeds at once queues a completion like any other, and is dealt with there, once.
        return status == nt_code::success || status == nt_code::pending ? io_error{} : from_ntstatus(status);
    }

    /// To be called with the same `through`. The completion comes all the same, later or already: with the status
    /// cancelled, or, when the answer was quicker, with that. (STATUS_NOT_FOUND says just this, and a second cancel is
    /// told so, too.)
    void cancel(HANDLE through) noexcept {
        IO_STATUS_BLOCK outcome{};
        static_cast<void>(::NtCancelIoFileEx(through, &block_, &outcome));
    }

    /// After its completion was dequeued: what the socket is ready for. Status first, then the count, then the events:
    /// a poll that was cancelled leaves what it was asked for in the buffer.
    [[nodiscard]] ULONG events() const noexcept {
        return block_.Status == nt_code::success && info_.count >= 1 ? info_.handles[0].events : 0;
    }

    /// After its completion was dequeued: it has failed, and was not cancelled.
    [[nodiscard]] bool failed() const noexcept { return block_.Status < 0 && block_.Status != nt_code::cancelled; }

private:
    IO_STATUS_BLOCK block_{};
    poll_info info_{};
};

} // namespace afd

} // namespace tofu::inline TOFU_ABI::windows

#endif // TOFU_PLATFORM_WINDOWS_AFD_HPP
