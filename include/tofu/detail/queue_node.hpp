// SPDX-License-Identifier: BSL-1.0
// The link by which messages, commands and timers are queued without an allocation.
#ifndef TOFU_DETAIL_QUEUE_NODE_HPP
#define TOFU_DETAIL_QUEUE_NODE_HPP

#include <tofu/config.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace tofu::inline TOFU_ABI::detail {

/// The type of the object that contains a node.
enum class node_kind : std::uint8_t {
    message,       ///< a posted message in the inbox, or a received message in a mailbox
    goodbye,       ///< the last message of a channel; receiving it frees the channel's number
    pool_empty,    ///< tells the group that the engine stopped reading for lack of credit
    end_of_stream, ///< marks the end of the messages of a half-closed peer; the application never receives it
    command,       ///< a call that the loop runs
    timer,         ///< an update_receiver_after for the loop, or its cancellation
    resolution     ///< the answer of a resolver
};

/// A member or base of an object that can be queued. The object is in at most one queue at a time.
struct queue_node {
    queue_node* next = nullptr;
    node_kind kind = node_kind::message;
};

/// A first-in, first-out queue that does not own its nodes. One thread at a time. Every operation takes constant time.
class node_queue {
public:
    constexpr node_queue() noexcept = default;
    /// Takes over a chain whose last link is null; both null for an empty queue.
    node_queue(queue_node* first, queue_node* last) noexcept : first_(first), last_(last) {
        TOFU_ASSERT((first == nullptr) == (last == nullptr) && (last == nullptr || last->next == nullptr));
    }
    node_queue(node_queue&& other) noexcept
        : first_(std::exchange(other.first_, nullptr)), last_(std::exchange(other.last_, nullptr)) {}
    node_queue& operator=(node_queue&&) = delete;

    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
    [[nodiscard]] queue_node* front() const noexcept { return first_; }
    [[nodiscard]] queue_node* back() const noexcept { return last_; }

    void push_back(queue_node& node) noexcept {
        TOFU_ASSERT(&node != last_); // it is in no queue
        node.next = nullptr;
        (last_ != nullptr ? last_->next : first_) = &node;
        last_ = &node;
    }

    void push_front(queue_node& node) noexcept {
        TOFU_ASSERT(&node != first_); // it is in no queue
        node.next = first_;
        first_ = &node;
        if (last_ == nullptr) last_ = &node;
    }

    /// Moves all nodes of `other` to the end of this queue.
    void splice(node_queue& other) noexcept {
        TOFU_ASSERT(&other != this);
        if (other.first_ == nullptr) return;
        (last_ != nullptr ? last_->next : first_) = other.first_;
        last_ = other.last_;
        other.first_ = other.last_ = nullptr;
    }

    /// Null when empty.
    queue_node* pop_front() noexcept {
        queue_node* const node = first_;
        if (node == nullptr) return nullptr;
        first_ = node->next;
        TOFU_ASSERT((first_ == nullptr) == (node == last_)); // the last link is null
        if (first_ == nullptr) last_ = nullptr;
        node->next = nullptr;
        return node;
    }

    /// Empties the queue and returns its chain, oldest node first.
    queue_node* release() noexcept {
        last_ = nullptr;
        return std::exchange(first_, nullptr);
    }

private:
    queue_node* first_ = nullptr;
    queue_node* last_ = nullptr;
};

} // namespace tofu::inline TOFU_ABI::detail

#endif
