// SPDX-License-Identifier: BSL-1.0
// The engine's thread on the system this is built for.

#ifndef TOFU_PLATFORM_THREAD_HPP
#define TOFU_PLATFORM_THREAD_HPP

#if defined(_WIN32)
#error "tofu: the threads of Windows are not there yet"
#else
#include <tofu/platform/posix/thread.hpp>
#endif

namespace tofu::platform {

#if !defined(_WIN32)
/// See posix::io_thread.
using posix::io_thread;
#endif

} // namespace tofu::platform

#endif // TOFU_PLATFORM_THREAD_HPP
