// SPDX-License-Identifier: BSL-1.0
// Converts a timeout for system calls that count in milliseconds.

#ifndef TOFU_PLATFORM_WAIT_MILLISECONDS_HPP
#define TOFU_PLATFORM_WAIT_MILLISECONDS_HPP

#include <tofu/config.hpp>

#include <chrono>

namespace tofu::inline TOFU_ABI::platform {

/// Rounds up, so that a deadline has passed when the wait for it ends. Zero and less become 0, more than `most` becomes
/// `most`. Any thread.
constexpr std::chrono::milliseconds wait_milliseconds(std::chrono::nanoseconds timeout,
                                                      std::chrono::milliseconds most) noexcept {
    using std::chrono::milliseconds;
    if (timeout <= std::chrono::nanoseconds::zero()) {
        return milliseconds::zero();
    }
    const auto whole = std::chrono::duration_cast<milliseconds>(timeout);
    const auto rounded = whole < timeout ? whole + milliseconds(1) : whole;
    return rounded < most ? rounded : most;
}

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_WAIT_MILLISECONDS_HPP
