// SPDX-License-Identifier: BSL-1.0
// How long a wait may last, in the unit of GetQueuedCompletionStatusEx.

#ifndef TOFU_PLATFORM_WINDOWS_WAIT_TIME_HPP
#define TOFU_PLATFORM_WINDOWS_WAIT_TIME_HPP

#include <tofu/config.hpp>
#include <tofu/platform/wait_milliseconds.hpp>
#include <tofu/platform/windows/winsock.hpp>

#include <chrono>

namespace tofu::inline TOFU_ABI::windows {

/// No wait is longer: a wake that could not be posted, for lack of kernel memory, is noticed then.
inline constexpr std::chrono::milliseconds longest_wait = std::chrono::seconds(1);

/// Milliseconds: nothing or less is 0, everything else is rounded up, and cut to longest_wait. The system's clock ticks
/// in steps of up to 15.6 ms, and a wait may end that much late.
constexpr DWORD to_wait_time(std::chrono::nanoseconds timeout) noexcept {
    return static_cast<DWORD>(platform::wait_milliseconds(timeout, longest_wait).count());
}

} // namespace tofu::inline TOFU_ABI::windows

#endif // TOFU_PLATFORM_WINDOWS_WAIT_TIME_HPP
