// SPDX-License-Identifier: BSL-1.0
// The channel group: where an application posts messages and receives them.
#ifndef TOFU_CHANNEL_GROUP_HPP
#define TOFU_CHANNEL_GROUP_HPP

#include <tofu/config.hpp>
#include <tofu/engine/engine_core.hpp>
#include <tofu/message.hpp>
#include <tofu/message_ptr.hpp>

#include <chrono>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

namespace tofu::inline TOFU_ABI {

template <class PollPolicy, class PoolPolicy, class KeyPolicy, class TimerPolicy>
class basic_reactor;

/// A duration that never ends, for every call that takes a time to wait.
inline constexpr std::chrono::nanoseconds infinite_duration = (std::chrono::nanoseconds::max)();

/// The application's handle to a message that it has sent to itself for later; see
/// basic_channel_group::update_receiver_after. Destroying the handle does not cancel the message. Any thread, one at a
/// time.
template <class Policies>
class basic_timer_handle {
public:
    basic_timer_handle() noexcept = default;

    /// Cancels the delivery and returns the message. Null: the message is on its way to the group or was received, its
    /// group or engine is gone, or this is a forked child.
    message_ptr cancel() noexcept {
        using stage = typename timer_type::stage;
        if (!timer_ || !core_->is_here()) return nullptr;
        if (timer_->advance(stage::posted, stage::settled)) return std::move(timer_->content);
        if (!timer_->advance(stage::scheduled, stage::settled)) return nullptr;
        message_ptr content = std::move(timer_->content);
        core_->submit(*timer_); // the loop removes the timer from its heap
        return content;
    }

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
    basic_channel_group() noexcept = default;
    basic_channel_group(basic_channel_group&&) noexcept = default;
    basic_channel_group& operator=(basic_channel_group&& other) noexcept {
        basic_channel_group old(std::move(*this));
        core_ = std::move(other.core_);
        group_ = std::move(other.group_);
        return *this;
    }
    ~basic_channel_group() {
        if (group_) core_->destroy(*group_);
    }

    /// False: default constructed, or moved from. Stays true after the engine has stopped.
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(group_); }

    /// Hands a message to the engine. Returns its header as it travels: with its message id and, for a hello_request or
    /// welcome_request, the number of the new channel. On success `m` is null; on any error the message stays with the
    /// caller. Errors: send_failed (the channel's send queue is full), shutdown_started, and those in doc/messages.md,
    /// "When `post` refuses".
    binary_header post(message_ptr&& m, std::error_code& error) noexcept {
        binary_header sent;
        error = group_ ? core_->post(*group_, m, sent) : status::shutdown_started;
        return sent;
    }
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
        binary_header sent = post(std::move(m), error);
        if (error != status::send_failed || !m) return sent;
        const auto until = core_->deadline_after(timeout);
        const std::uint16_t number = m->header().channel_number;
        while (core_->await(until, [&] { return core_->has_room(number, m->wire_size()); })) {
            sent = post(std::move(m), error);
            if (error != status::send_failed || core_->timers.now() >= until)
                return sent; // another poster took the room
        }
        return sent;
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
        error.clear();
        if (!group_ || !core_->is_here()) {
            error = status::shutdown_started;
            return nullptr;
        }
        if (message_ptr m = take()) return m;
        if (core_->has_io_thread) return wait_for_thread(timeout, error);
        const auto until = core_->deadline_after(timeout);
        for (;;) {
            const bool more =
                core_->await(until, [this] { return group_->mail.has_mail() || group_->mail.finished(); });
            if (message_ptr m = take()) return m;
            if (ended(error) || !more) return nullptr;
        }
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
    void update_receiver(message_ptr&& m, std::error_code& error) noexcept {
        error = check_update(m.get());
        if (error) return;
        prepare_update(*m, origin::application);
        push_update(*m.release());
    }
    void update_receiver(message_ptr&& m) requires exceptions_enabled {
        std::error_code error;
        update_receiver(std::move(m), error);
        throw_if(error, "tofu::channel_group::update_receiver");
    }

    /// Puts an empty signal into this group's own queue. Its origin is the engine. Errors: shutdown_started;
    /// allocation_failed: memory is short, or options::max_messages_alive is reached.
    void update_receiver(std::error_code& error) noexcept {
        message_ptr m = group_ ? engine::owned(core_->messages.acquire()) : nullptr; // null in a child
        error = check_update(m.get());
        if (error == status::null_message) error = status::allocation_failed;
        if (error) return;
        m->header().op = op_code::signal;
        prepare_update(*m, origin::engine);
        push_update(*m.release());
    }
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
        timer_handle handle;
        error = check_update(m.get());
        if (error) return handle;
        using timer_type = typename timer_handle::timer_type;
        auto* const timer = new (std::nothrow) timer_type(group_, nullptr, core_->deadline_after(delay));
        if (timer == nullptr) {
            error = status::allocation_failed;
            return handle;
        }
        prepare_update(*m, origin::application);
        timer->content = std::move(m);
        handle.core_ = core_;
        handle.timer_ = engine::ref<timer_type>::share(*timer); // the first reference is the loop's
        core_->submit(*timer);
        return handle;
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
    [[nodiscard]] std::optional<channel_stats> stats(std::uint16_t channel_number) const noexcept {
        channel_stats figures;
        bool found = false;
        if (!group_ || !core_->is_here()) return std::nullopt;
        core_->call([&](auto& state) {
            found = engine::group_commands<Policies>::describe(state, *group_, channel_number, figures);
            return true;
        });
        return found ? std::optional(figures) : std::nullopt;
    }

private:
    template <class, class, class, class>
    friend class basic_reactor;
    using core_type = engine::engine_core<Policies>;

    basic_channel_group(engine::ref<core_type> core, engine::ref<engine::group_core> group) noexcept
        : core_(std::move(core)), group_(std::move(group)) {}

    /// Pops the next message, and acts on its kind: a goodbye frees its number; the marker behind the last message of a
    /// half-closed peer goes back to the loop.
    [[nodiscard]] message_ptr take() noexcept {
        while (detail::queue_node* const node = group_->mail.pop()) {
            message& m = engine::message_of(*node);
            const detail::node_kind kind = std::exchange(node->kind, detail::node_kind::message);
            if (kind == detail::node_kind::end_of_stream) {
                node->kind = kind;
                core_->submit(*node);
                continue;
            }
            if (kind == detail::node_kind::goodbye) core_->directory.free(m.header().channel_number);
            if (kind == detail::node_kind::pool_empty) restock_notice();
            return engine::owned(&m);
        }
        return nullptr;
    }

    /// Sets aside a message for the next pool_empty notice, so that the notice needs no memory when it comes.
    void restock_notice() noexcept {
        group_->pool_empty_reserve = engine::owned(core_->messages.acquire_uncounted());
        group_->pool_empty_unread.store(false, std::memory_order_release);
    }

    [[nodiscard]] bool ended(std::error_code& error) const noexcept {
        if (!group_->mail.finished() || group_->mail.has_mail()) return false;
        error = status::shutdown_started;
        return true;
    }

    /// An I/O thread drives the loop: wait at the mailbox.
    template <class Rep, class Period>
    [[nodiscard]] message_ptr wait_for_thread(std::chrono::duration<Rep, Period> timeout,
                                              std::error_code& error) noexcept {
        const auto until = detail::deadline_from(std::chrono::steady_clock::now(), timeout);
        for (;;) {
            const bool late = !group_->mail.wait_until(until);
            if (message_ptr m = take()) return m;
            if (ended(error) || late) return nullptr;
        }
    }

    [[nodiscard]] status check_update(const message* m) const noexcept {
        if (!group_ || core_->refuses_calls()) return status::shutdown_started;
        return m == nullptr ? status::null_message : status::success;
    }

    void prepare_update(message& m, origin from) noexcept {
        engine::route_of(m).home->mark_posted(m); // it is a posted message now
        engine::put_status(m, status::receiver_update);
        m.header().channel_number = no_channel;
        m.header().origin = from;
        m.header().text_headers_length = static_cast<std::uint16_t>(m.headers().size_bytes());
        m.header().body_length = static_cast<std::uint16_t>(m.body().size());
    }

    void push_update(message& m) noexcept {
        group_->mail.push(engine::node_of(m));
        if (core_->can_drive()) core_->updated(); // the receiver may be waiting in the poller
    }

    engine::ref<core_type> core_;
    engine::ref<engine::group_core> group_;
};

} // namespace tofu::inline TOFU_ABI

#endif
