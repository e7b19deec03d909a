// SPDX-License-Identifier: BSL-1.0
// The network of the system this is built for.

#ifndef TOFU_PLATFORM_NETWORK_HPP
#define TOFU_PLATFORM_NETWORK_HPP

#if defined(_WIN32)
#error "tofu: the network of Windows is not there yet"
#else
#include <tofu/platform/posix/network.hpp>
#endif

namespace tofu::platform {

#if !defined(_WIN32)
using posix::basic_threaded_resolver;
using posix::literals_only;
using posix::system_names;
using posix::system_resolver;

/// Sockets, endpoints and names of this system; see posix::network.
template <class Resolver = system_resolver>
using network = posix::network<Resolver>;
#endif

} // namespace tofu::platform

#endif // TOFU_PLATFORM_NETWORK_HPP
