// SPDX-License-Identifier: BSL-1.0
// One simulated run: what it is made from, and what came of it.
#ifndef TOFU_TEST_SIMULATION_RUN_HPP
#define TOFU_TEST_SIMULATION_RUN_HPP

#include "profiles.hpp"
#include "trace.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tofu_simulation {

struct run_request {
    std::uint64_t seed = 0;
    const tofu_simulation::profile* profile = nullptr;
    std::vector<bool> left_out; ///< by step; shorter than the schedule: the others are not
    bool keep_log = false;
};

struct run_result {
    std::optional<violation> found;
    std::size_t steps = 0; ///< of the schedule, those that were left out included
    std::size_t reached = 0; ///< the step in which it was found
    std::uint64_t digest = 0;
    std::uint64_t messages = 0; ///< received by applications
    std::string log;
};

struct policy_set {
    std::string_view name;
    std::string_view words;
    run_result (*run)(const run_request&);
};

/// Each is instantiated in a file of its own.
run_result run_default(const run_request&);
run_result run_batched(const run_request&);
run_result run_patient(const run_request&);

inline constexpr policy_set policy_sets[] = {
    {"default", "the default policies but for poll and timer", run_default},
    {"batched", "a poller that reports two sockets at a time, and a pool of four channels", run_batched},
    {"patient", "a key that has sockets closed only when their registration is released", run_patient},
};

} // namespace tofu_simulation

#endif
