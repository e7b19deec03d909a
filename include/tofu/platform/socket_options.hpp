// SPDX-License-Identifier: BSL-1.0
// What the engine may ask of every socket it makes, without any system header.

#ifndef TOFU_PLATFORM_SOCKET_OPTIONS_HPP
#define TOFU_PLATFORM_SOCKET_OPTIONS_HPP

#include <tofu/config.hpp>

namespace tofu::inline TOFU_ABI {

/// Given to connect, listen and accept of a network. What is not a choice (no delay for small writes, close on exec,
/// never blocking) is not here: every network does it.
struct socket_options {
    /// Ask the system to probe an idle connection (SO_KEEPALIVE, with the system's own times).
    bool keep_alive = false;
    /// Permission bits of the file of a listening Unix domain socket; who may write to it may connect.
    unsigned file_permissions = 0600;
};

} // namespace tofu::inline TOFU_ABI

#endif // TOFU_PLATFORM_SOCKET_OPTIONS_HPP
