// SPDX-License-Identifier: BSL-1.0
// Keys made of addresses, in a pool that grows two channels at a time, with a plain list for a timer, in a simulated
// world. A 32-bit processor has no such keys; its other keys give the same logs.
#include "scenario.hpp"
#include "sets.hpp"

#include "support/all_keys.hpp"
#include "support/sorted_timer.hpp"

#include <tofu/policies/pool/growing_channel_pool.hpp>

namespace tofu_simulation {

namespace {
struct sorted_timer : tofu_test::sorted_timer<tofu::manual_clock> {
    explicit sorted_timer(const tofu::manual_clock& of) noexcept : clock_(&of) {}
    [[nodiscard]] time_point now() const noexcept { return clock_->now(); }

private:
    const tofu::manual_clock* clock_;
};
struct pointer_policies {
    using poll = tofu::simulated_poll;
    using pool = tofu::growing_channel_pool<2>;
    static constexpr std::size_t slots = pool::most;
    using key = tofu_test::pointer_key_or_index;
    using timer = sorted_timer;
};
} // namespace

run_result run_pointer(const run_request& wanted) { return scenario<pointer_policies>(wanted).run(); }

} // namespace tofu_simulation
