// SPDX-License-Identifier: BSL-1.0
// Free messages, between the threads that take some and those that return them.
#ifndef TOFU_ENGINE_MESSAGE_STORE_HPP
#define TOFU_ENGINE_MESSAGE_STORE_HPP

#include <tofu/message.hpp>

#include <atomic>
#include <cstddef>
#include <mutex>

namespace tofu::engine {

/// Bounded. Whoever takes messages and whoever returns them do not meet: what comes back waits behind a lock of its
/// own, until it is worth a second lock to move all of it over. What came back last is used first, as it may still be
/// in a cache. Any thread.
class message_store {
public:
    explicit message_store(std::size_t most) noexcept : most_(most) {}
    message_store(const message_store&) = delete;
    message_store& operator=(const message_store&) = delete;

    /// Null when there is none.
    [[nodiscard]] message* take() noexcept {
        const std::lock_guard lock(taking_);
        queue_node* const node = pop();
        return node != nullptr ? &message_of(*node) : nullptr;
    }

    /// As many as there are, but no more than `wanted`, under one lock.
    void take(node_queue& into, std::size_t wanted) noexcept {
        const std::lock_guard lock(taking_);
        for (; wanted > 0; --wanted) {
            queue_node* const node = pop();
            if (node == nullptr) return;
            into.push_back(*node);
        }
    }

    /// False: it is full, or closed; the message stays with the caller.
    [[nodiscard]] bool put(message& m) noexcept {
        const std::lock_guard lock(returning_);
        if (!has_room()) return false;
        returned_.push(node_of(m));
        return true;
    }

    /// Many under one lock; what it does not take stays in `from`.
    void put(node_queue& from) noexcept {
        const std::lock_guard lock(returning_);
        while (!from.empty() && has_room()) returned_.push(*from.pop_front());
    }

    /// All there are. From now on it takes none.
    [[nodiscard]] node_queue close() noexcept {
        const std::scoped_lock lock(taking_, returning_);
        closed_ = true;
        free_.take_over(returned_);
        free_.count.store(0, std::memory_order_relaxed);
        return std::move(free_.nodes);
    }

    /// Near enough while others take and return some.
    [[nodiscard]] std::size_t size() const noexcept { return free_.size() + returned_.size(); }

private:
    /// Changed by one thread at a time, counted for all.
    struct stack {
        node_queue nodes;
        std::atomic<std::size_t> count{0};

        [[nodiscard]] std::size_t size() const noexcept { return count.load(std::memory_order_relaxed); }
        void push(queue_node& node) noexcept {
            nodes.push_front(node);
            count.store(size() + 1, std::memory_order_relaxed);
        }
        queue_node* pop() noexcept {
            queue_node* const node = nodes.pop_front();
            if (node != nullptr) count.store(size() - 1, std::memory_order_relaxed);
            return node;
        }
        /// On top of what is here.
        void take_over(stack& other) noexcept {
            other.nodes.splice(nodes);
            nodes.splice(other.nodes);
            count.store(size() + other.size(), std::memory_order_relaxed);
            other.count.store(0, std::memory_order_relaxed);
        }
    };

    /// So many that came back are worth a second lock, to be used before the older ones.
    static constexpr std::size_t fresh_enough = 32;

    /// Under `taking_`.
    queue_node* pop() noexcept {
        const std::size_t fresh = returned_.size();
        if (fresh >= fresh_enough || (fresh != 0 && free_.nodes.empty())) {
            const std::lock_guard lock(returning_);
            free_.take_over(returned_);
        }
        return free_.pop();
    }

    /// Under `returning_`: the others can only become fewer meanwhile.
    [[nodiscard]] bool has_room() const noexcept { return !closed_ && size() < most_; }

    const std::size_t most_;
    std::mutex taking_; ///< before `returning_`, where both are wanted
    stack free_;
    alignas(64) std::mutex returning_;
    stack returned_;
    bool closed_ = false; ///< under either lock
};

} // namespace tofu::engine

#endif
