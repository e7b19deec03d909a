// SPDX-License-Identifier: BSL-1.0
// Waits for a condition variable until any point in time.
#ifndef TOFU_DETAIL_TIMED_WAIT_HPP
#define TOFU_DETAIL_TIMED_WAIT_HPP

#include <tofu/config.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace tofu::inline TOFU_ABI::detail {

/// Waits for a notice, at most until `until`; time_point::max() waits for ever. Returns true if `until` has passed.
/// Returns false after a notice, or spuriously; the caller checks its condition and waits again.
///
/// Some C++ libraries can only wait by the system clock (libstdc++ on Windows). They convert `until` to that clock, and
/// the conversion overflows for times far in the past or future. So this function never passes such a time to the
/// library.
inline bool wait_is_late(std::condition_variable& notice, std::unique_lock<std::mutex>& lock,
                         std::chrono::steady_clock::time_point until) noexcept {
    using clock = std::chrono::steady_clock;
    constexpr std::chrono::hours longest(24);
    if (until == (clock::time_point::max)()) {
        notice.wait(lock);
        return false;
    }
    const clock::time_point now = clock::now();
    if (until <= now) return true;
    if (until - now > longest) {
        notice.wait_for(lock, longest);
        return false;
    }
    return notice.wait_until(lock, until) == std::cv_status::timeout;
}

} // namespace tofu::inline TOFU_ABI::detail

#endif
