// SPDX-License-Identifier: BSL-1.0
// Medians and other quantiles of measured values.
#ifndef TOFU_BENCH_HARNESS_STATISTICS_HPP
#define TOFU_BENCH_HARNESS_STATISTICS_HPP

#include <algorithm>
#include <cstddef>
#include <vector>

namespace bench {

/// The value that the share `part` (0 to 1) of all values does not exceed: a value that was measured, none in between.
/// 0 when there are none.
template <class Value>
[[nodiscard]] double quantile(std::vector<Value> values, double part) {
    if (values.empty()) return 0;
    const auto rank = static_cast<std::size_t>(part * static_cast<double>(values.size() - 1) + 0.5);
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(rank);
    std::nth_element(values.begin(), at, values.end());
    return static_cast<double>(*at);
}

template <class Value>
[[nodiscard]] double median(const std::vector<Value>& values) {
    return quantile(values, 0.5);
}

} // namespace bench

#endif
