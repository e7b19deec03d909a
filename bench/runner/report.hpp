// SPDX-License-Identifier: BSL-1.0
// What a human reads: the tables, and how far the targets are.
#ifndef TOFU_BENCH_RUNNER_REPORT_HPP
#define TOFU_BENCH_RUNNER_REPORT_HPP

#include "plan.hpp"
#include "results.hpp"
#include "targets.hpp"

#include <cmath>
#include <cstddef>
#include <iomanip>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>

namespace bench {

/// Three digits that matter, or a dash.
inline std::string short_number(std::optional<double> value) {
    if (!value) return "-";
    std::ostringstream text;
    const double size = std::abs(*value);
    text << std::fixed << std::setprecision(size >= 100 ? 0 : size >= 10 ? 1 : 2) << *value;
    return text.str();
}

/// One table for each workload and placement, one line for each cell.
class tables {
public:
    tables(const results& from, std::ostream& out) : from_(from), out_(out) {}

    void print() const {
        const cell* last = nullptr;
        for (std::size_t i = 0; i < from_.cells().size(); ++i) {
            const cell& each = from_.cells()[i];
            if (last == nullptr || last->work != each.work || last->where != each.where) print_head(each);
            last = &each;
            print_row(i);
        }
        out_ << "\nx raw, x libzmq: this row's figure divided by theirs, round by round, the median. Per round trip, "
                "which is a request\nand its reply, both processes together: cpu us (user and system), calls (system "
                "calls), sleeps (of a thread).\n";
    }

private:
    static constexpr int peer_width = 28;
    static constexpr int width = 10;

    void print_head(const cell& of) const {
        out_ << '\n' << of.work->name << ", " << of.work->title << "; " << of.where->title << '\n';
        out_ << std::left << std::setw(5 + peer_width) << "" << std::right << std::setw(width) << of.work->figure_title
             << std::setw(15) << "least..most";
        for (const std::string_view title : {"x raw", "x libzmq", "cpu us", "calls", "sleeps"})
            out_ << std::setw(width) << title;
        if (of.work->has_times()) out_ << std::setw(width) << "p99 us";
        out_ << '\n';
    }

    void print_row(std::size_t index) const {
        const cell& own = from_.cells()[index];
        out_ << std::left << std::setw(5) << own.who->transport << std::setw(peer_width) << own.who->peer << std::right;
        if (from_.failed(index)) {
            out_ << "  has failed\n";
            return;
        }
        const std::string_view figure = own.work->figure;
        const auto scaled = [&](std::optional<double> value) {
            return short_number(value ? std::optional(*value / own.work->unit) : value);
        };
        out_ << std::setw(width) << scaled(from_.median_of(index, figure)) << std::setw(15)
             << scaled(from_.least_of(index, figure)) + ".." + scaled(from_.most_of(index, figure));
        for (const std::string_view other : {limit, rival})
            out_ << std::setw(width) << short_number(from_.ratio_to(index, other));
        for (const std::string_view metric :
             {"cpu_us_per_round_trip", "system_calls_per_round_trip", "sleeps_per_round_trip"})
            out_ << std::setw(width) << short_number(from_.median_of(index, metric));
        if (own.work->has_times()) out_ << std::setw(width) << short_number(from_.median_of(index, "p99_us"));
        out_ << '\n';
    }

    const results& from_;
    std::ostream& out_;
};

/// "0.90x libzmq (target <= 0.83x): NOT met". A ratio is judged as it is printed, with two digits.
inline std::string judge(const target& wanted, double ratio) {
    const double shown = std::round(ratio * 100) / 100;
    const bool met = wanted.at_most ? shown <= wanted.ratio : shown >= wanted.ratio;
    return short_number(shown) + "x " + std::string(rival) + " (target " + (wanted.at_most ? "<= " : ">= ") +
           short_number(wanted.ratio) + "x): " + (met ? "met" : "NOT met");
}

inline void print_targets(const results& from, std::ostream& out) {
    out << "\nTargets\n";
    for (std::size_t i = 0; i < from.cells().size(); ++i) {
        const target* const wanted = target_of(from.cells()[i]);
        if (wanted == nullptr) continue;
        const auto ratio = from.ratio_to(i, rival);
        out << from.cells()[i].name() << ": "
            << (ratio ? judge(*wanted, *ratio) : "not compared with " + std::string(rival)) << '\n';
    }
}

} // namespace bench

#endif
