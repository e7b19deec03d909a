// SPDX-License-Identifier: BSL-1.0
// Everything the loop works with: the engine's parts it was given, and the lists of channels that need something.
#ifndef TOFU_ENGINE_LOOP_LOOP_STATE_HPP
#define TOFU_ENGINE_LOOP_LOOP_STATE_HPP

#include <tofu/config.hpp>
#include <tofu/detail/intrusive_list.hpp>
#include <tofu/engine/channel/channel.hpp>
#include <tofu/engine/channel/channel_directory.hpp>
#include <tofu/engine/group/application_timer.hpp>
#include <tofu/engine/loop/loop_counters.hpp>
#include <tofu/engine/memory/message_cache.hpp>
#include <tofu/engine/memory/message_pool.hpp>
#include <tofu/engine/protocol/frame_writer.hpp>
#include <tofu/engine/threads/inbox.hpp>
#include <tofu/options.hpp>
#include <tofu/stats.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tofu::inline TOFU_ABI::engine {

template <class Policies>
class engine_core;

/// I/O thread only, except `counters`. The functions that work on it stand in opening.hpp, accepting.hpp, reading.hpp,
/// writing.hpp, delivering.hpp, limits.hpp, closing.hpp and dispatching.hpp; loop.hpp calls them in the right order.
template <class Policies>
struct loop_state {
    using poll = typename Policies::poll;
    using timer = typename Policies::timer;
    using key = typename Policies::key;
    using time_point = typename timer::time_point;
    using channel_type = channel<Policies>;
    using storage = typename Policies::pool::template storage<channel_type>;

    loop_state(engine_core<Policies>& c, std::uint32_t id, const options& o, poll& p, key& k, timer& t,
               channel_directory& d, inbox& i, message_pool& m) noexcept
        : core(c), engine_id(id), opts(o), poller(p), keys(k), timers(t), directory(d), in(i), messages(m), cache(m) {}

    engine_core<Policies>& core;
    const std::uint32_t engine_id; ///< see next_engine_id
    const options& opts;
    poll& poller;
    key& keys;
    timer& timers;
    channel_directory& directory;
    inbox& in;
    message_pool& messages;
    message_cache cache;
    storage channels;
    loop_counters counters;

    detail::intrusive_list<channel_type, &channel_type::ready_hook> ready; ///< the poller reported them
    detail::intrusive_list<channel_type, &channel_type::touched_hook>
        touched; ///< something about them changed: settle them
    detail::intrusive_list<channel_type, &channel_type::closing_hook> closing;
    detail::intrusive_list<channel_type, &channel_type::parked_hook> parked_for_credit; ///< no receive credit
    detail::intrusive_list<channel_type, &channel_type::parked_hook>
        parked_for_partial; ///< too many incomplete messages
    detail::intrusive_list<channel_type, &channel_type::parked_hook> paused_listeners;
    detail::intrusive_list<channel_type, &channel_type::parked_hook>
        paused_connects; ///< the listener's backlog was full
    detail::intrusive_list<channel_type, &channel_type::paused_writer_hook>
        paused_writers; ///< the system had no buffers
    detail::intrusive_list<channel_type, &channel_type::stalled_hook>
        stalled_limits; ///< their timer rang while time stood still
    detail::intrusive_list<group_core, &group_core::outgoing_hook> outgoing; ///< groups with something to hand over
    detail::intrusive_list<group_core, &group_core::unread_hook> unread;     ///< groups that may have mail
    detail::intrusive_list<application_timer<timer>, &application_timer<timer>::hook> application_timers;
    detail::node_queue commands;        ///< loop_commands that are not complete yet
    detail::node_queue failed_openings; ///< hello_ and welcome_requests for which there was no slot; their own answers

    /// Undigested bytes of one channel, in `scratch`: its credit ran out on the way. Nobody reads until they are
    /// digested.
    struct {
        channel_type* owner = nullptr;
        std::span<const std::byte> bytes;
    } leftover;

    std::size_t awaiting_hello = 0; ///< accepted connections before their hello_request
    std::size_t partials = 0;       ///< incomplete messages that hold credit

    std::uint64_t counting_since = 0; ///< the turn whose wait began the look that lets deadlines expire now
    time_point turn_time{};           ///< the clock, read after the wait of this turn
    bool starving = false;            ///< in an episode: nobody reads
    std::uint64_t episode = 0;        ///< the number of the present or last episode
    time_point starving_since{};
    typename timer::time_point::duration starved_for{}; ///< all past episodes together

    bool room_made = false;     ///< a send queue has become shorter in this turn
    bool commands_done = false; ///< a command was completed in this turn
    bool arm_refused = false;   ///< the poller had no memory for what some channel wants to hear about
    bool stopping = false;
    time_point retry_at = (time_point::max)(); ///< when what the system has refused is tried again

    gather_list gathered;
    std::array<std::byte, 128 * 1024> scratch; ///< where batches are read to

    /// Time that stands still while the engine does not read for lack of credit: the limits are kept in it.
    [[nodiscard]] time_point reading_time() const noexcept {
        return (starving ? starving_since : turn_time) - starved_for;
    }

    void touch(channel_type& ch) noexcept { touched.push_back(ch); }

    /// It must not read (or accept) now.
    [[nodiscard]] bool is_parked(const channel_type& ch) const noexcept {
        return ch.parked_hook.linked && !ch.awaits_backlog;
    }

    /// Something was refused for lack of memory or descriptors; it is tried again after a while.
    void retry_later() noexcept {
        if (retry_at == (time_point::max)()) retry_at = turn_time + opts.retry_time;
    }
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
