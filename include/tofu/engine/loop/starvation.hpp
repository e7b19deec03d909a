// SPDX-License-Identifier: BSL-1.0
// The time in which an engine does not read because the application holds all of the receive credit.
#ifndef TOFU_ENGINE_LOOP_STARVATION_HPP
#define TOFU_ENGINE_LOOP_STARVATION_HPP

#include <tofu/config.hpp>
#include <tofu/detail/intrusive_list.hpp>
#include <tofu/engine/loop/loop_counters.hpp>
#include <tofu/engine/memory/message_pool.hpp>

#include <algorithm>
#include <cstdint>

namespace tofu::inline TOFU_ABI::engine {

/// An episode begins when a message needs credit and none is left. It ends when a quarter of the credit is free again.
/// A channel that has something to read waits here, and channels are resumed in the order in which they came. Two kinds
/// read on: channels whose conversation is over, and channels with a partial message above the limit
/// (reading::mode_of).
///
/// Reading time is the clock without all episodes. Time limits are kept in reading time, because a peer is not late
/// while the engine does not read. A channel whose timer expires during an episode waits here as well.
///
/// I/O thread, or the borrower of its loan; `episodes`: any thread. `Channel` has two hooks, pause_hook and
/// stalled_hook.
template <class Channel, class TimePoint>
class starvation {
public:
    explicit starvation(message_pool& pool) noexcept : pool_(pool) {}

    /// True exactly during an episode.
    [[nodiscard]] bool lasts() const noexcept { return lasts_; }

    /// Begins an episode, unless one lasts. False: enough credit came back at the last moment, reading goes on.
    [[nodiscard]] bool begin(TimePoint now) noexcept {
        if (lasts_) return true;
        if (!pool_.begin_starvation()) return false;
        lasts_ = true;
        since_ = now;
        episodes_.add();
        return true;
    }

    /// True: the episode lasts, and enough credit is back to end it.
    [[nodiscard]] bool is_over() const noexcept { return lasts_ && !pool_.starved(); }

    /// Ends the episode. Calls `resume(channel)` for each channel that waits to read, and `look_again(channel)` for
    /// each channel whose timer has expired meanwhile.
    template <class Resume, class LookAgain>
    void end(TimePoint now, Resume resume, LookAgain look_again) noexcept {
        TOFU_ASSERT(lasts_);
        past_ += (std::max)(now, since_) - since_;
        lasts_ = false;
        waiting_.drain(resume);
        stalled_.drain(look_again);
    }

    /// The channel has something to read: it waits for the end of the episode.
    void wait(Channel& ch) noexcept {
        TOFU_ASSERT(lasts_);
        waiting_.push_back(ch);
    }

    /// The channel's timer has expired: its limits wait for the end of the episode.
    void stall(Channel& ch) noexcept {
        TOFU_ASSERT(lasts_);
        stalled_.push_back(ch);
    }

    [[nodiscard]] TimePoint reading_time(TimePoint now) const noexcept { return (lasts_ ? since_ : now) - past_; }

    /// The number of the present or last episode. Any thread.
    [[nodiscard]] std::uint64_t episodes() const noexcept { return episodes_.value(); }

private:
    message_pool& pool_;
    detail::intrusive_list<Channel, &Channel::pause_hook> waiting_;
    detail::intrusive_list<Channel, &Channel::stalled_hook> stalled_;
    TimePoint since_{};                   ///< when the present or last episode began
    typename TimePoint::duration past_{}; ///< the length of all past episodes
    counter episodes_;
    bool lasts_ = false;
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
