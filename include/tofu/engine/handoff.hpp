// SPDX-License-Identifier: BSL-1.0
// The lock-free hand-over of nodes from many producers to one consumer that takes everything at once.
#ifndef TOFU_ENGINE_HANDOFF_HPP
#define TOFU_ENGINE_HANDOFF_HPP

#include <tofu/queue_node.hpp>

#include <atomic>

namespace tofu::engine {

/// Producers push with one compare-and-swap, the consumer takes all with one exchange and reverses the chain. Because
/// nothing is ever popped singly there is no ABA problem. Push, take_all and empty are seq_cst: both users pair them
/// with a `sleeping` flag in a store-load handshake (see inbox.hpp), which weaker orders would break.
class handoff {
public:
    handoff() noexcept = default;
    handoff(const handoff&) = delete;
    handoff& operator=(const handoff&) = delete;

    /// Any thread.
    void push(queue_node& node) noexcept {
        queue_node* head = head_.load(std::memory_order_relaxed);
        do {
            node.next = head;
        } while (!head_.compare_exchange_weak(head, &node, std::memory_order_seq_cst, std::memory_order_relaxed));
    }

    /// Any thread. Pushes a whole queue, oldest first, as one hand-over.
    void push_all(node_queue& queue) noexcept {
        queue_node* const oldest = queue.release();
        if (oldest == nullptr) return;
        queue_node* const newest = reversed(oldest);
        queue_node* head = head_.load(std::memory_order_relaxed);
        do {
            oldest->next = head;
        } while (!head_.compare_exchange_weak(head, newest, std::memory_order_seq_cst, std::memory_order_relaxed));
    }

    /// The consumer. The whole chain, oldest first; null when empty.
    [[nodiscard]] queue_node* take_all() noexcept {
        if (head_.load(std::memory_order_relaxed) == nullptr) return nullptr;
        return reversed(head_.exchange(nullptr, std::memory_order_seq_cst));
    }

    /// Any thread.
    [[nodiscard]] bool empty() const noexcept { return head_.load(std::memory_order_seq_cst) == nullptr; }

private:
    static queue_node* reversed(queue_node* chain) noexcept {
        queue_node* result = nullptr;
        while (chain != nullptr) {
            queue_node* const next = chain->next;
            chain->next = result;
            result = chain;
            chain = next;
        }
        return result;
    }

    std::atomic<queue_node*> head_{nullptr};
};

} // namespace tofu::engine

#endif
