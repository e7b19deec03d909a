// SPDX-License-Identifier: BSL-1.0
// Makes and removes the file of a listening Unix domain socket on Windows.

#ifndef TOFU_PLATFORM_WINDOWS_SOCKET_FILE_HPP
#define TOFU_PLATFORM_WINDOWS_SOCKET_FILE_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/endpoint.hpp>
#include <tofu/platform/socket_file_verdict.hpp>
#include <tofu/platform/windows/error.hpp>
#include <tofu/platform/windows/handle.hpp>
#include <tofu/platform/windows/socket_calls.hpp>
#include <tofu/platform/windows/utf8.hpp>

#include <cstddef>
#include <cstring>
#include <iterator>
#include <memory>
#include <new>
#include <span>
#include <utility>

// The rules are those of socket_file_verdict.hpp. These points differ on Windows:
//
// - The file is a reparse point with a tag of its own. It can be opened only with FILE_FLAG_OPEN_REPARSE_POINT. So
//   std::filesystem does not see the file of a dead socket, but bind fails because of it.
// - The lock is a file that no other process can open while its holder has it open (no sharing). Windows deletes the
//   file when the holder's handle closes, also when the process is killed.
// - There are no permission bits. The file inherits the access rights of its directory; they decide who may connect.
// - If the directory is missing, bind and connect fail with numbers that do not say so (WSAENETDOWN has been seen). So
//   this code asks the file system instead.

namespace tofu::inline TOFU_ABI::windows {

using platform::at_path;
using platform::endpoint;

namespace detail {

inline constexpr wchar_t lock_suffix[] = L".tofu-lock";

/// A full path, terminated. Windows refuses paths longer than MAX_PATH, unless the program's manifest declares
/// longPathAware.
struct wide_path {
    static constexpr std::size_t room = MAX_PATH + sizeof(sockaddr_un::sun_path) + std::size(lock_suffix);
    wchar_t text[room] = {};
};

/// The full path of `at`. A relative path is completed with the present working directory, so that a later change of
/// the working directory has no effect. False when the path is not UTF-8 or too long. (UTF-16 never has more units than
/// UTF-8 has bytes.)
inline bool path_of(const endpoint& at, wide_path& path) noexcept {
    const auto raw = platform::detail::raw_of<sockaddr_un>(at);
    wchar_t said[sizeof raw.sun_path + 1] = {};
    const std::size_t bytes = ::strnlen(raw.sun_path, sizeof raw.sun_path);
    if (to_utf16({raw.sun_path, bytes}, std::span(said, sizeof raw.sun_path)) == 0) return false;
    constexpr auto room = static_cast<DWORD>(wide_path::room - std::size(lock_suffix)); // the suffix fits behind it
    const DWORD length = ::GetFullPathNameW(said, room, path.text, nullptr);
    return length != 0 && length < room;
}

/// The path of the lock file that belongs to a socket file.
inline wide_path lock_of(wide_path path) noexcept {
    std::memcpy(path.text + ::wcslen(path.text), lock_suffix, sizeof lock_suffix);
    return path;
}

/// Holds the time as well, because another file may have the index by now.
struct file_identity {
    DWORD volume = 0;
    DWORD index_high = 0;
    DWORD index_low = 0;
    DWORD made_high = 0;
    DWORD made_low = 0;

    friend constexpr bool operator==(const file_identity&, const file_identity&) noexcept = default;
};

struct found_file {
    at_path kind = at_path::nothing;
    file_identity identity{};
};

/// A reparse point that is not a socket is a link of some kind, never followed.
constexpr at_path kind_of(DWORD attributes, DWORD tag) noexcept {
    constexpr DWORD unix_socket = 0x8000'0023; // IO_REPARSE_TAG_AF_UNIX, missing in older headers
    const bool is_socket = (attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 && tag == unix_socket;
    return is_socket ? at_path::socket : at_path::something_else;
}

constexpr bool is_absence(DWORD code) noexcept { return code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND; }

/// Inspects the file at `path`; links are not followed. A missing file is no error.
inline io_error inspect(const wide_path& path, found_file& found) noexcept {
    found = {};
    const unique_handle file(
        ::CreateFileW(path.text, FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                      OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS, nullptr));
    if (!file.is_open()) return is_absence(::GetLastError()) ? io_error{} : last_error();
    BY_HANDLE_FILE_INFORMATION about{};
    FILE_ATTRIBUTE_TAG_INFO tagged{};
    if (::GetFileInformationByHandle(file.get(), &about) == 0) return last_error();
    if (::GetFileInformationByHandleEx(file.get(), FileAttributeTagInfo, &tagged, sizeof tagged) == 0)
        return last_error();
    found.kind = kind_of(tagged.FileAttributes, tagged.ReparseTag);
    found.identity = {about.dwVolumeSerialNumber, about.nFileIndexHigh, about.nFileIndexLow,
                      about.ftCreationTime.dwHighDateTime, about.ftCreationTime.dwLowDateTime};
    return {};
}

/// The exclusive right to make the socket file of one path. Never waits.
class start_lock {
public:
    /// Errors: address_in_use (another process holds it), permission_denied, path_not_found, no_descriptors, other.
    io_error take(const wide_path& socket_path) noexcept {
        const wide_path path = lock_of(socket_path);
        // A lock file that was just closed is refused with ERROR_ACCESS_DENIED until it is gone.
        for (int tries = 0; tries < 100; ++tries) {
            file_ = unique_handle(::CreateFileW(path.text, GENERIC_WRITE | DELETE, 0, nullptr, OPEN_ALWAYS,
                                                FILE_FLAG_DELETE_ON_CLOSE | FILE_FLAG_OPEN_REPARSE_POINT, nullptr));
            if (file_.is_open()) return {};
            if (::GetLastError() != ERROR_ACCESS_DENIED) return last_error();
        }
        return from_win32(ERROR_ACCESS_DENIED);
    }

private:
    unique_handle file_;
};

/// Waits for a connect in progress, at most 100 ms; a listener on the same machine answers sooner.
inline io_error outcome_of(SOCKET caller, WSAEVENT event) noexcept {
    constexpr DWORD patience = 100; // milliseconds
    WSANETWORKEVENTS seen{};
    if (::WSAWaitForMultipleEvents(1, &event, FALSE, patience, FALSE) != WSA_WAIT_EVENT_0)
        return from_wsa(WSAEWOULDBLOCK);
    if (::WSAEnumNetworkEvents(caller, event, &seen) != 0) return last_error();
    return from_wsa(seen.iErrorCode[FD_CONNECT_BIT]);
}

/// Connects to a socket file. Returns `refused` if no socket listens there; no error or would_block if one does.
inline io_error probe(const endpoint& at) noexcept {
    io_error error;
    const socket_handle caller = open_stream(AF_UNIX, error);
    if (error) return error;
    const WSAEVENT event = ::WSACreateEvent();
    if (event == WSA_INVALID_EVENT) return last_error();
    if (::WSAEventSelect(caller.get(), event, FD_CONNECT) != 0) {
        error = last_error();
    } else if (::connect(caller.get(), at.data(), at.length) != 0) {
        error = last_error();
        if (error.kind == io_failure::would_block) error = outcome_of(caller.get(), event);
    }
    ::WSACloseEvent(event);
    return error;
}

/// Removes the file of a dead socket, and no other file. No error: the path is free.
inline io_error remove_dead(const endpoint& at, const wide_path& path) noexcept {
    found_file found;
    if (const io_error error = inspect(path, found)) return error;
    const io_error answer = found.kind == at_path::socket ? probe(at) : io_error{};
    switch (platform::verdict_on(found.kind, answer.kind)) {
    case platform::socket_file_verdict::free:
        if (found.kind == at_path::nothing) return {};
        if (const io_error error = inspect(path, found)) return error;
        return found.kind == at_path::nothing ? io_error{} : io_error{io_failure::address_in_use, WSAEADDRINUSE};
    case platform::socket_file_verdict::dead: break;
    case platform::socket_file_verdict::in_use: return {io_failure::address_in_use, WSAEADDRINUSE};
    case platform::socket_file_verdict::unknown: return answer;
    }
    // connect has followed the path once more. The answer counts only if the path still leads to the same file.
    wide_path followed;
    found_file asked;
    if (!path_of(at, followed) || inspect(followed, asked) || asked.identity != found.identity)
        return {io_failure::address_in_use, WSAEADDRINUSE};
    return ::DeleteFileW(path.text) != 0 ? io_error{} : last_error();
}

/// The error of a connect to a path: path_not_found if there is no file, else `error`.
inline io_error connect_error_at(const endpoint& to, io_error error) noexcept {
    wide_path path;
    found_file found;
    if (!path_of(to, path) || inspect(path, found) || found.kind != at_path::nothing) return error;
    return {io_failure::path_not_found, error.os_code};
}

} // namespace detail

/// The destructor removes the socket file, if the file is still the one this object made. The working directory has no
/// effect.
class socket_file {
public:
    socket_file(const socket_file&) = delete;
    socket_file& operator=(const socket_file&) = delete;
    ~socket_file() {
        detail::found_file there;
        const bool known = made_.kind != at_path::nothing && !detail::inspect(path_, there);
        if (known && there.kind == made_.kind && there.identity == made_.identity) ::DeleteFileW(path_.text);
    }

    /// For the file at this path, which need not be there yet. Error: no_memory.
    static io_error prepare(const detail::wide_path& path, std::unique_ptr<socket_file>& file) noexcept {
        file.reset(new (std::nothrow) socket_file(path));
        return file ? io_error{} : io_error{io_failure::no_memory, 0};
    }

    /// Records the file now at the path as the one that this object owns. Error: path_not_found, if there is none.
    io_error note() noexcept {
        if (const io_error error = detail::inspect(path_, made_)) return error;
        return made_.kind == at_path::nothing ? from_win32(ERROR_FILE_NOT_FOUND) : io_error{};
    }

private:
    explicit socket_file(const detail::wide_path& path) noexcept : path_(path) {}

    detail::wide_path path_;
    detail::found_file made_;
};

/// Binds and listens at a path; `file` owns what was made. Nobody can connect before it listens. Errors: see the table
/// in socket_file_verdict.hpp; path_not_found (no such directory), permission_denied, no_descriptors, no_memory, other.
/// On failure no file is left behind, with one exception: if another thread changes the working directory during the
/// call, the error is path_not_found. Then the file stays in the new directory, because nothing proves who made it.
inline io_error listen_at_path(SOCKET handle, const endpoint& at, int backlog,
                               std::unique_ptr<socket_file>& file) noexcept {
    detail::wide_path path;
    if (!detail::path_of(at, path)) return from_win32(ERROR_NO_UNICODE_TRANSLATION);
    detail::start_lock lock;
    std::unique_ptr<socket_file> made;
    io_error error = lock.take(path);
    if (!error) error = socket_file::prepare(path, made);
    if (!error) error = detail::remove_dead(at, path);
    if (!error && ::bind(handle, at.data(), at.length) != 0) error = last_error();
    if (!error) error = made->note();
    if (!error && ::listen(handle, backlog) != 0) error = last_error();
    if (!error) file = std::move(made);
    return error;
}

} // namespace tofu::inline TOFU_ABI::windows

#endif // TOFU_PLATFORM_WINDOWS_SOCKET_FILE_HPP
