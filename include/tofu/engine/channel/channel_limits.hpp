// SPDX-License-Identifier: BSL-1.0
// The time limits of one channel: when each begins, when it ends, and which one is due.
#ifndef TOFU_ENGINE_CHANNEL_CHANNEL_LIMITS_HPP
#define TOFU_ENGINE_CHANNEL_CHANNEL_LIMITS_HPP

#include <tofu/config.hpp>
#include <tofu/reason.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace tofu::inline TOFU_ABI::engine {

/// Says which limit of a channel is due, if any.
enum class due_limit : std::uint8_t { none, phase, message, idle };

/// A channel has one phase limit at a time (connect, hello, bye or grace), a limit for a message, and a limit for
/// idleness. `now` is always reading time (see starvation). A time of 0 turns a limit off. I/O thread.
///
/// Timer policies without timers have no limits: the specialisation below does nothing.
template <class Timer>
class channel_limits {
public:
    using time_point = typename Timer::time_point;
    using milliseconds = std::chrono::milliseconds;

    /// Begins connect_time, which covers the look-up of a name and all its addresses together.
    void begin_connect(time_point now, milliseconds time) noexcept { connect_ = after(now, time); }

    /// Limits the phase to the rest of connect_time.
    void restore_connect() noexcept {
        phase_ = connect_;
        phase_reason_ = reason::connect_timeout;
    }

    /// Limits the attempt at one address to an equal share of the rest of connect_time. `addresses` is the number of
    /// addresses that share: the present one and all untried ones.
    void begin_address(time_point now, std::size_t addresses) noexcept {
        TOFU_ASSERT(addresses != 0);
        restore_connect();
        if (connect_ == never || addresses == 1) return;
        const auto left = connect_ - now;
        phase_ = now + left / static_cast<decltype(left.count())>(addresses);
    }

    [[nodiscard]] bool connect_is_over(time_point now) const noexcept { return connect_ <= now; }

    void begin_hello(time_point now, milliseconds time) noexcept { begin(now, time, reason::hello_timeout); }

    /// False: no hello was awaited.
    bool end_hello() noexcept {
        if (phase_reason_ != reason::hello_timeout) return false;
        end_phase();
        return true;
    }

    /// A bye was posted or received, or the peer has half-closed. A phase limit that ends no later stays, for example
    /// hello_time, or bye_time of an earlier bye.
    void begin_bye(time_point now, milliseconds time) noexcept {
        if (phase_ > after(now, time)) begin(now, time, reason::bye_timeout);
    }

    /// Both byes are exchanged: cancels the other limits, so that a clean close cannot turn into a timeout.
    void begin_grace(time_point now, milliseconds time) noexcept {
        message_ = idle_ = never;
        begin(now, time, reason::bye);
    }

    /// A write has failed, and reading may still tell the cause. False: the grace time is off.
    [[nodiscard]] bool begin_write_grace(time_point now, milliseconds time) noexcept {
        if (time.count() == 0) return false;
        if (phase_ > after(now, time)) begin(now, time, reason::os_error);
        return true;
    }

    void end_phase() noexcept {
        phase_ = never;
        phase_reason_ = reason::none;
    }

    /// The first byte of a message has arrived. No effect while the limit runs.
    void begin_message(time_point now, milliseconds time) noexcept {
        if (message_ == never) message_ = after(now, time);
    }

    /// Stops the message limit: the message is complete or given up, or the engine itself delays it.
    void end_message() noexcept { message_ = never; }

    /// Bytes were read or written.
    void restart_idle(time_point now, milliseconds time) noexcept {
        if (time.count() != 0) idle_ = now + time;
    }

    /// The nearest limit; max(): none runs.
    [[nodiscard]] time_point first() const noexcept { return (std::min)({phase_, message_, idle_}); }

    [[nodiscard]] due_limit due(time_point now) const noexcept {
        if (phase_ <= now) return due_limit::phase;
        if (message_ <= now) return due_limit::message;
        return idle_ <= now ? due_limit::idle : due_limit::none;
    }

    /// The reason with which an open channel ends at its phase limit. os_error marks the grace after a failed write;
    /// the write error then gives the cause.
    [[nodiscard]] reason phase_reason() const noexcept { return phase_reason_; }

private:
    static constexpr time_point never = (time_point::max)();

    [[nodiscard]] static time_point after(time_point now, milliseconds time) noexcept {
        return time.count() == 0 ? never : now + time;
    }

    void begin(time_point now, milliseconds time, reason why) noexcept {
        phase_ = after(now, time);
        phase_reason_ = why;
    }

    time_point connect_ = never;
    time_point phase_ = never;
    time_point message_ = never;
    time_point idle_ = never;
    reason phase_reason_ = reason::none;
};

template <class Timer>
requires(!Timer::has_timers) class channel_limits<Timer> {
public:
    using time_point = typename Timer::time_point;
    using milliseconds = std::chrono::milliseconds;

    void begin_connect(time_point, milliseconds) noexcept {}
    void restore_connect() noexcept {}
    void begin_address(time_point, std::size_t) noexcept {}
    [[nodiscard]] bool connect_is_over(time_point) const noexcept { return false; }
    void begin_hello(time_point, milliseconds) noexcept {}
    bool end_hello() noexcept { return false; }
    void begin_bye(time_point, milliseconds) noexcept {}
    void begin_grace(time_point, milliseconds) noexcept {}
    [[nodiscard]] bool begin_write_grace(time_point, milliseconds) noexcept { return false; }
    void end_phase() noexcept {}
    void begin_message(time_point, milliseconds) noexcept {}
    void end_message() noexcept {}
    void restart_idle(time_point, milliseconds) noexcept {}
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
