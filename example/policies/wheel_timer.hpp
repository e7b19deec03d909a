// SPDX-License-Identifier: BSL-1.0
// A timer policy of one's own: a hashed timing wheel, for engines that set and cancel far more timers than ever ring.
//
//     slot 0   slot 1   slot 2   ...   slot Slots - 1        tick = deadline / Tick, slot = tick % Slots
//       |                 |
//       a - d             b            a rings in this turn of the wheel, d in a later one: same slot
//
// What it costs, with n timers set:
//  - schedule and cancel: O(1), whatever n is (cancelling one that is due already: O(log k), k being how many are);
//  - next: O(1), but O(Slots + n / Slots) after the earliest was cancelled or has rung, and O(n) if the next one is
//    further away than a turn of the wheel (Tick * Slots): so let a turn be as long as the usual timeout;
//  - pop_expired: the slots whose time has come are emptied once, then O(log k) for each.
// wait_timeout, a heap, is O(log n) for everything: take that, unless you have measured.
#ifndef TOFU_EXAMPLE_POLICIES_WHEEL_TIMER_HPP
#define TOFU_EXAMPLE_POLICIES_WHEEL_TIMER_HPP

#include <tofu/policies/concepts.hpp>
#include <tofu/policies/timer/deadline_heap.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace example {

/// Deadlines of the steady clock, exact to its own resolution: a tick is only what a slot is as wide as. I/O thread,
/// except now(). Movable only before the first schedule.
template <class Tick = std::chrono::milliseconds, std::size_t Slots = 4096>
class wheel_timer {
public:
    static_assert(std::has_single_bit(Slots), "wheel_timer: the number of slots must be a power of two");
    using category = tofu::timer_category;
    using clock = std::chrono::steady_clock;
    using time_point = clock::time_point;
    static constexpr bool has_timers = true;

private:
    using heap = tofu::deadline_heap<time_point>;

public:
    //[node
    /// Lies in what it times, so that nothing is allocated and scheduling cannot fail. It is in a slot, or among those
    /// that are due, or nowhere.
    class node : heap::node {
    public:
        [[nodiscard]] bool scheduled() const noexcept { return link_ != nullptr || heap::node::scheduled(); }
        [[nodiscard]] time_point deadline() const noexcept { return deadline_; }

    private:
        friend class wheel_timer;
        time_point deadline_{};
        node* next_ = nullptr;
        node** link_ = nullptr; ///< what points to it: its slot, or the `next_` of the node before
    };
    //]

    wheel_timer() noexcept = default;      // said here, as time_point's own constructor may not say so
    wheel_timer(wheel_timer&&) noexcept {} // nodes point into the slots: there must not be any yet
    wheel_timer& operator=(wheel_timer&&) = delete;

    /// Any thread.
    [[nodiscard]] time_point now() const noexcept { return clock::now(); }

    /// Whether or not it was scheduled before.
    void schedule(node& item, time_point deadline) noexcept {
        cancel(item);
        item.deadline_ = deadline;
        if (deadline <= swept_) {
            due_.schedule(item, deadline); // its slot was emptied already
            return;
        }
        node*& slot = slot_of(tick_of(deadline));
        item.next_ = slot;
        item.link_ = &slot;
        if (slot != nullptr) slot->link_ = &item.next_;
        slot = &item;
        if (++in_slots_ == 1 || deadline <= earliest_) {
            earliest_ = deadline;
            exact_ = true;
        }
    }

    /// No effect on a node that is not scheduled.
    void cancel(node& item) noexcept {
        if (item.link_ == nullptr) {
            due_.cancel(item);
            return;
        }
        *item.link_ = item.next_;
        if (item.next_ != nullptr) item.next_->link_ = item.link_;
        item.link_ = nullptr;
        --in_slots_;
        if (item.deadline_ == earliest_) exact_ = false;
    }

    /// The earliest node not after `now`; null when there is none.
    [[nodiscard]] node* pop_expired(time_point now) noexcept {
        if (in_slots_ != 0 && swept_ < now && earliest_ <= now) sweep(now);
        return static_cast<node*>(due_.pop_expired(now));
    }

    /// The earliest deadline; time_point::max() when there is none. The loop asks in every turn.
    [[nodiscard]] time_point next() const noexcept {
        const time_point first = due_.next(); // what is due is earlier than all that is in slots
        return first != (time_point::max)() || in_slots_ == 0 ? first : earliest_in_slots();
    }

private:
    using ticks = std::int64_t;

    [[nodiscard]] static constexpr ticks tick_of(time_point when) noexcept {
        return std::chrono::floor<Tick>(when.time_since_epoch()).count();
    }
    [[nodiscard]] static constexpr std::size_t index_of(ticks tick) noexcept {
        return static_cast<std::size_t>(tick) % Slots;
    }
    [[nodiscard]] node*& slot_of(ticks tick) noexcept { return slots_[index_of(tick)]; }

    /// Moves what is due from its slots to the heap, which puts into order what one slot, or one late turn of the loop,
    /// has thrown together: whoever waits must be told in the order of the deadlines.
    void sweep(time_point now) noexcept {
        const ticks first = tick_of(earliest_);
        const ticks last = (std::min)(tick_of(now), first + static_cast<ticks>(Slots) - 1); // each slot once
        for (ticks tick = first; tick <= last; ++tick) {
            for (node* item = slot_of(tick); item != nullptr;) {
                node* const next = item->next_;
                if (item->deadline_ <= now) {
                    cancel(*item);
                    due_.schedule(*item, item->deadline_);
                }
                item = next;
            }
        }
        swept_ = earliest_ = now; // nothing that is left in a slot is earlier
        exact_ = false;
    }

    /// Follows the wheel from the last known bound to the first node of this turn; that of a later one counts only if
    /// there is none.
    [[nodiscard]] time_point earliest_in_slots() const noexcept {
        if (exact_) return earliest_;
        const ticks first = tick_of(earliest_);
        time_point found = (time_point::max)();
        for (ticks tick = first; tick < first + static_cast<ticks>(Slots) && tick_of(found) >= tick; ++tick)
            for (const node* item = slots_[index_of(tick)]; item != nullptr; item = item->next_)
                found = (std::min)(found, item->deadline_);
        exact_ = true;
        return earliest_ = found;
    }

    heap due_;                               ///< everything up to `swept_`
    time_point swept_ = (time_point::min)(); ///< the latest `now` that anything was due at
    std::array<node*, Slots> slots_{};       ///< everything after `swept_`
    std::size_t in_slots_ = 0;               ///< how many nodes that is
    mutable time_point earliest_{};          ///< none of them is earlier; found when asked for, as it costs
    mutable bool exact_ = false;             ///< one of them is that early
};

static_assert(tofu::timer_policy<wheel_timer<>>);

} // namespace example

#endif
