// SPDX-License-Identifier: BSL-1.0
// One combination of policies, as the smoke suite sees it: its name, its abilities, and the factory of its engines.
#ifndef TOFU_TEST_PRODUCT_COMBINATION_HPP
#define TOFU_TEST_PRODUCT_COMBINATION_HPP

#include "support/engine_calls.hpp"

#include <tofu/options.hpp>
#include <tofu/policies/timer/manual_timer.hpp>
#include <tofu/reactor.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace tofu_test {

/// The clock of a combination's engines.
enum class timekeeping : std::uint8_t { none, real, manual };

struct combination {
    std::string name; ///< linux_epoll.growing_channel_pool<4>.pointer_key.wait_timeout
    timekeeping time;
    std::size_t most_channels; ///< 0: as many as there are numbers
    /// `clock` is looked at where time is manual, and outlives the engine and its groups.
    std::unique_ptr<reactor_calls> (*make)(const tofu::options& opts, tofu::driven_by who,
                                           const tofu::manual_clock& clock);
};

/// Adds those of one part; each is compiled in a file of its own, generated from part.cpp.in.
template <std::size_t Part>
void add_part(std::vector<combination>& to);

} // namespace tofu_test

#endif
