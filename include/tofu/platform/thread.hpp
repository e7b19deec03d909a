// SPDX-License-Identifier: BSL-1.0
// Selects the threads of the target system, and the call that keeps their code loaded.

#ifndef TOFU_PLATFORM_THREAD_HPP
#define TOFU_PLATFORM_THREAD_HPP

#include <tofu/config.hpp>

#if defined(_WIN32)
#include <tofu/platform/windows/thread.hpp>
#else
#include <tofu/platform/posix/thread.hpp>
#endif

namespace tofu::inline TOFU_ABI::platform {

/// See posix/thread.hpp, posix/module.hpp and windows/thread.hpp.
#if defined(_WIN32)
using windows::detached_threads;
using windows::hold_module;
using windows::io_thread;
#else
using posix::detached_threads;
using posix::hold_module;
using posix::io_thread;
#endif

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_THREAD_HPP
