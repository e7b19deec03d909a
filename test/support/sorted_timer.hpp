// SPDX-License-Identifier: BSL-1.0
// Another timer policy, as simple as possible. It proves that the engine needs only the contract, and nothing that only
// a heap has.
#ifndef TOFU_TEST_SUPPORT_SORTED_TIMER_HPP
#define TOFU_TEST_SUPPORT_SORTED_TIMER_HPP

#include <tofu/policies/categories.hpp>

namespace tofu_test {

/// A list in the order of the deadlines; scheduling is O(n). The clock comes from `Clock`.
template <class Clock>
class sorted_timer {
public:
    using category = tofu::timer_category;
    using clock = Clock;
    using time_point = typename clock::time_point;
    static constexpr bool has_timers = true;

    class node {
    public:
        [[nodiscard]] bool scheduled() const noexcept { return scheduled_; }
        [[nodiscard]] time_point deadline() const noexcept { return deadline_; }

    private:
        friend class sorted_timer;
        time_point deadline_{};
        node* next_ = nullptr;
        bool scheduled_ = false;
    };

    void schedule(node& item, time_point deadline) noexcept {
        cancel(item);
        item.deadline_ = deadline;
        node** place = &first_;
        while (*place != nullptr && (*place)->deadline_ <= deadline) place = &(*place)->next_;
        item.next_ = *place;
        item.scheduled_ = true;
        *place = &item;
    }

    void cancel(node& item) noexcept {
        if (!item.scheduled_) return;
        node** place = &first_;
        while (*place != &item) place = &(*place)->next_;
        *place = item.next_;
        item.scheduled_ = false;
    }

    [[nodiscard]] node* pop_expired(time_point now) noexcept {
        node* const earliest = first_;
        if (earliest == nullptr || earliest->deadline_ > now) return nullptr;
        cancel(*earliest);
        return earliest;
    }

    [[nodiscard]] time_point next() const noexcept {
        return first_ != nullptr ? first_->deadline_ : (time_point::max)();
    }

private:
    node* first_ = nullptr;
};

} // namespace tofu_test

#endif
