// SPDX-License-Identifier: BSL-1.0
// A timer policy outside of the library: a hashed timing wheel, for engines whose timers are mostly cancelled.
//
//     slot 0   slot 1   slot 2   ...   slot Slots - 1        tick = deadline / Tick, slot = tick % Slots
//       |                 |
//       a - d             b            a is due in this turn of the wheel, d in a later turn: same slot
//
// Costs, with n timers scheduled:
// - schedule and cancel: constant time; O(log k) to cancel one of k timers that are due already.
// - next: constant time; O(Slots + n / Slots) after the earliest timer was cancelled or has expired; O(n) if the next
//   timer is more than a turn of the wheel (Tick * Slots) away. So a turn should be as long as the usual timeout.
// - pop_expired: empties each slot that is due once, then O(log k) for each timer.
//
// wait_timeout, a heap, takes O(log n) for each of these calls. Use the heap unless measurements speak for the wheel.

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

/// Meets the contract in tofu/policies/concepts/timer.hpp, with deadlines of the steady clock, exact to its resolution:
/// a tick is the width of a slot only. Movable only before the first schedule().
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
    /// Lies in the object it times, so scheduling allocates nothing and cannot fail. A node is in a slot, or in the
    /// heap of due nodes, or not scheduled.
    class node : heap::node {
    public:
        [[nodiscard]] bool scheduled() const noexcept { return link_ != nullptr || heap::node::scheduled(); }
        [[nodiscard]] time_point deadline() const noexcept { return deadline_; }

    private:
        friend class wheel_timer;
        time_point deadline_{};
        node* next_ = nullptr;
        node** link_ =
            nullptr; ///< the pointer to this node: its slot, or `next_` of the node before; null if not in a slot
    };
    //]

    wheel_timer() noexcept = default;      // time_point's constructor may not be noexcept
    wheel_timer(wheel_timer&&) noexcept {} // nodes point into the slots, so none may be scheduled
    wheel_timer& operator=(wheel_timer&&) = delete;

    [[nodiscard]] time_point now() const noexcept { return clock::now(); }

    void schedule(node& item, time_point deadline) noexcept {
        cancel(item);
        item.deadline_ = deadline;
        if (deadline <= swept_) {
            due_.schedule(item, deadline); // its slot is empty already
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

    [[nodiscard]] node* pop_expired(time_point now) noexcept {
        if (in_slots_ != 0 && swept_ < now && earliest_ <= now) sweep(now);
        return static_cast<node*>(due_.pop_expired(now));
    }

    [[nodiscard]] time_point next() const noexcept {
        const time_point first = due_.next(); // due nodes are earlier than all nodes in slots
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

    /// Moves due nodes from their slots to the heap. The heap sorts the nodes of one slot, and those of a late turn of
    /// the loop, because nodes must come out in the order of their deadlines.
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
        swept_ = earliest_ = now; // no node in a slot is earlier
        exact_ = false;
    }

    /// Searches the wheel from the last known bound for the first node of this turn, else takes the earliest of later
    /// turns.
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

    heap due_;                               ///< nodes up to `swept_`
    time_point swept_ = (time_point::min)(); ///< the latest `now` of a sweep
    std::array<node*, Slots> slots_{};       ///< nodes after `swept_`
    std::size_t in_slots_ = 0;               ///< the number of these nodes
    mutable time_point earliest_{};          ///< none of these nodes is earlier; found by next() when needed
    mutable bool exact_ = false;             ///< true if a node has exactly this deadline
};

static_assert(tofu::timer_policy<wheel_timer<>>);

} // namespace example

#endif
