// SPDX-License-Identifier: BSL-1.0
// The loop's cache of messages and receive credit.
//
// Benefit: most received and sent messages cost the loop neither a lock nor a write to a shared cache line.
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

/// Acquires and releases messages and credit a batch at a time. It is empty between turns, so that other threads find
/// every free message in the pool. I/O thread, or the borrower of its loan.
class message_cache {
public:
    explicit message_cache(message_pool& pool) noexcept : pool_(pool) {}

    /// A free message of the pool, or a new one. Null: memory is short.
    [[nodiscard]] message* acquire() noexcept {
        if (next_ == fresh_.count) {
            next_ = 0;
            fresh_.count = pool_.acquire_batch(std::span(fresh_.places).first(grow(to_take_)));
        }
        if (next_ == fresh_.count) return pool_.allocate();
        if (next_ + ahead < fresh_.count) detail::prefetch(fresh_.places[next_ + ahead]->body().data());
        return fresh_.places[next_++];
    }

    /// Ends the life of a message outside its pool.
    void release(message& m) noexcept {
        if (route_of(m).home != &pool_) { // the message of another engine
            route_of(m).home->release(m);
            return;
        }
        pool_.retire(m);
        used_.places[used_.count++] = &m;
        if (used_.count == batch) pool_.release_batch(used_.all());
    }

    /// Charges credit to a message that is being received. False: no credit is left.
    [[nodiscard]] bool take_credit(message& m) noexcept {
        if (credit_ == 0) credit_ = pool_.take_credit(grow(credit_to_take_));
        if (credit_ == 0) return false;
        --credit_;
        message_pool::charge(m);
        return true;
    }
    [[nodiscard]] bool has_credit() const noexcept { return credit_ != 0 || pool_.has_credit(); }

    /// Returns everything to the pool. At the end of a turn.
    void flush() noexcept {
        if (used_.count != 0) pool_.release_batch(used_.all());
        const std::span<message* const> left = fresh_.all().subspan(std::exchange(next_, 0));
        if (!left.empty()) pool_.release_batch(left);
        if (credit_ != 0) pool_.return_credit(std::exchange(credit_, 0));
        to_take_ = credit_to_take_ = 1;
        TOFU_ASSERT(used_.count == 0 && fresh_.count == 0 && credit_ == 0);
    }

    /// The cache holds at most this many acquired messages, and at most this many messages to release.
    static constexpr std::size_t batch = 32;

private:
    struct handful {
        std::array<message*, batch> places;
        std::size_t count = 0;

        /// Empties the handful: the messages belong to the caller.
        [[nodiscard]] std::span<message* const> all() noexcept {
            return std::span(places).first(std::exchange(count, 0));
        }
    };

    /// The size of the next batch: one at first, twice as many each time.
    static std::size_t grow(std::size_t& amount) noexcept {
        return std::exchange(amount, (std::min)(2 * amount, batch));
    }

    /// Bodies are prefetched this many messages ahead. The message itself is in the cache at that time.
    static constexpr std::size_t ahead = 4;

    message_pool& pool_;
    handful fresh_;
    std::size_t next_ = 0; ///< the first message of `fresh_` that was not given out
    handful used_;
    std::size_t credit_ = 0; ///< taken from the pool, and not charged yet
    std::size_t to_take_ = 1;
    std::size_t credit_to_take_ = 1;
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
