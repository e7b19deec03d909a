// SPDX-License-Identifier: BSL-1.0
// The targets for tofu's speed, compared with other peers doing the same work in the same run, and their verdicts.
#ifndef TOFU_BENCH_RUNNER_TARGETS_HPP
#define TOFU_BENCH_RUNNER_TARGETS_HPP

#include "numbers.hpp"
#include "results.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

namespace bench {

enum class bound { at_most, at_least };

/// A bound for the ratio to a peer in the same workload, or to the same peer in another one; where neither is named,
/// for the metric itself. They are set for TCP.
struct target {
    std::string_view work;
    std::string_view where; ///< empty: everywhere
    std::string_view peer;
    std::string_view metric;
    bound how;
    double value;
    std::string_view to_peer = "";
    std::string_view to_work = "";

    [[nodiscard]] constexpr bool is_ratio() const { return !to_peer.empty() || !to_work.empty(); }
    [[nodiscard]] bool is_for(const cell& what) const {
        return what.who.transport == "tcp" && what.work.name == work && what.who.peer == peer &&
               (where.empty() || where == what.where.name);
    }
};

inline constexpr std::string_view threaded = "tofu/io_thread";
inline constexpr std::string_view called = "tofu/caller";
/// Takes the memory of a connection when it comes, so that it can be seen, and any number of them.
inline constexpr std::string_view growing = "tofu/growing_pool/io_thread";
inline constexpr std::string_view growing_called = "tofu/growing_pool/caller";
inline constexpr std::string_view wine_threaded = "tofu/afd_iocp/io_thread";
inline constexpr std::string_view wine_called = "tofu/afd_iocp/caller";

/// With many requests under way the engine's own thread is what the documentation recommends; driven by the caller,
/// each answer is a write of its own.
inline constexpr std::array targets{
    target{"W1", "one_core", threaded, "p50_us", bound::at_most, 0.83, rival},
    target{"W1", "one_core", called, "p50_us", bound::at_most, 0.45, rival},
    target{"W1", "one_core", called, "client_system_calls", bound::at_most, 3.1},
    target{"W1", "one_core", called, "server_system_calls", bound::at_most, 3.1},
    target{"W2-64", "free", threaded, "rate_per_s", bound::at_least, 2, rival},
    target{"W2-64", "free", threaded, "cpu_us", bound::at_most, 0.4, rival},
    target{"W2-64", "free", threaded, "rate_per_s", bound::at_least, 1.2, "raw_blocking"},
    target{"W2-1024", "free", threaded, "rate_per_s", bound::at_least, 3.5, rival},
    target{"W2-1024", "free", threaded, "cpu_us", bound::at_most, 0.4, rival},
    target{"W2-65535", "free", threaded, "rate_per_s", bound::at_least, 1.35, rival},
    target{"W2-65535", "free", threaded, "cpu_us", bound::at_most, 0.6, rival},
    target{"W2-65535", "free", threaded, "rate_per_s", bound::at_least, 0.74, "raw_blocking"},
    target{"W3-64", "", threaded, "rate_per_s", bound::at_least, 1.5, rival},
    target{"W3-1024", "", threaded, "rate_per_s", bound::at_least, 1.5, rival},
    target{"W4-100", "", threaded, "server_cpu_us", bound::at_most, 1.1, "raw_epoll"},
    target{"W4-1000", "", threaded, "server_cpu_us", bound::at_most, 1.1, "raw_epoll"},
    target{"W4-1000", "", threaded, "server_cpu_us", bound::at_most, 1.2, "", "W4-100"},
    target{"W4-1000", "", threaded, "server_bytes_per_connection", bound::at_most, 4096},
    target{"W4-1000", "", growing, "server_bytes_per_connection", bound::at_most, 4096},
    target{"W5", "", threaded, "rate_per_s", bound::at_least, 3, rival},
    target{"idle-1000", "", threaded, "p50_us", bound::at_most, 1.1, "", "idle-0"},
    target{"idle-1000", "", called, "p50_us", bound::at_most, 1.1, "", "idle-0"},
    target{"idle-10000", "", growing, "p50_us", bound::at_most, 1.1, "", "idle-0"},
    target{"idle-10000", "", growing_called, "p50_us", bound::at_most, 1.1, "", "idle-0"},
    target{"idle-10000", "", growing, "server_bytes_per_connection", bound::at_most, 1536},
    target{"W4-1000", "", wine_threaded, "time_us", bound::at_most, 1.2, "", "W4-100"},
    target{"W4-1000", "", wine_called, "time_us", bound::at_most, 1.2, "", "W4-100"},
    target{"idle-1000", "", wine_threaded, "p50_us", bound::at_most, 1.1, "", "idle-0"},
    target{"idle-1000", "", wine_called, "p50_us", bound::at_most, 1.1, "", "idle-0"},
};

/// A figure is judged as it is printed, with three digits that matter.
[[nodiscard]] inline bool is_met(const target& wanted, double value) {
    const double shown = rounded(value);
    return wanted.how == bound::at_most ? shown <= wanted.value : shown >= wanted.value;
}

/// The value that is judged, if it was measured.
[[nodiscard]] inline std::optional<double> value_for(const target& wanted, const results& from, std::size_t index) {
    if (!wanted.is_ratio()) return from.median_of(index, wanted.metric);
    return from.ratio(index, wanted.to_work.empty() ? wanted.work : wanted.to_work,
                      wanted.to_peer.empty() ? wanted.peer : wanted.to_peer, wanted.metric);
}

/// "p50_us 0.90x libzmq (target <= 0.83x): NOT met"
inline std::string judge(const target& wanted, std::optional<double> value) {
    const std::string unit = wanted.is_ratio() ? "x" : "";
    std::string text = std::string(wanted.metric) + ' ' + (value ? short_number(value) + unit : "not known");
    if (wanted.is_ratio()) text += ' ' + std::string(wanted.to_peer.empty() ? wanted.to_work : wanted.to_peer);
    text += std::string(" (target ") + (wanted.how == bound::at_most ? "<= " : ">= ") + short_number(wanted.value) +
            unit + "): ";
    if (!value) return text + "not judged";
    return text + (is_met(wanted, *value) ? "met" : "NOT met");
}

/// One line for each target of a row that is measured, and their sum.
inline void print_targets(const results& from, std::ostream& out) {
    std::size_t all = 0;
    std::size_t met = 0;
    std::size_t unknown = 0;
    out << "\nTargets\n";
    for (std::size_t i = 0; i < from.cells().size(); ++i) {
        for (const target& each : targets) {
            if (!each.is_for(from.cells()[i])) continue;
            const auto value = value_for(each, from, i);
            out << from.cells()[i].name() << ": " << judge(each, value) << '\n';
            ++all;
            if (!value)
                ++unknown;
            else if (is_met(each, *value))
                ++met;
        }
    }
    out << met << " of " << all << " targets met";
    if (unknown != 0) out << ", " << unknown << " not judged";
    out << '\n';
}

} // namespace bench

#endif
