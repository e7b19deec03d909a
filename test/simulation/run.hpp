// SPDX-License-Identifier: BSL-1.0
// One simulated run: its request, and its outcome.
#ifndef TOFU_TEST_SIMULATION_RUN_HPP
#define TOFU_TEST_SIMULATION_RUN_HPP

#include "profiles.hpp"
#include "trace.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
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
    std::size_t steps = 0;   ///< of the schedule, those that were left out included
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

/// All there are; the first is the default.
[[nodiscard]] std::span<const policy_set> policy_sets();

} // namespace tofu_simulation

#endif
