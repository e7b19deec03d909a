// SPDX-License-Identifier: BSL-1.0
// The place of a Unix domain socket's file: an open directory and a name in it.

#ifndef TOFU_PLATFORM_POSIX_SOCKET_PLACE_HPP
#define TOFU_PLATFORM_POSIX_SOCKET_PLACE_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/endpoint.hpp>
#include <tofu/platform/posix/descriptor.hpp>
#include <tofu/platform/posix/error.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string_view>

// A path can lead elsewhere later: the process may change its working directory or its root, or somebody may rename a
// directory. So socket_place opens the directory once and reaches the file through that descriptor. The length of the
// directory's own path then does not matter, either. Only bind(2), which takes no descriptor, and the checks around it
// follow the path again.

namespace tofu::inline TOFU_ABI::posix::detail {

inline constexpr char lock_suffix[] = ".tofu-lock";

// The descriptor only has to lead to names in the directory. Without O_PATH and O_SEARCH the process needs permission
// to read the directory.
#if defined(O_PATH)
inline constexpr int lead_only = O_PATH;
#elif defined(O_SEARCH)
inline constexpr int lead_only = O_SEARCH;
#else
inline constexpr int lead_only = O_RDONLY;
#endif

/// The path of a socket, terminated.
struct path_text {
    explicit path_text(const platform::endpoint& at) noexcept {
        const auto raw = platform::detail::raw_of<sockaddr_un>(at);
        std::memcpy(text, raw.sun_path, ::strnlen(raw.sun_path, sizeof raw.sun_path));
    }

    char text[sizeof(sockaddr_un::sun_path) + 1] = {};
};

inline bool is_same_file(const struct ::stat& one, const struct ::stat& other) noexcept {
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/// An open directory and the name of a file in it. Later changes of the path have no effect. One thread at a time.
class socket_place {
public:
    /// Follows the path of `at`. Errors: path_not_found (no such directory), permission_denied, no_descriptors, other.
    io_error find(const platform::endpoint& at) noexcept {
        path_text path(at);
        char* const slash = std::strrchr(path.text, '/');
        const char* const name = slash == nullptr ? path.text : slash + 1;
        std::memcpy(name_, name, std::strlen(name));
        const char* directory = ".";
        if (slash == path.text) {
            directory = "/";
        } else if (slash != nullptr) {
            *slash = '\0';
            directory = path.text;
        }
        directory_.reset(::open(directory, lead_only | O_DIRECTORY | O_CLOEXEC));
        return directory_.is_open() ? io_error{} : last_error();
    }

    /// Looks at the file itself, not at the target of a link. Errors: path_not_found (no such file), and others.
    io_error look(struct ::stat& found) const noexcept {
        return ::fstatat(directory_.get(), name_, &found, AT_SYMLINK_NOFOLLOW) == 0 ? io_error{} : last_error();
    }

    /// Makes an address for connect(2) that leads through the directory's descriptor (/proc/self/fd, proc_pid_fd(5)).
    /// False: not on Linux, or the name is too long. Without a mounted /proc the connect fails with path_not_found.
    [[nodiscard]] bool reach(platform::endpoint& to) const noexcept {
#if defined(__linux__)
        char path[sizeof(sockaddr_un::sun_path)];
        const int length = std::snprintf(path, sizeof path, "/proc/self/fd/%d/%s", directory_.get(), name_);
        return static_cast<std::size_t>(length) < sizeof path &&
               !platform::detail::path_endpoint(std::string_view(path, static_cast<std::size_t>(length)), to);
#else
        static_cast<void>(to);
        return false;
#endif
    }

    io_error remove() const noexcept { return ::unlinkat(directory_.get(), name_, 0) == 0 ? io_error{} : last_error(); }

    /// Sets the permission bits of the socket file, never those of a link's target. On Linux fchmodat(3) with
    /// AT_SYMLINK_NOFOLLOW is refused as unsupported for a link, and also if /proc is not mounted. After that refusal
    /// the file must be a socket, and fchmodat is called without the flag.
    io_error permit(mode_t permissions) const noexcept {
        if (::fchmodat(directory_.get(), name_, permissions, AT_SYMLINK_NOFOLLOW) == 0) return {};
        const io_error refused = last_error();
        struct ::stat there {};
        if (refused.kind != io_failure::unsupported || look(there) || !S_ISSOCK(there.st_mode)) return refused;
        return ::fchmodat(directory_.get(), name_, permissions, 0) == 0 ? io_error{} : last_error();
    }

    /// Opens the lock file: the socket file's name and lock_suffix. On failure returns -1 and sets errno.
    [[nodiscard]] int open_lock() const noexcept {
        return ::openat(directory_.get(), lock_name().text, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                        0600);
    }
    io_error look_at_lock(struct ::stat& found) const noexcept {
        return ::fstatat(directory_.get(), lock_name().text, &found, AT_SYMLINK_NOFOLLOW) == 0 ? io_error{}
                                                                                               : last_error();
    }
    void remove_lock() const noexcept { ::unlinkat(directory_.get(), lock_name().text, 0); }

private:
    struct locked_name {
        char text[sizeof(sockaddr_un::sun_path) + sizeof lock_suffix] = {};
    };
    [[nodiscard]] locked_name lock_name() const noexcept {
        locked_name name;
        const std::size_t length = std::strlen(name_);
        std::memcpy(name.text, name_, length);
        std::memcpy(name.text + length, lock_suffix, sizeof lock_suffix);
        return name;
    }

    descriptor directory_;
    char name_[sizeof(sockaddr_un::sun_path) + 1] = {};
};

} // namespace tofu::inline TOFU_ABI::posix::detail

#endif // TOFU_PLATFORM_POSIX_SOCKET_PLACE_HPP
