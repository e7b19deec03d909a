// SPDX-License-Identifier: BSL-1.0
// The channel group: where an application posts messages and receives them.
#ifndef TOFU_CHANNEL_GROUP_HPP
#define TOFU_CHANNEL_GROUP_HPP

#include <tofu/config.hpp>
#include <tofu/detail/deadline.hpp>
#include <tofu/engine/threads/ref.hpp>
#include <tofu/fwd.hpp>
#include <tofu/message_ptr.hpp>
#include <tofu/policies/policy_set.hpp>
#include <tofu/policies/timer/wait_timeout.hpp>
#include <tofu/stats.hpp>
#include <tofu/status.hpp>

#include <chrono>
#include <optional>
#include <system_error>
#include <utility>

namespace tofu::inline TOFU_ABI {

namespace engine {

struct group_core;

template <class Policies>
class engine_core;

template <class Timer>
struct application_timer;

} // namespace engine

/// A duration that never ends, for every call that takes a time to wait.
inline constexpr std::chrono::nanoseconds infinite_duration = (std::chrono::nanoseconds::max)();

/// The application's handle to a message that it has sent to itself for later; see
/// basic_channel_group::update_receiver_after. Destroying the handle does not cancel the message. Any thread, one at a
/// time.
template <class Policies>
class basic_timer_handle {
public:
    basic_timer_handle() noexcept;
    basic_timer_handle(basic_timer_handle&&) noexcept;
    basic_timer_handle(const basic_timer_handle&) noexcept;
    basic_timer_handle& operator=(basic_timer_handle) noexcept;
    ~basic_timer_handle();

    /// Cancels the delivery and returns the message. Null: the message is on its way to the group or was received, its
    /// group or engine is gone, or this is a forked child.
    message_ptr cancel() noexcept;

private:
    template <class>
    friend class basic_channel_group;
    using core_type = engine::engine_core<Policies>;
    using timer_type = engine::application_timer<typename Policies::timer>;

    engine::ref<core_type> core_;
    engine::ref<timer_type> timer_;
};

/// Owns channels and one receive queue. basic_reactor::create_group makes it; it may outlive the reactor. Destroying
/// the group closes its channels: the destructor waits for the loop, or drives it. In a forked child of a process that
/// made the engine, every call reports shutdown_started, and the destructor only closes the child's copies of the
/// sockets.
///
/// `wait_receive`: one thread at a time. Destruction and moves: no other thread may be inside a call. All other calls:
/// any thread. Every throwing call throws std::system_error with a tofu status, and has a twin that reports the error
/// in a std::error_code.
template <class Policies>
class basic_channel_group {
public:
    using timer_handle = basic_timer_handle<Policies>;

    /// A group without an engine: every call reports shutdown_started. Assignment closes the old group's channels as
    /// the destructor does.
    basic_channel_group() noexcept;
    basic_channel_group(basic_channel_group&& other) noexcept;
    basic_channel_group& operator=(basic_channel_group&& other) noexcept;
    ~basic_channel_group();

    /// False: default constructed, or moved from. Stays true after the engine has stopped.
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(group_); }

    /// Hands a message to the engine. Returns its header as it travels: with its message id and, for a hello_request or
    /// welcome_request, the number of the new channel. On success `m` is null; on any error the message stays with the
    /// caller. Errors: send_failed (the channel's send queue is full), shutdown_started, and those in doc/messages.md,
    /// "When `post` refuses".
    binary_header post(message_ptr&& m, std::error_code& error) noexcept;
    binary_header post(message_ptr&& m) requires exceptions_enabled {
        std::error_code error;
        const binary_header sent = post(std::move(m), error);
        throw_if(error, "tofu::channel_group::post");
        return sent;
    }

    /// Posts as `post` does, and waits for room in the channel's send queue. In a caller-driven engine the call drives
    /// the loop meanwhile. Errors: as `post`; send_failed: there was no room in time.
    template <class Rep, class Period>
    binary_header wait_post(message_ptr&& m, std::chrono::duration<Rep, Period> timeout,
                            std::error_code& error) noexcept {
        return post_within(std::move(m), detail::nanoseconds_from(timeout), error);
    }
    template <class Rep, class Period>
    binary_header wait_post(message_ptr&& m, std::chrono::duration<Rep, Period> timeout) requires exceptions_enabled {
        std::error_code error;
        const binary_header sent = wait_post(std::move(m), timeout, error);
        throw_if(error, "tofu::channel_group::wait_post");
        return sent;
    }

    /// Receives the next message, from a peer or from the engine. Null without an error: no message came in time. Null
    /// with shutdown_started: the engine has stopped, and everything that it delivered was received. In a caller-driven
    /// engine the call drives the loop; a timeout of zero still looks once.
    template <class Rep, class Period>
    [[nodiscard]] message_ptr wait_receive(std::chrono::duration<Rep, Period> timeout,
                                           std::error_code& error) noexcept {
        return receive_within(detail::nanoseconds_from(timeout), error);
    }
    [[nodiscard]] message_ptr wait_receive(std::error_code& error) noexcept {
        return wait_receive(infinite_duration, error);
    }
    template <class Rep, class Period>
    [[nodiscard]] message_ptr wait_receive(std::chrono::duration<Rep, Period> timeout) requires exceptions_enabled {
        std::error_code error;
        message_ptr m = wait_receive(timeout, error);
        throw_if(error, "tofu::channel_group::wait_receive");
        return m;
    }
    [[nodiscard]] message_ptr wait_receive() requires exceptions_enabled { return wait_receive(infinite_duration); }

    /// Puts a message into this group's own queue, with status receiver_update and channel number 0, to wake or
    /// instruct the receiving thread. On an error the message stays with the caller. Errors: null_message,
    /// shutdown_started.
    void update_receiver(message_ptr&& m, std::error_code& error) noexcept;
    void update_receiver(message_ptr&& m) requires exceptions_enabled {
        std::error_code error;
        update_receiver(std::move(m), error);
        throw_if(error, "tofu::channel_group::update_receiver");
    }

    /// Puts an empty signal into this group's own queue. Its origin is the engine. Errors: shutdown_started;
    /// allocation_failed: memory is short, or options::max_messages_alive is reached.
    void update_receiver(std::error_code& error) noexcept;
    void update_receiver() requires exceptions_enabled {
        std::error_code error;
        update_receiver(error);
        throw_if(error, "tofu::channel_group::update_receiver");
    }

    /// Delivers `m` as update_receiver does, after `delay`; at once if `delay` is not positive. The handle can cancel
    /// it until then. If the group or the engine ends first, `m` returns to its pool. On an error the message stays
    /// with the caller. Errors: null_message, shutdown_started, allocation_failed.
    template <class Rep, class Period>
    timer_handle update_receiver_after(std::chrono::duration<Rep, Period> delay, message_ptr&& m,
                                       std::error_code& error) noexcept requires Policies::timer::has_timers {
        return update_within(detail::nanoseconds_from(delay), std::move(m), error);
    }
    template <class Rep, class Period>
    timer_handle update_receiver_after(std::chrono::duration<Rep, Period> delay,
                                       message_ptr&& m) requires(exceptions_enabled&& Policies::timer::has_timers) {
        std::error_code error;
        timer_handle handle = update_receiver_after(delay, std::move(m), error);
        throw_if(error, "tofu::channel_group::update_receiver_after");
        return handle;
    }

    /// Returns the figures of one channel of this group, taken between two turns of the loop. No value: the channel has
    /// ended, or belongs to another group. Any thread; waits for the loop, or drives it.
    [[nodiscard]] std::optional<channel_stats> stats(std::uint16_t channel_number) const noexcept;

private:
    template <class, class, class, class>
    friend class basic_reactor;
    using core_type = engine::engine_core<Policies>;

    basic_channel_group(engine::ref<core_type> core, engine::ref<engine::group_core> group) noexcept;

    binary_header post_within(message_ptr&& m, std::chrono::nanoseconds timeout, std::error_code& error) noexcept;
    [[nodiscard]] message_ptr receive_within(std::chrono::nanoseconds timeout, std::error_code& error) noexcept;
    [[nodiscard]] timer_handle update_within(std::chrono::nanoseconds delay, message_ptr&& m,
                                             std::error_code& error) noexcept;
    [[nodiscard]] message_ptr take() noexcept;
    void restock_notice() noexcept;
    [[nodiscard]] bool ended(std::error_code& error) const noexcept;
    [[nodiscard]] message_ptr wait_for_thread(std::chrono::nanoseconds timeout, std::error_code& error) noexcept;
    [[nodiscard]] status check_update(const message* m) const noexcept;
    void prepare_update(message& m, origin from) noexcept;
    void push_update(message& m) noexcept;

    engine::ref<core_type> core_;
    engine::ref<engine::group_core> group_;
};

} // namespace tofu::inline TOFU_ABI

#if TOFU_COMPILED
namespace tofu::inline TOFU_ABI {
extern template class basic_timer_handle<default_policies>;
extern template class basic_channel_group<default_policies>;
} // namespace tofu::inline TOFU_ABI
#else
#include <tofu/impl/channel_group.hpp>
#endif

#endif
