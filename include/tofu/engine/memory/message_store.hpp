// SPDX-License-Identifier: BSL-1.0
// The free messages of a pool.
//
// Benefit: threads that take messages and threads that return messages use different locks and different cache lines. A
// message that another processor has used is prefetched before its turn comes.
#ifndef TOFU_ENGINE_MEMORY_MESSAGE_STORE_HPP
#define TOFU_ENGINE_MEMORY_MESSAGE_STORE_HPP

#include <tofu/config.hpp>
#include <tofu/detail/prefetch.hpp>
#include <tofu/engine/threads/brief_lock.hpp>
#include <tofu/message.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <span>

namespace tofu::inline TOFU_ABI::engine {

/// Two bounded stacks with a lock each. A returned message waits in the second stack, until the first one is empty or
/// the second one is worth moving over. The message that came back last is taken first: it may still be in a cache. Any
/// thread.
class message_store {
public:
    explicit message_store(std::size_t most) noexcept : most_(most), free_(most), returned_(most) {}
    message_store(const message_store&) = delete;
    message_store& operator=(const message_store&) = delete;

    /// False: memory was short at construction. No other function may be called then.
    [[nodiscard]] bool is_usable() const noexcept { return free_.places != nullptr && returned_.places != nullptr; }

    /// Null: the store is empty. Prefetches the messages that follow: first a message, and its body once the message is
    /// in the cache and tells where the body lies.
    [[nodiscard]] message* take() noexcept {
        const std::lock_guard lock(taking_);
        refill();
        if (free_.size() == 0) return nullptr;
        message* const taken = free_.pop();
        if (message* const soon = free_.below(ahead)) detail::prefetch(soon, sizeof(message));
        if (message* const next = free_.below(ahead / 2)) detail::prefetch(next->body().data());
        return taken;
    }

    /// Fills `into` as far as there are messages, under one lock. Returns how many.
    [[nodiscard]] std::size_t take(std::span<message*> into) noexcept {
        const std::lock_guard lock(taking_);
        std::size_t taken = 0;
        for (; taken < into.size(); ++taken) {
            refill();
            if (free_.size() == 0) break;
            into[taken] = free_.pop();
            detail::prefetch(into[taken], sizeof(message));
        }
        return taken;
    }

    /// False: the store is full or closed. The message stays with the caller.
    [[nodiscard]] bool put(message& m) noexcept {
        message* const one = &m;
        return put({&one, 1}) == 1;
    }

    /// Takes as many of the first messages as fit, under one lock. Returns how many; the others stay with the caller.
    [[nodiscard]] std::size_t put(std::span<message* const> from) noexcept {
        const std::lock_guard lock(returning_);
        // The first stack can only shrink meanwhile.
        const std::size_t fits = closed_ ? 0 : (std::min)(from.size(), most_ - (std::min)(most_, size()));
        returned_.push(from.first(fits));
        return fits;
    }

    /// Calls `erase(message)` for all messages. The store takes none from now on.
    template <class Erase>
    void close(Erase erase) noexcept {
        const std::scoped_lock lock(taking_, returning_);
        closed_ = true;
        while (free_.size() != 0) erase(*free_.pop());
        while (returned_.size() != 0) erase(*returned_.pop());
    }

    /// The bytes that each of the two stacks allocates for `most` messages.
    [[nodiscard]] static constexpr std::size_t half_bytes(std::size_t most) noexcept { return most * sizeof(message*); }

    /// An estimate while other threads take and return messages.
    [[nodiscard]] std::size_t size() const noexcept { return free_.size() + returned_.size(); }

private:
    /// Changed under a lock; the size can be read without it.
    struct stack {
        explicit stack(std::size_t most) noexcept : places(new (std::nothrow) message*[most]) {}

        const std::unique_ptr<message*[]> places;
        std::atomic<std::size_t> count{0};

        [[nodiscard]] std::size_t size() const noexcept { return count.load(std::memory_order_relaxed); }
        void resize(std::size_t to) noexcept { count.store(to, std::memory_order_relaxed); }

        void push(std::span<message* const> more) noexcept {
            std::copy(more.begin(), more.end(), places.get() + size());
            resize(size() + more.size());
        }
        /// The stack must not be empty.
        message* pop() noexcept {
            TOFU_ASSERT(size() != 0);
            resize(size() - 1);
            return places[size()];
        }
        /// The message `depth` places below the top. Null: the stack is not as deep.
        [[nodiscard]] message* below(std::size_t depth) const noexcept {
            return depth < size() ? places[size() - 1 - depth] : nullptr;
        }
        [[nodiscard]] std::span<message* const> all() const noexcept { return {places.get(), size()}; }
    };

    static constexpr std::size_t ahead = 8;

    /// This many returned messages are worth the second lock.
    static constexpr std::size_t fresh_enough = 32;

    /// The caller holds `taking_`.
    void refill() noexcept {
        const std::size_t fresh = returned_.size();
        if (fresh < fresh_enough && (fresh == 0 || free_.size() != 0)) return;
        const std::lock_guard lock(returning_);
        free_.push(returned_.all());
        returned_.resize(0);
    }

    const std::size_t most_;
    brief_lock taking_; ///< lock order: before `returning_`
    stack free_;
    alignas(detail::cache_line_size) brief_lock returning_;
    stack returned_;
    bool closed_ = false; ///< read under either lock, written under both
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
