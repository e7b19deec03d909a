// SPDX-License-Identifier: BSL-1.0
// Converts a timeout of any type and size to a point in time.
#ifndef TOFU_DETAIL_DEADLINE_HPP
#define TOFU_DETAIL_DEADLINE_HPP

#include <tofu/config.hpp>

#include <chrono>

namespace tofu::inline TOFU_ABI::detail {

/// Returns `now` + `timeout`, rounded up. A timeout of zero or less gives `now`. A sum beyond TimePoint::max(), or a
/// NaN, gives TimePoint::max(). Any thread.
template <class TimePoint, class Rep, class Period>
[[nodiscard]] TimePoint deadline_from(TimePoint now, std::chrono::duration<Rep, Period> timeout) noexcept {
    using seconds = std::chrono::duration<double>;
    if (timeout <= timeout.zero()) return now;
    if (!(seconds(timeout) < seconds((TimePoint::max)() - now))) return (TimePoint::max)(); // also for a NaN
    return now + std::chrono::ceil<typename TimePoint::duration>(timeout);
}

/// Converts a timeout of any duration to nanoseconds, rounded up. A timeout below zero may give zero. A timeout that is
/// too long, or a NaN, gives nanoseconds::max(). Any thread.
template <class Rep, class Period>
[[nodiscard]] std::chrono::nanoseconds nanoseconds_from(std::chrono::duration<Rep, Period> timeout) noexcept {
    using seconds = std::chrono::duration<double>;
    if (timeout <= timeout.zero()) return std::chrono::nanoseconds::zero();
    if (!(seconds(timeout) < seconds((std::chrono::nanoseconds::max)()))) return (std::chrono::nanoseconds::max)();
    return std::chrono::ceil<std::chrono::nanoseconds>(timeout);
}
[[nodiscard]] inline std::chrono::nanoseconds nanoseconds_from(std::chrono::nanoseconds timeout) noexcept {
    return timeout;
}

} // namespace tofu::inline TOFU_ABI::detail

#endif
