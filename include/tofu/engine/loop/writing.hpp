// SPDX-License-Identifier: BSL-1.0
// Writes the send queues to the kernel, many messages with one gathered write, and releases the messages that are sent.
#ifndef TOFU_ENGINE_LOOP_WRITING_HPP
#define TOFU_ENGINE_LOOP_WRITING_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/engine/loop/closing.hpp>
#include <tofu/engine/loop/loop_state.hpp>

#include <algorithm>
#include <cstddef>

namespace tofu::inline TOFU_ABI::engine {

template <class Policies>
class writing {
    using state_type = loop_state<Policies>;
    using channel_type = channel<Policies>;

public:
    /// Writes until the queue is empty, the socket is full, or the channel's budget for this turn is spent.
    static void flush(state_type& state, channel_type& ch) noexcept {
        TOFU_ASSERT(ch.is_open() && ch.is_attached());
        std::size_t budget = state.opts.write_budget;
        while (!ch.writer.empty() && !ch.write_blocked && ch.conversation.writes() && budget != 0) {
            ch.writer.gather(state.gathered, budget);
            const io_result result = ch.socket.write(state.gathered.buffers());
            state.counters.writes.add();
            if (result.error) {
                take_error(state, ch, result.error);
                return;
            }
            TOFU_ASSERT(result.bytes <= state.gathered.bytes());
            state.counters.bytes_sent.add(result.bytes);
            ch.counts.bytes_sent += result.bytes;
            if (!ch.conversation.done()) ch.limits.restart_idle(state.reading_time(), state.opts.idle_time);
            ch.write_blocked = result.bytes < state.gathered.bytes();
            retire_sent(state, ch, result.bytes);
            budget -= (std::min)(budget, result.bytes);
        }
        if (budget == 0) state.request_update(ch); // a later update writes the rest; the loop does not wait before
    }

private:
    static void take_error(state_type& state, channel_type& ch, io_error error) noexcept {
        if (error.kind == io_failure::would_block) {
            ch.write_blocked = true;
        } else if (error.kind == io_failure::no_memory) {
            ch.write_blocked = true;
            state.refusals.pause_writer(ch);
            state.retry_later();
        } else { // writing is over; the channel still reads what can be read
            ch.conversation.output_failed();
            ch.write_error = error;
        }
    }

    /// The kernel has taken `sent` more bytes. Each completely sent message returns to the pool, except an unanswered
    /// hello_request: the channel keeps it.
    static void retire_sent(state_type& state, channel_type& ch, std::size_t sent) noexcept {
        std::size_t all = 0;
        std::size_t messages = 0; // regular messages only: `post` reserves no room for others
        std::size_t bytes = 0;
        ch.writer.sent(sent, [&](message& m, std::size_t size) {
            ch.conversation.sent(m.header().op);
            if (is_regular(m.header().op)) {
                ++messages;
                bytes += size;
            }
            ++all;
            if (m.header().op == op_code::hello_request)
                closing<Policies>::keep_until_answered(state, ch, m);
            else
                state.cache.release(m);
        });
        ch.counts.messages_sent += all;
        state.counters.messages_sent.add(all);
        if (messages == 0) return;
        state.directory.unreserve(ch.number, messages, bytes);
        state.driver.notify(); // now: a thread that waits for room can post while the loop sends the rest
    }
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
