// SPDX-License-Identifier: BSL-1.0
// A key that has a socket closed only when its registration is released, as one made of the handle must, in a simulated
// world.
#include "scenario.hpp"
#include "sets.hpp"

#include <tofu/policies/key/slot_index_key.hpp>
#include <tofu/policies/pool/fixed_channel_pool.hpp>

namespace tofu_simulation {

namespace {
struct patient_key : tofu::slot_index_key {
    static constexpr bool closes_after_release = true;
};
struct set {
    using poll = tofu::simulated_poll;
    static constexpr std::size_t slots = 12;
    using pool = tofu::fixed_channel_pool<slots>;
    using key = patient_key;
};
} // namespace

run_result run_patient(const run_request& wanted) { return scenario<set>(wanted).run(); }

} // namespace tofu_simulation
