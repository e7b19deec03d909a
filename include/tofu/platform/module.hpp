// SPDX-License-Identifier: BSL-1.0
// Keeps the code of threads that nobody waits for in memory.

#ifndef TOFU_PLATFORM_MODULE_HPP
#define TOFU_PLATFORM_MODULE_HPP

#include <tofu/config.hpp>

#if defined(_WIN32)
#include <tofu/platform/windows/module.hpp>
#else
#include <tofu/platform/posix/module.hpp>
#endif

namespace tofu::inline TOFU_ABI::platform {

/// See the header of the system's own modules.
#if defined(_WIN32)
using windows::hold_module;
#else
using posix::hold_module;
#endif

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_MODULE_HPP
