// SPDX-License-Identifier: BSL-1.0
// Selects how one thread sleeps until another wakes it: a futex on Linux, a condition variable elsewhere.

#ifndef TOFU_PLATFORM_SLEEPER_HPP
#define TOFU_PLATFORM_SLEEPER_HPP

#include <tofu/config.hpp>

#if defined(__linux__)
#include <tofu/platform/linux/sleeper.hpp>
#else
#include <tofu/platform/condition_sleeper.hpp>
#endif

namespace tofu::inline TOFU_ABI::platform {

/// See condition_sleeper.
#if defined(__linux__)
using linux_api::sleeper;
#else
using sleeper = condition_sleeper;
#endif

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_SLEEPER_HPP
