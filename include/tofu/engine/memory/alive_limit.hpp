// SPDX-License-Identifier: BSL-1.0
// The limit on living messages (options::max_messages_alive). Received messages that hold receive credit do not count
// here.
#ifndef TOFU_ENGINE_MEMORY_ALIVE_LIMIT_HPP
#define TOFU_ENGINE_MEMORY_ALIVE_LIMIT_HPP

#include <tofu/config.hpp>
#include <tofu/message.hpp>
#include <tofu/options.hpp>

#include <atomic>
#include <cstddef>
#include <utility>

namespace tofu::inline TOFU_ABI::engine {

/// Each message notes whether it counts, so that it is counted once and forgotten once on every path. Without a limit
/// nothing counts, and a call costs one look at a constant or at the message. Any thread, but one thread at a time for
/// the same message.
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
    /// Gives the place that `reserve` took to the message, which keeps it until `forget`.
    void commit(message& m) noexcept {
        TOFU_ASSERT(route_of(m).counted == 0);
        if (room_ != 0) route_of(m).counted = 1;
    }
    /// Frees the place that `reserve` took, because there was no message.
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
    /// Ends the count of a message that returns to the pool.
    void forget(message& m) noexcept {
        if (route_of(m).counted == 0) return;
        route_of(m).counted = 0;
        cancel();
    }

    [[nodiscard]] std::size_t counted() const noexcept { return counted_.load(std::memory_order_relaxed); }

private:
    const std::size_t room_; ///< `reserve` fails at this many counted messages; 0: no limit
    std::atomic<std::size_t> counted_{0};
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
