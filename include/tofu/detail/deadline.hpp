// SPDX-License-Identifier: BSL-1.0
// From a duration of any type and size to a point in time.
#ifndef TOFU_DETAIL_DEADLINE_HPP
#define TOFU_DETAIL_DEADLINE_HPP

#include <tofu/config.hpp>

#include <chrono>

namespace tofu::inline TOFU_ABI::detail {

/// `timeout` from `now`, never past the end of time (hours::max() is for ever) and never before now.
template <class TimePoint, class Rep, class Period>
[[nodiscard]] TimePoint deadline_from(TimePoint now, std::chrono::duration<Rep, Period> timeout) noexcept {
    using seconds = std::chrono::duration<double>;
    if (timeout <= timeout.zero()) return now;
    if (!(seconds(timeout) < seconds((TimePoint::max)() - now))) return (TimePoint::max)(); // a NaN, too
    return now + std::chrono::ceil<typename TimePoint::duration>(timeout);
}

} // namespace tofu::inline TOFU_ABI::detail

#endif
