// SPDX-License-Identifier: BSL-1.0
// A listener's backlog becomes connections, as far as slots, descriptors and the limit before hello allow.
#ifndef TOFU_ENGINE_LOOP_ACCEPTING_HPP
#define TOFU_ENGINE_LOOP_ACCEPTING_HPP

#include <tofu/config.hpp>
#include <tofu/engine/loop/closing.hpp>
#include <tofu/engine/loop/limits.hpp>
#include <tofu/engine/loop/loop_state.hpp>
#include <tofu/engine/loop/opening.hpp>
#include <tofu/engine/loop/paused_channels.hpp>

#include <utility>

namespace tofu::inline TOFU_ABI::engine {

/// Fills in a fresh slot for an accepted socket. False: memory or numbers are short; the slot's owner is as it was.
template <class Policies>
[[nodiscard]] bool equip_accepted(loop_state<Policies>& state, channel<Policies>& listener,
                                  channel<Policies>& ch) noexcept {
    ch.goodbye = make_goodbye(state);
    if (!ch.goodbye) return false;
    const std::uint64_t flags = channel_word::accepting | channel_word::unannounced |
                                (state.opts.implicit_hello ? channel_word::implicit_hello : 0);
    const auto named = state.directory.open(listener.group->id, flags, false);
    if (named.number == no_channel) return false;
    ch.number = named.number;
    ch.generation = named.generation;
    ch.group = listener.group;
    ++ch.group->channels;
    state.directory.channel(ch.number, &ch);
    return true;
}

/// A connection that nobody knows of until its hello_request is complete.
template <class Policies>
void begin_accepted(loop_state<Policies>& state, channel<Policies>& listener,
                    typename loop_state<Policies>::poll::network_type::socket socket) noexcept {
    channel<Policies>* const ch = state.channels.acquire();
    if (ch == nullptr || !equip_accepted(state, listener, *ch)) {
        if (ch != nullptr) state.channels.release(*ch);
        state.counters.refused.add();
        return; // the socket closes: there is no room for this peer
    }
    state.counters.channels.store(state.channels.used(), std::memory_order_relaxed);
    state.counters.accepted.add();
    ch->socket = std::move(socket);
    ch->phase = channel_phase::open;
    ch->conversation = engine::conversation{conversation::side::accepting};
    ch->waits_for_hello = true;
    ++state.awaiting_hello;
    begin_phase_limit(state, *ch, state.opts.hello_time, reason::hello_timeout);
    if (attach(state, *ch, status::accept_failed)) state.touch(*ch);
}

/// May one more be taken from the backlog?
template <class Policies>
[[nodiscard]] bool may_accept(const loop_state<Policies>& state) noexcept {
    if (state.awaiting_hello >= state.opts.max_awaiting_hello) return false;
    return state.opts.close_when_full || state.channels.used() < state.channels.capacity();
}

/// How many to ask for in this turn: one, as an attempt that finds nobody costs the system nearly as much as one that
/// finds somebody, and twice as many as before while each turn has found all it asked for.
template <class Policies>
[[nodiscard]] std::size_t accepts_in_turn(loop_state<Policies>& state, channel<Policies>& listener) noexcept {
    const std::uint64_t turn = state.counters.turns.value();
    const bool is_burst = listener.accepted_in != 0 && listener.accepted_in + 1 == turn;
    listener.accepted_in = turn;
    listener.accepts = is_burst ? (std::min)(2 * listener.accepts, state.opts.accept_budget) : 1;
    return listener.accepts;
}

/// A listener ends after this many failures in a row, each at least retry_time after the one before.
inline constexpr unsigned most_failed_accepts = 30;

/// Accepting has failed for a reason that is not about one connection. A lack of descriptors or memory passes, however
/// long it takes. Other errors may pass, too. If they last for most_failed_accepts, the listener ends with the error.
template <class Policies>
void accept_failed(loop_state<Policies>& state, channel<Policies>& listener, io_error error) noexcept {
    const bool passes = error.kind == io_failure::no_descriptors || error.kind == io_failure::no_memory;
    if (!passes && state.turn_time >= listener.count_failure_at) {
        listener.count_failure_at = state.turn_time + state.opts.retry_time;
        if (++listener.failed_accepts == most_failed_accepts) {
            end_channel(state, listener, cause::os(error.os_code, status::accept_failed));
            return;
        }
    }
    pause_listener(state, listener);
    state.retry_later();
}

/// The poller has said that a listener has a backlog.
template <class Policies>
void accept_connections(loop_state<Policies>& state, channel<Policies>& listener) noexcept {
    for (std::size_t left = accepts_in_turn(state, listener); left != 0; --left) {
        if (!may_accept(state)) {
            pause_listener(state, listener); // until a channel ends or says hello
            return;
        }
        io_error error;
        auto socket = listener.socket.accept({.keep_alive = state.opts.keep_alive}, error);
        switch (error.kind) {
        case io_failure::none:
            listener.failed_accepts = 0;
            begin_accepted(state, listener, std::move(socket));
            break;
        case io_failure::would_block: listener.failed_accepts = 0; return;
        case io_failure::aborted:
        case io_failure::reset:
        case io_failure::interrupted: break; // that peer is gone; the next one
        default: accept_failed(state, listener, error); return;
        }
    }
}

} // namespace tofu::inline TOFU_ABI::engine

#endif
