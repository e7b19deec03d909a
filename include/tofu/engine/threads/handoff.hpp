// SPDX-License-Identifier: BSL-1.0
// A lock-free queue: many producers push nodes, one consumer takes all nodes at once.
#ifndef TOFU_ENGINE_THREADS_HANDOFF_HPP
#define TOFU_ENGINE_THREADS_HANDOFF_HPP

#include <tofu/config.hpp>
#include <tofu/detail/prefetch.hpp>
#include <tofu/detail/queue_node.hpp>
#include <tofu/engine/threads/trail.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tofu::inline TOFU_ABI::engine {

/// A producer pushes with one compare-and-swap. The consumer takes all nodes with one exchange, and reverses the chain.
/// No node is ever popped singly, so there is no ABA problem. push, take_all and empty are seq_cst: inbox and mailbox
/// pair them with a flag in a store-load handshake, which weaker orders would break.
class handoff {
public:
    /// Says whether producers and consumer usually run on different threads. Prefetching helps only then.
    enum class between : std::uint8_t { threads, one_thread };

    explicit handoff(between which = between::threads) noexcept : between_(which) {}
    handoff(const handoff&) = delete;
    handoff& operator=(const handoff&) = delete;

    /// Any thread.
    void push(detail::queue_node& node) noexcept {
        trail_.add(node);
        link(node, node);
    }

    /// Any thread. Pushes a whole queue, oldest first, with one compare-and-swap.
    void push_all(detail::node_queue& queue) noexcept {
        detail::queue_node* const oldest = queue.release();
        if (oldest == nullptr) return;
        detail::queue_node* newest = nullptr;
        for (detail::queue_node* node = oldest; node != nullptr;) {
            detail::queue_node* const next = node->next;
            node->next = newest;
            newest = node;
            trail_.add(*node);
            node = next;
        }
        link(*newest, *oldest);
    }

    /// The consumer. Takes all nodes, oldest first. Calls `visit(node)` for each node, at a time when the node is in
    /// the cache.
    template <class Visit>
    [[nodiscard]] detail::node_queue take_all(Visit visit) noexcept {
        if (head_.load(std::memory_order_relaxed) == nullptr) return {};
        trail::runner ahead(trail_);
        detail::queue_node* const newest = head_.exchange(nullptr, std::memory_order_seq_cst);
        detail::queue_node* oldest = nullptr;
        std::size_t nodes = 0;
        for (detail::queue_node* node = newest; node != nullptr; ++nodes) {
            ahead.step();
            visit(*node);
            detail::queue_node* const older = node->next;
            node->next = oldest;
            oldest = node;
            node = older;
        }
        if (between_ == between::threads) trail_.allocate_after(nodes);
        return {oldest, newest};
    }

    /// Any thread.
    [[nodiscard]] bool empty() const noexcept { return head_.load(std::memory_order_seq_cst) == nullptr; }

private:
    void link(detail::queue_node& newest, detail::queue_node& oldest) noexcept {
        detail::queue_node* head = head_.load(std::memory_order_relaxed);
        do {
            oldest.next = head;
        } while (!head_.compare_exchange_weak(head, &newest, std::memory_order_seq_cst, std::memory_order_relaxed));
    }

    alignas(detail::cache_line_size) std::atomic<detail::queue_node*> head_{nullptr};
    trail trail_;
    const between between_;
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
