// SPDX-License-Identifier: BSL-1.0
// Opens channels: a hello_request becomes a connection, a welcome_request becomes a listener.
#ifndef TOFU_ENGINE_LOOP_OPENING_HPP
#define TOFU_ENGINE_LOOP_OPENING_HPP

#include <tofu/address.hpp>
#include <tofu/config.hpp>
#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/engine/channel/resolution.hpp>
#include <tofu/engine/loop/attaching.hpp>
#include <tofu/engine/loop/closing.hpp>
#include <tofu/engine/loop/loop_state.hpp>
#include <tofu/engine/protocol/failure.hpp>
#include <tofu/engine/protocol/notices.hpp>
#include <tofu/engine/protocol/post_checks.hpp>
#include <tofu/message_ptr.hpp>
#include <tofu/status.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

namespace tofu::inline TOFU_ABI::engine {

template <class Policies>
class opening {
    using state_type = loop_state<Policies>;
    using channel_type = channel<Policies>;
    using endpoint = typename channel_type::endpoint;
    using resolution_type = resolution<endpoint>;

public:
    /// The message that is set aside for a channel's goodbye. Null: memory is short.
    [[nodiscard]] static message_ptr make_goodbye(state_type& state) noexcept {
        message_ptr goodbye = owned(state.messages.allocate());
        if (goodbye && !goodbye->headers().buffer().reserve(reason_room)) goodbye.reset();
        return goodbye;
    }

    /// Opens the channel of a posted hello_request or welcome_request. `post` has given out its number.
    static void open(state_type& state, message& request) noexcept {
        channel_type* const ch = begin_channel(state, request);
        if (ch == nullptr) return;
        const address where =
            parse_address(request.headers().find(ch->listener ? listen_on_header : connect_to_header)).value;
        if (ch->listener) {
            ch->request = owned(&request);
        } else {
            static_cast<void>(ch->conversation.queue(op_code::hello_request));
            ch->writer.push(request);
        }
        ch->limits.begin_connect(state.reading_time(), state.opts.connect_time);
        endpoint target;
        io_error error = state.poller.network().to_endpoint(where, ch->listener, target);
        if (error.kind == io_failure::name_required) {
            resolve(state, *ch, where);
            return;
        }
        if (!error) error = try_address(state, *ch, target);
        if (error) closing<Policies>::end(state, *ch, cause_of(error, failed_step(*ch)));
    }

    /// Takes the resolver's answer. The channel that asked may be gone. While the engine stops, it ignores the answer.
    /// The resolver may have dropped the question, and every channel is about to end with reason engine_stopped.
    static void take_resolution(state_type& state, std::unique_ptr<resolution_type> answer) noexcept {
        channel_type* const ch = state.channels.at(answer->asker.index);
        if (ch == nullptr || ch->identity() != answer->asker || ch->phase != channel_phase::resolving) return;
        if (state.stopping) return;
        ch->addresses = std::move(answer);
        try_next_address(state, *ch, {});
    }

    /// The poller has released the registration of the previous address.
    static void continue_after_release(state_type& state, channel_type& ch) noexcept {
        TOFU_ASSERT(ch.phase == channel_phase::waiting_for_release);
        try_next_address(state, ch, {});
    }

    /// The retry time is over: channels that met a full backlog connect again.
    static void resume_connects(state_type& state) noexcept {
        state.refusals.resume_connects([&state](channel_type& ch) noexcept {
            if (!ch.has_ended()) try_next_address(state, ch, {});
        });
    }

    /// Handles a report of a connecting socket. `failed` can also mean that the poller has lost the watch. Then the
    /// next arm of this socket fails, and the attempt goes on.
    TOFU_NOINLINE static void take_connect_report(state_type& state, channel_type& ch, readiness what) noexcept {
        TOFU_ASSERT(ch.phase == channel_phase::connecting);
        io_error result = ch.socket.finish_connect();
        if (result.kind == io_failure::would_block) {
            if (!any(what & readiness::failed) || !attaching<Policies>::is_watched(state, ch)) return;
            result = {io_failure::refused, 0}; // without an end here, the poller would report it for ever
        }
        conclude_connect(state, ch, result);
    }

    /// The connect time of a connecting socket is over. The name may have other addresses.
    static void stop_connecting(state_type& state, channel_type& ch) noexcept {
        TOFU_ASSERT(ch.phase == channel_phase::connecting);
        const io_error result = ch.socket.finish_connect();
        conclude_connect(state, ch,
                         result.kind == io_failure::would_block ? io_error{io_failure::timed_out, 0} : result);
    }

    /// The channel's limit is reached, and it has no socket. A channel that waits for a backlog tries its next address.
    /// A channel that waits for the resolver, or for the release of a registration, ends.
    static void stop_waiting(state_type& state, channel_type& ch) noexcept {
        constexpr io_error late{io_failure::timed_out, 0};
        if (ch.phase != channel_phase::waiting_for_backlog) {
            end_without_address(state, ch, late);
            return;
        }
        ch.retry_hook.unlink();
        ch.phase = channel_phase::opening;
        ++ch.addresses->tried;
        try_next_address(state, ch, late);
    }

private:
    static void conclude_connect(state_type& state, channel_type& ch, io_error result) noexcept {
        if (result)
            abandon_address(state, ch, result);
        else
            begin_conversation(state, ch);
    }

    [[nodiscard]] static status failed_step(const channel_type& ch) noexcept {
        return ch.listener ? status::listen_failed : status::connect_failed;
    }

    /// Makes the channel for a request of the application, and allocates its goodbye in advance. Null: the
    /// request has failed and goes back.
    [[nodiscard]] static channel_type* begin_channel(state_type& state, message& request) noexcept {
        message_ptr goodbye = make_goodbye(state);
        channel_type* const ch = goodbye ? state.channels.acquire() : nullptr;
        if (ch == nullptr) {
            const bool full = goodbye && state.channels.used() >= state.channels.capacity();
            closing<Policies>::fail_opening(state, request, full ? reason::out_of_channels : reason::out_of_memory);
            return nullptr;
        }
        state.counters.channels.store(state.channels.used(), std::memory_order_relaxed);
        ch->listener = request.header().op == op_code::welcome_request;
        ch->number = request.header().channel_number;
        ch->generation = route_of(request).generation;
        ch->group = ref<group_core>::share(*route_of(request).group);
        ++ch->group->channels;
        ch->goodbye = std::move(goodbye);
        state.directory.channel(ch->number, ch);
        return ch;
    }

    /// Asks the network's resolver. The answer comes through the inbox.
    static void resolve(state_type& state, channel_type& ch, const address& name) noexcept {
        std::unique_ptr<resolution_type> question(new (std::nothrow) resolution_type);
        if (!question) {
            closing<Policies>::end(state, ch, cause::of(reason::out_of_memory));
            return;
        }
        question->name = name;
        question->for_listening = ch.listener;
        question->asker = ch.identity();
        question->number = ch.number;
        question->generation = ch.generation;
        ch.phase = channel_phase::resolving;
        ch.limits.restore_connect();
        state.request_update(ch);
        state.poller.network().resolve(resolution_request<endpoint>(std::move(question), state.owner));
    }

    /// The number of addresses that the channel can still try. 0 for a literal, unless a full backlog makes the channel
    /// try the literal again.
    [[nodiscard]] static std::size_t untried_addresses(const channel_type& ch) noexcept {
        return ch.addresses ? ch.addresses->found.size() - ch.addresses->tried : 0;
    }

    /// Tries the next address. `failure` is a failure that `ch.addresses->error` does not hold yet; none if there is no
    /// such failure.
    static void try_next_address(state_type& state, channel_type& ch, io_error failure) noexcept {
        while (untried_addresses(ch) != 0 && !ch.limits.connect_is_over(state.reading_time())) {
            ch.addresses->error = more_telling(ch.addresses->error, failure);
            const endpoint where = ch.addresses->found[ch.addresses->tried++];
            failure = try_address(state, ch, where);
            if (!failure) return;
        }
        end_without_address(state, ch, failure);
    }

    /// An error: the address failed at once, the next one may be tried.
    [[nodiscard]] static io_error try_address(state_type& state, channel_type& ch, const endpoint& where) noexcept {
        return ch.listener ? listen_at(state, ch, where) : connect_to(state, ch, where);
    }

    [[nodiscard]] static io_error connect_to(state_type& state, channel_type& ch, const endpoint& where) noexcept {
        io_error error;
        ch.socket = state.poller.network().connect(where, {.keep_alive = state.opts.keep_alive}, error);
        if (error.kind == io_failure::backlog_full) {
            connect_later(state, ch, where);
            return {};
        }
        ch.phase = channel_phase::opening;
        const bool in_progress = error.kind == io_failure::would_block;
        if (error && !in_progress) return error;
        if (!attaching<Policies>::attach(state, ch, status::connect_failed)) return {};
        ch.phase = channel_phase::connecting;
        ch.limits.begin_address(state.reading_time(), 1 + untried_addresses(ch));
        if (!in_progress) begin_conversation(state, ch);
        state.request_update(ch);
        return {};
    }

    /// The listener's backlog is full: connects to this address again after retry_time, until the address's share of
    /// connect_time is over.
    static void connect_later(state_type& state, channel_type& ch, const endpoint& where) noexcept {
        if (!ch.addresses) { // it was a literal
            ch.addresses.reset(new (std::nothrow) resolution_type);
            if (!ch.addresses || !ch.addresses->found.push_back(where)) {
                closing<Policies>::end(state, ch, cause::of(reason::out_of_memory));
                return;
            }
            ch.addresses->tried = 1;
        }
        if (ch.phase != channel_phase::waiting_for_backlog)
            ch.limits.begin_address(state.reading_time(), 1 + untried_addresses(ch));
        ch.phase = channel_phase::waiting_for_backlog;
        TOFU_ASSERT(ch.addresses->tried != 0);
        --ch.addresses->tried;
        state.refusals.pause_connect(ch);
        state.retry_later();
        state.request_update(ch);
    }

    /// The socket is connected: the conversation begins.
    static void begin_conversation(state_type& state, channel_type& ch) noexcept {
        TOFU_ASSERT(ch.is_attached() && ch.phase == channel_phase::connecting);
        ch.phase = channel_phase::open;
        ch.addresses.reset();
        ch.limits.begin_hello(state.reading_time(), state.opts.hello_time);
        if (ch.conversation.bye_queued()) ch.limits.begin_bye(state.reading_time(), state.opts.bye_time);
        ch.limits.restart_idle(state.reading_time(), state.opts.idle_time);
        state.request_update(ch);
    }

    [[nodiscard]] static io_error listen_at(state_type& state, channel_type& ch, const endpoint& where) noexcept {
        io_error error;
        ch.socket = state.poller.network().listen(
            where, {.keep_alive = state.opts.keep_alive, .file_permissions = state.opts.uds_permissions},
            state.opts.backlog, error);
        if (error) return error;
        if (attaching<Policies>::attach(state, ch, status::listen_failed)) welcome(state, ch);
        return {};
    }

    /// The listener listens: the welcome_request becomes the welcome_response. The message keeps its text headers, its
    /// body and its user pointer. Only `~listen_on` changes: to the address that the socket is bound to.
    static void welcome(state_type& state, channel_type& ch) noexcept {
        const address bound = state.poller.network().to_address(ch.socket.local_endpoint());
        ch.phase = channel_phase::listening;
        if (ch.request->headers().set(listen_on_header, to_text(bound).view()) != status::success) {
            closing<Policies>::end(state, ch, cause::of(reason::out_of_memory));
            return;
        }
        message& answer = *ch.request.release();
        binary_header& h = answer.header();
        h.op = op_code::welcome_response;
        put_status(answer, status::success);
        h.text_headers_length = static_cast<std::uint16_t>(answer.headers().size_bytes());
        ch.visibility = channel_visibility::opened;
        ch.limits.end_phase();
        state.delivery.bind(answer, ch.number, ch.generation);
        state.delivery.deliver(*ch.group, answer);
        state.request_update(ch);
    }

    /// Ends a channel that has no address or no time left. The cause is the most telling of all failures.
    static void end_without_address(state_type& state, channel_type& ch, io_error last) noexcept {
        io_error told = ch.addresses ? more_telling(ch.addresses->error, last) : last;
        if (!told) told = {io_failure::timed_out, 0}; // no attempt has failed: connect_time ended first
        closing<Policies>::end(state, ch, cause_of(told, failed_step(ch)));
    }

    /// Gives up an address that has refused, or did not answer in time, and closes its socket. The next address follows
    /// at once, or when the poller has released the registration.
    static void abandon_address(state_type& state, channel_type& ch, io_error error) noexcept {
        if (untried_addresses(ch) == 0) {
            end_without_address(state, ch, error);
            return;
        }
        closing<Policies>::detach(state, ch);
        closing<Policies>::close_socket(ch);
        if (!ch.is_owed()) {
            ch.phase = channel_phase::opening;
            try_next_address(state, ch, error);
            return;
        }
        ch.phase = channel_phase::waiting_for_release;
        ch.addresses->error = more_telling(ch.addresses->error, error);
        ch.limits.restore_connect(); // the release may never come, so connect_time limits the wait
        state.request_update(ch);
    }
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
