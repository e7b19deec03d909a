// SPDX-License-Identifier: BSL-1.0
// The receive queue of a channel group. The loop fills it a batch at a time; one thread receives from it.
#ifndef TOFU_ENGINE_THREADS_MAILBOX_HPP
#define TOFU_ENGINE_THREADS_MAILBOX_HPP

#include <tofu/config.hpp>
#include <tofu/detail/prefetch.hpp>
#include <tofu/engine/threads/handoff.hpp>
#include <tofu/message.hpp>
#include <tofu/platform/sleeper.hpp>

#include <atomic>
#include <chrono>

namespace tofu::inline TOFU_ABI::engine {

/// A push takes no lock, and calls the system only if the receiver sleeps.
class mailbox {
public:
    using time_point = std::chrono::steady_clock::time_point;

    explicit mailbox(handoff::between which = handoff::between::threads) noexcept : incoming_(which) {}

    /// Any thread.
    void push(detail::queue_node& node) noexcept {
        incoming_.push(node);
        receiver_.wake();
    }

    /// Any thread. Pushes the whole batch at once.
    void push_all(detail::node_queue& batch) noexcept {
        if (batch.empty()) return;
        incoming_.push_all(batch);
        receiver_.wake();
    }

    /// Any thread. Says that no message follows. Queued messages can still be popped.
    void finish() noexcept {
        finished_.store(true, std::memory_order_seq_cst);
        receiver_.wake();
    }

    /// The receiver. Null: the mailbox is empty.
    [[nodiscard]] detail::queue_node* pop() noexcept {
        if (taken_.empty()) {
            detail::node_queue fresh = incoming_.take_all(prefetch_content);
            if (fresh.empty()) return nullptr;
            taken_.splice(fresh);
        }
        detail::queue_node* const node = taken_.pop_front();
        has_taken_.store(!taken_.empty(), std::memory_order_relaxed);
        if (taken_.empty() && incoming_.empty()) all_taken_.store(true, std::memory_order_relaxed);
        return node;
    }

    /// Any thread. True once after the receiver has emptied the mailbox: the next post is likely the answer to what it
    /// received last. A wrong guess costs only time.
    [[nodiscard]] bool claim_answer() noexcept {
        if (!all_taken_.load(std::memory_order_relaxed)) return false;
        all_taken_.store(false, std::memory_order_relaxed);
        return true;
    }

    /// Any thread. True: `pop` would find a message.
    [[nodiscard]] bool has_unread() const noexcept {
        return has_taken_.load(std::memory_order_relaxed) || !incoming_.empty();
    }

    [[nodiscard]] bool finished() const noexcept { return finished_.load(std::memory_order_seq_cst); }

    /// The receiver. True: `pop` will find a message.
    [[nodiscard]] bool has_mail() const noexcept { return !taken_.empty() || !incoming_.empty(); }

    /// The receiver, after `pop` gave null. Waits until a message comes or the mailbox is finished. False: `until` was
    /// reached (max(): never).
    bool wait_until(time_point until) noexcept {
        bool in_time = true;
        for (;;) {
            receiver_.prepare(); // then look again
            if (!incoming_.empty() || finished() || !in_time) break;
            in_time = !receiver_.sleep(until);
        }
        receiver_.rise();
        return in_time;
    }

private:
    handoff incoming_;
    alignas(detail::cache_line_size) platform::sleeper receiver_;
    std::atomic<bool> finished_{false};
    std::atomic<bool> all_taken_{false};
    std::atomic<bool> has_taken_{false}; ///< true exactly when the last `pop` left something in `taken_`
    detail::node_queue taken_;           ///< taken from `incoming_`; used by the receiver only
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
