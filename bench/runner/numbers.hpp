// SPDX-License-Identifier: BSL-1.0
// Numbers the way they are printed.
#ifndef TOFU_BENCH_RUNNER_NUMBERS_HPP
#define TOFU_BENCH_RUNNER_NUMBERS_HPP

#include <cmath>
#include <iomanip>
#include <optional>
#include <sstream>
#include <string>

namespace bench {

/// Digits after the point: about three matter.
[[nodiscard]] inline int digits_of(double value) {
    const double size = std::abs(value);
    return size >= 100 ? 0 : size >= 10 ? 1 : 2;
}

[[nodiscard]] inline double rounded(double value) {
    const double unit = std::pow(10, digits_of(value));
    return std::round(value * unit) / unit;
}

/// A dash when there is none.
[[nodiscard]] inline std::string short_number(std::optional<double> value) {
    if (!value) return "-";
    std::ostringstream text;
    text << std::fixed << std::setprecision(digits_of(*value)) << rounded(*value);
    return text.str();
}

} // namespace bench

#endif
