// SPDX-License-Identifier: BSL-1.0
// Reads from the kernel: takes all available bytes with one call, cuts them into messages, checks and delivers them,
// within the credit.
//
// A read fills two places at once: first the buffers of the message in progress, then `scratch`. All channels share
// `scratch`; small messages are cut from it. The bytes in `scratch` are decoded before the next read. If the credit
// runs out meanwhile, the rest stays there, as the loop's only `undecoded_input`. No channel reads without credit, so
// no channel needs `scratch` until there is credit again.
#ifndef TOFU_ENGINE_LOOP_READING_HPP
#define TOFU_ENGINE_LOOP_READING_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/engine/channel/channel_word.hpp>
#include <tofu/engine/loop/closing.hpp>
#include <tofu/engine/loop/loop_state.hpp>
#include <tofu/engine/protocol/conversation.hpp>
#include <tofu/engine/protocol/frame_reader.hpp>
#include <tofu/status.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tofu::inline TOFU_ABI::engine {

template <class Policies>
class reading {
    using state_type = loop_state<Policies>;
    using channel_type = channel<Policies>;

public:
    /// Reads from a connection that the poller has reported as readable or failed, within the channel's budget.
    static void read(state_type& state, channel_type& ch) noexcept {
        TOFU_ASSERT(ch.is_open() && ch.is_attached());
        read_budget& budget = ch.budget;
        budget.begin(state.opts.read_budget);
        bool more = true;
        while (more && budget.left() != 0 && !ch.has_ended() && ch.conversation.reads()) {
            switch (mode_of(state, ch)) {
            case mode::no: more = false; break;
            case mode::batch: more = read_batch(state, ch); break;
            case mode::exact: more = read_exactly(state, ch); break;
            case mode::drop: more = read_and_drop(state, ch); break;
            }
        }
        budget.end(more);
        state.request_update(ch);
    }

    /// Reads everything that is there now, even beyond the budget.
    TOFU_COLD static void read_all(state_type& state, channel_type& ch) noexcept {
        const std::uint64_t until = ch.counts.bytes_received + ch.socket.available();
        std::uint64_t before = 0;
        do {
            before = ch.counts.bytes_received;
            read(state, ch);
        } while (!ch.has_ended() && ch.counts.bytes_received != before && ch.counts.bytes_received < until);
    }

    /// Call when a limit is due. Reads the bytes that have arrived by now, even if the poller has not reported them: a
    /// poller that works by completions reports the state at the time of the completion, which may be long ago. Bytes
    /// that arrive later do not extend the limit. True: there were bytes.
    [[nodiscard]] static bool read_arrived(state_type& state, channel_type& ch) noexcept {
        if (!ch.is_open() || !ch.conversation.reads()) return false;
        const std::size_t there = ch.socket.available();
        if (there == 0) return false;
        ch.budget.set_goal(ch.counts.bytes_received + there);
        std::uint64_t before = 0;
        do { // a read may be short
            before = ch.counts.bytes_received;
            read(state, ch);
        } while (!ch.has_ended() && !ch.budget.spent() && ch.counts.bytes_received != before &&
                 ch.counts.bytes_received < ch.budget.goal());
        return true;
    }

    /// Decodes what a channel had to leave in scratch, when there is credit again.
    static void decode_rest(state_type& state) noexcept {
        if (state.undecoded_input.owner == nullptr || state.starvation.lasts()) return;
        channel_type& ch = *state.undecoded_input.owner;
        std::span<const std::byte> rest = state.undecoded_input.bytes;
        state.undecoded_input = {};
        state.request_update(ch);
        const outcome result = decode(state, ch, rest);
        keep_rest(state, ch, result, rest);
    }

private:
    /// A message of this size or more is worth a read straight into its buffers. The next message is expected to be as
    /// large, so only its first bytes (first_look) go into `scratch` and are copied from there.
    static constexpr std::size_t large_message = 32 * 1024;
    static constexpr std::size_t first_look = 4 * 1024;

    /// The way in which a channel may read now.
    enum class mode : std::uint8_t {
        no,    ///< the channel waits
        batch, ///< as much as fits
        exact, ///< nothing beyond the item in progress: there is no room for one more incomplete message
        drop   ///< the conversation is over, nothing is kept
    };

    /// The result of decoding some bytes.
    enum class outcome : std::uint8_t {
        all,     ///< consumed, the channel goes on
        starved, ///< the rest has to wait for credit
        over     ///< the channel has ended
    };

    [[nodiscard]] static mode mode_of(state_type& state, channel_type& ch) noexcept {
        if (ch.conversation.done()) return mode::drop;
        if ((state.starvation.lasts() || !state.cache.has_credit()) && state.starvation.begin(state.turn_time)) {
            if (ch.holds_partial && !state.partials.is_within_limit()) return mode::exact;
            wait_for_credit(state, ch);
            return mode::no;
        }
        if (state.undecoded_input.owner != nullptr) { // it is decoded first, then this channel is reported again
            ch.resumed = true;
            return mode::no;
        }
        return ch.holds_partial || state.partials.has_room() ? mode::batch : mode::exact;
    }

    /// The channel has something to read, and there is no credit. Its group is told.
    static void wait_for_credit(state_type& state, channel_type& ch) noexcept {
        state.starvation.wait(ch);
        state.request_update(ch);
        state.delivery.tell_starved(*ch.group, state.starvation.episodes());
    }

    /// The channel reads again when an incomplete message elsewhere is complete, or after the retry time.
    static void wait_for_room(state_type& state, channel_type& ch) noexcept {
        state.partials.wait(ch);
        state.retry_later();
    }

    /// One read of as much as is there. True: there may be more.
    [[nodiscard]] static bool read_batch(state_type& state, channel_type& ch) noexcept {
        std::array<mutable_buffer, 3> places{};
        std::size_t direct = 0;
        std::size_t count = 0;
        if (ch.reader.holds_message()) {
            for (const mutable_buffer& place : ch.reader.places()) {
                if (place.size == 0) continue;
                places[count++] = place;
                direct += place.size;
            }
        }
        const std::size_t most = ch.expects_large ? first_look : state.scratch.size();
        const std::size_t behind = (std::min)(most, (std::max)(ch.budget.left(), first_look));
        places[count++] = {state.scratch.data(), behind};
        const io_result result = read_into(state, ch, std::span(places).first(count));
        if (!take_result(state, ch, result)) return false;
        const std::size_t in_place = (std::min)(result.bytes, direct);
        if (in_place != 0) ch.reader.advance(in_place);
        std::span<const std::byte> rest(state.scratch.data(), result.bytes - in_place);
        const outcome decoded = decode(state, ch, rest);
        keep_rest(state, ch, decoded, rest);
        ch.budget.take(result.bytes);
        return decoded == outcome::all && result.bytes == direct + behind;
    }

    /// Reads while no further incomplete message may begin: first the header alone, then its message, if all of the
    /// message has arrived. True: one message was taken, and there may be more.
    [[nodiscard]] static bool read_exactly(state_type& state, channel_type& ch) noexcept {
        ch.budget.take(first_look);
        std::span<const std::byte> nothing;
        if (!ch.reader.awaits_storage()) {
            const std::array<mutable_buffer, 2> places = ch.reader.places();
            const io_result header = read_into(state, ch, std::span(places).first(1));
            if (!take_result(state, ch, header)) return false;
            ch.reader.advance(header.bytes);
        }
        // A hello_request takes no credit before it is complete, so it may always begin.
        if (!ch.is_hidden() && ch.reader.awaits_storage() && needs_parts(judge_header(state, ch)) &&
            ch.socket.available() < ch.reader.total()) {
            wait_for_room(state, ch);
            ch.limits.end_message(); // the engine itself delays the message
            return false;
        }
        outcome decoded = decode(state, ch, nothing);
        if (decoded == outcome::all && ch.reader.holds_message()) {
            const io_result parts = read_into(state, ch, ch.reader.places());
            if (take_result(state, ch, parts)) {
                ch.reader.advance(parts.bytes);
                decoded = decode(state, ch, nothing);
            }
        }
        keep_rest(state, ch, decoded, nothing);
        return decoded == outcome::all && !ch.reader.in_progress();
    }

    /// Reads, checks for violations, keeps nothing.
    [[nodiscard]] static bool read_and_drop(state_type& state, channel_type& ch) noexcept {
        std::array<std::byte, 4096> dropped; // not scratch: that may hold undecoded input
        const mutable_buffer place{dropped.data(), dropped.size()};
        const io_result result = read_into(state, ch, std::span(&place, 1));
        if (!take_result(state, ch, result)) return false;
        std::span<const std::byte> rest(dropped.data(), result.bytes);
        ch.budget.take(result.bytes);
        return decode(state, ch, rest) == outcome::all && result.bytes == dropped.size();
    }

    [[nodiscard]] static io_result read_into(state_type& state, channel_type& ch,
                                             std::span<const mutable_buffer> places) noexcept {
        const io_result result = ch.socket.read(places);
        state.counters.reads.add();
        state.counters.bytes_received.add(result.bytes);
        ch.counts.bytes_received += result.bytes;
        return result;
    }

    /// Handles the result of a read, except its bytes. True: bytes came, so go on.
    [[nodiscard]] static bool take_result(state_type& state, channel_type& ch, const io_result& result) noexcept {
        if (!result.error && result.bytes != 0) {
            if (!ch.conversation.done()) ch.limits.restart_idle(state.reading_time(), state.opts.idle_time);
            return true;
        }
        if (!result.error)
            end_input(state, ch);
        else if (result.error.kind == io_failure::no_memory)
            wait_for_room(state, ch);
        else if (result.error.kind != io_failure::would_block)
            fail_input(ch, result.error);
        return false;
    }

    /// The stream has ended: drops an incomplete message, frees its credit, and stops its limit.
    static void end_input(state_type& state, channel_type& ch) noexcept {
        ch.conversation.input_ended();
        if (message* const partial = ch.reader.abandon()) state.cache.release(*partial);
        state.note_partial(ch, false);
        ch.limits.end_message();
    }

    TOFU_COLD static void fail_input(channel_type& ch, io_error error) noexcept {
        ch.conversation.input_failed();
        ch.read_error = error;
    }

    /// Cuts `input` into messages as far as the credit allows. The caller has to keep the rest of `input`.
    [[nodiscard]] static outcome decode(state_type& state, channel_type& ch,
                                        std::span<const std::byte>& input) noexcept {
        for (;;) {
            switch (ch.reader.consume(input)) {
            case frame_reader::step::need_bytes: return outcome::all;
            case frame_reader::step::header:
                if (const outcome result = decide_header(state, ch); result != outcome::all) return result;
                break;
            case frame_reader::step::message:
                state.note_partial(ch, false);
                complete_message(state, ch);
                break;
            }
        }
    }

    /// Call after decode. Keeps the bytes that were not decoded, counts an incomplete message, and starts or stops its
    /// limit.
    static void keep_rest(state_type& state, channel_type& ch, outcome result,
                          std::span<const std::byte> rest) noexcept {
        if (result == outcome::over) return;
        if (result == outcome::starved) {
            if (state.starvation.begin(state.turn_time))
                wait_for_credit(state, ch);
            else
                state.request_update(ch); // credit came back at the last moment: the next turn decodes the rest
            TOFU_ASSERT(state.undecoded_input.owner == nullptr);
            state.undecoded_input.owner = &ch;
            state.undecoded_input.bytes = rest;
            return;
        }
        const bool incomplete = ch.reader.in_progress();
        state.note_partial(ch, ch.reader.holds_message() && !ch.is_hidden());
        if (incomplete)
            ch.limits.begin_message(state.reading_time(), state.opts.message_time);
        else
            ch.limits.end_message();
    }

    [[nodiscard]] static conversation::verdict judge_header(const state_type& state, const channel_type& ch) noexcept {
        return ch.conversation.judge(ch.reader.header(), state.opts.max_text_headers, state.opts.max_body);
    }

    /// False: the header alone ends the channel.
    [[nodiscard]] static bool needs_parts(const conversation::verdict& verdict) noexcept {
        return verdict.violated == status::success && !verdict.aborts;
    }

    /// Decides about a complete header: ends the channel, or drops or stores the message.
    [[nodiscard]] static outcome decide_header(state_type& state, channel_type& ch) noexcept {
        const conversation::verdict verdict = judge_header(state, ch);
        if (verdict.violated != status::success) {
            closing<Policies>::end(state, ch, cause::violation(verdict.violated));
            return outcome::over;
        }
        if (verdict.aborts) {
            if (ch.is_hidden()) state.counters.refused.add();
            closing<Policies>::end(state, ch, cause::of(ch.conversation.reason_of_abort()));
            return outcome::over;
        }
        if (!verdict.deliver) {
            ch.conversation.received(ch.reader.header().op);
            ch.reader.skip();
            return outcome::all;
        }
        return store_message(state, ch);
    }

    /// Gives the reader a message for the complete header.
    [[nodiscard]] static outcome store_message(state_type& state, channel_type& ch) noexcept {
        message* const m = state.cache.acquire();
        if (m != nullptr) {
            // A hello_request takes credit when it is complete; until then max_awaiting_hello bounds it.
            const bool starved = !ch.is_hidden() && !state.cache.take_credit(*m);
            ch.expects_large = ch.reader.total() >= large_message;
            if (!starved && ch.reader.store_in(*m) == status::success) return outcome::all;
            state.cache.release(*m);
            if (starved) return outcome::starved;
        }
        closing<Policies>::end(state, ch, cause::of(reason::out_of_memory));
        return outcome::over;
    }

    /// Gives a complete message to the group. A hello_request takes its credit now. There is credit, because no channel
    /// reads without credit and no other thread takes any.
    static void complete_message(state_type& state, channel_type& ch) noexcept {
        message& m = *ch.reader.take();
        if (ch.is_hidden()) {
            const bool credited = state.cache.take_credit(m);
            TOFU_ASSERT(credited);
            static_cast<void>(credited);
            announce(state, ch);
        } else if (ch.conversation.opens(m.header().op)) {
            accept_answer(state, ch);
        }
        deliver(state, ch, m);
    }

    /// The first message of an accepted connection is whole: now the application may know of the channel.
    static void announce(state_type& state, channel_type& ch) noexcept {
        ch.visibility = channel_visibility::opened;
        state.directory.unmark(ch.number, channel_word::unannounced);
        TOFU_ASSERT(state.awaiting_hello != 0);
        --state.awaiting_hello;
        end_hello_limit(state, ch);
        state.resume_listeners();
    }

    /// The peer has answered the hello_request: with a hello_response, or with a regular message.
    static void accept_answer(state_type& state, channel_type& ch) noexcept {
        ch.visibility = channel_visibility::opened;
        if (ch.request) state.cache.release(*ch.request.release());
        end_hello_limit(state, ch);
    }

    /// The hello has come: ends its limit. Begins the limit of a bye that was posted meanwhile.
    static void end_hello_limit(state_type& state, channel_type& ch) noexcept {
        if (ch.limits.end_hello() && ch.conversation.bye_queued())
            ch.limits.begin_bye(state.reading_time(), state.opts.bye_time);
    }

    static void deliver(state_type& state, channel_type& ch, message& m) noexcept {
        const op_code op = m.header().op;
        ch.limits.end_message();
        ch.conversation.received(op);
        if (op == op_code::bye_request) {
            state.directory.mark(ch.number, channel_word::bye_asked);
            end_hello_limit(state, ch); // a refusal: there will be no hello_response
            ch.limits.begin_bye(state.reading_time(), state.opts.bye_time);
        }
        state.delivery.bind(m, ch.number, ch.generation);
        ++ch.counts.messages_received;
        state.counters.messages_received.add();
        state.delivery.deliver(*ch.group, m);
    }
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
