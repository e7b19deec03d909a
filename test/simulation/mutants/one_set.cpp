// SPDX-License-Identifier: BSL-1.0
// The only policy set of a mutant: its engine must not be mixed with one that is right.
#include "simulation/sets.hpp"

namespace tofu_simulation {

std::span<const policy_set> policy_sets() { return {&TOFU_ONLY_SET, 1}; }

} // namespace tofu_simulation
