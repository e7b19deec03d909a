// SPDX-License-Identifier: BSL-1.0
// The way into the loop: everything other threads ask of it, and the exact rule of when they have to wake it.
#ifndef TOFU_ENGINE_THREADS_INBOX_HPP
#define TOFU_ENGINE_THREADS_INBOX_HPP

#include <tofu/config.hpp>
#include <tofu/detail/prefetch.hpp>
#include <tofu/engine/threads/handoff.hpp>
#include <tofu/message.hpp>

#include <atomic>

namespace tofu::inline TOFU_ABI::engine {

/// Why no wake-up is lost: the producer pushes, then exchanges `sleeping`; the loop stores `sleeping`, then looks at
/// the queue once more, then waits. All four are seq_cst, so in their single order either the producer's exchange comes
/// after the loop's store (and it wakes), or the push comes before the loop's look (and the loop does not wait).
class inbox {
public:
    /// Any thread. True when the caller now has to wake the loop; exactly one of several callers is told so.
    [[nodiscard]] bool push(detail::queue_node& node) noexcept {
        queue_.push(node);
        return claim_wake();
    }

    /// Any thread. For a caller that has changed something else the loop must look at.
    [[nodiscard]] bool claim_wake() noexcept {
        // The plain look spares a busy loop's cache line the exchange; it is part of the same single order.
        return sleeping_.load(std::memory_order_seq_cst) && sleeping_.exchange(false, std::memory_order_seq_cst);
    }

    /// The loop, before it waits. False when something has come in meanwhile: do not wait then.
    [[nodiscard]] bool fall_asleep() noexcept {
        if (!queue_.empty()) return false; // nobody needs to be told
        sleeping_.store(true, std::memory_order_seq_cst);
        return queue_.empty();
    }

    /// The loop, after it waited.
    void awake() noexcept { sleeping_.store(false, std::memory_order_seq_cst); }

    /// The loop. Everything that has come in, oldest first.
    [[nodiscard]] detail::node_queue take_all() noexcept { return queue_.take_all(prefetch_content); }

    [[nodiscard]] bool empty() const noexcept { return queue_.empty(); }

private:
    handoff queue_;
    alignas(detail::cache_line_size) std::atomic<bool> sleeping_{false};
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
