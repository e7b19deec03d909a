// SPDX-License-Identifier: BSL-1.0
// basic_reactor: the engine, composed of four policies.
#ifndef TOFU_REACTOR_HPP
#define TOFU_REACTOR_HPP

#include <tofu/channel_group.hpp>
#include <tofu/config.hpp>
#include <tofu/detail/given.hpp>
#include <tofu/engine/engine_core.hpp>
#include <tofu/engine/figures.hpp>
#include <tofu/options.hpp>
#include <tofu/platform/thread.hpp>
#include <tofu/policies/concepts.hpp>
#include <tofu/policies/defaults.hpp>
#include <tofu/policies/policy_set.hpp>
#include <tofu/stats.hpp>

#include <chrono>
#include <new>
#include <system_error>
#include <type_traits>
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
template <class PollPolicy = default_poll, class PoolPolicy = default_pool, class KeyPolicy = default_key,
          class TimerPolicy = default_timer>
class basic_reactor {
    static_assert(assert_order<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy>());
    static_assert(assert_poll_policy<PollPolicy>());
    static_assert(assert_pool_policy<PoolPolicy>());
    static_assert(assert_key_policy<KeyPolicy>());
    static_assert(assert_timer_policy<TimerPolicy>());
    static_assert(assert_combination<PollPolicy, PoolPolicy, KeyPolicy>());

public:
    using policies = usable_policies<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy>;
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
    template <detail::one_of<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy>... Given>
    basic_reactor(const options& opts, driven_by who, std::error_code& error, Given... given) noexcept {
        error = start(opts, who, given...);
    }
    template <detail::one_of<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy>... Given>
    explicit basic_reactor(const options& opts = {}, driven_by who = driven_by::io_thread,
                           Given... given) requires exceptions_enabled {
        throw_if(start(opts, who, given...), "tofu::reactor");
    }
    basic_reactor(const basic_reactor&) = delete;
    basic_reactor& operator=(const basic_reactor&) = delete;

    /// Stops the engine. Channels end with reason engine_stopped, and unsent messages come back with shutdown_started;
    /// groups can still receive both. No other thread may be inside a call of this object; calls of groups may go on.
    ~basic_reactor() { stop(); }

    /// Makes a group. Errors: shutdown_started, allocation_failed.
    [[nodiscard]] group_type create_group(std::error_code& error) noexcept {
        error = status::shutdown_started;
        if (!core_ || !core_->is_here()) return {};
        status why = status::success;
        auto group = core_->make_group(why);
        error = why;
        if (!group) return {};
        return group_type(core_, std::move(group));
    }
    [[nodiscard]] group_type create_group() requires exceptions_enabled {
        std::error_code error;
        group_type group = create_group(error);
        throw_if(error, "tofu::reactor::create_group");
        return group;
    }

    /// Returns an empty message. Errors: pool_empty (with pool_only: no message is free); allocation_failed (with
    /// always: memory is short); one of these two also if options::max_messages_alive is reached; shutdown_started.
    [[nodiscard]] message_ptr get(allocation how, std::error_code& error) noexcept {
        error = status::shutdown_started;
        if (!core_ || !core_->is_here()) return nullptr;
        message_ptr m =
            engine::owned(how == allocation::always ? core_->messages.acquire() : core_->messages.acquire_free());
        error = m ? status::success : how == allocation::always ? status::allocation_failed : status::pool_empty;
        return m;
    }
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
        if (!core_) return true;
        if (!core_->is_here()) return false;
        return core_->call_until(core_->deadline_after(timeout),
                                 [](auto& state) { return engine::group_commands<policies>::all_is_sent(state); });
    }

    // Driving: only for an engine that its caller drives.

    /// Runs one turn of the loop: waits at most `timeout` for something to do, and does it. If another thread drives
    /// the loop, waits for that thread instead, at most `timeout`, and runs no turn. Errors: not_allowed (the engine
    /// has an I/O thread), shutdown_started.
    template <class Rep, class Period>
    void run_once(std::chrono::duration<Rep, Period> timeout, std::error_code& error) noexcept {
        error = check_driving();
        if (!error) core_->run_once(core_->deadline_after(timeout));
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
    [[nodiscard]] time_point next_deadline(std::error_code& error) noexcept {
        error = check_driving();
        return error ? (time_point::min)() : core_->next_deadline();
    }
    [[nodiscard]] time_point next_deadline() requires exceptions_enabled {
        std::error_code error;
        const time_point next = next_deadline(error);
        throw_if(error, "tofu::reactor::next_deadline");
        return next;
    }

    /// The descriptor that becomes readable when run_once has something to do. The engine owns it. See next_deadline
    /// for how to wait for it. Errors: not_allowed (the engine has an I/O thread), shutdown_started; the result is -1
    /// then.
    [[nodiscard]] auto native_handle(std::error_code& error) const noexcept {
        static_assert(poll_has_native_handle<typename policies::poll>,
                      "tofu::reactor::native_handle: this PollPolicy has no single descriptor to wait for "
                      "(posix_poll waits for many); linux_epoll and bsd_kqueue have one");
        error = check_driving();
        if constexpr (poll_has_native_handle<typename policies::poll>)
            return error ? decltype(core_->poller.native_handle())(-1) : core_->poller.native_handle();
        else
            return -1;
    }
    [[nodiscard]] auto native_handle() const requires exceptions_enabled {
        std::error_code error;
        const auto handle = native_handle(error);
        throw_if(error, "tofu::reactor::native_handle");
        return handle;
    }

    /// The engine's counters. Each counter is right, but they are not read at the same moment. In a forked child all
    /// are 0. Any thread, never waits for the loop.
    [[nodiscard]] engine_stats stats() const noexcept { return core_ ? engine::figures_of(*core_) : engine_stats{}; }

private:
    using core_type = engine::engine_core<policies>;

    /// The system's own code if there is one, else the status that names the missing resource.
    [[nodiscard]] static std::error_code code_of(io_error error) noexcept {
        if (error.os_code != 0) return {error.os_code, std::system_category()};
        return error.kind == io_failure::no_memory ? status::allocation_failed : status::processing_failed;
    }

    template <class... Given>
    [[nodiscard]] std::error_code start(const options& opts, driven_by who, Given&... given) noexcept {
        if (const options_check check = validate(opts); check.status != status::success) return check.which;
        engine::message_pool* const messages = engine::message_pool::create(opts);
        if (messages == nullptr) return status::allocation_failed;
        const bool with_thread = who == driven_by::io_thread;
        core_type* const core = make_core(opts, with_thread, *messages, given...);
        if (core == nullptr) {
            messages->close();
            return status::allocation_failed;
        }
        auto made = engine::ref<core_type>::adopt(core);
        if (const io_error error = made->open()) return code_of(error);
        if (with_thread)
            if (const io_error error = start_thread(*core)) return code_of(error);
        core_ = std::move(made);
        return {};
    }

    template <class... Given>
    [[nodiscard]] static core_type* make_core(const options& opts, bool with_thread, engine::message_pool& messages,
                                              Given&... given) noexcept {
        static_assert(detail::assert_given<typename policies::poll, Given...>());
        static_assert(detail::assert_given<typename policies::pool, Given...>());
        static_assert(detail::assert_given<typename policies::key, Given...>());
        static_assert(detail::assert_given<typename policies::timer, Given...>());
        if constexpr (detail::can_be_had<typename policies::poll, Given...> &&
                      detail::can_be_had<typename policies::pool, Given...> &&
                      detail::can_be_had<typename policies::key, Given...> &&
                      detail::can_be_had<typename policies::timer, Given...>)
            return new (std::nothrow) core_type(
                opts, detail::take<typename policies::poll>(given...), detail::take<typename policies::pool>(given...),
                detail::take<typename policies::key>(given...), detail::take<typename policies::timer>(given...),
                with_thread, messages);
        else
            return nullptr;
    }

    [[nodiscard]] io_error start_thread(core_type& core) noexcept {
        static_cast<void>(core.driver.try_acquire()); // on behalf of the thread, for its whole life
        return platform::io_thread::start(
            thread_, "tofu", [](void* context) noexcept { static_cast<core_type*>(context)->run(); }, &core);
    }

    void stop() noexcept {
        if (!core_) return;
        if (!core_->is_here()) {
            thread_.forget();
            core_->close_copies();
            return;
        }
        core_->begin_stop();
        if (thread_.joinable())
            thread_.join();
        else
            core_->finish_here();
    }

    [[nodiscard]] status check_driving() const noexcept {
        if (!core_ || !core_->is_here()) return status::shutdown_started;
        return core_->has_io_thread ? status::not_allowed : status::success;
    }

    engine::ref<core_type> core_;
    platform::io_thread thread_;
};

/// The engine with the default policies of this system.
using reactor = basic_reactor<>;
using channel_group = reactor::group_type;

} // namespace tofu::inline TOFU_ABI

#endif
