// SPDX-License-Identifier: BSL-1.0
// Decides whether a listener may use a path, from the file there and from the result of a connect to it.

#ifndef TOFU_PLATFORM_SOCKET_FILE_VERDICT_HPP
#define TOFU_PLATFORM_SOCKET_FILE_VERDICT_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>

#include <cstdint>

// bind(2) makes the file of a Unix domain socket, and the system does not remove the file when the socket closes. So a
// new listener may find an old file and must know whether a process listens there:
//
//     no file                                       bind
//     a socket, and a connect succeeds              live: address_in_use
//     a socket, and a connect is refused            dead: remove the file, bind
//     a socket, and a connect is not permitted      of another user: permission_denied
//     a socket, and the connect failed locally      unknown: the error of the connect
//     any other file, also a link to a socket       not removed: address_in_use
//
// A socket between bind and listen refuses connects as well and looks dead. So a listener holds a lock from bind to
// listen, the file PATH.tofu-lock. If two processes start at once, one gets the lock and the other gets address_in_use.
// Closing needs no lock: the file is removed before the socket closes, so a file that exists belongs to a live socket.

namespace tofu::inline TOFU_ABI::platform {

/// The kind of file at a path. Links are not followed.
enum class at_path : std::uint8_t { nothing, socket, something_else };

enum class socket_file_verdict : std::uint8_t {
    free,    ///< no file, or no file any more: bind
    dead,    ///< remove the file, then bind
    in_use,  ///< fail with address_in_use
    unknown, ///< fail with the error of the connect
};

/// `connect` is the result of a connect to a socket file, none if it succeeded; ignored for other files. Any thread.
constexpr socket_file_verdict verdict_on(at_path found, io_failure connect) noexcept {
    if (found == at_path::nothing) return socket_file_verdict::free;
    if (found == at_path::something_else) return socket_file_verdict::in_use;
    switch (connect) {
    case io_failure::refused: return socket_file_verdict::dead;
    case io_failure::path_not_found: return socket_file_verdict::free; // removed since
    case io_failure::permission_denied:
    case io_failure::no_descriptors:
    case io_failure::no_memory: return socket_file_verdict::unknown;
    default: return socket_file_verdict::in_use; // only a refusal proves a socket dead
    }
}

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_SOCKET_FILE_VERDICT_HPP
