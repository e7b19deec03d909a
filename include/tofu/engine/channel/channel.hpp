// SPDX-License-Identifier: BSL-1.0
// A channel: a listener or a connection, as the loop keeps it in its slot.
#ifndef TOFU_ENGINE_CHANNEL_CHANNEL_HPP
#define TOFU_ENGINE_CHANNEL_CHANNEL_HPP

#include <tofu/config.hpp>
#include <tofu/contract/interest.hpp>
#include <tofu/contract/slot_identity.hpp>
#include <tofu/detail/intrusive_list.hpp>
#include <tofu/engine/channel/resolution.hpp>
#include <tofu/engine/group/group_core.hpp>
#include <tofu/engine/group/timer_item.hpp>
#include <tofu/engine/protocol/conversation.hpp>
#include <tofu/engine/protocol/frame_reader.hpp>
#include <tofu/engine/protocol/frame_writer.hpp>
#include <tofu/reason.hpp>
#include <tofu/stats.hpp>

#include <chrono>
#include <memory>

namespace tofu::inline TOFU_ABI::engine {

/// The life of a slot's owner.
enum class channel_phase : std::uint8_t {
    resolving,  ///< a name was asked for
    connecting, ///< the system was asked to connect
    open,       ///< a connection: bytes flow
    listening,
    closing, ///< decided; waits for posts in flight
    zombie   ///< ended; the kernel still holds the registration
};

/// When each kind of time limit runs out, in reading time (see loop_state::reading_time); max: it does not run.
template <class Timer>
struct channel_limits {}; // none, without timers
template <class Timer>
requires Timer::has_timers struct channel_limits<Timer> {
    using time_point = typename Timer::time_point;
    time_point connect = (time_point::max)(); ///< for the look-up and all addresses together
    time_point phase = (time_point::max)();   ///< connect, hello, bye or grace: a channel has one of them at a time
    time_point message = (time_point::max)();
    time_point idle = (time_point::max)();
    reason phase_reason = reason::none;
};

/// I/O thread only. Everything here is reached from the loop's free functions (opening, reading, writing, closing ...).
template <class Policies>
struct channel : timer_item<typename Policies::timer> {
    using poll = typename Policies::poll;
    using timer = typename Policies::timer;
    using endpoint = typename poll::network_type::endpoint;

    explicit channel(slot_identity who) noexcept : timer_item<timer>(timer_kind::channel), identity_(who) {}

    [[nodiscard]] slot_identity identity() const noexcept { return identity_; }
    /// It gets another socket: what is still reported of the one before must not be taken for the new one's.
    void renew() noexcept { ++identity_.generation; }
    [[nodiscard]] bool is_listener() const noexcept { return listener; }
    [[nodiscard]] bool ended() const noexcept {
        return phase == channel_phase::closing || phase == channel_phase::zombie;
    }
    /// An accepted connection that the application does not know of yet.
    [[nodiscard]] bool unannounced() const noexcept { return !listener && !announced; }
    [[nodiscard]] channel_step step() const noexcept {
        if (opened) return channel_step::opened;
        return listener ? channel_step::listening : channel_step::connecting;
    }

    slot_identity identity_;
    channel_phase phase = channel_phase::resolving;
    bool listener = false;
    bool announced = false;          ///< the application knows the number
    bool opened = false;             ///< its goodbye is a signal, not a failed hello_ or welcome_response
    bool waits_for_hello = false;    ///< counts against max_awaiting_hello
    bool awaits_backlog = false;     ///< connects to a listener that was too busy when last asked
    bool write_blocked = false;      ///< the socket was full (or the system's memory): do not try now
    bool holds_partial = false;      ///< counts among the partial messages
    bool attached = false;           ///< the poller holds the registration
    bool was_attached = false;       ///< it has had a socket
    bool owed = false;               ///< disarmed, but the poller holds the registration until it says released
    bool is_shut = false;            ///< socket and registration are let go
    bool quiet = false;              ///< no post was in flight before the inbox was last drained
    bool budget_spent = false;       ///< its last reading ended for that reason: there may be more
    bool expects_large = false;      ///< its last message was; see reading.hpp
    bool resumed = false;            ///< it may read again; the poller was not told yet
    bool parked_for_partial = false; ///< which list `parked_hook` is in
    std::uint8_t refused_arms = 0;   ///< the first, and retries: the poller does not know what is wanted
    std::uint16_t number = no_channel;
    std::uint32_t generation = 0;  ///< of the number
    std::uint64_t resumed_in = 0;  ///< the turn in which `resumed` was settled: the next wait asks for it again
    std::uint64_t accepted_in = 0; ///< the turn in which a listener was last asked for connections
    std::size_t accepts = 1;       ///< for how many
    unsigned failed_accepts = 0;   ///< in a row; see accepting.hpp
    typename timer::time_point count_failure_at = (timer::time_point::min)(); ///< no failure counts before
    std::uint64_t read_first = 0; ///< bytes to have been received before a limit that is due counts; 0: none is
    readiness ready = readiness::none;

    typename poll::network_type::socket socket;
    typename poll::registration registration;
    std::uintptr_t key = 0; ///< the one it is attached, or still owed, under
    engine::conversation conversation{conversation::side::connecting};
    frame_reader reader;
    frame_writer writer;
    ref<group_core> group;
    message_ptr goodbye;  ///< set aside when the channel was made
    message_ptr request;  ///< the welcome_request, or the hello_request once it is sent, until it is answered
    cause why;            ///< the end's, once decided
    io_error read_error;  ///< why reading is over, if it failed
    io_error write_error; ///< why writing is over, if it failed
    std::unique_ptr<resolution<endpoint>> addresses; ///< of a name, while they are tried
    [[no_unique_address]] channel_limits<timer> limits;
    detail::node_queue returns; ///< what comes back to the application at the end

    struct {
        std::uint64_t bytes_sent = 0, bytes_received = 0, messages_sent = 0, messages_received = 0;
    } counts;

    detail::list_hook<channel> ready_hook;
    detail::list_hook<channel> touched_hook;
    detail::list_hook<channel> closing_hook;
    detail::list_hook<channel> stalled_hook;
    detail::list_hook<channel> paused_writer_hook;
    detail::list_hook<channel>
        parked_hook; ///< of one of the lists of channels that must not read, accept or connect now
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
