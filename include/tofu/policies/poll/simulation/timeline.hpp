// SPDX-License-Identifier: BSL-1.0
// What is going to happen in a simulated world, and the clock that gets there.
#ifndef TOFU_POLICIES_POLL_SIMULATION_TIMELINE_HPP
#define TOFU_POLICIES_POLL_SIMULATION_TIMELINE_HPP

#include <tofu/config.hpp>
#include <tofu/policies/poll/simulation/names.hpp>
#include <tofu/policies/poll/simulation/traffic.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tofu::inline TOFU_ABI::simulation {

/// Something that happens at a time: it is looked at when the clock gets there.
struct event {
    enum class kind : std::uint8_t {
        connect,     ///< the wish to connect arrives where somebody may listen
        established, ///< the answer arrives: connected
        refused,     ///< the answer arrives: nobody listens
        gave_up,     ///< no answer has arrived for too long
        data,        ///< `amount` more bytes arrive
        end,         ///< the end of the stream arrives
        reset,       ///< a reset arrives
        answer,      ///< to a question about a name
        cancelled,   ///< the operation with the number `amount` is, unless it has completed
        nothing      ///< a poller has something to look at
    };
    kind what = kind::nothing;
    socket_id whom = 0;
    std::size_t amount = 0;
    name_question* question = nullptr;
    time_point when{};
    std::uint64_t order = 0; ///< of two at one time, the one that was caused first comes first
};

/// Events in the order of their times, and of their causes. One thread at a time.
class timeline {
public:
    manual_clock clock;

    [[nodiscard]] time_point now() const noexcept { return clock.now(); }

    void schedule(time_point when, event what) noexcept {
        what.when = when;
        what.order = ++last_order_;
        events_.push_back(what);
        std::push_heap(events_.begin(), events_.end(), later);
    }

    /// When the next thing happens; time_point::max(): never.
    [[nodiscard]] time_point next() const noexcept {
        return events_.empty() ? (time_point::max)() : (std::max)(events_.front().when, now());
    }

    /// Is something due? Then it is taken.
    [[nodiscard]] bool take_due(event& due) noexcept {
        if (events_.empty() || events_.front().when > now()) return false;
        std::pop_heap(events_.begin(), events_.end(), later);
        due = events_.back();
        events_.pop_back();
        return true;
    }

private:
    static bool later(const event& left, const event& right) noexcept {
        return left.when != right.when ? left.when > right.when : left.order > right.order;
    }

    std::vector<event> events_;
    std::uint64_t last_order_ = 0;
};

} // namespace tofu::inline TOFU_ABI::simulation

#endif
