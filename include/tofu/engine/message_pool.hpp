// SPDX-License-Identifier: BSL-1.0
// Where messages come from and return to, the owning pointer to one, and the credit that bounds receiving.
#ifndef TOFU_ENGINE_MESSAGE_POOL_HPP
#define TOFU_ENGINE_MESSAGE_POOL_HPP

#include <tofu/engine/alive_limit.hpp>
#include <tofu/message.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <utility>

namespace tofu {

/// Returns a message to its pool. Any thread.
struct message_release {
    inline void operator()(message* m) const noexcept;
};

/// The owner of one message. It may outlive the reactor and may be released on any thread.
using message_ptr = std::unique_ptr<message, message_release>;

/// What `get` may do when the pool has no free message.
enum class allocation : std::uint8_t {
    always,   ///< make a new one
    pool_only ///< give up with status pool_empty
};

namespace engine {

/// A bounded store of free messages, and the receive credit. Any thread, except where said. It lives until its owner
/// has closed it and its last message has come back.
///
/// The credit is separate from the free messages on purpose: posting can never use it up, so two peers that both post
/// cannot stop each other from reading.
class message_pool {
public:
    /// What the pool calls, at most once per episode, when a starved reader may go on.
    using wake_function = void (*)(void* context) noexcept;

    /// Null when memory is short. Ends with `close`.
    [[nodiscard]] static message_pool* create(const options& opts) noexcept {
        message_pool* const pool = new (std::nothrow) message_pool(opts);
        if (pool == nullptr) return nullptr;
        for (std::size_t i = 0; i < (std::min)(opts.initial_messages, opts.max_messages); ++i) {
            message* const fresh = pool->make();
            if (fresh == nullptr) {
                pool->close();
                return nullptr;
            }
            pool->give_back(*fresh);
        }
        return pool;
    }

    message_pool(const message_pool&) = delete;
    message_pool& operator=(const message_pool&) = delete;

    void on_credit(wake_function wake, void* context) noexcept {
        const std::lock_guard lock(mutex_);
        wake_ = wake;
        context_ = context;
    }

    /// The owner is gone: free messages are deleted, the others when they come back; with the last the pool deletes
    /// itself. After the return nothing calls the wake function.
    void close() noexcept {
        node_queue doomed;
        bool last = false;
        {
            const std::lock_guard lock(mutex_);
            wake_ = nullptr;
            closed_ = true;
            doomed.splice(free_);
            free_count_ = 0;
            last = outstanding_ == 0;
        }
        while (queue_node* const node = doomed.pop_front()) delete &message_of(*node);
        if (last) delete this;
    }

    /// Null when there is none (pool_only), memory is short (always), or as many are alive as there may be.
    [[nodiscard]] message* get(allocation how) noexcept {
        if (!alive_.enter()) return nullptr;
        message* const m = obtain(how);
        if (m != nullptr)
            alive_.fill(*m);
        else
            alive_.leave();
        return m;
    }

    /// A new message beside the pool, for the engine's own notices; it too comes back here in the end. It does not
    /// count as alive before the application posts it.
    [[nodiscard]] message* make() noexcept {
        message* const fresh = new (std::nothrow) message;
        if (fresh == nullptr) return nullptr;
        route_of(*fresh).home = this;
        allocations_.fetch_add(1, std::memory_order_relaxed);
        const std::lock_guard lock(mutex_);
        ++outstanding_;
        return fresh;
    }

    /// Any thread: the application has posted it, or given it to update_receiver. Its credit is free, and from now on
    /// it counts as alive.
    void hand_on(message& m) noexcept {
        alive_.count(m);
        release_credit(m);
    }

    /// Ends the life of a message outside the pool: its credit is free again, its memory kept or given back.
    void give_back(message& m) noexcept {
        retire(m);
        bool keep = false;
        bool last = false;
        {
            const std::lock_guard lock(mutex_);
            keep = !closed_ && free_count_ < max_free_;
            if (keep) push_free(m);
            --outstanding_;
            last = closed_ && outstanding_ == 0;
        }
        if (!keep) delete &m;
        if (last) delete this;
    }

    /// I/O thread. Up to `wanted` free messages under one lock; they count as outstanding.
    void take_batch(node_queue& into, std::size_t wanted) noexcept {
        const std::lock_guard lock(mutex_);
        for (; wanted > 0; --wanted) {
            queue_node* const node = pop_free();
            if (node == nullptr) return;
            ++outstanding_;
            into.push_back(*node);
        }
    }

    /// I/O thread. Many cleaned messages under one lock; what the pool will not keep stays in `from` and is deleted.
    void return_batch(node_queue& from) noexcept {
        {
            const std::lock_guard lock(mutex_);
            while (free_count_ < max_free_) {
                queue_node* const node = from.pop_front();
                if (node == nullptr) return;
                push_free(message_of(*node));
                --outstanding_;
            }
            for (queue_node* node = from.front(); node != nullptr; node = node->next) --outstanding_;
        }
        while (queue_node* const node = from.pop_front()) delete &message_of(*node);
    }

    /// A message as it has to be before it rests in the pool: empty, without overlarge buffers; then without credit and
    /// not counted. In this order: whoever gets its place finds its memory free.
    void retire(message& m) noexcept {
        m.reset();
        if (m.body().capacity() > retained_capacity_) m.body().release();
        if (m.headers().buffer().capacity() > retained_capacity_) m.headers().buffer().release();
        node_of(m).kind = node_kind::message;
        route_of(m).group = nullptr;
        alive_.forget(m);
        release_credit(m);
    }

    // The receive credit.

    /// I/O thread. False when all of it is used up.
    [[nodiscard]] bool take_credit(message& m) noexcept {
        if (credit_used_.load(std::memory_order_relaxed) >= credit_limit_) return false;
        credit_used_.fetch_add(1, std::memory_order_seq_cst);
        route_of(m).credited = true;
        return true;
    }

    /// Any thread: it is no received message any more. Wakes a starved reader once a quarter of the credit is free.
    void release_credit(message& m) noexcept {
        if (!std::exchange(route_of(m).credited, false)) return;
        credit_used_.fetch_sub(1, std::memory_order_seq_cst);
        if (!starved_.load(std::memory_order_seq_cst) || !enough_credit()) return;
        if (!starved_.exchange(false, std::memory_order_seq_cst)) return;
        const std::lock_guard lock(mutex_);
        if (wake_ != nullptr) wake_(context_);
    }

    /// I/O thread: no credit left, reading stops. False when enough came back meanwhile, so that reading goes on.
    /// (The store of `starved_` and the look at the credit pair with release_credit as in inbox.hpp.)
    [[nodiscard]] bool begin_starvation() noexcept {
        starved_.store(true, std::memory_order_seq_cst);
        return !(enough_credit() && starved_.exchange(false, std::memory_order_seq_cst));
    }

    /// The episode that begin_starvation started has not ended yet.
    [[nodiscard]] bool starved() const noexcept { return starved_.load(std::memory_order_seq_cst); }
    [[nodiscard]] bool has_credit() const noexcept {
        return credit_used_.load(std::memory_order_relaxed) < credit_limit_;
    }
    [[nodiscard]] std::size_t credit_limit() const noexcept { return credit_limit_; }
    [[nodiscard]] std::size_t credit_used() const noexcept { return credit_used_.load(std::memory_order_relaxed); }

    // Figures.

    /// Messages that count against the limit of messages alive, beside the credit.
    [[nodiscard]] std::size_t counted() const noexcept { return alive_.counted(); }
    [[nodiscard]] std::size_t allocations() const noexcept { return allocations_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::size_t free_messages() const noexcept {
        const std::lock_guard lock(mutex_);
        return free_count_;
    }
    /// Messages alive outside the pool: the application's, the engine's, and those on their way.
    [[nodiscard]] std::size_t outstanding() const noexcept {
        const std::lock_guard lock(mutex_);
        return outstanding_;
    }

private:
    explicit message_pool(const options& opts) noexcept
        : max_free_(opts.max_messages)
        , credit_limit_(opts.max_messages)
        , retained_capacity_(opts.retained_capacity)
        , alive_(opts) {}
    ~message_pool() = default;

    [[nodiscard]] bool enough_credit() const noexcept {
        const std::size_t used = credit_used_.load(std::memory_order_seq_cst);
        return credit_limit_ - (std::min)(used, credit_limit_) >= std::max<std::size_t>(1, credit_limit_ / 4);
    }

    [[nodiscard]] message* obtain(allocation how) noexcept {
        {
            const std::lock_guard lock(mutex_);
            if (queue_node* const node = pop_free()) {
                ++outstanding_;
                return &message_of(*node);
            }
        }
        return how == allocation::always ? make() : nullptr;
    }

    queue_node* pop_free() noexcept {
        queue_node* const node = free_.pop_front();
        if (node != nullptr) --free_count_;
        return node;
    }

    void push_free(message& m) noexcept {
        free_.push_back(node_of(m));
        ++free_count_;
    }

    const std::size_t max_free_;
    const std::size_t credit_limit_;
    const std::size_t retained_capacity_;
    alive_limit alive_; // beside the lock that `get` takes anyway, away from what the reader writes

    mutable std::mutex mutex_;
    node_queue free_;
    std::size_t free_count_ = 0;
    std::size_t outstanding_ = 0;
    bool closed_ = false;
    wake_function wake_ = nullptr;
    void* context_ = nullptr;

    alignas(64) std::atomic<std::size_t> credit_used_{0};
    std::atomic<bool> starved_{false};
    std::atomic<std::size_t> allocations_{0};
};

/// Ownership from a bare pointer the engine has held until now.
inline message_ptr owned(message* m) noexcept { return message_ptr(m); }

} // namespace engine

inline void message_release::operator()(message* m) const noexcept { engine::route_of(*m).home->give_back(*m); }

/// A copy of header, text headers, body and user pointer from the same pool; allocation_failed when memory is short, or
/// when as many messages are alive as there may be (options::max_messages_alive). Any thread that owns `original`. A
/// copy of a received message counts nothing against the receive credit.
[[nodiscard]] inline message_ptr clone(message& original, std::error_code& error) noexcept {
    message_ptr copy(engine::route_of(original).home->get(allocation::always));
    if (copy == nullptr || !copy->assign(original)) {
        error = status::allocation_failed;
        return nullptr;
    }
    error.clear();
    return copy;
}

} // namespace tofu

#endif
