// SPDX-License-Identifier: BSL-1.0
// Limits how many bytes one channel reads in a turn, and stores how far it must read before a due limit ends it.
#ifndef TOFU_ENGINE_CHANNEL_READ_BUDGET_HPP
#define TOFU_ENGINE_CHANNEL_READ_BUDGET_HPP

#include <tofu/config.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace tofu::inline TOFU_ABI::engine {

/// A busy channel leaves time for the other channels: when it has read options::read_budget bytes, it begins no further
/// read, and goes on in the next turn. The last read may exceed the budget. A limit that is due while bytes wait in the
/// kernel must not blame the peer. So the bytes that have arrived are read first, in as many turns as necessary. I/O
/// thread.
class read_budget {
public:
    /// The channel's reading in this turn begins.
    void begin(std::size_t bytes) noexcept {
        TOFU_ASSERT(bytes != 0);
        left_ = bytes;
        spent_ = false;
    }

    /// Bytes that the channel may still read in this turn.
    [[nodiscard]] std::size_t left() const noexcept { return left_; }

    /// Takes `bytes` from the budget: bytes that were read, or work that costs as much. May be more than is left.
    void take(std::size_t bytes) noexcept { left_ -= (std::min)(left_, bytes); }

    /// The channel's reading in this turn ends. `more`: the socket may hold more bytes.
    void end(bool more) noexcept { spent_ = left_ == 0 && more; }

    /// True exactly when the budget ended the channel's latest reading.
    [[nodiscard]] bool spent() const noexcept { return spent_; }

    /// A limit is due: the channel must read until it has received `total` bytes in its life, before the limit counts.
    void set_goal(std::uint64_t total) noexcept { goal_ = total; }

    [[nodiscard]] bool has_goal() const noexcept { return goal_ != 0; }

    /// True: the limit has to wait, because the budget has stopped the channel before its goal. Otherwise it forgets
    /// the goal and returns false.
    [[nodiscard]] bool goal_is_ahead(std::uint64_t received) noexcept {
        if (spent_ && received < goal_) return true;
        goal_ = 0;
        return false;
    }

    /// The goal, or 0.
    [[nodiscard]] std::uint64_t goal() const noexcept { return goal_; }

private:
    std::size_t left_ = 0;
    std::uint64_t goal_ = 0;
    bool spent_ = false;
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
