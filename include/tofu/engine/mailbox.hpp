// SPDX-License-Identifier: BSL-1.0
// The receive queue of a channel group: filled by the loop a batch at a time, emptied by one receiving thread.
#ifndef TOFU_ENGINE_MAILBOX_HPP
#define TOFU_ENGINE_MAILBOX_HPP

#include <tofu/engine/handoff.hpp>
#include <tofu/engine/waiting.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace tofu::engine {

/// Pushing is lock-free; the mutex is touched only to wake a receiver that really waits.
class mailbox {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// Any thread.
    void push(queue_node& node) noexcept {
        incoming_.push(node);
        wake_receiver();
    }

    /// Any thread. One hand-over for the whole batch.
    void push_all(node_queue& batch) noexcept {
        if (batch.empty()) return;
        incoming_.push_all(batch);
        wake_receiver();
    }

    /// Any thread: nothing more will come. What is queued can still be popped.
    void finish() noexcept {
        finished_.store(true, std::memory_order_seq_cst);
        wake_receiver();
    }

    /// The receiver. Null when nothing is there.
    [[nodiscard]] queue_node* pop() noexcept {
        if (taken_.empty()) taken_.append_chain(incoming_.take_all());
        return taken_.pop_front();
    }

    [[nodiscard]] bool finished() const noexcept { return finished_.load(std::memory_order_seq_cst); }

    /// The receiver. Something is there for `pop`.
    [[nodiscard]] bool has_mail() const noexcept { return !taken_.empty() || !incoming_.empty(); }

    /// The receiver, after `pop` gave null: until something comes or the mailbox is finished. False: `until` was
    /// reached (time_point::max(): never).
    bool wait_until(time_point until) noexcept {
        std::unique_lock lock(mutex_);
        bool in_time = true;
        for (;;) {
            waiting_.store(true, std::memory_order_seq_cst); // then look again: the inbox's handshake
            if (!incoming_.empty() || finished() || !in_time) break;
            in_time = !wait_is_late(arrival_, lock, until);
        }
        waiting_.store(false, std::memory_order_seq_cst);
        return in_time;
    }

private:
    void wake_receiver() noexcept {
        if (!waiting_.load(std::memory_order_seq_cst) || !waiting_.exchange(false, std::memory_order_seq_cst)) return;
        { const std::lock_guard passed_through(mutex_); } // the receiver is inside its wait, not on the way to it
        arrival_.notify_one();
    }

    handoff incoming_;
    alignas(64) std::atomic<bool> waiting_{false};
    std::atomic<bool> finished_{false};
    std::mutex mutex_;
    std::condition_variable arrival_;
    node_queue taken_; // the receiver's own
};

} // namespace tofu::engine

#endif
