// SPDX-License-Identifier: BSL-1.0
// Whether whoever wants to listen at a path may: decided from what is there and from how a connect to it ended.

#ifndef TOFU_PLATFORM_SOCKET_FILE_VERDICT_HPP
#define TOFU_PLATFORM_SOCKET_FILE_VERDICT_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>

#include <cstdint>

// A bind makes the file of a Unix domain socket, and nothing removes it when the socket closes. So whoever starts may
// find one, and has to know whether somebody listens behind it:
//
//     there is no file                              bind
//     a socket, and a connect gets through          live: address_in_use
//     a socket, and a connect is refused            dead: remove it, bind
//     a socket, and a connect is not permitted      somebody else's: permission_denied
//     a socket, and nothing could be asked          no verdict: what the asking failed with
//     anything else, a link to a socket included    not ours to remove: address_in_use
//
// A socket that is bound and does not listen yet refuses, too, and looks dead. Therefore everything from bind to listen
// happens under a lock, a file PATH.tofu-lock: of two who start at once, one does it and the other is told
// address_in_use. Who closes takes no lock: the file goes before the socket does, so until the file is gone it is a
// live one.

namespace tofu::inline TOFU_ABI::platform {

/// What is at a path itself; a link is never followed.
enum class at_path : std::uint8_t { nothing, socket, something_else };

enum class socket_file_verdict : std::uint8_t {
    free,    // there is nothing (any more): bind
    dead,    // remove the file, then bind
    in_use,  // address_in_use
    unknown, // what the connect ended with
};

/// `connect` matters for a socket only; none is a connect that got through. Any thread.
constexpr socket_file_verdict verdict_on(at_path found, io_failure connect) noexcept {
    if (found == at_path::nothing) return socket_file_verdict::free;
    if (found == at_path::something_else) return socket_file_verdict::in_use;
    switch (connect) {
    case io_failure::refused: return socket_file_verdict::dead;
    case io_failure::path_not_found: return socket_file_verdict::free; // somebody else has removed it meanwhile
    case io_failure::permission_denied:
    case io_failure::no_descriptors:
    case io_failure::no_memory: return socket_file_verdict::unknown;
    default: return socket_file_verdict::in_use; // live, busy, a socket of another kind: nothing that proves it dead
    }
}

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_SOCKET_FILE_VERDICT_HPP
