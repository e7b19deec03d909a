// SPDX-License-Identifier: BSL-1.0
// Makes a failing schedule short: steps are left out for as long as the same rule is still violated.
#ifndef TOFU_TEST_SIMULATION_SHRINK_HPP
#define TOFU_TEST_SIMULATION_SHRINK_HPP

#include "run.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tofu_simulation {

/// The steps that are left out, as a list of ranges: "0-11,13,20-40".
[[nodiscard]] inline std::string to_ranges(const std::vector<bool>& left_out) {
    std::string text;
    for (std::size_t first = 0; first < left_out.size(); ++first) {
        if (!left_out[first]) continue;
        std::size_t last = first;
        while (last + 1 < left_out.size() && left_out[last + 1]) ++last;
        if (!text.empty()) text += ',';
        text += std::to_string(first);
        if (last != first) text += "-" + std::to_string(last);
        first = last;
    }
    return text;
}

/// The other way round; nothing when `text` is no such list.
[[nodiscard]] inline std::optional<std::vector<bool>> parse_ranges(std::string_view text) {
    std::vector<bool> left_out;
    const char* at = text.data();
    const char* const end = at + text.size();
    const auto number = [&](std::size_t& value) {
        const auto [stop, error] = std::from_chars(at, end, value);
        at = stop;
        return error == std::errc{} && value < 1'000'000;
    };
    while (at != end) {
        std::size_t first = 0;
        if (!number(first)) return std::nullopt;
        std::size_t last = first;
        if (at != end && *at == '-' && (++at, !number(last))) return std::nullopt;
        if (last < first || (at != end && *at++ != ',')) return std::nullopt;
        left_out.resize(std::max(left_out.size(), last + 1));
        std::fill(left_out.begin() + static_cast<std::ptrdiff_t>(first),
                  left_out.begin() + static_cast<std::ptrdiff_t>(last) + 1, true);
    }
    return left_out;
}

/// `failing` violates `rule`. Halves, quarters and so on are left out in turn (Andreas Zeller's delta debugging,
/// without the complements), down to single steps, until none can go or `most_runs` were made.
[[nodiscard]] inline run_request shrink(const policy_set& set, run_request failing, const std::string& rule,
                                        std::size_t reached, std::size_t steps, unsigned most_runs = 3000) {
    failing.keep_log = false;
    failing.left_out.resize(steps);
    const auto still_fails = [&](const run_request& shorter) {
        const run_result result = set.run(shorter);
        return result.found && result.found->rule == rule;
    };
    run_request shorter = failing;
    for (std::size_t i = reached + 1; i < steps; ++i) shorter.left_out[i] = true;
    if (still_fails(shorter)) failing = shorter;
    for (std::size_t part = std::max<std::size_t>(steps / 2, 1);; part /= 2) {
        bool progress = false;
        for (std::size_t from = 0; from < steps && most_runs != 0; from += part) {
            shorter = failing;
            for (std::size_t i = from; i < std::min(from + part, steps); ++i) shorter.left_out[i] = true;
            if (shorter.left_out == failing.left_out) continue;
            --most_runs;
            if (!still_fails(shorter)) continue;
            failing = shorter;
            progress = true;
        }
        if (most_runs == 0 || (part == 1 && !progress)) return failing;
        if (part == 1) part = 2; // once more, step by step
    }
}

} // namespace tofu_simulation

#endif
