// SPDX-License-Identifier: BSL-1.0
// Attaches a channel's socket to the poller, and arms it for the events that the channel wants.
#ifndef TOFU_ENGINE_LOOP_ATTACHING_HPP
#define TOFU_ENGINE_LOOP_ATTACHING_HPP

#include <tofu/config.hpp>
#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/engine/loop/closing.hpp>
#include <tofu/engine/loop/loop_state.hpp>
#include <tofu/engine/protocol/failure.hpp>
#include <tofu/status.hpp>

namespace tofu::inline TOFU_ABI::engine {

template <class Policies>
class attaching {
    using state_type = loop_state<Policies>;
    using channel_type = channel<Policies>;

public:
    /// Gives the socket to the poller. False: the channel has ended. `failed_step` is the status for an error that has
    /// no reason of its own.
    [[nodiscard]] static bool attach(state_type& state, channel_type& ch, status failed_step) noexcept {
        TOFU_ASSERT(ch.held == registration_state::unused || ch.held == registration_state::released);
        if (ch.held == registration_state::released) ch.renew();
        ch.key = state.keys.make(ch, ch.socket);
        io_error error{io_failure::no_memory, 0};
        if (ch.key != 0) error = state.poller.attach(ch.registration, ch.socket, ch.key);
        if (error) {
            if (ch.key != 0) state.keys.forget(ch.key);
            ch.held = registration_state::released;
            closing<Policies>::end(state, ch, cause_of(error, failed_step));
            return false;
        }
        ch.held = registration_state::attached;
        ch.refused_arms = 0;
        return true;
    }

    /// Tells the poller which events the channel wants now. False: the channel has ended, or is deaf for a while.
    [[nodiscard]] static bool arm(state_type& state, channel_type& ch) noexcept {
        TOFU_ASSERT(ch.is_attached());
        const io_error error = state.poller.arm(ch.registration, wanted(ch));
        if (error) return take_refusal(state, ch, error);
        ch.refused_arms = 0;
        return true;
    }

    /// Arms a socket that the poller has reported as failed. False: the arm fails, so only the watch was lost, not the
    /// connection. After no_memory the loop arms the socket again after the retry time; after any other error the
    /// channel has ended.
    TOFU_COLD [[nodiscard]] static bool is_watched(state_type& state, channel_type& ch) noexcept {
        TOFU_ASSERT(ch.is_attached());
        const io_error error = state.poller.arm(ch.registration, wanted(ch));
        if (error) static_cast<void>(take_refusal(state, ch, error));
        return !error;
    }

private:
    TOFU_COLD static bool take_refusal(state_type& state, channel_type& ch, io_error error) noexcept {
        if (error.kind == io_failure::no_memory) {
            state.refusals.note_refused_arm(ch);
            state.retry_later();
            return !state.refusals.is_deaf(ch);
        }
        closing<Policies>::end(state, ch, cause_of(error, status::processing_failed));
        return false;
    }

    /// The events that the channel wants now. interest::none suppresses every event, errors included, so a starved
    /// engine does not notice that a peer has reset the connection.
    [[nodiscard]] static interest wanted(const channel_type& ch) noexcept {
        interest wanted = interest::none;
        switch (ch.phase) {
        case channel_phase::connecting: return interest::write;
        case channel_phase::listening: return ch.is_paused() ? interest::none : interest::read;
        case channel_phase::open:
            if (ch.conversation.reads() && !ch.is_paused()) wanted |= interest::read;
            // A paused writer needs no event: the retry writes again.
            if (ch.write_blocked && !ch.retry_hook.linked() && ch.conversation.writes()) wanted |= interest::write;
            return wanted;
        case channel_phase::opening:
        case channel_phase::resolving:
        case channel_phase::waiting_for_backlog:
        case channel_phase::waiting_for_release:
        case channel_phase::closing:
        case channel_phase::shut:
        case channel_phase::zombie: return wanted; // no socket to hear about
        }
        return wanted;
    }
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
