// SPDX-License-Identifier: BSL-1.0
// A heap of deadlines whose nodes lie in what they time, for any clock.
#ifndef TOFU_POLICIES_TIMER_DEADLINE_HEAP_HPP
#define TOFU_POLICIES_TIMER_DEADLINE_HEAP_HPP

#include <tofu/config.hpp>

namespace tofu::inline TOFU_ABI {

/// A pairing heap: scheduling is O(1) and allocates nothing, cancelling and taking the earliest are O(log n) amortised.
/// One thread at a time.
template <class TimePoint>
class deadline_heap {
public:
    using time_point = TimePoint;

    /// One deadline. Its owner keeps it in place while it is scheduled, and cancels it before it dies.
    class node {
    public:
        [[nodiscard]] bool scheduled() const noexcept { return scheduled_; }
        [[nodiscard]] time_point deadline() const noexcept { return deadline_; }

    private:
        friend class deadline_heap;
        time_point deadline_{};
        node* child_ = nullptr;
        node* sibling_ = nullptr;
        node* before_ = nullptr; // the elder sibling, or the parent of an eldest child
        bool scheduled_ = false;
    };

    /// Sets the deadline, whether or not one was set before.
    void schedule(node& item, time_point deadline) noexcept {
        cancel(item);
        item.deadline_ = deadline;
        item.scheduled_ = true;
        root_ = meld(root_, &item);
    }

    /// No effect on a node that is not scheduled.
    void cancel(node& item) noexcept {
        if (!item.scheduled_) return;
        node* const rest = meld_children(item);
        if (&item == root_) {
            root_ = rest;
        } else {
            unlink(item);
            root_ = meld(root_, rest);
        }
        item.scheduled_ = false;
    }

    /// Takes the earliest node whose deadline is not after `now`; null when there is none.
    [[nodiscard]] node* pop_expired(time_point now) noexcept {
        node* const first = root_;
        if (first == nullptr || first->deadline_ > now) return nullptr;
        cancel(*first);
        return first;
    }

    /// The earliest deadline; time_point::max() when there is none.
    [[nodiscard]] time_point next() const noexcept { return root_ != nullptr ? root_->deadline_ : (time_point::max)(); }

private:
    static node* meld(node* left, node* right) noexcept {
        if (left == nullptr) return right;
        if (right == nullptr) return left;
        if (right->deadline_ < left->deadline_) {
            node* const later = left;
            left = right;
            right = later;
        }
        right->before_ = left;
        right->sibling_ = left->child_;
        if (right->sibling_ != nullptr) right->sibling_->before_ = right;
        left->child_ = right;
        return left;
    }

    static void unlink(node& item) noexcept {
        (item.before_->child_ == &item ? item.before_->child_ : item.before_->sibling_) = item.sibling_;
        if (item.sibling_ != nullptr) item.sibling_->before_ = item.before_;
        item.before_ = item.sibling_ = nullptr;
    }

    /// The two passes of a pairing heap: meld neighbours two by two, then the pairs from last to first.
    static node* meld_children(node& parent) noexcept {
        node* pairs = nullptr;
        for (node* child = parent.child_; child != nullptr;) {
            node* const second = child->sibling_;
            node* const rest = second != nullptr ? second->sibling_ : nullptr;
            detach(*child);
            if (second != nullptr) detach(*second);
            node* const pair = meld(child, second);
            pair->sibling_ = pairs;
            pairs = pair;
            child = rest;
        }
        parent.child_ = nullptr;
        node* melded = nullptr;
        while (pairs != nullptr) {
            node* const next = pairs->sibling_;
            detach(*pairs);
            melded = meld(melded, pairs);
            pairs = next;
        }
        return melded;
    }

    static void detach(node& item) noexcept { item.before_ = item.sibling_ = nullptr; }

    node* root_ = nullptr;
};

} // namespace tofu::inline TOFU_ABI

#endif
