// SPDX-License-Identifier: BSL-1.0
// The loop's hand on the message pool.
#ifndef TOFU_ENGINE_MEMORY_MESSAGE_CACHE_HPP
#define TOFU_ENGINE_MEMORY_MESSAGE_CACHE_HPP

#include <tofu/config.hpp>
#include <tofu/detail/prefetch.hpp>
#include <tofu/engine/memory/message_pool.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>

namespace tofu::inline TOFU_ABI::engine {

/// Takes and returns messages and credit a batch at a time, so that each message costs neither a lock nor a write to
/// what other threads write, and never has more than a batch of each in hand. Empty between turns: a message nobody
/// uses is in the pool, where `get` finds it. I/O thread.
class message_cache {
public:
    explicit message_cache(message_pool& pool) noexcept : pool_(pool) {}

    /// From the pool, or new; null when memory is short.
    [[nodiscard]] message* acquire() noexcept {
        if (next_ == fresh_.count) {
            next_ = 0;
            fresh_.count = pool_.acquire_batch(std::span(fresh_.places).first(grow(to_take_)));
        }
        if (next_ == fresh_.count) return pool_.allocate();
        if (next_ + ahead < fresh_.count) detail::prefetch(fresh_.places[next_ + ahead]->body().data());
        return fresh_.places[next_++];
    }

    void release(message& m) noexcept {
        if (route_of(m).home != &pool_) { // it was passed on from another engine
            route_of(m).home->release(m);
            return;
        }
        pool_.retire(m);
        used_.places[used_.count++] = &m;
        if (used_.count == batch) pool_.release_batch(used_.all());
    }

    /// Credit for a message that is being received. False: all of it is used up.
    [[nodiscard]] bool take_credit(message& m) noexcept {
        if (credit_ == 0) credit_ = pool_.take_credit(grow(credit_to_take_));
        if (credit_ == 0) return false;
        --credit_;
        message_pool::charge(m);
        return true;
    }
    [[nodiscard]] bool has_credit() const noexcept { return credit_ != 0 || pool_.has_credit(); }

    /// At the end of a turn.
    void flush() noexcept {
        if (used_.count != 0) pool_.release_batch(used_.all());
        const std::span<message* const> left = fresh_.all().subspan(std::exchange(next_, 0));
        if (!left.empty()) pool_.release_batch(left);
        if (credit_ != 0) pool_.return_credit(std::exchange(credit_, 0));
        to_take_ = credit_to_take_ = 1;
    }

    /// Most messages taken, and most messages to return, that it has in hand.
    static constexpr std::size_t batch = 32;

private:
    struct handful {
        std::array<message*, batch> places;
        std::size_t count = 0;

        /// All of them, which are the caller's now.
        [[nodiscard]] std::span<message* const> all() noexcept {
            return std::span(places).first(std::exchange(count, 0));
        }
    };

    /// A turn that needs one takes one; one that needs many soon takes whole batches.
    static std::size_t grow(std::size_t& amount) noexcept {
        return std::exchange(amount, (std::min)(2 * amount, batch));
    }

    /// By then a message that is being fetched is here, and tells where its body lies.
    static constexpr std::size_t ahead = 4;

    message_pool& pool_;
    handful fresh_;
    std::size_t next_ = 0; ///< of fresh_: those before it are given out
    handful used_;
    std::size_t credit_ = 0; ///< taken for messages that are still to come
    std::size_t to_take_ = 1;
    std::size_t credit_to_take_ = 1;
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
