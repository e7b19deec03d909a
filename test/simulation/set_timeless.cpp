// SPDX-License-Identifier: BSL-1.0
// No timers: no limits, and nobody waits for a peer that says nothing; in a pool that grows, in a simulated world.
#include "scenario.hpp"
#include "sets.hpp"

#include <tofu/policies/key/slot_index_key.hpp>
#include <tofu/policies/pool/growing_channel_pool.hpp>
#include <tofu/policies/timer/no_timers.hpp>

namespace tofu_simulation {

namespace {
/// tofu::no_timers with the simulation's own clock.
struct no_timers : tofu::no_timers {
    using clock = tofu::manual_clock;
    using time_point = clock::time_point;

    explicit no_timers(const clock& of) noexcept : clock_(&of) {}
    [[nodiscard]] time_point now() const noexcept { return clock_->now(); }

private:
    const clock* clock_;
};
struct timeless_policies {
    using poll = tofu::simulated_poll;
    using pool = tofu::growing_channel_pool<4>;
    static constexpr std::size_t slots = pool::most;
    using key = tofu::slot_index_key;
    using timer = no_timers;
};
} // namespace

run_result run_timeless(const run_request& wanted) { return scenario<timeless_policies>(wanted).run(); }

} // namespace tofu_simulation
