// SPDX-License-Identifier: BSL-1.0
// The engines of tests that run in a simulated world.
#include "support/simulated_engine.hpp"

#include "support/reactor_of.hpp"

#include <tofu/policies/poll/simulated_poll.hpp>
#include <tofu/policies/timer/manual_timer.hpp>

namespace tofu_test {

template <std::size_t Slots>
any_reactor simulated_engine(tofu::simulation::world& world, const tofu::options& opts) {
    using reactor = tofu::basic_reactor<tofu::simulated_poll, tofu::fixed_channel_pool<Slots>, tofu::slot_index_key,
                                        tofu::manual_timer>;
    return any_reactor(std::make_unique<reactor_of<reactor>>(
        opts, in_simulation.who, nullptr, tofu::simulated_poll(world), tofu::manual_timer(world.clock())));
}

template any_reactor simulated_engine<6>(tofu::simulation::world& world, const tofu::options& opts);
template any_reactor simulated_engine<16>(tofu::simulation::world& world, const tofu::options& opts);

} // namespace tofu_test
