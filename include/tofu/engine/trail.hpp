// SPDX-License-Identifier: BSL-1.0
// Where the nodes lie that are on their way to another thread, so that it can fetch many at a time.
#ifndef TOFU_ENGINE_TRAIL_HPP
#define TOFU_ENGINE_TRAIL_HPP

#include <tofu/prefetch.hpp>
#include <tofu/queue_node.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>

namespace tofu::engine {

/// Whoever walks a chain that another processor has made waits for each node in turn, because only the one before tells
/// where it lies. So the producers leave the addresses of the latest nodes side by side, too. They are hints, and
/// nothing but: where producers race, or there are more nodes than places, some are lost, and such a node is fetched
/// when the walk reaches it.
class trail {
    /// As many as messages may wait in the send queue of a channel, or be received, by default.
    using places = std::array<std::atomic<const queue_node*>, 1024>;

public:
    /// Any thread, for each node, oldest first.
    void add(const queue_node& node) noexcept {
        const std::size_t end = end_.load(std::memory_order_relaxed);
        places_[end % places_.size()].store(&node, std::memory_order_relaxed);
        end_.store(end + 1, std::memory_order_relaxed);
    }

    /// Runs some nodes ahead of the consumer on its walk from the newest node to the oldest, and has them fetched.
    class runner {
    public:
        /// The consumer, before it begins.
        explicit runner(trail& which) noexcept : places_(which.places_) {
            next_ = which.end_.load(std::memory_order_relaxed);
            left_ = (std::min)(next_ - which.known_, places_.size());
            which.known_ = next_;
            for (std::size_t i = 0; i < ahead; ++i) step();
        }

        /// One node further; without effect when the trail ends.
        void step() noexcept {
            if (left_ == 0) return;
            --left_;
            prefetch(places_[--next_ % places_.size()].load(std::memory_order_relaxed), most_bytes);
        }

    private:
        static constexpr std::size_t ahead = 8;
        static constexpr std::size_t most_bytes = 128; ///< of a node: nearly all are messages

        const places& places_;
        std::size_t next_; ///< behind the one to be fetched next
        std::size_t left_; ///< that the consumer has not seen before, as far as can be known
    };

private:
    std::atomic<std::size_t> end_{0};
    std::size_t known_ = 0; ///< the consumer's: `end_` when it was here last
    places places_{};
};

} // namespace tofu::engine

#endif
