// SPDX-License-Identifier: BSL-1.0
// The queue into the loop, and the exact rule when a producer has to wake the loop.
#ifndef TOFU_ENGINE_THREADS_INBOX_HPP
#define TOFU_ENGINE_THREADS_INBOX_HPP

#include <tofu/config.hpp>
#include <tofu/detail/prefetch.hpp>
#include <tofu/engine/threads/handoff.hpp>
#include <tofu/message.hpp>

#include <atomic>

namespace tofu::inline TOFU_ABI::engine {

/// Why no wake-up is lost: the producer pushes, then exchanges `sleeping_`. The loop stores `sleeping_`, then looks at
/// the queue once more, then waits. All four are seq_cst and have a single order. If the producer's exchange comes
/// after the loop's store, the producer wakes the loop. If not, the push comes before the loop's look, and the loop
/// does not wait.
class inbox {
public:
    /// Any thread. True: the caller has to wake the loop. Exactly one of several callers gets true.
    [[nodiscard]] bool push(detail::queue_node& node) noexcept {
        queue_.push(node);
        return claim_wake();
    }

    /// Any thread. The same for a caller that has changed something outside the queue.
    [[nodiscard]] bool claim_wake() noexcept {
        // While the loop is busy, the load alone decides, and no exchange takes the cache line from the loop. The load
        // is part of the same single order.
        return sleeping_.load(std::memory_order_seq_cst) && sleeping_.exchange(false, std::memory_order_seq_cst);
    }

    /// The loop, before it waits. False: the queue has something, so the loop must not wait.
    [[nodiscard]] bool fall_asleep() noexcept {
        if (!queue_.empty()) return false;
        sleeping_.store(true, std::memory_order_seq_cst);
        return queue_.empty();
    }

    /// The loop, after it waited.
    void awake() noexcept { sleeping_.store(false, std::memory_order_seq_cst); }

    /// The loop. Everything in the queue, oldest first.
    [[nodiscard]] detail::node_queue take_all() noexcept { return queue_.take_all(prefetch_content); }

    [[nodiscard]] bool empty() const noexcept { return queue_.empty(); }

private:
    handoff queue_;
    alignas(detail::cache_line_size) std::atomic<bool> sleeping_{false};
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
