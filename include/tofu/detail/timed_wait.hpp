// SPDX-License-Identifier: BSL-1.0
// One wait for a notice, until a moment that may be any.
#ifndef TOFU_DETAIL_TIMED_WAIT_HPP
#define TOFU_DETAIL_TIMED_WAIT_HPP

#include <tofu/config.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace tofu::inline TOFU_ABI::detail {

/// Waits for a notice until `until` ((time_point::max)(): for ever). True: it is that late. False: there was a notice,
/// or none; the caller looks and waits again. A C++ library that can wait by the system's clock only (libstdc++ on
/// Windows) computes `until` in that clock, and from a moment ages ago or ahead comes something else altogether:
/// therefore nothing past goes to it, and nothing far.
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
