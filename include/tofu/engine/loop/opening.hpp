// SPDX-License-Identifier: BSL-1.0
// How channels begin: a hello_request becomes a connection, a welcome_request a listener, a listener's backlog more.
#ifndef TOFU_ENGINE_LOOP_OPENING_HPP
#define TOFU_ENGINE_LOOP_OPENING_HPP

#include <tofu/config.hpp>
#include <tofu/engine/loop/closing.hpp>
#include <tofu/engine/loop/limits.hpp>
#include <tofu/engine/loop/loop_state.hpp>
#include <tofu/engine/loop/paused_channels.hpp>
#include <tofu/engine/protocol/failure.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace tofu::inline TOFU_ABI::engine {

/// The message set aside for a channel's goodbye; null when memory is short.
template <class Policies>
[[nodiscard]] message_ptr make_goodbye(loop_state<Policies>& state) noexcept {
    message_ptr goodbye = owned(state.messages.allocate());
    if (goodbye && !goodbye->headers().buffer().reserve(reason_room)) goodbye.reset();
    return goodbye;
}

/// There is no slot, or no memory for one: the request comes back as its own answer, once no post is in flight.
template <class Policies>
void fail_opening(loop_state<Policies>& state, message& request, reason why) noexcept {
    const bool listener = request.header().op == op_code::welcome_request;
    const channel_step step = listener ? channel_step::listening : channel_step::connecting;
    make_failed_answer(request, status_of(cause::of(why), step), cause::of(why));
    ++route_of(request).group->channels;
    state.directory.close(request.header().channel_number);
    state.failed_openings.push_back(node_of(request));
}

/// A slot for a request of the application, with everything it will need at its end. Null: the request was answered.
template <class Policies>
[[nodiscard]] channel<Policies>* begin_channel(loop_state<Policies>& state, message& request) noexcept {
    message_ptr goodbye = make_goodbye(state);
    channel<Policies>* const ch = goodbye ? state.channels.acquire() : nullptr;
    if (ch == nullptr) {
        const bool full = goodbye && state.channels.used() >= state.channels.capacity();
        fail_opening(state, request, full ? reason::out_of_channels : reason::out_of_memory);
        return nullptr;
    }
    state.counters.channels.store(state.channels.used(), std::memory_order_relaxed);
    ch->announced = true;
    ch->listener = request.header().op == op_code::welcome_request;
    ch->number = request.header().channel_number;
    ch->generation = route_of(request).generation;
    ch->group = ref<group_core>::share(*route_of(request).group);
    ++ch->group->channels;
    ch->goodbye = std::move(goodbye);
    state.directory.channel(ch->number, ch);
    return ch;
}

/// Gives the socket to the poller. False: the channel has ended.
template <class Policies>
[[nodiscard]] bool attach(loop_state<Policies>& state, channel<Policies>& ch, status failed_step) noexcept {
    if (std::exchange(ch.was_attached, true)) ch.renew();
    ch.key = state.keys.make(ch, ch.socket);
    io_error error{io_failure::no_memory, 0};
    if (ch.key != 0) error = state.poller.attach(ch.registration, ch.socket, ch.key);
    if (error) {
        if (ch.key != 0) state.keys.forget(ch.key);
        end_channel(state, ch, cause_of(error, failed_step));
        return false;
    }
    ch.attached = true;
    ch.refused_arms = 0;
    return true;
}

// Connecting.

/// How many addresses the channel can still try. 0 for a literal, unless a full backlog makes the channel try the
/// literal again.
template <class Policies>
[[nodiscard]] std::size_t untried_addresses(const channel<Policies>& ch) noexcept {
    return ch.addresses ? ch.addresses->found.size() - ch.addresses->tried : 0;
}

template <class Policies>
void connected(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    ch.phase = channel_phase::open;
    ch.addresses.reset();
    begin_phase_limit(state, ch, state.opts.hello_time, reason::hello_timeout);
    if (ch.conversation.bye_queued()) begin_bye_limit(state, ch);
    restart_idle_limit(state, ch);
    state.touch(ch);
}

/// The listener's backlog is full: connects to this address again after retry_time, until the address's share of
/// connect_time is over.
template <class Policies>
void connect_later(loop_state<Policies>& state, channel<Policies>& ch,
                   const typename channel<Policies>::endpoint& where) noexcept {
    using resolution_type = resolution<typename channel<Policies>::endpoint>;
    if (!ch.addresses) { // it was a literal
        ch.addresses.reset(new (std::nothrow) resolution_type);
        if (!ch.addresses || !ch.addresses->found.push_back(where)) {
            end_channel(state, ch, cause::of(reason::out_of_memory));
            return;
        }
        ch.addresses->tried = 1;
    }
    ch.phase = channel_phase::resolving; // as far as events go: it has no socket
    if (!std::exchange(ch.awaits_backlog, true)) begin_address_limit(state, ch, 1 + untried_addresses(ch));
    --ch.addresses->tried;
    state.paused_connects.push_back(ch);
    state.retry_later();
    state.touch(ch);
}

/// Starts to connect to one address. An error: it failed at once, the next one may be tried.
template <class Policies>
[[nodiscard]] io_error connect_to(loop_state<Policies>& state, channel<Policies>& ch,
                                  const typename channel<Policies>::endpoint& where) noexcept {
    io_error error;
    ch.socket = state.poller.network().connect(where, {.keep_alive = state.opts.keep_alive}, error);
    if (error.kind == io_failure::backlog_full) {
        connect_later(state, ch, where);
        return {};
    }
    ch.awaits_backlog = false;
    const bool in_progress = error.kind == io_failure::would_block;
    if (error && !in_progress) return error;
    if (!attach(state, ch, status::connect_failed)) return {};
    ch.phase = channel_phase::connecting;
    begin_address_limit(state, ch, 1 + untried_addresses(ch));
    if (!in_progress) connected(state, ch);
    state.touch(ch);
    return {};
}

// Listening.

/// The listener listens: the welcome_request becomes the welcome_response. It keeps its text headers, its body and its
/// user pointer; only `~listen_on` changes, to the address really bound.
template <class Policies>
void welcome(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    const address bound = state.poller.network().to_address(ch.socket.local_endpoint());
    if (ch.request->headers().set(listen_on_header, to_text(bound).view()) != status::success) {
        end_channel(state, ch, cause::of(reason::out_of_memory));
        return;
    }
    message& answer = *ch.request.release();
    binary_header& h = answer.header();
    h.op = op_code::welcome_response;
    put_status(answer, status::success);
    h.text_headers_length = static_cast<std::uint16_t>(answer.headers().size_bytes());
    ch.phase = channel_phase::listening;
    ch.opened = true;
    end_phase_limit(ch);
    bind_to_channel(state, answer, ch.number, ch.generation);
    deliver(state, *ch.group, answer);
    state.touch(ch);
}

template <class Policies>
[[nodiscard]] io_error listen_at(loop_state<Policies>& state, channel<Policies>& ch,
                                 const typename channel<Policies>::endpoint& where) noexcept {
    io_error error;
    ch.socket = state.poller.network().listen(
        where, {.keep_alive = state.opts.keep_alive, .file_permissions = state.opts.uds_permissions},
        state.opts.backlog, error);
    if (error) return error;
    if (attach(state, ch, status::listen_failed)) welcome(state, ch);
    return {};
}

// The addresses of a name.

/// Ends a channel that has no address left to try, or no time. Of all failures, the most telling one is the cause.
template <class Policies>
void end_without_address(loop_state<Policies>& state, channel<Policies>& ch, io_error last) noexcept {
    io_error told = ch.addresses ? more_telling(ch.addresses->error, last) : last;
    if (!told) told = {io_failure::timed_out, 0}; // time was over before the first address was tried
    end_channel(state, ch, cause_of(told, ch.listener ? status::listen_failed : status::connect_failed));
}

/// Tries the next address. `failure` is the failure of the previous address. There is none before the first address,
/// and when an address is tried again after a full backlog.
template <class Policies>
void try_next_address(loop_state<Policies>& state, channel<Policies>& ch, io_error failure) noexcept {
    while (untried_addresses(ch) != 0 && !connect_limit_is_over(state, ch)) {
        ch.addresses->error = more_telling(ch.addresses->error, failure);
        const auto where = ch.addresses->found[ch.addresses->tried++];
        failure = ch.listener ? listen_at(state, ch, where) : connect_to(state, ch, where);
        if (!failure) return;
    }
    end_without_address(state, ch, failure);
}

/// The retry time is over.
template <class Policies>
void resume_connects(loop_state<Policies>& state) noexcept {
    decltype(state.paused_connects) now;
    now.swap(state.paused_connects);
    while (channel<Policies>* const ch = now.pop_front())
        if (!ch->ended()) try_next_address(state, *ch, {});
}

/// An address has refused or did not answer in time: the socket goes, the next address follows, at once or when the
/// poller has let go of the registration.
template <class Policies>
void leave_address(loop_state<Policies>& state, channel<Policies>& ch, io_error error) noexcept {
    if (untried_addresses(ch) == 0) {
        end_without_address(state, ch, error);
        return;
    }
    detach(state, ch);
    close_socket(ch);
    ch.phase = channel_phase::resolving; // as far as events go: it has no socket
    if (!ch.owed) {
        try_next_address(state, ch, error);
        return;
    }
    ch.addresses->error = more_telling(ch.addresses->error, error);
    restore_connect_limit(ch); // the release may not come
    state.touch(ch);
}

/// The limit of a channel without a socket is reached. After a full backlog the next address follows, if there is
/// one. Otherwise the channel ends: its name has no answer yet, or the poller still holds the previous address's
/// registration.
template <class Policies>
void stop_waiting_for_address(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    constexpr io_error late{io_failure::timed_out, 0};
    if (!ch.awaits_backlog) {
        end_without_address(state, ch, late);
        return;
    }
    state.paused_connects.erase(ch);
    ch.awaits_backlog = false;
    ++ch.addresses->tried;
    try_next_address(state, ch, late);
}

/// Asks a connecting socket for its result. Without a result yet, the attempt fails with `unanswered`;
/// io_failure::none keeps waiting.
template <class Policies>
void finish_connect(loop_state<Policies>& state, channel<Policies>& ch, io_failure unanswered) noexcept {
    io_error error = ch.socket.finish_connect();
    if (error.kind == io_failure::would_block) {
        if (unanswered == io_failure::none) return;
        error = {unanswered, 0};
    }
    if (error)
        leave_address(state, ch, error);
    else
        connected(state, ch);
}

// Both.

/// Asks the network's resolver; the answer comes through the inbox.
template <class Policies>
void resolve_name(loop_state<Policies>& state, channel<Policies>& ch, const address& name) noexcept {
    using endpoint = typename channel<Policies>::endpoint;
    std::unique_ptr<resolution<endpoint>> question(new (std::nothrow) resolution<endpoint>);
    if (!question) {
        end_channel(state, ch, cause::of(reason::out_of_memory));
        return;
    }
    question->name = name;
    question->for_listening = ch.listener;
    question->asker = ch.identity();
    question->number = ch.number;
    question->generation = ch.generation;
    ch.phase = channel_phase::resolving;
    restore_connect_limit(ch);
    state.touch(ch);
    using core = engine_core<Policies>;
    state.poller.network().resolve(
        resolution_request<core, endpoint>(std::move(question), ref<core>::share(state.core)));
}

/// The resolver has answered; whoever asked may be gone. In an engine that stops an answer changes nothing: it may be
/// one that was not looked for any more, and every channel is about to end for the stop's own reason.
template <class Policies>
void take_resolution(loop_state<Policies>& state,
                     std::unique_ptr<resolution<typename channel<Policies>::endpoint>> answer) noexcept {
    channel<Policies>* const ch = state.channels.at(answer->asker.index);
    if (ch == nullptr || ch->identity() != answer->asker || ch->phase != channel_phase::resolving) return;
    if (state.stopping) return;
    ch->addresses = std::move(answer);
    try_next_address(state, *ch, {});
}

/// A posted hello_request or welcome_request: its number was given out by `post`.
template <class Policies>
void open_channel(loop_state<Policies>& state, message& request) noexcept {
    channel<Policies>* const ch = begin_channel(state, request);
    if (ch == nullptr) return;
    const address where =
        parse_address(request.headers().find(ch->listener ? listen_on_header : connect_to_header)).value;
    if (ch->listener) {
        ch->request = owned(&request);
    } else {
        static_cast<void>(ch->conversation.queue(op_code::hello_request));
        ch->writer.push(request);
    }
    begin_connect_limit(state, *ch);
    typename channel<Policies>::endpoint target;
    const status failed_step = ch->listener ? status::listen_failed : status::connect_failed;
    io_error error = state.poller.network().to_endpoint(where, ch->listener, target);
    if (error.kind == io_failure::name_required) {
        resolve_name(state, *ch, where);
        return;
    }
    if (!error) error = ch->listener ? listen_at(state, *ch, target) : connect_to(state, *ch, target);
    if (error) end_channel(state, *ch, cause_of(error, failed_step));
}

} // namespace tofu::inline TOFU_ABI::engine

#endif
