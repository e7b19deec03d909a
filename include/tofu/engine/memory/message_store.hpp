// SPDX-License-Identifier: BSL-1.0
// Free messages, between the threads that take some and those that return them.
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

/// Bounded. Whoever takes messages and whoever returns them do not meet: what comes back waits behind a lock of its
/// own, until it is worth a second lock to move all of it over. What came back last is used first, as it may still be
/// in a cache; when it is in that of another processor, it is fetched before its turn comes. Any thread.
class message_store {
public:
    explicit message_store(std::size_t most) noexcept : most_(most), free_(most), returned_(most) {}
    message_store(const message_store&) = delete;
    message_store& operator=(const message_store&) = delete;

    /// False: memory was short when it was made, and nothing may be done with it.
    [[nodiscard]] bool is_usable() const noexcept { return free_.places != nullptr && returned_.places != nullptr; }

    /// Null when there is none. Those that will be next are fetched in time: a message first, and when it is here, and
    /// tells where its body lies, that, too.
    [[nodiscard]] message* take() noexcept {
        const std::lock_guard lock(taking_);
        refill();
        if (free_.size() == 0) return nullptr;
        message* const taken = free_.pop();
        if (message* const soon = free_.below(ahead)) detail::prefetch(soon, sizeof(message));
        if (message* const next = free_.below(ahead / 2)) detail::prefetch(next->body().data());
        return taken;
    }

    /// As many as there are, but no more than there are places, under one lock; they are being fetched. How many there
    /// were.
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

    /// False: it is full, or closed; the message stays with the caller.
    [[nodiscard]] bool put(message& m) noexcept {
        message* const one = &m;
        return put({&one, 1}) == 1;
    }

    /// Many under one lock. How many, the first ones, it has taken; the others stay with the caller.
    [[nodiscard]] std::size_t put(std::span<message* const> from) noexcept {
        const std::lock_guard lock(returning_);
        // The others can only become fewer meanwhile.
        const std::size_t fits = closed_ ? 0 : (std::min)(from.size(), most_ - (std::min)(most_, size()));
        returned_.push(from.first(fits));
        return fits;
    }

    /// Gives up all there are. From now on it takes none.
    template <class Erase>
    void close(Erase erase) noexcept {
        const std::scoped_lock lock(taking_, returning_);
        closed_ = true;
        while (free_.size() != 0) erase(*free_.pop());
        while (returned_.size() != 0) erase(*returned_.pop());
    }

    /// What it allocates for so many messages, in bytes: twice this.
    [[nodiscard]] static constexpr std::size_t half_bytes(std::size_t most) noexcept { return most * sizeof(message*); }

    /// Near enough while others take and return some.
    [[nodiscard]] std::size_t size() const noexcept { return free_.size() + returned_.size(); }

private:
    /// Changed by one thread at a time, counted for all.
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
        /// There must be one.
        message* pop() noexcept {
            resize(size() - 1);
            return places[size()];
        }
        /// The one that is popped after so many; null: there are not so many.
        [[nodiscard]] message* below(std::size_t depth) const noexcept {
            return depth < size() ? places[size() - 1 - depth] : nullptr;
        }
        [[nodiscard]] std::span<message* const> all() const noexcept { return {places.get(), size()}; }
    };

    static constexpr std::size_t ahead = 8;

    /// So many that came back are worth a second lock, to be used before the older ones.
    static constexpr std::size_t fresh_enough = 32;

    /// Under `taking_`.
    void refill() noexcept {
        const std::size_t fresh = returned_.size();
        if (fresh < fresh_enough && (fresh == 0 || free_.size() != 0)) return;
        const std::lock_guard lock(returning_);
        free_.push(returned_.all());
        returned_.resize(0);
    }

    const std::size_t most_;
    brief_lock taking_; ///< before `returning_`, where both are wanted
    stack free_;
    alignas(detail::cache_line_size) brief_lock returning_;
    stack returned_;
    bool closed_ = false; ///< under either lock
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
