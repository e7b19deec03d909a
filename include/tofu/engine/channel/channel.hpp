// SPDX-License-Identifier: BSL-1.0
// A channel: a listener or a connection. Each channel lies in a slot of the loop.
#ifndef TOFU_ENGINE_CHANNEL_CHANNEL_HPP
#define TOFU_ENGINE_CHANNEL_CHANNEL_HPP

#include <tofu/config.hpp>
#include <tofu/contract/interest.hpp>
#include <tofu/contract/slot_identity.hpp>
#include <tofu/detail/intrusive_list.hpp>
#include <tofu/engine/channel/accept_pace.hpp>
#include <tofu/engine/channel/channel_limits.hpp>
#include <tofu/engine/channel/group_core.hpp>
#include <tofu/engine/channel/read_budget.hpp>
#include <tofu/engine/channel/resolution.hpp>
#include <tofu/engine/channel/timer_item.hpp>
#include <tofu/engine/protocol/conversation.hpp>
#include <tofu/engine/protocol/frame_reader.hpp>
#include <tofu/engine/protocol/frame_writer.hpp>
#include <tofu/reason.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace tofu::inline TOFU_ABI::engine {

/// The life of a slot's owner, from its beginning to its end.
enum class channel_phase : std::uint8_t {
    opening,             ///< made; nothing was asked of the system yet
    resolving,           ///< the resolver was asked for a name
    connecting,          ///< the system was asked to connect
    waiting_for_backlog, ///< no socket: the listener's backlog was full, and the retry time is not over
    waiting_for_release, ///< no socket: the poller still holds the registration of the previous address
    open,                ///< a connection: bytes flow
    listening,
    closing, ///< the end is decided; the socket is still held
    shut,    ///< the socket is released; posts may be in flight
    zombie   ///< nothing is left but a registration that the kernel still holds
};

/// The application's knowledge of a channel.
enum class channel_visibility : std::uint8_t {
    hidden,    ///< nothing: an accepted connection whose hello_request is not complete
    announced, ///< its number: it waits for the hello_response or welcome_response
    opened     ///< a hello, a regular message or the welcome_response: its goodbye is a signal
};

/// The registration that the poller holds for a channel.
enum class registration_state : std::uint8_t {
    unused,   ///< nothing: the channel has had no socket yet
    attached, ///< the registration of the present socket
    owed,     ///< the registration of an earlier socket, until the poller reports its release
    released  ///< nothing: the channel has had a socket
};

/// All members: I/O thread, or the borrower of its loan.
template <class Policies>
struct channel : timer_item<typename Policies::timer> {
    using poll = typename Policies::poll;
    using timer = typename Policies::timer;
    using endpoint = typename poll::network_type::endpoint;

    explicit channel(slot_identity who) noexcept : timer_item<timer>(timer_kind::channel), identity_(who) {}

    [[nodiscard]] slot_identity identity() const noexcept { return identity_; }
    /// Another socket follows: reports about the previous socket must not be taken for reports about the new one.
    void renew() noexcept { ++identity_.generation; }

    [[nodiscard]] bool is_listener() const noexcept { return listener; }
    [[nodiscard]] bool is_open() const noexcept { return phase == channel_phase::open; }
    [[nodiscard]] bool has_ended() const noexcept { return phase >= channel_phase::closing; }
    [[nodiscard]] bool is_hidden() const noexcept { return visibility == channel_visibility::hidden; }
    [[nodiscard]] bool is_opened() const noexcept { return visibility == channel_visibility::opened; }
    /// True exactly when the poller holds the registration of the present socket.
    [[nodiscard]] bool is_attached() const noexcept { return held == registration_state::attached; }
    /// True exactly when the poller holds a registration whose release it has to report.
    [[nodiscard]] bool is_owed() const noexcept { return held == registration_state::owed; }
    /// True exactly when the channel must not read or accept now.
    [[nodiscard]] bool is_paused() const noexcept { return pause_hook.linked(); }

    [[nodiscard]] channel_step step() const noexcept {
        if (is_opened()) return channel_step::opened;
        return listener ? channel_step::listening : channel_step::connecting;
    }

    /// False: the members contradict each other.
    [[nodiscard]] bool is_consistent() const noexcept {
        if (is_attached() && phase != channel_phase::connecting && phase != channel_phase::open &&
            phase != channel_phase::listening && phase != channel_phase::closing)
            return false;
        if (phase == channel_phase::zombie && !is_owed()) return false;
        if (listener ? phase == channel_phase::connecting || phase == channel_phase::open
                     : phase == channel_phase::listening)
            return false;
        if (is_hidden() && (listener || (phase != channel_phase::open && !has_ended()))) return false;
        return !holds_partial || (!listener && !is_hidden());
    }

    slot_identity identity_;
    channel_phase phase = channel_phase::opening;
    channel_visibility visibility = channel_visibility::announced;
    registration_state held = registration_state::unused;
    bool listener = false;
    bool write_blocked = false; ///< true exactly when no write may be tried before a report or the retry
    bool holds_partial = false; ///< true exactly when the channel counts among the partial_messages
    bool expects_large = false; ///< true exactly when the channel's latest message was large; see reading.hpp
    bool resumed = false;       ///< true exactly when it may read again and the poller was not asked yet
    bool is_quiet = false; ///< closing: true exactly when no post was in flight before the latest look at the inbox
    std::uint8_t refused_arms = 0; ///< how often in a row the poller had no memory to arm the channel
    std::uint16_t number = no_channel;
    std::uint32_t generation = 0; ///< of the number
    std::uint64_t resumed_in = 0; ///< the turn in which it was resumed: the next wait covers its socket again
    readiness ready = readiness::none;

    typename poll::network_type::socket socket;
    typename poll::registration registration;
    std::uintptr_t key = 0; ///< the key of the registration that is attached or owed
    engine::conversation conversation{engine::conversation::side::connecting};
    frame_reader reader;
    frame_writer writer;
    read_budget budget;
    accept_pace<typename timer::time_point> accepts; ///< of a listener
    ref<group_core> group;
    message_ptr goodbye;  ///< set aside when the channel was made
    message_ptr request;  ///< the welcome_request, or the hello_request that was sent, until it is answered
    cause why;            ///< why the channel ends, once that is decided
    io_error read_error;  ///< why reading is over, if it failed
    io_error write_error; ///< why writing is over, if it failed
    std::unique_ptr<resolution<endpoint>> addresses; ///< the addresses of a name, while the channel tries them
    [[no_unique_address]] channel_limits<timer> limits;
    detail::node_queue returns; ///< posted messages that come back to the application at the end

    struct {
        std::uint64_t bytes_sent = 0, bytes_received = 0, messages_sent = 0, messages_received = 0;
    } counts;

    // A hook for each list in which the channel can be at the same time.
    detail::list_hook<channel> ready_hook;
    detail::list_hook<channel> update_hook;
    detail::list_hook<channel> closing_hook;
    detail::list_hook<channel> stalled_hook; ///< see starvation
    detail::list_hook<channel> pause_hook;   ///< starvation, partial_messages or, for a listener, refusals
    detail::list_hook<channel> retry_hook;   ///< see refusals
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
