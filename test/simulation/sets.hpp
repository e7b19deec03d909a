// SPDX-License-Identifier: BSL-1.0
// The policy sets that are simulated; each is instantiated in a file of its own.
#ifndef TOFU_TEST_SIMULATION_SETS_HPP
#define TOFU_TEST_SIMULATION_SETS_HPP

#include "run.hpp"

namespace tofu_simulation {

run_result run_default(const run_request&);
run_result run_batched(const run_request&);
run_result run_patient(const run_request&);

inline constexpr policy_set default_set{"default", "the default policies, but for poll and timer", run_default};
inline constexpr policy_set batched_set{
    "batched", "a poller that reports two sockets at a time, and a pool of four channels", run_batched};
inline constexpr policy_set patient_set{
    "patient", "a key that has sockets closed only when their registration is released", run_patient};

} // namespace tofu_simulation

#endif
