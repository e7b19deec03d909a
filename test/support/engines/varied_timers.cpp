// SPDX-License-Identifier: BSL-1.0
// The engines of behaviour tests with another timer, or without one.
#include "support/sorted_timer.hpp"
#include "varied_for.hpp"

#include <tofu/policies/timer/no_timers.hpp>

#include <chrono>

namespace tofu_test {

namespace {
struct steady_sorted_timer : sorted_timer<std::chrono::steady_clock> {
    [[nodiscard]] static time_point now() noexcept { return clock::now(); }
};
} // namespace

const engine_maker sorted_timer_engines = varied_for<tofu::default_pool, tofu::default_key, steady_sorted_timer>();
const engine_maker no_timers_engines = varied_for<tofu::default_pool, tofu::default_key, tofu::no_timers>();

} // namespace tofu_test
