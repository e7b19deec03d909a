// SPDX-License-Identifier: BSL-1.0
// What was measured, round by round, and what follows from it: medians, spreads, ratios; and the file they go to.
#ifndef TOFU_BENCH_RUNNER_RESULTS_HPP
#define TOFU_BENCH_RUNNER_RESULTS_HPP

#include "../harness/statistics.hpp"
#include "measuring.hpp"
#include "plan.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// The values of one cell. A cell that has failed once is left alone, so the values of all others are those of the
/// same rounds.
struct series {
    std::map<std::string, std::vector<double>> values;
    bool failed = false;

    [[nodiscard]] const std::vector<double>* find(std::string_view metric) const {
        const auto at = values.find(std::string(metric));
        return failed || at == values.end() ? nullptr : &at->second;
    }
};

class results {
public:
    explicit results(std::vector<cell> cells) : cells_(std::move(cells)), series_(cells_.size()) {}

    [[nodiscard]] const std::vector<cell>& cells() const { return cells_; }
    [[nodiscard]] bool failed(std::size_t index) const { return series_[index].failed; }

    void fail(std::size_t index) { series_[index].failed = true; }
    void add(std::size_t index, const metrics& found) {
        for (const auto& [name, value] : found) series_[index].values[name].push_back(value);
    }

    [[nodiscard]] std::optional<double> median_of(std::size_t index, std::string_view metric) const {
        const auto* const values = series_[index].find(metric);
        if (values == nullptr) return std::nullopt;
        return median(*values);
    }
    [[nodiscard]] std::optional<double> least_of(std::size_t index, std::string_view metric) const {
        const auto* const values = series_[index].find(metric);
        if (values == nullptr) return std::nullopt;
        return *std::min_element(values->begin(), values->end());
    }
    [[nodiscard]] std::optional<double> most_of(std::size_t index, std::string_view metric) const {
        const auto* const values = series_[index].find(metric);
        if (values == nullptr) return std::nullopt;
        return *std::max_element(values->begin(), values->end());
    }

    /// The cell's figure compared with that of `other` in the same work: each round with the same round, of which the
    /// median. The machine may have been slower in one round than in another, but it was so for both.
    [[nodiscard]] std::optional<double> ratio_to(std::size_t index, std::string_view other) const {
        const cell& own = cells_[index];
        for (std::size_t i = 0; i < cells_.size(); ++i) {
            const cell& each = cells_[i];
            if (each.work != own.work || each.where != own.where || each.who->transport != own.who->transport ||
                each.who->peer != other)
                continue;
            const auto* const mine = series_[index].find(own.work->figure);
            const auto* const theirs = series_[i].find(own.work->figure);
            if (mine == nullptr || theirs == nullptr || mine->size() != theirs->size()) return std::nullopt;
            std::vector<double> ratios;
            for (std::size_t round = 0; round < mine->size(); ++round)
                ratios.push_back((*mine)[round] / (*theirs)[round]);
            return median(ratios);
        }
        return std::nullopt;
    }

    /// All of it: the medians of all metrics, the extremes of the figure that is compared, and the comparisons.
    void write_csv(std::ostream& out) const {
        out << "workload,transport,peer,metric,value\n";
        for (std::size_t i = 0; i < cells_.size(); ++i) {
            const cell& own = cells_[i];
            const auto line = [&](const std::string& metric, std::optional<double> value) {
                if (!value) return;
                out << own.work->name << '/' << own.where->name << ',' << own.who->transport << ',' << own.who->peer
                    << ',' << metric << ',' << *value << '\n';
            };
            for (const auto& [metric, unused] : series_[i].values) line(metric, median_of(i, metric));
            const std::string figure(own.work->figure);
            line(figure + "_least", least_of(i, figure));
            line(figure + "_most", most_of(i, figure));
            line("ratio_to_" + std::string(limit), ratio_to(i, limit));
            line("ratio_to_" + std::string(rival), ratio_to(i, rival));
        }
    }

private:
    std::vector<cell> cells_;
    std::vector<series> series_;
};

} // namespace bench

#endif
