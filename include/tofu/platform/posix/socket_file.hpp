// SPDX-License-Identifier: BSL-1.0
// Makes and removes the file of a listening Unix domain socket.

#ifndef TOFU_PLATFORM_POSIX_SOCKET_FILE_HPP
#define TOFU_PLATFORM_POSIX_SOCKET_FILE_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/detail/integer_cast.hpp>
#include <tofu/platform/endpoint.hpp>
#include <tofu/platform/posix/descriptor.hpp>
#include <tofu/platform/posix/error.hpp>
#include <tofu/platform/posix/process_mark.hpp>
#include <tofu/platform/posix/socket_place.hpp>
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

// The rules are in socket_file_verdict.hpp; the lock is flock(2). Only the holder of the lock removes the lock file,
// before it unlocks. A process that then locks the removed file tries again.

namespace tofu::inline TOFU_ABI::posix {

using platform::at_path;
using platform::endpoint;

namespace detail {

/// Compares the times of the last change of the contents. The contents of a socket never change, so this is the time it
/// was made. A template, so that it compiles on systems without nanoseconds.
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

/// The exclusive right to make the socket file of one place. Never waits. `where` outlives the lock.
class start_lock {
public:
    explicit start_lock(const socket_place& where) noexcept : where_(where) {}
    start_lock(const start_lock&) = delete;
    start_lock& operator=(const start_lock&) = delete;
    ~start_lock() {
        if (holds_) where_.remove_lock();
    }

    /// Errors: address_in_use (another process holds it), permission_denied, path_not_found, no_descriptors, other.
    io_error take() noexcept {
        for (int tries = 0; tries < 100; ++tries) {
            file_.reset(where_.open_lock());
            if (!file_.is_open()) return last_error();
            if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0)
                return errno == EWOULDBLOCK ? io_error{io_failure::address_in_use, errno} : last_error();
            holds_ = is_current(); // else its last holder has removed the file
            if (holds_) return {};
        }
        return {io_failure::address_in_use, EWOULDBLOCK};
    }

private:
    [[nodiscard]] bool is_current() const noexcept {
        struct ::stat held {};
        struct ::stat named {};
        return ::fstat(file_.get(), &held) == 0 && !where_.look_at_lock(named) && detail::is_same_file(held, named);
    }

    const socket_place& where_;
    descriptor file_;
    bool holds_ = false;
};

// If the backlog is full, connect returns EAGAIN on Linux. Other systems refuse as without a listener (unp_connectat in
// sys/kern/uipc_usrreq.c of FreeBSD, unp_connect in bsd/kern/uipc_usrreq.c of macOS: sonewconn has failed).
#if defined(__linux__)
inline constexpr bool full_backlog_refuses = false;
#else
inline constexpr bool full_backlog_refuses = true;
#endif

/// Asks whether a stream socket is bound to a socket file, by a connect of a datagram socket. EPROTOTYPE: a stream
/// socket is bound; then returns backlog_full. `refused`: no socket is bound.
inline io_error ask_who_is_bound(const endpoint& at) noexcept {
    const descriptor caller(::socket(AF_UNIX, SOCK_DGRAM, 0));
    if (!caller.is_open()) return last_error();
    if (::connect(caller.get(), at.data(), at.length) == 0) return {};
    return errno == EPROTOTYPE ? io_error{io_failure::backlog_full, errno} : last_error();
}

/// Connects to a socket file. Returns `refused` if no socket listens there; no error or backlog_full if one does.
inline io_error probe(const endpoint& at) noexcept {
    const descriptor caller(::socket(AF_UNIX, SOCK_STREAM, 0));
    if (!caller.is_open()) return last_error();
    if (const io_error error = make_private_and_non_blocking(caller.get())) return error;
    if (::connect(caller.get(), at.data(), at.length) == 0) return {};
    if (full_backlog_refuses && errno == ECONNREFUSED) return ask_who_is_bound(at);
    return errno == EAGAIN ? io_error{io_failure::backlog_full, errno} : last_error();
}

/// Probes through the directory's descriptor. Follows the path instead if the descriptor gives no address, or if
/// there is no file at that address.
inline io_error probe(const endpoint& at, const socket_place& where) noexcept {
    endpoint there;
    if (where.reach(there)) {
        const io_error answer = probe(there);
        if (answer.kind != io_failure::path_not_found) return answer;
    }
    return probe(at);
}

/// Removes the file of a dead socket, and no other file. No error: the path is free.
inline io_error remove_dead(const endpoint& at, const socket_place& where) noexcept {
    constexpr io_error in_use{io_failure::address_in_use, EADDRINUSE};
    struct ::stat found {};
    io_error error = where.look(found);
    if (error) return error.kind == io_failure::path_not_found ? io_error{} : error;
    const at_path kind = S_ISSOCK(found.st_mode) ? at_path::socket : at_path::something_else;
    const io_error answer = kind == at_path::socket ? probe(at, where) : io_error{};
    struct ::stat still {};
    switch (platform::verdict_on(kind, answer.kind)) {
    case platform::socket_file_verdict::free:
        error = where.look(still);
        return error.kind == io_failure::path_not_found ? io_error{} : in_use;
    case platform::socket_file_verdict::dead: break;
    case platform::socket_file_verdict::in_use: return in_use;
    case platform::socket_file_verdict::unknown: return answer;
    }
    // The answer counts only if the path still leads to the same file.
    if (::lstat(path_text(at).text, &still) != 0 || !detail::is_same_file(found, still)) return in_use;
    return where.remove();
}

} // namespace detail

/// The destructor removes the socket file, if the file is still the one this object made, and if this is the process
/// that made it. Reaches the file through a descriptor of its directory: the working directory, the root directory and
/// the directory's own name may have changed. One thread at a time.
class socket_file {
public:
    socket_file(const socket_file&) = delete;
    socket_file& operator=(const socket_file&) = delete;
    ~socket_file() { remove(); }

    /// Opens the directory that the path of `at` leads to, and makes no file yet. Errors: no_memory; path_not_found (no
    /// such directory), permission_denied, no_descriptors, other.
    static io_error prepare(const endpoint& at, std::unique_ptr<socket_file>& file) noexcept {
        if (const io_error error = process_mark::count_forks()) return error;
        file.reset(new (std::nothrow) socket_file);
        return file ? file->where_.find(at) : io_error{io_failure::no_memory, 0};
    }

    [[nodiscard]] const detail::socket_place& where() const noexcept { return where_; }

    /// Binds `handle`, and gives the new file these permission bits. The umask has no effect. Only for the holder of
    /// the place's start_lock. Errors: see listen_at_path. path_not_found also means that another thread changed the
    /// working directory during the call. The file was then made in the new directory and stays there.
    io_error make(int handle, const endpoint& at, unsigned permissions) noexcept {
        if (const io_error error = detail::remove_dead(at, where_)) return error;
        // Linux takes the bits of the new file from the socket; elsewhere this fails.
        const auto wanted = tofu::detail::integer_cast<mode_t>(permissions);
        static_cast<void>(::fchmod(handle, wanted));
        if (::bind(handle, at.data(), at.length) != 0) return last_error();
        if (const io_error error = where_.look(made_)) return error;
        is_made_ = true;
        return (made_.st_mode & 0777) == wanted ? io_error{} : where_.permit(wanted);
    }

    void remove() noexcept {
        struct ::stat there {};
        if (std::exchange(is_made_, false) && process_.is_here() && !where_.look(there) && is_ours(there))
            static_cast<void>(where_.remove());
    }

private:
    socket_file() noexcept = default;

    /// Compares the time as well, because another file may have the inode number by now.
    [[nodiscard]] bool is_ours(const struct ::stat& there) const noexcept {
        return detail::is_same_file(made_, there) && S_ISSOCK(there.st_mode) && detail::is_same_time(made_, there);
    }

    detail::socket_place where_;
    struct ::stat made_ {};
    bool is_made_ = false;
    process_mark process_;
};

/// Binds and listens at a path; `file` owns what was made, and one descriptor. Nobody can connect before it listens.
/// Before that, the permissions are set. Errors: see the table in socket_file_verdict.hpp; path_not_found (no such
/// directory), permission_denied, no_descriptors, no_memory, other (ENOSPC, EROFS ...). On failure no file is left
/// behind, except if another thread changed the working directory meanwhile; see socket_file::make.
inline io_error listen_at_path(int handle, const endpoint& at, unsigned permissions, int backlog,
                               std::unique_ptr<socket_file>& file) noexcept {
    std::unique_ptr<socket_file> made;
    if (const io_error error = socket_file::prepare(at, made)) return error;
    detail::start_lock lock(made->where());
    io_error error = lock.take();
    if (!error) error = made->make(handle, at, permissions);
    if (!error && ::listen(handle, backlog) != 0) error = last_error();
    if (error)
        made->remove(); // under the lock
    else
        file = std::move(made);
    return error;
}

} // namespace tofu::inline TOFU_ABI::posix

#endif // TOFU_PLATFORM_POSIX_SOCKET_FILE_HPP
