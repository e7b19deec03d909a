// SPDX-License-Identifier: BSL-1.0
// The loop's counters for engine_stats.
#ifndef TOFU_ENGINE_LOOP_LOOP_COUNTERS_HPP
#define TOFU_ENGINE_LOOP_LOOP_COUNTERS_HPP

#include <tofu/config.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tofu::inline TOFU_ABI::engine {

/// A counter that one thread at a time writes, and any thread reads. Needs no locked instruction.
class counter {
public:
    void add(std::uint64_t n = 1) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

/// The loop writes them, any thread reads them.
struct loop_counters {
    counter messages_sent, messages_received, bytes_sent, bytes_received, turns, reads, writes, accepted, refused;
    std::atomic<std::size_t> channels{0}, zombies{0};
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
