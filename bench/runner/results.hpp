// SPDX-License-Identifier: BSL-1.0
// The measured metrics, round by round; their medians, spreads and ratios; and the file of results.
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
#include <utility>
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

/// The least and the most of a metric.
struct extent {
    double least;
    double most;
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
    [[nodiscard]] std::optional<extent> extent_of(std::size_t index, std::string_view metric) const {
        const auto* const values = series_[index].find(metric);
        if (values == nullptr) return std::nullopt;
        const auto [least, most] = std::minmax_element(values->begin(), values->end());
        return extent{*least, *most};
    }

    /// A cell's metric divided by the metric of another peer or another workload: the median of the ratios within each
    /// round. The machine may have been slower in one round than in another, but it was so for both cells.
    [[nodiscard]] std::optional<double> ratio(std::size_t index, std::string_view work, std::string_view peer,
                                              std::string_view metric) const {
        const auto* const mine = series_[index].find(metric);
        const auto other = find(work, cells_[index].where.name, cells_[index].who.transport, peer);
        const auto* const theirs = other ? series_[*other].find(metric) : nullptr;
        if (mine == nullptr || theirs == nullptr || mine->size() != theirs->size()) return std::nullopt;
        std::vector<double> ratios;
        for (std::size_t round = 0; round < mine->size(); ++round)
            if ((*theirs)[round] > 0) ratios.push_back((*mine)[round] / (*theirs)[round]);
        if (ratios.empty()) return std::nullopt;
        return median(ratios);
    }
    [[nodiscard]] std::optional<double> ratio_to_peer(std::size_t index, std::string_view peer,
                                                      std::string_view metric) const {
        return ratio(index, cells_[index].work.name, peer, metric);
    }
    /// To the same peer's smaller version of the same work.
    [[nodiscard]] std::optional<double> ratio_to_base(std::size_t index, std::string_view metric) const {
        return ratio(index, cells_[index].work.base, cells_[index].who.peer, metric);
    }

    /// All of it: the medians of all metrics, the extremes of the figure that is compared, and the comparisons.
    void write_csv(std::ostream& out) const {
        out << "workload,transport,peer,metric,value\n";
        for (std::size_t i = 0; i < cells_.size(); ++i) {
            const cell& own = cells_[i];
            const auto line = [&](const std::string& metric, std::optional<double> value) {
                if (!value) return;
                out << own.work.name << '/' << own.where.name << ',' << own.who.transport << ',' << own.who.peer << ','
                    << metric << ',' << *value << '\n';
            };
            for (const auto& [metric, unused] : series_[i].values) line(metric, median_of(i, metric));
            const std::string figure(own.work.compared.metric);
            if (const auto range = extent_of(i, figure)) {
                line(figure + "_least", range->least);
                line(figure + "_most", range->most);
            }
            for (const std::string_view peer : {own.work.limit(), rival})
                line("ratio_to_" + std::string(peer), ratio_to_peer(i, peer, figure));
            line("cpu_ratio_to_" + std::string(rival), ratio_to_peer(i, rival, "cpu_us"));
            if (!own.work.base.empty()) line("ratio_to_" + std::string(own.work.base), ratio_to_base(i, figure));
        }
    }

private:
    [[nodiscard]] std::optional<std::size_t> find(std::string_view work, std::string_view where,
                                                  std::string_view transport, std::string_view peer) const {
        for (std::size_t i = 0; i < cells_.size(); ++i) {
            const cell& each = cells_[i];
            if (each.work.name == work && each.where.name == where && each.who.transport == transport &&
                each.who.peer == peer)
                return i;
        }
        return std::nullopt;
    }

    std::vector<cell> cells_;
    std::vector<series> series_;
};

} // namespace bench

#endif
