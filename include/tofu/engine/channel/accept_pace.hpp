// SPDX-License-Identifier: BSL-1.0
// Limits the connections that a listener asks for in one turn, and counts the failures that end it.
#ifndef TOFU_ENGINE_CHANNEL_ACCEPT_PACE_HPP
#define TOFU_ENGINE_CHANNEL_ACCEPT_PACE_HPP

#include <tofu/config.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace tofu::inline TOFU_ABI::engine {

/// An attempt that finds no connection costs nearly as much as one that finds a connection. So a listener begins with
/// one attempt per turn. The number doubles with each turn that follows directly on the one before. I/O thread.
template <class TimePoint>
class accept_pace {
public:
    /// A listener ends after this many failures in a row, each at least retry_time after the one before.
    static constexpr unsigned most_failures = 30;

    /// The number of connections to ask for in this turn. `turn` is the number of the turn, from 1.
    [[nodiscard]] std::size_t attempts(std::uint64_t turn, std::size_t most) noexcept {
        TOFU_ASSERT(turn > turn_);
        const bool follows = turn_ != 0 && turn_ + 1 == turn;
        turn_ = turn;
        attempts_ = follows ? (std::min)(2 * attempts_, most) : 1;
        return attempts_;
    }

    /// The system has answered: with a connection, or with none.
    void succeeded() noexcept { failures_ = 0; }

    /// Accepting has failed for a reason that may pass. True: it has failed for too long, so the listener has to end.
    [[nodiscard]] bool failed(TimePoint now, std::chrono::milliseconds retry_time) noexcept {
        if (now < count_at_) return false;
        count_at_ = now + retry_time;
        return ++failures_ == most_failures;
    }

private:
    std::uint64_t turn_ = 0; ///< the latest turn that asked
    std::size_t attempts_ = 1;
    unsigned failures_ = 0;                   ///< in a row
    TimePoint count_at_ = (TimePoint::min)(); ///< earlier failures do not count
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
