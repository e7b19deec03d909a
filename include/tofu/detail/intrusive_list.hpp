// SPDX-License-Identifier: BSL-1.0
// A doubly linked list of objects that carry their own links, so that membership costs no allocation and ends in O(1).
#ifndef TOFU_DETAIL_INTRUSIVE_LIST_HPP
#define TOFU_DETAIL_INTRUSIVE_LIST_HPP

#include <tofu/config.hpp>

namespace tofu::inline TOFU_ABI::detail {

/// The links of one membership; an object has one hook for every list it can be in at the same time.
template <class Item>
struct list_hook {
    Item* previous = nullptr;
    Item* next = nullptr;
    bool linked = false;
};

/// One thread at a time; every operation is O(1).
template <class Item, list_hook<Item> Item::*Hook>
class intrusive_list {
public:
    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
    [[nodiscard]] Item* front() const noexcept { return first_; }
    [[nodiscard]] static Item* next(const Item& item) noexcept { return (item.*Hook).next; }
    [[nodiscard]] static bool contains(const Item& item) noexcept { return (item.*Hook).linked; }

    /// No effect on an item already in the list.
    void push_back(Item& item) noexcept {
        list_hook<Item>& hook = item.*Hook;
        if (hook.linked) return;
        hook = {last_, nullptr, true};
        (last_ != nullptr ? (last_->*Hook).next : first_) = &item;
        last_ = &item;
    }

    /// No effect on an item that is not in the list.
    void erase(Item& item) noexcept {
        list_hook<Item>& hook = item.*Hook;
        if (!hook.linked) return;
        (hook.previous != nullptr ? (hook.previous->*Hook).next : first_) = hook.next;
        (hook.next != nullptr ? (hook.next->*Hook).previous : last_) = hook.previous;
        hook = {};
    }

    /// Null when empty.
    Item* pop_front() noexcept {
        Item* const item = first_;
        if (item != nullptr) erase(*item);
        return item;
    }

    /// Exchanges the contents; the items stay where they are in memory.
    void swap(intrusive_list& other) noexcept {
        Item* const first = first_;
        Item* const last = last_;
        first_ = other.first_;
        last_ = other.last_;
        other.first_ = first;
        other.last_ = last;
    }

private:
    Item* first_ = nullptr;
    Item* last_ = nullptr;
};

} // namespace tofu::inline TOFU_ABI::detail

#endif
