// SPDX-License-Identifier: BSL-1.0
// The link that lets a message, a command or a timer travel through tofu's queues without an allocation.
#ifndef TOFU_DETAIL_QUEUE_NODE_HPP
#define TOFU_DETAIL_QUEUE_NODE_HPP

#include <tofu/config.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace tofu::inline TOFU_ABI::detail {

/// What a node is, so that whoever takes it from a queue knows what to do with it.
enum class node_kind : std::uint8_t {
    message,       ///< a message: posted (in the inbox) or received (in a mailbox)
    goodbye,       ///< the last message of a channel; taking it frees the channel's number
    pool_empty,    ///< the group's notice that receiving has stopped for lack of credit
    end_of_stream, ///< never seen by the application: everything a half-closed peer sent lies before it
    command,       ///< a call to be run by the loop
    timer,         ///< an update_receiver_after on its way to the loop, or its cancellation
    resolution     ///< the answer of a resolver
};

/// A link in exactly one queue at a time.
struct queue_node {
    queue_node* next = nullptr;
    node_kind kind = node_kind::message;
};

/// First in, first out, of nodes somebody else owns. One thread at a time. Every operation is O(1).
class node_queue {
public:
    constexpr node_queue() noexcept = default;
    /// A chain that ends in a null link; both null: none.
    node_queue(queue_node* first, queue_node* last) noexcept : first_(first), last_(last) {}
    node_queue(node_queue&& other) noexcept
        : first_(std::exchange(other.first_, nullptr)), last_(std::exchange(other.last_, nullptr)) {}
    node_queue& operator=(node_queue&&) = delete;

    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
    [[nodiscard]] queue_node* front() const noexcept { return first_; }
    [[nodiscard]] queue_node* back() const noexcept { return last_; }

    void push_back(queue_node& node) noexcept {
        node.next = nullptr;
        (last_ != nullptr ? last_->next : first_) = &node;
        last_ = &node;
    }

    void push_front(queue_node& node) noexcept {
        node.next = first_;
        first_ = &node;
        if (last_ == nullptr) last_ = &node;
    }

    /// Moves everything from `other` behind what is here.
    void splice(node_queue& other) noexcept {
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
        if (first_ == nullptr) last_ = nullptr;
        node->next = nullptr;
        return node;
    }

    /// Gives up the whole chain, oldest first.
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
