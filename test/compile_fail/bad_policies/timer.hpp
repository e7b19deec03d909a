// SPDX-License-Identifier: BSL-1.0
// Broken timer policies. Each breaks one requirement: it hides one member of a good policy.
#ifndef TOFU_TEST_COMPILE_FAIL_BAD_POLICIES_TIMER_HPP
#define TOFU_TEST_COMPILE_FAIL_BAD_POLICIES_TIMER_HPP

#include <tofu/tofu.hpp>

#include <string_view>

namespace tofu_test {

using good_timer = tofu::wait_timeout;

struct bad_category_timer : good_timer {
    struct category {};
};
struct bad_moving_timer : good_timer {
    bad_moving_timer() noexcept = default;
    bad_moving_timer(bad_moving_timer&&) = delete;
};
struct bad_has_timers_timer : good_timer {
    static constexpr std::string_view has_timers = "yes";
};
/// A clock, and its type under another name.
struct bad_time_timer {
    using category = tofu::timer_category;
    using time = good_timer::time_point;
    static constexpr bool has_timers = false;
    time now() const noexcept;
};
struct bad_clock_timer : good_timer {
    time_point now() const; // may throw
};
struct bad_node_timer : good_timer {
    struct node : good_timer::node {
        explicit node(int) noexcept {}
    };
};
struct bad_scheduled_timer : good_timer {
    struct node : good_timer::node {
        bool scheduled() noexcept; // not const
    };
    node* pop_expired(time_point) noexcept;
};
struct bad_deadline_timer : good_timer {
    struct node : good_timer::node {
        void deadline() const noexcept;
    };
    node* pop_expired(time_point) noexcept;
};
struct bad_schedule_timer : good_timer {
    void schedule(node&) noexcept; // for when?
};
struct bad_cancel_timer : good_timer {
    void cancel(node&); // may throw
};
struct bad_pop_timer : good_timer {
    bool pop_expired(time_point) noexcept;
};
struct bad_next_timer : good_timer {
    time_point next() noexcept; // not const
};
/// Breaks all it can at once.
struct bad_empty_timer {
    using category = tofu::timer_category;
};

} // namespace tofu_test

#endif
