// SPDX-License-Identifier: BSL-1.0
// The channels that met a refusal of the system, and the time at which the loop tries again.
#ifndef TOFU_ENGINE_LOOP_REFUSALS_HPP
#define TOFU_ENGINE_LOOP_REFUSALS_HPP

#include <tofu/config.hpp>
#include <tofu/detail/intrusive_list.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

namespace tofu::inline TOFU_ABI::engine {

/// The system may lack memory, buffers or descriptors, or a listener's backlog may be full. The channel that met such a
/// refusal waits here, and everything is tried again after options::retry_time. A paused listener also resumes when a
/// slot becomes free, or when an accepted connection ends or completes its hello_request. If a resumed channel is
/// paused again during the call, it waits for the next call. I/O thread. `Channel` has pause_hook, retry_hook and
/// refused_arms.
template <class Channel, class TimePoint>
class refusals {
public:
    /// After this many refused attempts in a row, the channel's limits expire although the poller does not watch its
    /// socket.
    static constexpr std::uint8_t most_refused_arms = 8;

    /// Tries everything again after `retry_time`, unless that is planned already.
    void retry_later(TimePoint now, std::chrono::milliseconds retry_time) noexcept {
        if (retry_at_ == (TimePoint::max)()) retry_at_ = now + retry_time;
    }

    /// When the loop has to try again; max(): nothing was refused.
    [[nodiscard]] TimePoint retry_at() const noexcept { return retry_at_; }

    /// True once: the retry time is over.
    [[nodiscard]] bool take_retry(TimePoint now) noexcept {
        if (now < retry_at_) return false;
        retry_at_ = (TimePoint::max)();
        return true;
    }

    /// The listener accepts nothing until it is resumed.
    void pause_listener(Channel& listener) noexcept { listeners_.push_back(listener); }

    template <class Resume>
    void resume_listeners(Resume resume) noexcept {
        listeners_.drain(resume);
    }

    /// The listener's backlog was full: the channel connects again at the retry.
    void pause_connect(Channel& ch) noexcept { connects_.push_back(ch); }

    template <class Resume>
    void resume_connects(Resume resume) noexcept {
        connects_.drain(resume);
    }

    /// The system had no buffers for what the channel sends. The poller may report such a socket as writable all the
    /// time, so the channel ignores such reports until the retry.
    void pause_writer(Channel& ch) noexcept { writers_.push_back(ch); }

    template <class Resume>
    void resume_writers(Resume resume) noexcept {
        writers_.drain(resume);
    }

    /// The poller had no memory to arm the channel.
    void note_refused_arm(Channel& ch) noexcept {
        if (ch.refused_arms == 0) ch.refused_arms = 1;
        has_refused_arms_ = true;
    }

    /// True once after note_refused_arm.
    [[nodiscard]] bool take_refused_arms() noexcept { return std::exchange(has_refused_arms_, false); }

    /// Counts one more attempt. False: the poller has not refused this channel.
    [[nodiscard]] static bool count_refused_arm(Channel& ch) noexcept {
        if (ch.refused_arms == 0) return false;
        if (ch.refused_arms < most_refused_arms) ++ch.refused_arms;
        return true;
    }

    /// True from the first refused arm of an attached socket until an arm succeeds or attempt most_refused_arms begins.
    /// Meanwhile the channel's limits do not expire.
    [[nodiscard]] static bool is_deaf(const Channel& ch) noexcept {
        return ch.is_attached() && ch.refused_arms != 0 && ch.refused_arms < most_refused_arms;
    }

private:
    detail::intrusive_list<Channel, &Channel::pause_hook> listeners_;
    detail::intrusive_list<Channel, &Channel::retry_hook> connects_;
    detail::intrusive_list<Channel, &Channel::retry_hook> writers_;
    TimePoint retry_at_ = (TimePoint::max)();
    bool has_refused_arms_ = false;
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
