// SPDX-License-Identifier: BSL-1.0
// Memory of the code under test: refused on demand, and counted. tofu asks for memory with nothrow new and nothing
// else, so what asks that way is tofu; everybody else is served as ever.
#ifndef TOFU_TEST_SIMULATION_ALLOCATION_HPP
#define TOFU_TEST_SIMULATION_ALLOCATION_HPP

#include <tofu/policies/poll/simulation/random.hpp>

#include <cstddef>

namespace tofu_simulation {

/// Of the calling thread.
struct allocation {
    tofu::simulation::random* chance = nullptr; ///< null: nothing is refused
    unsigned refused_per_mille = 0;
    std::size_t refused = 0; ///< number of refused allocations
    long long alive = 0;     ///< allocations that were not freed; of all threads' that were made on this one

    static allocation& here() noexcept;
};

} // namespace tofu_simulation

#endif
