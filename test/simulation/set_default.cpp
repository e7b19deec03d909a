// SPDX-License-Identifier: BSL-1.0
// The default policies in a simulated world.
#include "scenario.hpp"
#include "sets.hpp"

#include <tofu/policies/key/slot_index_key.hpp>
#include <tofu/policies/pool/fixed_channel_pool.hpp>
#include <tofu/policies/timer/manual_timer.hpp>

namespace tofu_simulation {

namespace {
struct default_policies {
    using poll = tofu::simulated_poll;
    static constexpr std::size_t slots = 12;
    using pool = tofu::fixed_channel_pool<slots>;
    using key = tofu::slot_index_key;
    using timer = tofu::manual_timer;
};
} // namespace

run_result run_default(const run_request& wanted) { return scenario<default_policies>(wanted).run(); }

} // namespace tofu_simulation
