// SPDX-License-Identifier: BSL-1.0
// A doubly linked list of objects that carry their own links. An item joins without an allocation, and leaves in O(1).
#ifndef TOFU_DETAIL_INTRUSIVE_LIST_HPP
#define TOFU_DETAIL_INTRUSIVE_LIST_HPP

#include <tofu/config.hpp>

namespace tofu::inline TOFU_ABI::detail {

template <class Item>
class list_hook;

template <class Item, list_hook<Item> Item::*Hook>
class intrusive_list;

/// Links an item into one list. An item needs as many hooks as lists may hold it at once. Several lists may share a
/// hook if at most one of them holds the item at a time. A hook must not be linked when it is destroyed. One thread at
/// a time may use a list and the hooks of its items.
template <class Item>
class list_hook {
public:
    list_hook() noexcept = default;
    list_hook(const list_hook&) = delete;
    list_hook& operator=(const list_hook&) = delete;
    ~list_hook() { TOFU_ASSERT(!linked()); }

    /// True exactly when a list holds the item by this hook.
    [[nodiscard]] bool linked() const noexcept { return next_ != nullptr; }

    /// Takes the item out of the list that holds it; needs no list object. No effect if no list holds it. O(1).
    void unlink() noexcept {
        if (!linked()) return;
        TOFU_ASSERT(previous_->next_ == this && next_->previous_ == this);
        previous_->next_ = next_;
        previous_->next_item_ = next_item_;
        next_->previous_ = previous_;
        next_ = previous_ = nullptr;
        next_item_ = nullptr;
    }

private:
    template <class I, list_hook<I> I::*Hook>
    friend class intrusive_list;

    // The links of a list form a circle through the list's own hook, the head. So a neighbour always exists, and an
    // item can leave without the list. The head belongs to no item.
    list_hook* previous_ = nullptr;
    list_hook* next_ = nullptr;
    Item* next_item_ = nullptr; ///< owner of *next_, null if that is the head; a reader finds it without loading *next_
};

/// Holds items by their member `Hook`; owns none of them. Cannot be moved, since its items point to it. One thread at a
/// time; every operation except drain() is O(1).
template <class Item, list_hook<Item> Item::*Hook>
class intrusive_list {
public:
    intrusive_list() noexcept { close_circle(); }
    intrusive_list(const intrusive_list&) = delete;
    intrusive_list& operator=(const intrusive_list&) = delete;
    ~intrusive_list() {
        TOFU_ASSERT(empty());
        head_.next_ = head_.previous_ = nullptr;
    }

    [[nodiscard]] bool empty() const noexcept { return head_.next_item_ == nullptr; }

    /// Null when empty.
    [[nodiscard]] Item* front() const noexcept { return head_.next_item_; }

    /// The item after `item`, which must be in a list; null after the last.
    [[nodiscard]] static Item* next(const Item& item) noexcept {
        TOFU_ASSERT((item.*Hook).linked());
        return (item.*Hook).next_item_;
    }

    /// True if this list, or another list by the same hook, holds the item.
    [[nodiscard]] static bool contains(const Item& item) noexcept { return (item.*Hook).linked(); }

    /// No effect on an item that is linked already.
    void push_back(Item& item) noexcept {
        hook& added = item.*Hook;
        if (added.linked()) return;
        hook& last = *head_.previous_;
        TOFU_ASSERT(last.next_ == &head_ && last.next_item_ == nullptr);
        added.previous_ = &last;
        added.next_ = &head_;
        last.next_ = &added;
        last.next_item_ = &item;
        head_.previous_ = &added;
    }

    /// No effect on an item that is not linked.
    void erase(Item& item) noexcept { (item.*Hook).unlink(); }

    /// Null when empty.
    Item* pop_front() noexcept {
        Item* const item = front();
        if (item != nullptr) erase(*item);
        return item;
    }

    /// Moves all items of another list to the end of this one, in their order.
    void splice(intrusive_list& other) noexcept {
        TOFU_ASSERT(&other != this);
        if (other.empty()) return;
        hook& last = *head_.previous_;
        last.next_ = other.head_.next_;
        last.next_item_ = other.head_.next_item_;
        last.next_->previous_ = &last;
        head_.previous_ = other.head_.previous_;
        head_.previous_->next_ = &head_;
        other.close_circle();
    }

    /// Calls `visit(item)` for each item that is here at the call, in their order, after the item has left the list. An
    /// item that comes during the call stays.
    template <class Visit>
    void drain(Visit visit) noexcept {
        intrusive_list now;
        now.splice(*this);
        while (Item* const item = now.pop_front()) visit(*item);
    }

private:
    using hook = list_hook<Item>;

    void close_circle() noexcept {
        head_.next_ = head_.previous_ = &head_;
        head_.next_item_ = nullptr;
    }

    hook head_;
};

} // namespace tofu::inline TOFU_ABI::detail

#endif
