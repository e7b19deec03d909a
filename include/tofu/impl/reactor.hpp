// SPDX-License-Identifier: BSL-1.0
// The bodies of the calls that reactor.hpp declares. Programs do not include this header.
#ifndef TOFU_IMPL_REACTOR_HPP
#define TOFU_IMPL_REACTOR_HPP

#include <tofu/config.hpp>
#include <tofu/engine/engine_core.hpp>
#include <tofu/engine/figures.hpp>
#include <tofu/impl/channel_group.hpp>
#include <tofu/policies/concepts.hpp>
#include <tofu/policies/defaults.hpp>
#include <tofu/reactor.hpp>

#include <chrono>
#include <new>
#include <system_error>
#include <type_traits>
#include <utility>

namespace tofu::inline TOFU_ABI {

namespace engine {

/// The system's own code if there is one, else the status that names the missing resource.
[[nodiscard]] inline std::error_code code_of(io_error error) noexcept {
    if (error.os_code != 0) return {error.os_code, std::system_category()};
    return error.kind == io_failure::no_memory ? status::allocation_failed : status::processing_failed;
}

} // namespace engine

template <class PollPolicy, class PoolPolicy, class KeyPolicy, class TimerPolicy>
inline basic_reactor<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy>::basic_reactor(not_started, int) noexcept {}

template <class PollPolicy, class PoolPolicy, class KeyPolicy, class TimerPolicy>
inline basic_reactor<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy>::~basic_reactor() {
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

template <class PollPolicy, class PoolPolicy, class KeyPolicy, class TimerPolicy>
inline auto basic_reactor<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy>::create_group(std::error_code& error) noexcept
    -> group_type {
    error = status::shutdown_started;
    if (!core_ || !core_->is_here()) return {};
    status why = status::success;
    auto group = core_->make_group(why);
    error = why;
    if (!group) return {};
    return group_type(core_, std::move(group));
}

template <class PollPolicy, class PoolPolicy, class KeyPolicy, class TimerPolicy>
inline message_ptr basic_reactor<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy>::get(allocation how,
                                                                                      std::error_code& error) noexcept {
    error = status::shutdown_started;
    if (!core_ || !core_->is_here()) return nullptr;
    message_ptr m =
        engine::owned(how == allocation::always ? core_->messages.acquire() : core_->messages.acquire_free());
    error = m ? status::success : how == allocation::always ? status::allocation_failed : status::pool_empty;
    return m;
}

template <class PollPolicy, class PoolPolicy, class KeyPolicy, class TimerPolicy>
inline bool
basic_reactor<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy>::drain_within(std::chrono::nanoseconds timeout) noexcept {
    if (!core_) return true;
    if (!core_->is_here()) return false;
    return core_->call_until(core_->deadline_after(timeout),
                             [](auto& state) { return engine::group_commands<policies>::all_is_sent(state); });
}

template <class PollPolicy, class PoolPolicy, class KeyPolicy, class TimerPolicy>
inline void basic_reactor<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy>::run_within(std::chrono::nanoseconds timeout,
                                                                                      std::error_code& error) noexcept {
    error = check_driving();
    if (!error) core_->run_once(core_->deadline_after(timeout));
}

template <class PollPolicy, class PoolPolicy, class KeyPolicy, class TimerPolicy>
inline auto
basic_reactor<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy>::next_deadline(std::error_code& error) noexcept
    -> time_point {
    error = check_driving();
    return error ? (time_point::min)() : core_->next_deadline();
}

template <class PollPolicy, class PoolPolicy, class KeyPolicy, class TimerPolicy>
inline int
basic_reactor<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy>::native_handle(std::error_code& error) const noexcept {
    // The compiled library contains this call on every system.
    static_assert(poll_has_native_handle<typename policies::poll> ||
                      (TOFU_COMPILED == 1 && std::is_same_v<policies, default_policies>),
                  "tofu::reactor::native_handle: this PollPolicy has no single descriptor to wait for "
                  "(posix_poll waits for many); linux_epoll and bsd_kqueue have one");
    error = check_driving();
    if constexpr (poll_has_native_handle<typename policies::poll>) {
        return error ? -1 : core_->poller.native_handle();
    } else {
        if (!error) error = status::not_allowed;
        return -1;
    }
}

template <class PollPolicy, class PoolPolicy, class KeyPolicy, class TimerPolicy>
inline engine_stats basic_reactor<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy>::stats() const noexcept {
    return core_ ? engine::figures_of(*core_) : engine_stats{};
}

template <class PollPolicy, class PoolPolicy, class KeyPolicy, class TimerPolicy>
inline std::error_code basic_reactor<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy>::start(const options& opts,
                                                                                            driven_by who) noexcept {
    return start_with(opts, who);
}

template <class PollPolicy, class PoolPolicy, class KeyPolicy, class TimerPolicy>
template <class... Given>
inline std::error_code
basic_reactor<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy>::start_with(const options& opts, driven_by who,
                                                                          Given&... given) noexcept {
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
    if (const io_error error = made->open()) return engine::code_of(error);
    if (with_thread)
        if (const io_error error = start_thread(*core)) return engine::code_of(error);
    core_ = std::move(made);
    return {};
}

template <class PollPolicy, class PoolPolicy, class KeyPolicy, class TimerPolicy>
template <class... Given>
inline auto basic_reactor<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy>::make_core(
    const options& opts, bool with_thread, engine::message_pool& messages, Given&... given) noexcept -> core_type* {
    static_assert(detail::assert_given<typename policies::poll, Given...>());
    static_assert(detail::assert_given<typename policies::pool, Given...>());
    static_assert(detail::assert_given<typename policies::key, Given...>());
    static_assert(detail::assert_given<typename policies::timer, Given...>());
    if constexpr (detail::can_be_had<typename policies::poll, Given...> &&
                  detail::can_be_had<typename policies::pool, Given...> &&
                  detail::can_be_had<typename policies::key, Given...> &&
                  detail::can_be_had<typename policies::timer, Given...>)
        return new (std::nothrow)
            core_type(opts, detail::take<typename policies::poll>(given...),
                      detail::take<typename policies::pool>(given...), detail::take<typename policies::key>(given...),
                      detail::take<typename policies::timer>(given...), with_thread, messages);
    else
        return nullptr;
}

template <class PollPolicy, class PoolPolicy, class KeyPolicy, class TimerPolicy>
inline io_error basic_reactor<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy>::start_thread(core_type& core) noexcept {
    static_cast<void>(core.driver.try_acquire()); // on behalf of the thread, for its whole life
    return platform::io_thread::start(
        thread_, "tofu", [](void* context) noexcept { static_cast<core_type*>(context)->run(); }, &core);
}

template <class PollPolicy, class PoolPolicy, class KeyPolicy, class TimerPolicy>
inline status basic_reactor<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy>::check_driving() const noexcept {
    if (!core_ || !core_->is_here()) return status::shutdown_started;
    return core_->has_io_thread ? status::not_allowed : status::success;
}

} // namespace tofu::inline TOFU_ABI

#endif
