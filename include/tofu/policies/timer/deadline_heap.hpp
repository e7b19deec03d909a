// SPDX-License-Identifier: BSL-1.0
// A heap of deadlines for any clock. Its nodes lie in the objects they time.
//
// This header is open to policies outside of the library; see doc/writing-policies.md.
#ifndef TOFU_POLICIES_TIMER_DEADLINE_HEAP_HPP
#define TOFU_POLICIES_TIMER_DEADLINE_HEAP_HPP

#include <tofu/config.hpp>

namespace tofu::inline TOFU_ABI {

/// A pairing heap. schedule() of a new node takes constant time; cancel() and pop_expired() take O(log n) amortised.
/// Allocates nothing. One thread at a time.
template <class TimePoint>
class deadline_heap {
public:
    using time_point = TimePoint;

    /// One deadline. It keeps its address while it is scheduled, and is cancelled before it is destroyed.
    class node {
    public:
        [[nodiscard]] bool scheduled() const noexcept { return scheduled_; }
        [[nodiscard]] time_point deadline() const noexcept { return deadline_; }

    private:
        friend class deadline_heap;
        time_point deadline_{};
        node* child_ = nullptr;
        node* sibling_ = nullptr;
        node* before_ = nullptr; ///< the sibling before it, or the parent of a first child; null for the root
        bool scheduled_ = false; ///< true exactly while the heap holds it
    };

    /// Sets the deadline, whether or not the node is scheduled.
    void schedule(node& item, time_point deadline) noexcept {
        cancel(item);
        TOFU_ASSERT(item.child_ == nullptr && item.sibling_ == nullptr && item.before_ == nullptr);
        item.deadline_ = deadline;
        item.scheduled_ = true;
        root_ = meld(root_, &item);
    }

    /// No effect on a node that is not scheduled.
    void cancel(node& item) noexcept {
        if (!item.scheduled_) return;
        TOFU_ASSERT(root_ != nullptr && (&item == root_) == (item.before_ == nullptr));
        node* const rest = meld_children(item);
        if (&item == root_) {
            root_ = rest;
        } else {
            unlink(item);
            root_ = meld(root_, rest);
        }
        item.scheduled_ = false;
    }

    /// Takes the earliest node whose deadline is not after `now`; null if there is none.
    [[nodiscard]] node* pop_expired(time_point now) noexcept {
        node* const first = root_;
        if (first == nullptr || first->deadline_ > now) return nullptr;
        cancel(*first);
        return first;
    }

    /// The earliest deadline, or time_point::max().
    [[nodiscard]] time_point next() const noexcept { return root_ != nullptr ? root_->deadline_ : (time_point::max)(); }

private:
    /// Makes one heap of two: the later root becomes the first child of the earlier one.
    static node* meld(node* left, node* right) noexcept {
        if (left == nullptr) return right;
        if (right == nullptr) return left;
        TOFU_ASSERT(left != right && left->before_ == nullptr && right->before_ == nullptr); // two roots
        if (right->deadline_ < left->deadline_) {
            node* const later = left;
            left = right;
            right = later;
        }
        right->before_ = left;
        right->sibling_ = left->child_;
        if (right->sibling_ != nullptr) right->sibling_->before_ = right;
        left->child_ = right;
        TOFU_ASSERT(!(right->deadline_ < left->deadline_)); // heap order: no child is earlier than its parent
        return left;
    }

    static void unlink(node& item) noexcept {
        TOFU_ASSERT(item.before_->child_ == &item || item.before_->sibling_ == &item);
        (item.before_->child_ == &item ? item.before_->child_ : item.before_->sibling_) = item.sibling_;
        if (item.sibling_ != nullptr) item.sibling_->before_ = item.before_;
        item.before_ = item.sibling_ = nullptr;
    }

    /// Makes one heap of the children: melds neighbours in pairs, then the pairs from the last to the first.
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
