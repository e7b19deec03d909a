// SPDX-License-Identifier: BSL-1.0
// The errors about each broken timer policy.
#include "compile_fail/bad_policies/timer.hpp"
#include "use.hpp"

namespace tofu_test {

// expect: TimerPolicy (4th parameter): needs `using category = tofu::timer_category;`
void with(with_timer<bad_category_timer>& engine) { use(engine); }

// expect: TimerPolicy: must be nothrow move constructible
void with(with_timer<bad_moving_timer>& engine) { use(engine); }

// expect: TimerPolicy: needs `static constexpr bool has_timers`
void with(with_timer<bad_has_timers_timer>& engine) { use(engine); }

// expect: TimerPolicy: needs `using time_point = ...;`
void with(with_timer<bad_time_timer>& engine) { use(engine); }

// expect: TimerPolicy: needs `time_point now() const noexcept;`, callable from any thread
void with(with_timer<bad_clock_timer>& engine) { use(engine); }

// expect: TimerPolicy: needs a type `node`, default constructible
void with(with_timer<bad_node_timer>& engine) { use(engine); }

// expect: TimerPolicy: its node needs `bool scheduled() const noexcept;`
void with(with_timer<bad_scheduled_timer>& engine) { use(engine); }

// expect: TimerPolicy: its node needs `time_point deadline() const noexcept;`
void with(with_timer<bad_deadline_timer>& engine) { use(engine); }

// expect: TimerPolicy: needs `void schedule(node&, time_point) noexcept;`
void with(with_timer<bad_schedule_timer>& engine) { use(engine); }

// expect: TimerPolicy: needs `void cancel(node&) noexcept;`
void with(with_timer<bad_cancel_timer>& engine) { use(engine); }

// expect: TimerPolicy: needs `node* pop_expired(time_point now) noexcept;`
void with(with_timer<bad_pop_timer>& engine) { use(engine); }

// expect: TimerPolicy: needs `time_point next() const noexcept;`
void with(with_timer<bad_next_timer>& engine) { use(engine); }

// expect: TimerPolicy: needs `static constexpr bool has_timers`
// expect: TimerPolicy: needs `using time_point = ...;`
void with(with_timer<bad_empty_timer>& engine) { use(engine); }

} // namespace tofu_test
