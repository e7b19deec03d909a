// SPDX-License-Identifier: BSL-1.0
// Keys made of handles, which are used again as soon as they are closed, in a simulated world.
#include "scenario.hpp"
#include "sets.hpp"

#include <tofu/policies/key/handle_key.hpp>
#include <tofu/policies/pool/fixed_channel_pool.hpp>
#include <tofu/policies/timer/manual_timer.hpp>

namespace tofu_simulation {

namespace {
struct handle_policies {
    using poll = tofu::simulated_poll;
    static constexpr std::size_t slots = 12;
    using pool = tofu::fixed_channel_pool<slots>;
    using key = tofu::handle_key;
    using timer = tofu::manual_timer;
};
} // namespace

run_result run_handle(const run_request& wanted) { return scenario<handle_policies>(wanted).run(); }

} // namespace tofu_simulation
