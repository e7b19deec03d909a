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

} // namespace tofu::inline TOFU_ABI::detail

#endif
