// SPDX-License-Identifier: BSL-1.0
// The scheduled events of a simulated world, and its clock.
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

/// An event that is handled when the clock reaches its time.
struct event {
    enum class kind : std::uint8_t {
        connect,     ///< a connect arrives at the listener's address
        established, ///< the answer arrives: connected
        refused,     ///< the answer arrives: no listener
        gave_up,     ///< the connect timed out
        data,        ///< `amount` more bytes arrive
        end,         ///< the end of the stream arrives
        reset,       ///< a reset arrives
        answer,      ///< the answer to a question about a name
        cancelled,   ///< the operation with the number `amount` completes by its cancel
        nothing      ///< only ends the waits of pollers
    };
    kind what = kind::nothing;
    socket_id whom = 0;
    std::size_t amount = 0;
    name_question* question = nullptr;
    time_point when{};
    std::uint64_t order = 0; ///< events of the same time are handled in the order in which they were scheduled
};

/// A queue of events, ordered by time and then by schedule(). One thread at a time.
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

    /// The time of the next event, or time_point::max().
    [[nodiscard]] time_point next() const noexcept {
        return events_.empty() ? (time_point::max)() : (std::max)(events_.front().when, now());
    }

    /// Takes an event that is due. Returns false if there is none.
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
