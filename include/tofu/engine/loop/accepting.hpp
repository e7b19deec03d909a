// SPDX-License-Identifier: BSL-1.0
// Accepts connections from a listener's backlog, as far as slots, descriptors and max_awaiting_hello allow.
#ifndef TOFU_ENGINE_LOOP_ACCEPTING_HPP
#define TOFU_ENGINE_LOOP_ACCEPTING_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/engine/channel/channel_word.hpp>
#include <tofu/engine/loop/attaching.hpp>
#include <tofu/engine/loop/closing.hpp>
#include <tofu/engine/loop/loop_state.hpp>
#include <tofu/engine/loop/opening.hpp>
#include <tofu/status.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace tofu::inline TOFU_ABI::engine {

template <class Policies>
class accepting {
    using state_type = loop_state<Policies>;
    using channel_type = channel<Policies>;
    using socket = typename Policies::poll::network_type::socket;

public:
    /// Accepts from a listener that the poller has reported, until the backlog is empty or the turn's attempts are used
    /// up.
    static void accept_connections(state_type& state, channel_type& listener) noexcept {
        TOFU_ASSERT(listener.phase == channel_phase::listening);
        const std::uint64_t turn = state.counters.turns.value();
        for (std::size_t left = listener.accepts.attempts(turn, state.opts.accept_budget); left != 0; --left) {
            if (!has_room(state)) {
                pause(state, listener); // until a channel ends or says hello
                return;
            }
            io_error error;
            socket accepted = listener.socket.accept({.keep_alive = state.opts.keep_alive}, error);
            switch (error.kind) {
            case io_failure::none:
                listener.accepts.succeeded();
                begin_connection(state, listener, std::move(accepted));
                break;
            case io_failure::would_block: listener.accepts.succeeded(); return;
            case io_failure::aborted:
            case io_failure::reset:
            case io_failure::interrupted: break; // that peer is gone: try the next one
            default: fail(state, listener, error); return;
            }
        }
    }

private:
    /// True: the listener may accept one more connection.
    [[nodiscard]] static bool has_room(const state_type& state) noexcept {
        if (state.awaiting_hello >= state.opts.max_awaiting_hello) return false;
        return state.opts.close_when_full || state.channels.used() < state.channels.capacity();
    }

    static void pause(state_type& state, channel_type& listener) noexcept {
        state.refusals.pause_listener(listener);
        state.request_update(listener);
    }

    /// Accepting has failed for a reason that is not about one connection. After a lack of descriptors or memory, the
    /// listener tries again for as long as it takes. Other errors end the listener if they last.
    static void fail(state_type& state, channel_type& listener, io_error error) noexcept {
        const bool passes = error.kind == io_failure::no_descriptors || error.kind == io_failure::no_memory;
        if (!passes && listener.accepts.failed(state.turn_time, state.opts.retry_time)) {
            closing<Policies>::end(state, listener, cause::os(error.os_code, status::accept_failed));
            return;
        }
        pause(state, listener);
        state.retry_later();
    }

    /// Makes a connection for an accepted socket. The application learns of the connection when its hello_request is
    /// complete.
    static void begin_connection(state_type& state, channel_type& listener, socket accepted) noexcept {
        channel_type* const ch = state.channels.acquire();
        if (ch == nullptr || !equip(state, listener, *ch)) {
            if (ch != nullptr) state.channels.release(*ch);
            state.counters.refused.add();
            return; // the socket closes: there is no room for this peer
        }
        state.counters.channels.store(state.channels.used(), std::memory_order_relaxed);
        state.counters.accepted.add();
        ch->socket = std::move(accepted);
        ch->phase = channel_phase::open;
        ch->conversation = conversation{conversation::side::accepting};
        ++state.awaiting_hello;
        ch->limits.begin_hello(state.reading_time(), state.opts.hello_time);
        if (attaching<Policies>::attach(state, *ch, status::accept_failed)) state.request_update(*ch);
    }

    /// Fills in a fresh slot for an accepted socket. False: memory or numbers are short; the caller releases the slot.
    [[nodiscard]] static bool equip(state_type& state, channel_type& listener, channel_type& ch) noexcept {
        ch.goodbye = opening<Policies>::make_goodbye(state);
        if (!ch.goodbye) return false;
        const std::uint64_t flags = channel_word::accepting | channel_word::unannounced |
                                    (state.opts.implicit_hello ? channel_word::implicit_hello : 0);
        const auto named = state.directory.open(listener.group->id, flags, false);
        if (named.number == no_channel) return false;
        ch.number = named.number;
        ch.generation = named.generation;
        ch.visibility = channel_visibility::hidden;
        ch.group = listener.group;
        ++ch.group->channels;
        state.directory.channel(ch.number, &ch);
        return true;
    }
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
