// SPDX-License-Identifier: BSL-1.0
// The common ground of a simulated run: the world, its log, the rules, the raw peers.
#ifndef TOFU_TEST_SIMULATION_STAGE_HPP
#define TOFU_TEST_SIMULATION_STAGE_HPP

#include "allocation.hpp"
#include "model.hpp"
#include "raw_peers.hpp"
#include "run.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace tofu_simulation {

using random = tofu::simulation::random;
using duration = tofu::simulation::duration;

/// The ports and names at which engines listen, and the port of the raw peers.
inline constexpr std::uint16_t first_port = 7001;
inline constexpr std::uint16_t last_port = 7003;
inline constexpr std::uint16_t raw_port = 7666;
inline constexpr std::array<std::string_view, 4> host_names{"one.test", "two.test", "three.test", "unknown.test"};

struct stage {
    explicit stage(const run_request& wanted)
        : kind(*wanted.profile)
        , where(wanted.seed, wanted.profile->faults)
        , log(wanted.keep_log)
        , rules(where, log)
        , raw(where, log) {
        rules.memory_may_be_short = kind.memory_refused != 0 || kind.faults.no_memory != 0;
        rules.faults_are_off = kind.faults == tofu::simulation::faults{} && kind.memory_refused == 0;
    }

    [[nodiscard]] random& chance() { return where.chance(); }

    /// Of the allocations of the code under test.
    void refuse_memory(unsigned per_mille) {
        allocation& here = allocation::here();
        here.chance = per_mille == 0 ? nullptr : &chance();
        here.refused_per_mille = per_mille;
    }

    const profile& kind;
    world where;
    trace log;
    model rules;
    raw_peers raw;
    bool patient = false; ///< no faults any more, and everybody does what is asked of him
};

} // namespace tofu_simulation

#endif
