// SPDX-License-Identifier: BSL-1.0
// Selects the target system's look-up of names. The default resolver runs it on threads of its own.

#ifndef TOFU_PLATFORM_RESOLVER_HPP
#define TOFU_PLATFORM_RESOLVER_HPP

#include <tofu/config.hpp>
#include <tofu/platform/threaded_resolver.hpp>

#if defined(_WIN32)
#include <tofu/platform/windows/resolver.hpp>
#else
#include <tofu/platform/posix/resolver.hpp>
#endif

namespace tofu::inline TOFU_ABI::platform {

/// See posix/resolver.hpp and windows/resolver.hpp.
#if defined(_WIN32)
using windows::system_names;
#else
using posix::system_names;
#endif

/// The resolver of the default network. A class of its own, so that fwd.hpp can declare it and names of functions stay
/// short.
class system_resolver : public basic_threaded_resolver<system_names> {};

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_RESOLVER_HPP
