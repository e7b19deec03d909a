// SPDX-License-Identifier: BSL-1.0
// The addresses of the latest nodes in a queue, so that the consumer can prefetch many nodes at a time.
//
// Benefit: the consumer reads a chain of messages from another processor as fast as the memory's bandwidth allows, and
// does not wait for each message. A queue without long chains never allocates the array.
#ifndef TOFU_ENGINE_THREADS_TRAIL_HPP
#define TOFU_ENGINE_THREADS_TRAIL_HPP

#include <tofu/config.hpp>
#include <tofu/detail/prefetch.hpp>
#include <tofu/detail/queue_node.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <new>

namespace tofu::inline TOFU_ABI::engine {

/// A node's address is known only after its predecessor was loaded, so walking a chain made by another processor costs
/// one cache miss per node. Producers therefore also store the addresses of the latest nodes in an array, as prefetch
/// hints. If producers race, or if there are more nodes than places, some hints are lost.
///
/// The array takes 8 KiB. The consumer allocates it after the first long chain; without memory there are no hints.
class trail {
    /// As many as the default send queue of a channel, or the default receive credit, can hold.
    using places = std::array<std::atomic<const detail::queue_node*>, 1024>;

public:
    trail() noexcept = default;
    trail(const trail&) = delete;
    trail& operator=(const trail&) = delete;
    ~trail() { delete places_.load(std::memory_order_relaxed); }

    /// Any thread. Call for each node, oldest first.
    void add(const detail::queue_node& node) noexcept {
        places* const all = places_.load(std::memory_order_acquire);
        if (all == nullptr) return;
        const std::size_t end = end_.load(std::memory_order_relaxed);
        (*all)[end % all->size()].store(&node, std::memory_order_relaxed);
        end_.store(end + 1, std::memory_order_relaxed);
    }

    /// Called by the consumer after a walk. Allocates the array after the first chain of at least `long_chain` nodes.
    void allocate_after(std::size_t nodes) noexcept {
        if (nodes < long_chain || places_.load(std::memory_order_relaxed) != nullptr) return;
        places_.store(new (std::nothrow) places{}, std::memory_order_release);
    }

    /// Prefetches a few nodes ahead of the consumer on its walk from the newest node to the oldest.
    class runner {
    public:
        /// The consumer, before its walk begins.
        explicit runner(trail& which) noexcept : places_(which.places_.load(std::memory_order_relaxed)) {
            if (places_ == nullptr) return;
            next_ = which.end_.load(std::memory_order_relaxed);
            left_ = (std::min)(next_ - which.known_, places_->size());
            which.known_ = next_;
            for (std::size_t i = 0; i < ahead; ++i) step();
        }

        /// One node further. No effect at the end of the trail.
        void step() noexcept {
            if (left_ == 0) return;
            --left_;
            detail::prefetch((*places_)[--next_ % places_->size()].load(std::memory_order_relaxed), most_bytes);
        }

    private:
        static constexpr std::size_t ahead = 8;
        static constexpr std::size_t most_bytes = 128; ///< of a node; nearly all nodes are messages

        const places* places_;
        std::size_t next_ = 0; ///< one past the next place to prefetch
        std::size_t left_ = 0; ///< places that are new since the consumer's last walk
    };

    /// Bytes that the array takes.
    static constexpr std::size_t most_bytes = sizeof(places);

private:
    static constexpr std::size_t long_chain = 32;

    std::atomic<places*> places_{nullptr};
    std::atomic<std::size_t> end_{0};
    std::size_t known_ = 0; ///< used by the consumer only: `end_` at its last walk
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
