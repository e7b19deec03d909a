// SPDX-License-Identifier: BSL-1.0
// All policy sets, for the simulator.
#include "sets.hpp"

#include <array>

namespace tofu_simulation {

std::span<const policy_set> policy_sets() {
    static constexpr std::array all{default_set, batched_set, handle_set, pointer_set, timeless_set};
    return all;
}

} // namespace tofu_simulation
