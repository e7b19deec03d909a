// SPDX-License-Identifier: BSL-1.0
// The limit on living messages (options::max_messages_alive), beside the receive credit.
#ifndef TOFU_ENGINE_MEMORY_ALIVE_LIMIT_HPP
#define TOFU_ENGINE_MEMORY_ALIVE_LIMIT_HPP

#include <tofu/config.hpp>
#include <tofu/message.hpp>
#include <tofu/options.hpp>

#include <atomic>
#include <cstddef>
#include <utility>

namespace tofu::inline TOFU_ABI::engine {

/// Each message notes whether it counts, so that it is counted once and forgotten once, whatever its way was. Without a
/// limit nothing counts, and a call costs one look at a constant or at the message. Any thread; one message, one thread
/// at a time.
class alive_limit {
public:
    explicit alive_limit(const options& opts) noexcept
        : room_(opts.max_messages_alive == 0 ? 0 : opts.max_messages_alive - opts.max_messages) {}

    /// Takes a place for one message; `commit` or `cancel` has to follow. False: there is none.
    [[nodiscard]] bool reserve() noexcept {
        if (room_ == 0) return true;
        std::size_t before = counted_.load(std::memory_order_relaxed);
        do {
            if (before >= room_) return false;
        } while (!counted_.compare_exchange_weak(before, before + 1, std::memory_order_relaxed));
        return true;
    }
    /// The message takes the place that `reserve` took, until `forget`.
    void commit(message& m) noexcept {
        TOFU_ASSERT(route_of(m).counted == 0);
        if (room_ != 0) route_of(m).counted = 1;
    }
    /// There was no message: the place that `reserve` took is free again.
    void cancel() noexcept {
        if (room_ == 0) return;
        const std::size_t before = counted_.fetch_sub(1, std::memory_order_relaxed);
        TOFU_ASSERT(before != 0);
        static_cast<void>(before);
    }

    /// The message counts from now on, even beyond the limit. No effect on a message that counts already.
    void count(message& m) noexcept {
        if (room_ == 0 || route_of(m).counted != 0) return;
        route_of(m).counted = 1;
        counted_.fetch_add(1, std::memory_order_relaxed);
    }
    /// The message returns to the pool.
    void forget(message& m) noexcept {
        if (route_of(m).counted == 0) return;
        route_of(m).counted = 0;
        cancel();
    }

    [[nodiscard]] std::size_t counted() const noexcept { return counted_.load(std::memory_order_relaxed); }

private:
    const std::size_t room_; ///< how many may live beside the credit; 0: no limit
    std::atomic<std::size_t> counted_{0};
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
