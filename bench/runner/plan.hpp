// SPDX-License-Identifier: BSL-1.0
// What is measured: workloads, where their processes may run, and the peers, as far as they have been built.
#ifndef TOFU_BENCH_RUNNER_PLAN_HPP
#define TOFU_BENCH_RUNNER_PLAN_HPP

#include "process.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// A kind of work, and the figure by which peers are compared in it.
struct workload {
    std::string_view name;
    std::string_view title;
    std::size_t body;   ///< bytes
    std::size_t window; ///< requests under way
    std::string_view figure;
    std::string_view figure_title;
    double unit;             ///< the figure is divided by this before it is printed
    std::uint64_t few_trips; ///< round trips of a short run, long enough to count system calls

    [[nodiscard]] constexpr bool has_times() const { return window == 1; }
};

inline constexpr std::array workloads{
    workload{"W1", "ping-pong, 64 B", 64, 1, "p50_us", "p50 us", 1, 400},
    workload{"W3-64", "64 requests under way, 64 B", 64, 64, "round_trips_per_s", "1000/s", 1000, 4000},
    workload{"W3-1024", "64 requests under way, 1 KiB", 1024, 64, "round_trips_per_s", "1000/s", 1000, 4000},
};

/// Where both processes of a measurement may run.
struct placement {
    std::string_view name;
    std::string_view title;
    bool one_core;
};

inline constexpr std::array placements{placement{"one_core", "both processes on one core", true},
                                       placement{"free", "processes where the system puts them", false}};

/// Whose program it is; see tofu_bench_peer in CMakeLists.txt.
struct peer_program {
    std::string_view peer;
    std::string_view file;
    std::string_view remedy; ///< what to install when it is not there
};

inline constexpr std::string_view limit = "raw_epoll";
inline constexpr std::string_view rival = "libzmq";

inline constexpr std::array programs{peer_program{limit, "tofu_bench_raw_epoll", ""},
                                     peer_program{rival, "tofu_bench_zmq", "libzmq3-dev"},
                                     peer_program{"tofu", "tofu_bench_tofu", ""}};

/// One line of a table: a peer, in one of its variants, over one transport.
struct row {
    std::string peer; ///< "tofu/posix_poll/caller": as it appears in tables and files
    std::string program;
    std::string variant;
    std::string transport;
};

/// Asks every program what it offers; TCP rows come first. Says on `out` what is not there.
inline std::vector<row> find_rows(const std::filesystem::path& directory, std::ostream& out) {
    std::vector<row> found;
    for (const peer_program& each : programs) {
        const std::string program = directory / each.file;
        if (!std::filesystem::exists(program)) {
            out << each.peer << " is left out: " << program << " has not been built";
            if (!each.remedy.empty()) out << " (it needs " << each.remedy << ')';
            out << '\n';
            continue;
        }
        child asked({program, "offers"});
        std::istringstream offers(asked.read_all(std::chrono::seconds(10)));
        if (!asked.ended_well()) throw std::runtime_error(program + " does not say what it offers");
        for (std::string line; std::getline(offers, line);) {
            const std::size_t blank = line.find(' ');
            if (blank == std::string::npos) throw std::runtime_error(program + " offers '" + line + "'");
            const std::string variant = line.substr(blank + 1);
            const std::string name = std::string(each.peer) + (variant.empty() ? "" : "/" + variant);
            found.push_back({name, program, variant, line.substr(0, blank)});
        }
    }
    std::vector<row> sorted;
    for (const std::string_view transport : {"tcp", "uds"})
        std::copy_if(found.begin(), found.end(), std::back_inserter(sorted),
                     [&](const row& each) { return each.transport == transport; });
    return sorted;
}

/// One place in the result: a row in a table.
struct cell {
    const workload* work;
    const placement* where;
    const row* who;

    [[nodiscard]] std::string name() const {
        return std::string(work->name) + ' ' + std::string(where->name) + ' ' + who->transport + ' ' + who->peer;
    }
};

/// All cells, in the order of the tables.
inline std::vector<cell> find_cells(const std::vector<row>& rows) {
    std::vector<cell> all;
    for (const workload& work : workloads)
        for (const placement& where : placements)
            for (const row& who : rows) all.push_back({&work, &where, &who});
    return all;
}

} // namespace bench

#endif
