// SPDX-License-Identifier: BSL-1.0
// The policy sets that are simulated; each is instantiated in a file of its own.
#ifndef TOFU_TEST_SIMULATION_SETS_HPP
#define TOFU_TEST_SIMULATION_SETS_HPP

#include "run.hpp"

namespace tofu_simulation {

run_result run_default(const run_request&);
run_result run_batched(const run_request&);
run_result run_handle(const run_request&);
run_result run_pointer(const run_request&);
run_result run_timeless(const run_request&);

inline constexpr policy_set default_set{"default", "the default policies, but for poll and timer", run_default};
inline constexpr policy_set batched_set{
    "batched", "a poller that reports two sockets at a time, and a pool of four channels", run_batched};
inline constexpr policy_set handle_set{"handle", "keys made of handles: sockets are closed when they are released",
                                       run_handle};
inline constexpr policy_set pointer_set{"pointer", "keys made of addresses, a pool that grows, another timer",
                                        run_pointer};
inline constexpr policy_set timeless_set{"timeless", "no timers and no limits, a pool that grows", run_timeless};

} // namespace tofu_simulation

#endif
