// SPDX-License-Identifier: BSL-1.0
// The threads of the system this is built for: the engine's, and those nobody waits for.

#ifndef TOFU_PLATFORM_THREAD_HPP
#define TOFU_PLATFORM_THREAD_HPP

#include <tofu/config.hpp>

#if defined(_WIN32)
#include <tofu/platform/windows/thread.hpp>
#else
#include <tofu/platform/posix/thread.hpp>
#endif

namespace tofu::inline TOFU_ABI::platform {

/// See the header of the system's own threads.
#if defined(_WIN32)
using windows::detached_threads;
using windows::io_thread;
#else
using posix::detached_threads;
using posix::io_thread;
#endif

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_THREAD_HPP
