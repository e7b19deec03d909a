// SPDX-License-Identifier: BSL-1.0
// The plan of a run: which peer does which work, and where.
#ifndef TOFU_BENCH_RUNNER_PLAN_HPP
#define TOFU_BENCH_RUNNER_PLAN_HPP

#include "peers.hpp"
#include "workloads.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// The extent of a run.
struct scope {
    bool quick = false;
    bool under_wine = false;
    std::size_t scale = 1; ///< numbers of connections are divided by it
    std::string only{};    ///< cells whose name contains this
};

/// One place in the result: a row in a table.
struct cell {
    workload work;
    placement where;
    row who;

    [[nodiscard]] std::string name() const {
        return std::string(work.name) + ' ' + std::string(where.name) + ' ' + who.transport + ' ' + who.peer;
    }
};

/// The programs of this scope.
inline std::vector<peer_program> find_programs(const scope& wanted) {
    if (wanted.under_wine) return {programs_under_wine.begin(), programs_under_wine.end()};
    std::vector<peer_program> found(programs.begin(), programs.end());
    std::erase_if(found, [&](const peer_program& each) { return wanted.quick && !each.quick; });
    return found;
}

/// The number of descriptors that a process may have.
inline std::size_t allowed_descriptors() {
    rlimit limit{};
    return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<std::size_t>(limit.rlim_max) : 0;
}

/// The workloads of this scope for which `descriptors` are enough. Names the others on `out`.
inline std::vector<workload> find_workloads(const scope& wanted, std::size_t descriptors, std::ostream& out) {
    std::vector<workload> found;
    for (workload each : workloads) {
        if (wanted.quick && each.quick == places::none) continue;
        each.connections = std::max<std::size_t>(each.connections / wanted.scale, 1);
        each.idle /= wanted.scale;
        if (each.descriptors() > descriptors) {
            out << each.name << " is left out: it needs " << each.descriptors() << " descriptors in a process, and "
                << descriptors << " are allowed here\n";
            continue;
        }
        // Processor time is told there in steps that are too coarse for runs this short.
        if (wanted.under_wine && each.compared.metric == server_time.metric) each.compared = rate;
        found.push_back(each);
    }
    return found;
}

inline bool takes_part(const row& who, const workload& work, const scope& wanted) {
    if (!has_word(who.offered, work.what.offered) || !has_word(who.program.works, work.name)) return false;
    return who.transport == "tcp" || (work.uds && !wanted.quick && !wanted.under_wine);
}

/// All cells, in the order of the tables.
inline std::vector<cell> find_cells(const std::vector<workload>& works, const std::vector<row>& rows,
                                    const scope& wanted) {
    std::vector<cell> all;
    const auto add = [&](const workload& work, const placement& where, std::string_view transport) {
        for (const row& who : rows)
            if (who.transport == transport && takes_part(who, work, wanted)) all.push_back({work, where, who});
    };
    for (const workload& work : works) {
        for (const placement& where : placements) {
            if (!includes(wanted.quick ? work.quick : work.full, where)) continue;
            for (const std::string_view transport : {"tcp", "uds"}) add(work, where, transport);
        }
    }
    std::erase_if(all, [&](const cell& each) { return each.name().find(wanted.only) == std::string::npos; });
    return all;
}

} // namespace bench

#endif
