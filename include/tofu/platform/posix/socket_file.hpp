// SPDX-License-Identifier: BSL-1.0
// The file of a listening Unix domain socket: when it may be made, when an old one may be removed, and by whom.

#ifndef TOFU_PLATFORM_POSIX_SOCKET_FILE_HPP
#define TOFU_PLATFORM_POSIX_SOCKET_FILE_HPP

#include <tofu/config.hpp>
#include <tofu/io.hpp>
#include <tofu/platform/endpoint.hpp>
#include <tofu/platform/posix/descriptor.hpp>
#include <tofu/platform/posix/error.hpp>
#include <tofu/platform/posix/process_mark.hpp>
#include <tofu/platform/socket_file_verdict.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

// The rules are those of socket_file_verdict.hpp; the lock is flock(2). Only who holds it removes its file, before
// unlocking, and nobody else has a file of that name; who then gets a lock on a file that is not there any more tries
// again.

namespace tofu::inline TOFU_ABI::posix {

using platform::at_path;
using platform::endpoint;

namespace detail {

inline constexpr char lock_suffix[] = ".tofu-lock";

/// A path with room for the suffix, terminated.
struct path_text {
    char text[sizeof(sockaddr_un::sun_path) + sizeof lock_suffix] = {};
};

inline path_text path_of(const endpoint& at, const char* suffix = "") noexcept {
    const auto raw = platform::detail::raw_of<sockaddr_un>(at);
    path_text path;
    const std::size_t length = ::strnlen(raw.sun_path, sizeof raw.sun_path);
    std::memcpy(path.text, raw.sun_path, length);
    std::memcpy(path.text + length, suffix, std::strlen(suffix));
    return path;
}

inline bool is_same_file(const struct ::stat& one, const struct ::stat& other) noexcept {
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/// When the contents last changed, which a socket's never do: when it was made. A template, as systems without
/// nanoseconds must compile, too.
template <class Stat>
bool is_same_time(const Stat& one, const Stat& other) noexcept {
    if constexpr (requires { one.st_mtim.tv_nsec; })
        return one.st_mtim.tv_sec == other.st_mtim.tv_sec && one.st_mtim.tv_nsec == other.st_mtim.tv_nsec;
    else if constexpr (requires { one.st_mtimespec.tv_nsec; }) // macOS
        return one.st_mtimespec.tv_sec == other.st_mtimespec.tv_sec &&
               one.st_mtimespec.tv_nsec == other.st_mtimespec.tv_nsec;
    else
        return one.st_mtime == other.st_mtime;
}

/// The exclusive right to make the socket file of one path; never waits.
class start_lock {
public:
    explicit start_lock(const endpoint& at) noexcept : path_(path_of(at, lock_suffix)) {}
    start_lock(const start_lock&) = delete;
    start_lock& operator=(const start_lock&) = delete;
    ~start_lock() {
        if (holds_) ::unlink(path_.text);
    }

    /// Errors: address_in_use (somebody has it), permission_denied, path_not_found, no_descriptors, other.
    io_error take() noexcept {
        for (int tries = 0; tries < 100; ++tries) {
            file_.reset(::open(path_.text, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
            if (!file_.is_open()) return last_error();
            if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0)
                return errno == EWOULDBLOCK ? io_error{io_failure::address_in_use, errno} : last_error();
            holds_ = is_current(); // else its last holder has removed it meanwhile
            if (holds_) return {};
        }
        return {io_failure::address_in_use, EWOULDBLOCK};
    }

private:
    [[nodiscard]] bool is_current() const noexcept {
        struct ::stat held {};
        struct ::stat named {};
        return ::fstat(file_.get(), &held) == 0 && ::lstat(path_.text, &named) == 0 && is_same_file(held, named);
    }

    path_text path_;
    descriptor file_;
    bool holds_ = false;
};

// Linux says EAGAIN when a listener takes no more; the others refuse, as if nobody listened (unp_connectat in
// sys/kern/uipc_usrreq.c of FreeBSD, unp_connect in bsd/kern/uipc_usrreq.c of macOS: sonewconn has failed).
#if defined(__linux__)
inline constexpr bool full_backlog_refuses = false;
#else
inline constexpr bool full_backlog_refuses = true;
#endif

/// Whether a stream socket is bound to a socket file, listening or not: another kind of socket is told EPROTOTYPE if
/// there is one, and is refused if there is none.
inline io_error ask_who_is_bound(const endpoint& at) noexcept {
    const descriptor caller(::socket(AF_UNIX, SOCK_DGRAM, 0));
    if (!caller.is_open()) return last_error();
    if (::connect(caller.get(), at.data(), at.length) == 0) return {};
    return errno == EPROTOTYPE ? io_error{io_failure::backlog_full, errno} : last_error();
}

/// How a connect to a socket file ends: refused when nobody listens there; none or backlog_full when somebody does.
inline io_error probe(const endpoint& at) noexcept {
    const descriptor caller(::socket(AF_UNIX, SOCK_STREAM, 0));
    if (!caller.is_open()) return last_error();
    if (const io_error error = make_private_and_non_blocking(caller.get())) return error;
    if (::connect(caller.get(), at.data(), at.length) == 0) return {};
    if (full_backlog_refuses && errno == ECONNREFUSED) return ask_who_is_bound(at);
    return errno == EAGAIN ? io_error{io_failure::backlog_full, errno} : last_error();
}

/// Removes the file of a dead socket, and nothing else. None: there is no file any more.
inline io_error remove_dead(const endpoint& at) noexcept {
    const path_text path = path_of(at);
    struct ::stat found {};
    if (::lstat(path.text, &found) != 0) return errno == ENOENT ? io_error{} : last_error();
    const at_path kind = S_ISSOCK(found.st_mode) ? at_path::socket : at_path::something_else;
    const io_error answer = kind == at_path::socket ? probe(at) : io_error{};
    switch (platform::verdict_on(kind, answer.kind)) {
    case platform::socket_file_verdict::free: return {};
    case platform::socket_file_verdict::dead: break;
    case platform::socket_file_verdict::in_use: return {io_failure::address_in_use, EADDRINUSE};
    case platform::socket_file_verdict::unknown: return answer;
    }
    struct ::stat still {};
    if (::lstat(path.text, &still) != 0 || !is_same_file(found, still)) return {io_failure::address_in_use, EADDRINUSE};
    return ::unlink(path.text) == 0 ? io_error{} : last_error();
}

} // namespace detail

/// Removes the file when it goes, if it is still the one that was made here, and in the process that made it. (A
/// relative path means the directory the process is in at that time.)
class socket_file {
public:
    socket_file(const socket_file&) = delete;
    socket_file& operator=(const socket_file&) = delete;
    ~socket_file() {
        struct ::stat there {};
        if (process_.is_here() && ::lstat(path_.text, &there) == 0 && is_ours(there)) ::unlink(path_.text);
    }

    /// Notes which file is at `at` now. Errors: no_memory; path_not_found when it is gone already.
    static io_error note(const endpoint& at, std::unique_ptr<socket_file>& file) noexcept {
        if (const io_error error = process_mark::count_forks()) return error;
        std::unique_ptr<socket_file> made(new (std::nothrow) socket_file(at));
        if (!made) return {io_failure::no_memory, 0};
        if (::lstat(made->path_.text, &made->made_) != 0) return last_error();
        file = std::move(made);
        return {};
    }

    /// Gives the file these permission bits. The umask, which is the whole process's, has no part in it.
    io_error permit(unsigned permissions) noexcept {
        const auto wanted = static_cast<mode_t>(permissions);
        if ((made_.st_mode & 0777) == wanted) return {};
        return ::chmod(path_.text, wanted) == 0 ? io_error{} : last_error();
    }

private:
    explicit socket_file(const endpoint& at) noexcept : path_(detail::path_of(at)) {}

    /// An inode's number may be another file's by now; the time it was made is not.
    [[nodiscard]] bool is_ours(const struct ::stat& there) const noexcept {
        return detail::is_same_file(made_, there) && S_ISSOCK(there.st_mode) && detail::is_same_time(made_, there);
    }

    detail::path_text path_;
    struct ::stat made_ {};
    process_mark process_;
};

/// Binds and listens at a path; `file` owns what was made. Nobody can connect before it listens, and then the
/// permissions are right. Errors: see the table in socket_file_verdict.hpp; path_not_found (no such directory),
/// permission_denied, no_descriptors, no_memory, other (ENOSPC, EROFS ...). On failure no file is left behind.
inline io_error listen_at_path(int handle, const endpoint& at, unsigned permissions, int backlog,
                               std::unique_ptr<socket_file>& file) noexcept {
    detail::start_lock lock(at);
    io_error error = lock.take();
    if (error) return error;
    // Linux takes the bits of the new file from the socket; elsewhere this fails, and `permit` changes them.
    static_cast<void>(::fchmod(handle, static_cast<mode_t>(permissions)));
    if (::bind(handle, at.data(), at.length) != 0) {
        error = last_error();
        if (error.kind == io_failure::address_in_use) error = detail::remove_dead(at);
        if (!error && ::bind(handle, at.data(), at.length) != 0) error = last_error();
        if (error) return error;
    }
    error = socket_file::note(at, file);
    if (error) {
        ::unlink(detail::path_of(at).text);
        return error;
    }
    error = file->permit(permissions);
    if (!error && ::listen(handle, backlog) != 0) error = last_error();
    if (error) file.reset();
    return error;
}

} // namespace tofu::inline TOFU_ABI::posix

#endif // TOFU_PLATFORM_POSIX_SOCKET_FILE_HPP
