// SPDX-License-Identifier: BSL-1.0
// basic_reactor: the engine, composed of four policies.
#ifndef TOFU_REACTOR_HPP
#define TOFU_REACTOR_HPP

#include <tofu/channel_group.hpp>
#include <tofu/config.hpp>
#include <tofu/detail/given.hpp>
#include <tofu/fwd.hpp>
#include <tofu/options.hpp>
#include <tofu/platform/thread.hpp>
#include <tofu/policies/policy_set.hpp>
#include <tofu/policies/timer/wait_timeout.hpp>
#include <tofu/stats.hpp>

#include <chrono>
#include <cstdint>
#include <system_error>
#include <utility>

namespace tofu::inline TOFU_ABI {

/// The thread that drives the engine's loop.
enum class driven_by : std::uint8_t {
    io_thread, ///< a thread of the engine
    caller     ///< a thread of the application, inside wait_receive, run_once and every other call that waits
};

/// A message engine: one loop, four policies, no virtual call. The destructor stops the engine in bounded time, even if
/// channels are still open. Groups and messages may outlive the reactor. All calls: any thread, except where said.
///
/// In a forked child of the process that made the engine, every call reports shutdown_started. The destructor returns
/// at once: it closes the child's copies of the sockets, and changes nothing that the parent uses. The engine's memory
/// stays allocated in the child. The child may make engines of its own.
///
/// A call needs at most 16 KiB of stack. No thread may be cancelled (pthread_cancel) inside a call. A program that
/// closes all descriptors, as daemons do, must make its engines after that. doc/architecture.md says more, also about
/// shared objects that are unloaded.
template <class PollPolicy, class PoolPolicy, class KeyPolicy, class TimerPolicy>
class basic_reactor {
public:
    using policies = typename composition<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy>::policies;
    using group_type = basic_channel_group<policies>;
    using timer_handle = basic_timer_handle<policies>;
    using time_point = typename policies::timer::time_point;

    /// Starts the engine. The overload without `error` throws std::system_error with the same code. `given` are policy
    /// objects, in any order, at most one of each kind; the engine moves them. Policies that are not given are default
    /// constructed. After an error every call reports shutdown_started. Errors:
    /// - an options_problem: it equals status::not_allowed, and its message names the option;
    /// - the system's own code in std::system_category, such as EMFILE or EAGAIN: the system refuses something that the
    ///   poller or the thread needs;
    /// - allocation_failed; processing_failed: a poll policy failed without a code.
    basic_reactor(const options& opts, driven_by who, std::error_code& error) noexcept
        : basic_reactor(not_started{}, 0) {
        error = start(opts, who);
    }
    explicit basic_reactor(const options& opts = {}, driven_by who = driven_by::io_thread) requires(exceptions_enabled)
        : basic_reactor(not_started{}, 0) {
        throw_if(start(opts, who), "tofu::reactor");
    }
    template <detail::one_of<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy> First,
              detail::one_of<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy>... Given>
    basic_reactor(const options& opts, driven_by who, std::error_code& error, First first, Given... given) noexcept
        : basic_reactor(not_started{}, 0) {
        error = start_with(opts, who, first, given...);
    }
    template <detail::one_of<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy> First,
              detail::one_of<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy>... Given>
    explicit basic_reactor(const options& opts, driven_by who, First first, Given... given) requires(exceptions_enabled)
        : basic_reactor(not_started{}, 0) {
        throw_if(start_with(opts, who, first, given...), "tofu::reactor");
    }
    basic_reactor(const basic_reactor&) = delete;
    basic_reactor& operator=(const basic_reactor&) = delete;

    /// Stops the engine. Channels end with reason engine_stopped, and unsent messages come back with shutdown_started;
    /// groups can still receive both. No other thread may be inside a call of this object; calls of groups may go on.
    ~basic_reactor();

    /// Makes a group. Errors: shutdown_started, allocation_failed.
    [[nodiscard]] group_type create_group(std::error_code& error) noexcept;
    [[nodiscard]] group_type create_group() requires exceptions_enabled {
        std::error_code error;
        group_type group = create_group(error);
        throw_if(error, "tofu::reactor::create_group");
        return group;
    }

    /// Returns an empty message. Errors: pool_empty (with pool_only: no message is free); allocation_failed (with
    /// always: memory is short); one of these two also if options::max_messages_alive is reached; shutdown_started.
    [[nodiscard]] message_ptr get(allocation how, std::error_code& error) noexcept;
    [[nodiscard]] message_ptr get(allocation how = allocation::always) requires exceptions_enabled {
        std::error_code error;
        message_ptr m = get(how, error);
        throw_if(error, "tofu::reactor::get");
        return m;
    }

    /// Waits until no send queue holds a message, and no ended channel still has messages to return. In a caller-driven
    /// engine the call drives the loop meanwhile. False: not in time, or this is a forked child. True at once if the
    /// engine did not start.
    template <class Rep, class Period>
    bool drain(std::chrono::duration<Rep, Period> timeout) noexcept {
        return drain_within(detail::nanoseconds_from(timeout));
    }

    // Driving: only for an engine that its caller drives.

    /// Runs one turn of the loop: waits at most `timeout` for something to do, and does it. If another thread drives
    /// the loop, waits for that thread instead, at most `timeout`, and runs no turn. Errors: not_allowed (the engine
    /// has an I/O thread), shutdown_started.
    template <class Rep, class Period>
    void run_once(std::chrono::duration<Rep, Period> timeout, std::error_code& error) noexcept {
        run_within(detail::nanoseconds_from(timeout), error);
    }
    template <class Rep, class Period>
    void run_once(std::chrono::duration<Rep, Period> timeout) requires exceptions_enabled {
        std::error_code error;
        run_once(timeout, error);
        throw_if(error, "tofu::reactor::run_once");
    }

    /// For a program with a loop of its own: call it before each wait of that loop. Marks the engine's loop as asleep,
    /// so that posts of other threads wake it. Returns the time at which the wait must end. min(): do not wait, as a
    /// group has mail or the engine has work. max(): wait until native_handle() is readable.
    ///
    /// After the wait, call run_once(0), then wait_receive(0) of every group until it returns null. Between
    /// next_deadline and the wait, this thread may call get, post, update_receiver and update_receiver_after only. If
    /// one of them brings mail or an earlier deadline, native_handle() becomes readable. Errors: not_allowed (the
    /// engine has an I/O thread), shutdown_started.
    [[nodiscard]] time_point next_deadline(std::error_code& error) noexcept;
    [[nodiscard]] time_point next_deadline() requires exceptions_enabled {
        std::error_code error;
        const time_point next = next_deadline(error);
        throw_if(error, "tofu::reactor::next_deadline");
        return next;
    }

    /// The descriptor that becomes readable when run_once has something to do. The engine owns it. See next_deadline
    /// for how to wait for it. After an error the result is -1. Errors: not_allowed (the engine has an I/O thread),
    /// shutdown_started. If the poller has no such descriptor, the call does not compile. With the compiled library
    /// and the default policies, it compiles and reports not_allowed.
    [[nodiscard]] int native_handle(std::error_code& error) const noexcept;
    [[nodiscard]] int native_handle() const requires exceptions_enabled {
        std::error_code error;
        const auto handle = native_handle(error);
        throw_if(error, "tofu::reactor::native_handle");
        return handle;
    }

    /// The engine's counters. Each counter is right, but they are not read at the same moment. In a forked child all
    /// are 0. Any thread, never waits for the loop.
    [[nodiscard]] engine_stats stats() const noexcept;

private:
    struct not_started {};
    basic_reactor(not_started, int) noexcept; // two parameters, so that reactor({}) means options

    using core_type = engine::engine_core<policies>;

    [[nodiscard]] std::error_code start(const options& opts, driven_by who) noexcept;
    template <class... Given>
    [[nodiscard]] std::error_code start_with(const options& opts, driven_by who, Given&... given) noexcept;
    template <class... Given>
    [[nodiscard]] static core_type* make_core(const options& opts, bool with_thread, engine::message_pool& messages,
                                              Given&... given) noexcept;
    [[nodiscard]] io_error start_thread(core_type& core) noexcept;
    [[nodiscard]] status check_driving() const noexcept;
    [[nodiscard]] bool drain_within(std::chrono::nanoseconds timeout) noexcept;
    void run_within(std::chrono::nanoseconds timeout, std::error_code& error) noexcept;

    engine::ref<core_type> core_;
    platform::io_thread thread_;
};

} // namespace tofu::inline TOFU_ABI

#if TOFU_COMPILED
namespace tofu::inline TOFU_ABI {
extern template class basic_reactor<default_poll, default_pool, default_key, default_timer>;
} // namespace tofu::inline TOFU_ABI
#else
#include <tofu/impl/reactor.hpp>
#endif

#endif
