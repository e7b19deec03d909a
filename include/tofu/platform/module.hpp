// SPDX-License-Identifier: BSL-1.0
// Keeps a module loaded while detached threads may run its code.

#ifndef TOFU_PLATFORM_MODULE_HPP
#define TOFU_PLATFORM_MODULE_HPP

#include <tofu/config.hpp>

#if defined(_WIN32)
#include <tofu/platform/windows/module.hpp>
#else
#include <tofu/platform/posix/module.hpp>
#endif

namespace tofu::inline TOFU_ABI::platform {

/// See posix/module.hpp and windows/module.hpp.
#if defined(_WIN32)
using windows::hold_module;
#else
using posix::hold_module;
#endif

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_MODULE_HPP
