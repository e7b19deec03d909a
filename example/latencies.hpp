// SPDX-License-Identifier: BSL-1.0
// A histogram of durations in constant memory, exact to about 2 %.
#ifndef TOFU_EXAMPLE_LATENCIES_HPP
#define TOFU_EXAMPLE_LATENCIES_HPP

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace example {

/// Each power of two is cut into 32 equal parts: however long a program runs, its percentiles cost 16 KiB.
class latencies {
public:
    void add(std::chrono::nanoseconds duration) {
        const auto value = static_cast<std::uint64_t>(duration.count() < 0 ? 0 : duration.count());
        ++counts_[part_of(value)];
        ++total_;
    }

    [[nodiscard]] std::uint64_t count() const { return total_; }

    /// The duration that `percent` of all durations do not exceed; zero when there are none.
    [[nodiscard]] std::chrono::nanoseconds percentile(double percent) const {
        const auto wanted = static_cast<std::uint64_t>(percent / 100 * static_cast<double>(total_));
        std::uint64_t seen = 0;
        for (std::size_t part = 0; part < counts_.size(); ++part) {
            seen += counts_[part];
            if (seen > wanted || (seen == total_ && seen != 0)) return std::chrono::nanoseconds(middle_of(part));
        }
        return {};
    }

private:
    static constexpr unsigned precision_bits = 5;
    static constexpr std::uint64_t parts = std::uint64_t{1} << precision_bits;

    /// Values below `parts` have one part each. For larger values the leading bits choose the part.
    static std::size_t part_of(std::uint64_t value) {
        if (value < parts) return static_cast<std::size_t>(value);
        const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - precision_bits;
        return static_cast<std::size_t>((shift << precision_bits) + (value >> shift));
    }

    static std::uint64_t middle_of(std::size_t part) {
        if (part < parts) return part;
        const std::uint64_t shift = (part >> precision_bits) - 1;
        const std::uint64_t first = (part % parts + parts) << shift;
        return first + (std::uint64_t{1} << shift) / 2;
    }

    std::array<std::uint64_t, parts*(64 - precision_bits + 1)> counts_{};
    std::uint64_t total_ = 0;
};

} // namespace example

#endif
