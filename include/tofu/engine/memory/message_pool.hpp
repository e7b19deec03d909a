// SPDX-License-Identifier: BSL-1.0
// The pool from which messages come and to which they return, and the credit that bounds receiving.
#ifndef TOFU_ENGINE_MEMORY_MESSAGE_POOL_HPP
#define TOFU_ENGINE_MEMORY_MESSAGE_POOL_HPP

#include <tofu/config.hpp>
#include <tofu/detail/prefetch.hpp>
#include <tofu/engine/memory/alive_limit.hpp>
#include <tofu/engine/memory/message_store.hpp>
#include <tofu/message.hpp>
#include <tofu/platform/process_mark.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <span>
#include <system_error>
#include <utility>

namespace tofu::inline TOFU_ABI::engine {

/// A bounded store of free messages, and the receive credit. The pool lives until its owner has closed it and its last
/// message has come back. Any thread, except where said.
///
/// Receive credit is the number of received messages that the application may hold (options::max_messages). It is
/// separate from the free messages on purpose: posting can never use it up, so two peers that both post cannot stop
/// each other from reading.
class message_pool {
public:
    /// The pool calls this at most once in an episode of starvation, when the reader may go on.
    using wake_function = void (*)(void* context) noexcept;

    /// Null: memory is short. The owner ends the pool with `close`.
    [[nodiscard]] static message_pool* create(const options& opts) noexcept {
        message_pool* const pool = new (std::nothrow) message_pool(opts);
        if (pool == nullptr) return nullptr;
        if (!pool->store_.is_usable()) {
            delete pool;
            return nullptr;
        }
        for (std::size_t i = 0; i < (std::min)(opts.initial_messages, opts.max_messages); ++i) {
            message* const fresh = pool->allocate();
            if (fresh == nullptr) {
                pool->close();
                return nullptr;
            }
            pool->release(*fresh);
        }
        return pool;
    }

    message_pool(const message_pool&) = delete;
    message_pool& operator=(const message_pool&) = delete;

    /// Sets what the pool calls when enough credit is back. Once, before any credit is taken.
    void on_credit(wake_function wake, void* context) noexcept {
        const std::lock_guard lock(waking_);
        wake_ = wake;
        context_ = context;
    }

    /// Ends the pool: free messages are deleted at once, all others when they come back. The pool deletes itself with
    /// the last message. After the return nothing calls the wake function.
    void close() noexcept {
        {
            const std::lock_guard lock(waking_);
            wake_ = nullptr;
        }
        std::size_t gone = 1; // the owner
        store_.close([&gone](message& m) {
            delete &m;
            ++gone;
        });
        remove_members(gone);
    }

    /// A free message, or else a new one. Null: memory is short, options::max_messages_alive is reached, or this is a
    /// forked child.
    [[nodiscard]] message* acquire() noexcept {
        return acquire_counted([this] { return acquire_uncounted(); });
    }

    /// A free message. Null: there is none, options::max_messages_alive is reached, or this is a forked child.
    [[nodiscard]] message* acquire_free() noexcept {
        return acquire_counted([this] { return store_.take(); });
    }

    /// For the engine's own notices: a free message, or else a new one. Null: memory is short. The message does not
    /// count as alive before the application posts it.
    [[nodiscard]] message* acquire_uncounted() noexcept {
        message* const m = store_.take();
        return m != nullptr ? m : allocate();
    }

    /// Always allocates: for messages held for a channel's lifetime, which would drain the pool. Null: memory is short.
    [[nodiscard]] message* allocate() noexcept {
        message* const fresh = new (std::nothrow) message;
        if (fresh == nullptr) return nullptr;
        route_of(*fresh).home = this;
        allocations_.fetch_add(1, std::memory_order_relaxed);
        members_.fetch_add(1, std::memory_order_relaxed);
        return fresh;
    }

    /// The application has posted the message, or given it to update_receiver. Its credit is free, and the message
    /// counts as alive from now on.
    void mark_posted(message& m) noexcept {
        alive_.count(m);
        release_credit(m);
    }

    /// False in a forked child. Another thread may have held a lock of the pool during the fork, so the child must not
    /// use the pool: it deletes a message directly.
    [[nodiscard]] bool is_here() const noexcept { return process_.is_here(); }

    /// Ends the life of a message outside the pool. Its credit is free; its memory is kept, or deleted if the store is
    /// full.
    void release(message& m) noexcept {
        if (!is_here()) {
            delete &m;
            return;
        }
        retire(m);
        if (store_.put(m)) return;
        delete &m;
        remove_members(1);
    }

    /// I/O thread. Fills `into` with free messages, as many as there are, under one lock. Returns how many.
    [[nodiscard]] std::size_t acquire_batch(std::span<message*> into) noexcept { return store_.take(into); }

    /// I/O thread. Releases many retired messages under one lock. Deletes the messages that the pool does not keep.
    void release_batch(std::span<message* const> from) noexcept {
        const std::size_t kept = store_.put(from);
        if (kept == from.size()) return;
        for (message* const each : from.subspan(kept)) delete each;
        remove_members(from.size() - kept);
    }

    /// Prepares a message for the store: empty, without overlarge buffers, without credit and not counted. The memory
    /// is freed before the credit and the count, so that a thread that gets them finds the memory free.
    void retire(message& m) noexcept {
        m.reset();
        if (m.body().capacity() > retained_capacity_) m.body().release();
        if (m.headers().buffer().capacity() > retained_capacity_) m.headers().buffer().release();
        node_of(m).kind = detail::node_kind::message;
        route_of(m).group = nullptr;
        alive_.forget(m);
        release_credit(m);
    }

    // The receive credit.

    /// I/O thread. Takes credit for `wanted` messages, or for fewer if less is left. Returns for how many. The caller
    /// charges the credit to messages, or returns it.
    [[nodiscard]] std::size_t take_credit(std::size_t wanted) noexcept {
        // No other thread takes credit, so there is at least as much as this load shows.
        const std::size_t used = credit_used_.load(std::memory_order_relaxed);
        const std::size_t taken = (std::min)(wanted, credit_limit_ - (std::min)(used, credit_limit_));
        if (taken != 0) credit_used_.fetch_add(taken, std::memory_order_seq_cst);
        return taken;
    }
    static void charge(message& m) noexcept {
        TOFU_ASSERT(route_of(m).credited == 0);
        route_of(m).credited = 1;
    }

    /// Frees the credit of a message that no longer counts as received. No effect on a message without credit.
    void release_credit(message& m) noexcept {
        if (route_of(m).credited == 0) return;
        route_of(m).credited = 0;
        return_credit(1);
    }

    /// Wakes a starved reader as soon as a quarter of the credit is free.
    void return_credit(std::size_t messages) noexcept {
        const std::size_t before = credit_used_.fetch_sub(messages, std::memory_order_seq_cst);
        TOFU_ASSERT(before >= messages);
        static_cast<void>(before);
        if (!starved_.load(std::memory_order_seq_cst) || !enough_credit() || !is_here()) return;
        if (!starved_.exchange(false, std::memory_order_seq_cst)) return;
        const std::lock_guard lock(waking_);
        if (wake_ != nullptr) wake_(context_);
    }

    /// I/O thread. No credit is left: reading stops. False: enough credit came back meanwhile, so reading goes on. The
    /// store of `starved_` and the look at the credit pair with return_credit, as in inbox.hpp.
    [[nodiscard]] bool begin_starvation() noexcept {
        starved_.store(true, std::memory_order_seq_cst);
        return !(enough_credit() && starved_.exchange(false, std::memory_order_seq_cst));
    }

    /// True: the episode that begin_starvation started has not ended yet.
    [[nodiscard]] bool starved() const noexcept { return starved_.load(std::memory_order_seq_cst); }
    [[nodiscard]] bool has_credit() const noexcept {
        return credit_used_.load(std::memory_order_relaxed) < credit_limit_;
    }
    [[nodiscard]] std::size_t credit_limit() const noexcept { return credit_limit_; }
    [[nodiscard]] std::size_t credit_used() const noexcept { return credit_used_.load(std::memory_order_relaxed); }

    // Figures.

    /// Messages that count against options::max_messages_alive, beside the credit.
    [[nodiscard]] std::size_t counted() const noexcept { return alive_.counted(); }
    [[nodiscard]] std::size_t allocations() const noexcept { return allocations_.load(std::memory_order_relaxed); }
    /// An estimate while other threads take and return messages.
    [[nodiscard]] std::size_t free_messages() const noexcept { return store_.size(); }
    /// The number of free messages that the pool keeps, for this value of options::max_messages: a little more than the
    /// credit. So the messages in the loop's cache and the engine's notices need not be deleted and allocated again.
    /// The addresses have places from the start, so there is an upper bound.
    [[nodiscard]] static constexpr std::size_t most_retained(std::size_t max_messages) noexcept {
        constexpr std::size_t end = 64 * 1024;
        return max_messages < end ? (std::min)(max_messages + max_messages / 16, end) : end;
    }
    /// Messages alive outside the pool: of the application, of the engine, and on their way. An estimate as well. Must
    /// not be called after `close`.
    [[nodiscard]] std::size_t outstanding() const noexcept {
        const std::size_t resting = store_.size() + 1; // and the owner
        const std::size_t members = members_.load(std::memory_order_relaxed);
        return members - (std::min)(members, resting);
    }

private:
    explicit message_pool(const options& opts) noexcept
        : credit_limit_(opts.max_messages)
        , retained_capacity_(opts.retained_capacity)
        , alive_(opts)
        , store_(most_retained(opts.max_messages)) {}
    ~message_pool() { TOFU_ASSERT(credit_used() == 0 && alive_.counted() == 0); }

    [[nodiscard]] bool enough_credit() const noexcept {
        const std::size_t used = credit_used_.load(std::memory_order_seq_cst);
        return credit_limit_ - (std::min)(used, credit_limit_) >= std::max<std::size_t>(1, credit_limit_ / 4);
    }

    template <class Take>
    [[nodiscard]] message* acquire_counted(Take take) noexcept {
        if (!is_here() || !alive_.reserve()) return nullptr;
        message* const m = take();
        if (m != nullptr)
            alive_.commit(*m);
        else
            alive_.cancel();
        return m;
    }

    /// Subtracts members that are gone: messages, or the owner. The last one deletes the pool.
    void remove_members(std::size_t members) noexcept {
        const std::size_t before = members_.fetch_sub(members, std::memory_order_acq_rel);
        TOFU_ASSERT(before >= members);
        if (before == members) delete this;
    }

    [[no_unique_address]] platform::process_mark process_;
    const std::size_t credit_limit_;
    const std::size_t retained_capacity_;
    alive_limit alive_; // next to the lock that `acquire` takes anyway, and away from the reader's cache line
    message_store store_;

    std::mutex waking_;
    wake_function wake_ = nullptr; ///< under `waking_`
    void* context_ = nullptr;

    alignas(detail::cache_line_size) std::atomic<std::size_t> credit_used_{0};
    std::atomic<bool> starved_{false};
    std::atomic<std::size_t> allocations_{0};
    std::atomic<std::size_t> members_{1}; ///< messages that exist, and the owner until `close`
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
