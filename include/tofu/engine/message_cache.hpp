// SPDX-License-Identifier: BSL-1.0
// The loop's hand on the message pool.
#ifndef TOFU_ENGINE_MESSAGE_CACHE_HPP
#define TOFU_ENGINE_MESSAGE_CACHE_HPP

#include <tofu/engine/message_pool.hpp>

#include <cstddef>

namespace tofu::engine {

/// Takes and returns messages a batch at a time, so that there is not a lock for each, and never has more than that in
/// hand. Empty between turns: a message nobody uses is in the pool, where `get` finds it. I/O thread.
class message_cache {
public:
    explicit message_cache(message_pool& pool) noexcept : pool_(pool) {}

    /// From the pool, or new; null when memory is short.
    [[nodiscard]] message* get() noexcept {
        if (fresh_.empty()) pool_.take_batch(fresh_, batch);
        if (queue_node* const node = fresh_.pop_front()) return &message_of(*node);
        return pool_.make();
    }

    void put(message& m) noexcept {
        if (route_of(m).home != &pool_) { // it was passed on from another engine
            route_of(m).home->give_back(m);
            return;
        }
        pool_.retire(m);
        used_.push_back(node_of(m));
        if (++used_count_ == batch) return_used();
    }

    /// At the end of a turn.
    void give_back() noexcept {
        used_.splice(fresh_);
        if (!used_.empty()) return_used();
    }

    /// Most messages taken, and most messages to return, that it has in hand.
    static constexpr std::size_t batch = 32;

private:
    void return_used() noexcept {
        pool_.return_batch(used_);
        used_count_ = 0;
    }

    message_pool& pool_;
    node_queue fresh_;
    node_queue used_;
    std::size_t used_count_ = 0;
};

} // namespace tofu::engine

#endif
