// SPDX-License-Identifier: BSL-1.0
// The printed report: one table for each workload and placement.
#ifndef TOFU_BENCH_RUNNER_REPORT_HPP
#define TOFU_BENCH_RUNNER_REPORT_HPP

#include "numbers.hpp"
#include "plan.hpp"
#include "results.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iomanip>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// A column in the table of one workload.
struct column {
    std::string title;
    int width;
    std::function<std::string(std::size_t)> text; ///< returns the text for the cell with this index
};

class tables {
public:
    tables(const results& from, std::ostream& out) : from_(from), out_(out) {}

    void print() const {
        const cell* last = nullptr;
        std::vector<column> columns;
        for (std::size_t i = 0; i < from_.cells().size(); ++i) {
            const cell& each = from_.cells()[i];
            if (last == nullptr || last->work.name != each.work.name || last->where.name != each.where.name) {
                columns = columns_of(each.work);
                print_head(each, columns);
            }
            last = &each;
            print_row(i, columns);
        }
        out_ << "\nx NAME: this row's figure divided by that of NAME (raw_blocking for W2 or raw_epoll, libzmq; the "
                "same peer in a\nsmaller version of the work), round by round, the median. cpu x libzmq: the same for "
                "cpu us.\nFor one item (round trip, message or visit), both processes together: cpu us (user and "
                "system), calls (system\ncalls), sleeps (of a thread). KiB/conn: resident memory of the server for "
                "each connection.\n";
    }

private:
    static constexpr int peer_width = 32;

    [[nodiscard]] std::vector<column> columns_of(const workload& work) const {
        const figure compared = work.compared;
        std::vector<column> chosen{metric(std::string(compared.title), compared.metric, compared.unit),
                                   {"least..most", 15, [this](std::size_t row) { return spread(row); }}};
        for (const std::string_view other : {work.limit(), rival}) chosen.push_back(ratio(other, compared.metric));
        if (!work.base.empty()) {
            chosen.push_back({"x " + std::string(work.base), 12, [this, compared](std::size_t row) {
                                  return short_number(from_.ratio_to_base(row, compared.metric));
                              }});
        }
        chosen.push_back(metric("cpu us", "cpu_us"));
        if (work.what.offered == stream.offered) {
            chosen.push_back(ratio(rival, "cpu_us"));
            chosen.back().title.insert(0, "cpu ");
            chosen.back().width += 4;
        }
        chosen.push_back(metric("calls", "system_calls"));
        chosen.push_back(metric("sleeps", "sleeps"));
        if (work.has_times()) chosen.push_back(metric("p99 us", "p99_us"));
        if (compared.metric == server_time.metric) chosen.push_back(metric("1000/s", rate.metric, rate.unit));
        if (work.has_connections()) chosen.push_back(metric("KiB/conn", "server_bytes_per_connection", 1024));
        return chosen;
    }

    [[nodiscard]] column metric(std::string title, std::string_view name, double unit = 1) const {
        return {std::move(title), 10,
                [this, name, unit](std::size_t row) { return scaled(from_.median_of(row, name), unit); }};
    }

    [[nodiscard]] column ratio(std::string_view other, std::string_view name) const {
        return {"x " + std::string(other), static_cast<int>(other.size()) + 4,
                [this, other, name](std::size_t row) { return short_number(from_.ratio_to_peer(row, other, name)); }};
    }

    [[nodiscard]] std::string spread(std::size_t row) const {
        const figure compared = from_.cells()[row].work.compared;
        const auto range = from_.extent_of(row, compared.metric);
        if (!range) return short_number(std::nullopt);
        return scaled(range->least, compared.unit) + ".." + scaled(range->most, compared.unit);
    }

    static std::string scaled(std::optional<double> value, double unit) {
        return short_number(value ? std::optional(*value / unit) : value);
    }

    void print_head(const cell& of, const std::vector<column>& columns) const {
        out_ << '\n' << of.work.name << ", " << of.work.title << "; " << of.where.title << '\n';
        out_ << std::left << std::setw(5 + peer_width) << "" << std::right;
        for (const column& each : columns) out_ << std::setw(each.width) << each.title;
        out_ << '\n';
    }

    void print_row(std::size_t index, const std::vector<column>& columns) const {
        const cell& own = from_.cells()[index];
        out_ << std::left << std::setw(5) << own.who.transport << std::setw(peer_width) << own.who.peer << std::right;
        if (from_.failed(index)) {
            out_ << "  has failed\n";
            return;
        }
        for (const column& each : columns) out_ << std::setw(each.width) << each.text(index);
        out_ << '\n';
    }

    const results& from_;
    std::ostream& out_;
};

} // namespace bench

#endif
