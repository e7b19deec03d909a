// SPDX-License-Identifier: BSL-1.0
// A poller that reports two sockets at a time, and a pool of four channels, in a simulated world.
#include "scenario.hpp"
#include "sets.hpp"

#include <tofu/policies/key/slot_index_key.hpp>
#include <tofu/policies/pool/fixed_channel_pool.hpp>
#include <tofu/policies/timer/manual_timer.hpp>

namespace tofu_simulation {

namespace {
struct batched_policies {
    using poll = tofu::basic_simulated_poll<2>;
    static constexpr std::size_t slots = 4;
    using pool = tofu::fixed_channel_pool<slots>;
    using key = tofu::slot_index_key;
    using timer = tofu::manual_timer;
};
} // namespace

run_result run_batched(const run_request& wanted) { return scenario<batched_policies>(wanted).run(); }

} // namespace tofu_simulation
