// SPDX-License-Identifier: BSL-1.0
// A mistake: a timer policy without a clock.
#include "compile_fail/use.hpp"

#include <tofu/tofu.hpp>

#include <chrono>

//[mistake
struct my_timer : tofu::deadline_heap<std::chrono::steady_clock::time_point> {
    using category = tofu::timer_category;
    using clock = std::chrono::steady_clock;
    static constexpr bool has_timers = true;
};

using my_reactor = tofu::basic_reactor<tofu::default_poll, tofu::default_pool, tofu::default_key, my_timer>;
//]

int main() {
    // expect: TimerPolicy: needs `time_point now() const noexcept;`, callable from any thread
    my_reactor engine;
    tofu_test::use(engine);
}
