// SPDX-License-Identifier: BSL-1.0
// Limits the channels that hold an incomplete message. At the limit, other channels wait here before they begin one. A
// channel whose read lacked memory waits here too.
#ifndef TOFU_ENGINE_LOOP_PARTIAL_MESSAGES_HPP
#define TOFU_ENGINE_LOOP_PARTIAL_MESSAGES_HPP

#include <tofu/config.hpp>
#include <tofu/detail/intrusive_list.hpp>

#include <cstddef>

namespace tofu::inline TOFU_ABI::engine {

/// Incomplete messages should hold at most half of the receive credit, so that complete messages still get through; see
/// is_within_limit. At the limit, a channel begins a message only if all of it has arrived; else the channel waits
/// here. I/O thread. `Channel` has pause_hook and holds_partial. holds_partial is true exactly when the channel counts
/// here.
template <class Channel>
class partial_messages {
public:
    explicit partial_messages(std::size_t credit) noexcept : most_(credit / 2) {}

    /// True: one more channel may begin a message.
    [[nodiscard]] bool has_room() const noexcept { return count_ < most_; }

    /// False after reads that the system cut short (see reading::read_exactly). Incomplete messages may then hold all
    /// of the credit, and the credit comes back only when these messages are completed. To complete them needs no
    /// further credit.
    [[nodiscard]] bool is_within_limit() const noexcept { return count_ <= most_; }

    [[nodiscard]] std::size_t count() const noexcept { return count_; }

    /// Notes whether the channel holds an incomplete message. When it no longer does, calls `resume(waiting channel)`
    /// for all that wait.
    template <class Resume>
    void note(Channel& ch, bool holds, Resume resume) noexcept {
        if (ch.holds_partial == holds) return;
        ch.holds_partial = holds;
        if (holds) {
            ++count_;
            return;
        }
        TOFU_ASSERT(count_ != 0);
        --count_;
        resume_all(resume);
    }

    /// The channel must not read until it is resumed.
    void wait(Channel& ch) noexcept { waiting_.push_back(ch); }

    /// Calls `resume(channel)` for all that wait.
    template <class Resume>
    void resume_all(Resume resume) noexcept {
        waiting_.drain(resume);
    }

private:
    const std::size_t most_;
    std::size_t count_ = 0;
    detail::intrusive_list<Channel, &Channel::pause_hook> waiting_;
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
