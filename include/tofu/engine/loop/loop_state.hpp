// SPDX-License-Identifier: BSL-1.0
// The state that a turn of the loop works on: the engine's parts, the concerns that own their data, and the lists of
// channels.
//
// The steps of a turn are the other headers of this room. Each is a class of static functions over this state, so that
// a call names the class that it means: an unqualified call could find a function of the user's by argument-dependent
// lookup, because a channel has the user's policies among its template arguments.
#ifndef TOFU_ENGINE_LOOP_LOOP_STATE_HPP
#define TOFU_ENGINE_LOOP_LOOP_STATE_HPP

#include <tofu/config.hpp>
#include <tofu/detail/intrusive_list.hpp>
#include <tofu/detail/queue_node.hpp>
#include <tofu/engine/channel/channel.hpp>
#include <tofu/engine/channel/channel_directory.hpp>
#include <tofu/engine/channel/resolution.hpp>
#include <tofu/engine/loop/application_timers.hpp>
#include <tofu/engine/loop/delivery.hpp>
#include <tofu/engine/loop/loop_counters.hpp>
#include <tofu/engine/loop/partial_messages.hpp>
#include <tofu/engine/loop/refusals.hpp>
#include <tofu/engine/loop/starvation.hpp>
#include <tofu/engine/memory/message_cache.hpp>
#include <tofu/engine/memory/message_pool.hpp>
#include <tofu/engine/protocol/frame_writer.hpp>
#include <tofu/engine/threads/driver.hpp>
#include <tofu/engine/threads/inbox.hpp>
#include <tofu/engine/threads/loop_command.hpp>
#include <tofu/options.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tofu::inline TOFU_ABI::engine {

/// The parts of the engine that the loop works with. They outlive the loop.
template <class Policies>
struct loop_parts {
    resolution_owner& owner;       ///< the engine, as a resolver knows it
    const std::uint32_t engine_id; ///< see next_engine_id
    const options& opts;
    typename Policies::poll& poller;
    typename Policies::key& keys;
    typename Policies::timer& timers;
    channel_directory& directory;
    engine::inbox& inbox;
    engine::driver& driver;
    message_pool& messages;
};

/// I/O thread, or the borrower of its loan; the counters and the number of episodes: any thread.
template <class Policies>
struct loop_state : loop_parts<Policies> {
    using parts = loop_parts<Policies>;
    using timer = typename Policies::timer;
    using time_point = typename timer::time_point;
    using channel_type = channel<Policies>;
    using storage = typename Policies::pool::template storage<channel_type>;

    explicit loop_state(const parts& given) noexcept
        : parts(given)
        , cache(given.messages)
        , delivery(given.engine_id, given.directory, given.messages, cache)
        , starvation(given.messages)
        , partials(given.messages.credit_limit())
        , application_timers(given.timers, delivery) {}
    loop_state(const loop_state&) = delete;
    loop_state& operator=(const loop_state&) = delete;

    message_cache cache;
    storage channels;
    loop_counters counters;

    engine::delivery delivery;
    engine::starvation<channel_type, time_point> starvation;
    partial_messages<channel_type> partials;
    engine::refusals<channel_type, time_point> refusals;
    engine::application_timers<timer> application_timers;
    command_list commands;

    detail::intrusive_list<channel_type, &channel_type::ready_hook> ready; ///< the poller has reported them
    detail::intrusive_list<channel_type, &channel_type::update_hook> needs_update;
    detail::intrusive_list<channel_type, &channel_type::closing_hook> closing;
    detail::node_queue failed_openings; ///< hello_ and welcome_requests without a slot; they are their own answers

    /// Bytes of one channel that stay in `scratch`, because the credit ran out before they were decoded. While these
    /// bytes are there, no channel reads into `scratch`.
    struct {
        channel_type* owner = nullptr;
        std::span<const std::byte> bytes;
    } undecoded_input;

    std::size_t awaiting_hello = 0; ///< hidden channels that are not shut
    std::uint64_t looked_since = 0; ///< the turn in which the latest complete look began, see expiry_gate
    time_point turn_time{};         ///< the clock, read after the wait of this turn
    bool room_made = false;         ///< true: a thread that waits for room must look again; take_news clears it
    bool stopping = false;

    gather_list gathered;
    std::array<std::byte, 128 * 1024> scratch; ///< the buffer into which all channels read

    [[nodiscard]] time_point reading_time() const noexcept { return starvation.reading_time(turn_time); }

    /// Something about the channel has changed: this turn, or the next one, updates it.
    void request_update(channel_type& ch) noexcept { needs_update.push_back(ch); }

    /// The channel may look at its socket again.
    void resume(channel_type& ch) noexcept {
        ch.resumed = true;
        request_update(ch);
    }

    /// A function object for `resume`.
    [[nodiscard]] auto resumer() noexcept {
        return [this](channel_type& ch) noexcept { resume(ch); };
    }

    /// A channel has ended or said hello, or the retry time is over: accepting may work again.
    void resume_listeners() noexcept { refusals.resume_listeners(resumer()); }

    /// Something was refused for lack of memory or descriptors.
    void retry_later() noexcept { refusals.retry_later(turn_time, this->opts.retry_time); }

    /// Notes whether the channel holds an incomplete message.
    void note_partial(channel_type& ch, bool holds) noexcept { partials.note(ch, holds, resumer()); }

    /// The channel that has this number. Null: none, or it ended long ago.
    [[nodiscard]] channel_type* channel_of(std::uint16_t number) const noexcept {
        return static_cast<channel_type*>(this->directory.channel(number));
    }
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
