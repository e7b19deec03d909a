// SPDX-License-Identifier: BSL-1.0
// An engine in a simulated world, compiled in engines/simulated.cpp.
#ifndef TOFU_TEST_SUPPORT_SIMULATED_ENGINE_HPP
#define TOFU_TEST_SUPPORT_SIMULATED_ENGINE_HPP

#include "any_reactor.hpp"

#include <tofu/options.hpp>
#include <tofu/policies/poll/simulation/world.hpp>

#include <cstddef>

namespace tofu_test {

/// The setting of a dialogue in a simulated world, which has its own poll policy and network.
inline constexpr setting in_simulation{.poll = default_poller, .over = transport::tcp, .who = tofu::driven_by::caller};

/// An engine with this many channels, 6 or 16. `world` must outlive it.
template <std::size_t Slots>
[[nodiscard]] any_reactor simulated_engine(tofu::simulation::world& world, const tofu::options& opts);

extern template any_reactor simulated_engine<6>(tofu::simulation::world& world, const tofu::options& opts);
extern template any_reactor simulated_engine<16>(tofu::simulation::world& world, const tofu::options& opts);

} // namespace tofu_test

#endif
