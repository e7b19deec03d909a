// SPDX-License-Identifier: BSL-1.0
// The loop's list of timers. A timer is a message that the application has sent to itself for later.
#ifndef TOFU_ENGINE_LOOP_APPLICATION_TIMERS_HPP
#define TOFU_ENGINE_LOOP_APPLICATION_TIMERS_HPP

#include <tofu/config.hpp>
#include <tofu/detail/intrusive_list.hpp>
#include <tofu/detail/queue_node.hpp>
#include <tofu/engine/channel/application_timer.hpp>
#include <tofu/engine/channel/timer_item.hpp>
#include <tofu/engine/loop/delivery.hpp>

#include <atomic>

namespace tofu::inline TOFU_ABI::engine {

/// All scheduled timers. application_timer says which thread may take a timer's message. I/O thread.
template <class Timer>
class application_timers {
    using timer_type = application_timer<Timer>;
    using stage = typename timer_type::stage;

public:
    application_timers(Timer& timers, delivery& out) noexcept : timers_(timers), delivery_(out) {}

    /// Takes a timer from the inbox. A timer arrives once to be scheduled, and once more if it is cancelled after that.
    /// `accepts` is false when the engine stops.
    void take(detail::queue_node& node, bool accepts) noexcept {
        auto& timer = static_cast<timer_type&>(node);
        const bool first_time = !list::contains(timer);
        if (first_time && accepts && !timer.group->destroyed && timer.advance(stage::posted, stage::scheduled)) {
            timers_.schedule(timer, timer.due);
            scheduled_.push_back(timer);
            return;
        }
        drop(timer);
    }

    /// Delivers the timer's message at its deadline, unless the timer is cancelled already.
    void fire(timer_item<Timer>& item) noexcept {
        auto& timer = static_cast<timer_type&>(item);
        TOFU_ASSERT(list::contains(timer));
        if (!timer.advance(stage::scheduled, stage::settled)) return; // its cancellation is in the inbox
        delivery_.deliver(*timer.group, *timer.content.release());
        drop(timer);
    }

    /// Drops all timers for which `is_over(timer)` is true. A cancelled timer stays: it comes through the inbox once
    /// more, and `take` drops it then.
    template <class IsOver>
    void abandon(IsOver is_over) noexcept {
        for (timer_type* timer = scheduled_.front(); timer != nullptr;) {
            timer_type* const next = scheduled_.next(*timer);
            if (is_over(*timer) && timer->advance(stage::scheduled, stage::settled)) {
                timer->content.reset();
                drop(*timer);
            }
            timer = next;
        }
    }

private:
    using list = detail::intrusive_list<timer_type, &timer_type::hook>;

    /// Ends the loop's share in a timer.
    void drop(timer_type& timer) noexcept {
        timers_.cancel(timer);
        scheduled_.erase(timer);
        if (timer.state.exchange(stage::settled, std::memory_order_acq_rel) != stage::settled)
            timer.content.reset(); // its group is gone, or the engine ends
        static_cast<void>(ref<timer_type>::adopt(&timer));
    }

    Timer& timers_;
    delivery& delivery_;
    list scheduled_;
};

/// With a timer policy without timers there is nothing to keep.
template <class Timer>
requires(!Timer::has_timers) class application_timers<Timer> {
public:
    application_timers(Timer&, delivery&) noexcept {}

    template <class IsOver>
    void abandon(IsOver) noexcept {}
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
