// SPDX-License-Identifier: BSL-1.0
// From the kernel to the groups: as much as is there with one call, cut into messages, checked, within the credit.
//
// A read goes into two places at once: the rest of the message in progress, straight into its buffers, and behind it
// `scratch`, shared by all channels, from which small messages are cut. What is in scratch is digested before the next
// read. Only when the credit runs out on the way does a rest stay there, as the loop's one `leftover`; as nobody may
// read without credit, nobody needs scratch until then.
//
#ifndef TOFU_ENGINE_LOOP_READING_HPP
#define TOFU_ENGINE_LOOP_READING_HPP

#include <tofu/config.hpp>
#include <tofu/engine/loop/limits.hpp>
#include <tofu/engine/loop/loop_state.hpp>
#include <tofu/engine/loop/paused_channels.hpp>

#include <array>
#include <cstddef>
#include <span>

namespace tofu::inline TOFU_ABI::engine {

/// What became of some bytes.
enum class digestion : std::uint8_t {
    all,     ///< consumed, the channel goes on
    starved, ///< the rest has to wait for credit
    over     ///< the channel has ended
};

/// A message from this size on is worth a read of its own into place. The next one is expected to be like it: only a
/// first look at it goes into scratch, and from there into place.
inline constexpr std::size_t large_message = 32 * 1024;
inline constexpr std::size_t first_look = 4 * 1024;

/// A message for the header that is due. Null: no credit (`starved`), or the channel has ended for lack of memory.
template <class Policies>
[[nodiscard]] message* obtain_storage(loop_state<Policies>& state, channel<Policies>& ch, bool& starved) noexcept {
    message* const m = state.cache.acquire();
    if (m != nullptr) {
        // A hello_request takes credit when it is complete; until then max_awaiting_hello bounds it.
        starved = !ch.waits_for_hello && !state.cache.take_credit(*m);
        ch.expects_large = ch.reader.total() >= large_message;
        if (!starved && ch.reader.store_in(*m) == status::success) return m;
        state.cache.release(*m);
        if (starved) return nullptr;
    }
    end_channel(state, ch, cause::of(reason::out_of_memory));
    return nullptr;
}

/// The accepted connection's first message is whole: now the application may know of the channel.
template <class Policies>
void announce(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    ch.announced = true;
    ch.opened = true;
    state.directory.unmark(ch.number, channel_word::unannounced);
    ch.waits_for_hello = false;
    --state.awaiting_hello;
    end_hello_limit(state, ch);
    resume_listeners(state);
}

/// The peer has answered the hello_request: with a hello_response, or with a regular message.
template <class Policies>
void accepted(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    ch.opened = true;
    if (ch.request) state.cache.release(*ch.request.release());
    end_hello_limit(state, ch);
}

/// A complete message goes to the group. A hello_request takes its credit now: nobody reads without any, and nobody
/// else takes some meanwhile.
template <class Policies>
void complete_message(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    message& m = *ch.reader.take();
    if (ch.waits_for_hello) {
        static_cast<void>(state.cache.take_credit(m));
        announce(state, ch);
    } else if (ch.conversation.opens(m.header().op)) {
        accepted(state, ch);
    }
    deliver_received(state, ch, m);
}

template <class Policies>
void deliver_received(loop_state<Policies>& state, channel<Policies>& ch, message& m) noexcept {
    const op_code op = m.header().op;
    end_message_limit(ch);
    ch.conversation.received(op);
    if (op == op_code::bye_request) {
        state.directory.mark(ch.number, channel_word::bye_asked);
        end_hello_limit(state, ch); // a refusal: there will be no hello_response
        begin_bye_limit(state, ch);
    }
    bind_to_channel(state, m, ch.number, ch.generation);
    ++ch.counts.messages_received;
    state.counters.messages_received.add();
    deliver(state, *ch.group, m);
}

template <class Policies>
[[nodiscard]] conversation::verdict judge_header(const loop_state<Policies>& state,
                                                 const channel<Policies>& ch) noexcept {
    return ch.conversation.judge(ch.reader.header(), state.opts.max_text_headers, state.opts.max_body);
}

/// False: the header alone ends the channel.
[[nodiscard]] inline bool needs_parts(const conversation::verdict& verdict) noexcept {
    return verdict.violated == status::success && !verdict.aborts;
}

/// Decides about the header that is due.
template <class Policies>
[[nodiscard]] digestion decide_header(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    const conversation::verdict verdict = judge_header(state, ch);
    if (verdict.violated != status::success) {
        end_channel(state, ch, cause::violation(verdict.violated));
        return digestion::over;
    }
    if (verdict.aborts) {
        if (ch.unannounced()) state.counters.refused.add();
        end_channel(state, ch, cause::of(ch.conversation.reason_of_abort()));
        return digestion::over;
    }
    if (!verdict.deliver) {
        ch.conversation.received(ch.reader.header().op);
        ch.reader.skip();
        return digestion::all;
    }
    bool starved = false;
    if (obtain_storage(state, ch, starved) != nullptr) return digestion::all;
    return starved ? digestion::starved : digestion::over;
}

/// Cuts `input` into messages as far as the credit goes; what is left of it then is the caller's to keep.
template <class Policies>
[[nodiscard]] digestion digest(loop_state<Policies>& state, channel<Policies>& ch,
                               std::span<const std::byte>& input) noexcept {
    for (;;) {
        switch (ch.reader.consume(input)) {
        case frame_reader::step::need_bytes: return digestion::all;
        case frame_reader::step::header:
            if (const digestion result = decide_header(state, ch); result != digestion::all) return result;
            break;
        case frame_reader::step::message:
            count_partial(state, ch, false);
            complete_message(state, ch);
            break;
        }
    }
}

/// After a digestion: keeps what could not be digested, and counts and times what is incomplete.
template <class Policies>
void settle_input(loop_state<Policies>& state, channel<Policies>& ch, digestion result,
                  std::span<const std::byte> rest) noexcept {
    if (result == digestion::over) return;
    if (result == digestion::starved) {
        if (begin_starvation(state))
            park_for_credit(state, ch);
        else
            state.touch(ch); // credit came back at the last moment: the leftover is taken up in the next turn
        state.leftover.owner = &ch;
        state.leftover.bytes = rest;
        return;
    }
    const bool incomplete = ch.reader.in_progress();
    count_partial(state, ch, ch.reader.holds_message() && !ch.waits_for_hello);
    if (incomplete)
        begin_message_limit(state, ch);
    else
        end_message_limit(ch);
}

/// Digests what a channel had to leave in scratch. Scratch is free after it, unless the credit runs out again.
template <class Policies>
void digest_leftover(loop_state<Policies>& state) noexcept {
    if (state.leftover.owner == nullptr || state.starving) return;
    channel<Policies>& ch = *state.leftover.owner;
    std::span<const std::byte> rest = state.leftover.bytes;
    state.leftover = {};
    state.touch(ch);
    const digestion result = digest(state, ch, rest);
    settle_input(state, ch, result, rest);
}

/// How a channel may read now.
enum class reading_mode : std::uint8_t {
    no,    ///< it is parked
    batch, ///< as much as fits
    exact, ///< nothing beyond the item in progress: there is no room for one more incomplete message
    drop   ///< the conversation is over, nothing is kept
};

template <class Policies>
[[nodiscard]] reading_mode may_read(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    if (ch.conversation.done()) return reading_mode::drop;
    if ((state.starving || !state.cache.has_credit()) && begin_starvation(state)) {
        if (ch.holds_partial && !partials_in_bounds(state)) return reading_mode::exact;
        park_for_credit(state, ch);
        return reading_mode::no;
    }
    if (state.leftover.owner != nullptr) { // it is digested first, then this one is reported again
        ch.resumed = true;
        return reading_mode::no;
    }
    if (ch.holds_partial || partial_has_room(state)) return reading_mode::batch;
    return reading_mode::exact;
}

template <class Policies>
[[nodiscard]] io_result read_into(loop_state<Policies>& state, channel<Policies>& ch,
                                  std::span<const mutable_buffer> places) noexcept {
    const io_result result = ch.socket.read(places);
    state.counters.reads.add();
    state.counters.bytes_received.add(result.bytes);
    ch.counts.bytes_received += result.bytes;
    return result;
}

/// Nothing more will come: what is incomplete holds no credit any more, and is not late either.
template <class Policies>
void end_input(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    ch.conversation.input_ended();
    if (message* const partial = ch.reader.abandon()) state.cache.release(*partial);
    count_partial(state, ch, false);
    end_message_limit(ch);
}

template <class Policies>
TOFU_COLD void fail_input(channel<Policies>& ch, io_error error) noexcept {
    ch.conversation.input_failed();
    ch.read_error = error;
}

/// What a read says beyond its bytes. True: bytes came, go on.
template <class Policies>
[[nodiscard]] bool take_result(loop_state<Policies>& state, channel<Policies>& ch, const io_result& result) noexcept {
    if (!result.error && result.bytes != 0) {
        restart_idle_limit(state, ch);
        return true;
    }
    if (!result.error)
        end_input(state, ch);
    else if (result.error.kind == io_failure::no_memory)
        park_for_retry(state, ch);
    else if (result.error.kind != io_failure::would_block)
        fail_input(ch, result.error);
    return false;
}

/// One read of as much as is there. True: there may be more.
template <class Policies>
[[nodiscard]] bool read_batch(loop_state<Policies>& state, channel<Policies>& ch, std::size_t& budget) noexcept {
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
    const std::size_t behind = (std::min)(most, (std::max)(budget, first_look));
    places[count++] = {state.scratch.data(), behind};
    const io_result result = read_into(state, ch, std::span(places).first(count));
    if (!take_result(state, ch, result)) return false;
    const std::size_t in_place = (std::min)(result.bytes, direct);
    if (in_place != 0) ch.reader.advance(in_place);
    std::span<const std::byte> rest(state.scratch.data(), result.bytes - in_place);
    const digestion outcome = digest(state, ch, rest);
    settle_input(state, ch, outcome, rest);
    budget -= (std::min)(budget, result.bytes);
    return outcome == digestion::all && result.bytes == direct + behind;
}

/// No further incomplete message may be begun: the header alone is read, and its message only if it is there whole.
/// True: one message was taken, there may be more.
template <class Policies>
[[nodiscard]] bool read_exactly(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    std::span<const std::byte> nothing;
    if (!ch.reader.awaits_storage()) {
        const std::array<mutable_buffer, 2> places = ch.reader.places();
        const io_result header = read_into(state, ch, std::span(places).first(1));
        if (!take_result(state, ch, header)) return false;
        ch.reader.advance(header.bytes);
    }
    // A hello_request takes no credit before it is complete; it has room in any case.
    if (!ch.waits_for_hello && ch.reader.awaits_storage() && needs_parts(judge_header(state, ch)) &&
        ch.socket.available() < ch.reader.total()) {
        park_for_retry(state, ch);
        end_message_limit(ch); // the peer is not late, we are
        return false;
    }
    digestion outcome = digest(state, ch, nothing);
    if (outcome == digestion::all && ch.reader.holds_message()) {
        const io_result parts = read_into(state, ch, ch.reader.places());
        if (take_result(state, ch, parts)) {
            ch.reader.advance(parts.bytes);
            outcome = digest(state, ch, nothing);
        }
    }
    settle_input(state, ch, outcome, nothing);
    return outcome == digestion::all && !ch.reader.in_progress();
}

/// Reads, checks for violations, keeps nothing.
template <class Policies>
[[nodiscard]] bool read_and_drop(loop_state<Policies>& state, channel<Policies>& ch, std::size_t& budget) noexcept {
    std::array<std::byte, 4096> dropped; // not scratch: that may hold a leftover
    const mutable_buffer place{dropped.data(), dropped.size()};
    const io_result result = read_into(state, ch, std::span(&place, 1));
    if (!take_result(state, ch, result)) return false;
    std::span<const std::byte> rest(dropped.data(), result.bytes);
    budget -= (std::min)(budget, result.bytes);
    return digest(state, ch, rest) == digestion::all && result.bytes == dropped.size();
}

/// The poller has said that a connection is readable (or broken, which reading tells).
template <class Policies>
void read_channel(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    std::size_t budget = state.opts.read_budget;
    bool more = true;
    ch.budget_spent = false;
    while (more && budget != 0 && !ch.ended() && ch.conversation.reads()) {
        switch (may_read(state, ch)) {
        case reading_mode::no: more = false; break;
        case reading_mode::batch: more = read_batch(state, ch, budget); break;
        case reading_mode::exact:
            more = read_exactly(state, ch);
            budget -= (std::min)(budget, std::size_t{4096});
            break;
        case reading_mode::drop: more = read_and_drop(state, ch, budget); break;
        }
    }
    ch.budget_spent = budget == 0 && more;
    state.touch(ch);
}

/// Reads everything that is there now, whatever the budget is.
template <class Policies>
TOFU_COLD void read_what_is_there(loop_state<Policies>& state, channel<Policies>& ch) noexcept {
    const std::uint64_t until = ch.counts.bytes_received + ch.socket.available();
    std::uint64_t before = 0;
    do {
        before = ch.counts.bytes_received;
        read_channel(state, ch);
    } while (!ch.ended() && ch.counts.bytes_received != before && ch.counts.bytes_received < until);
}

} // namespace tofu::inline TOFU_ABI::engine

#endif
