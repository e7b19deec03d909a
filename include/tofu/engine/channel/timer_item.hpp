// SPDX-License-Identifier: BSL-1.0
// The node that the loop gives to the timer policy. It tells whether a channel or the application owns the timer.
#ifndef TOFU_ENGINE_CHANNEL_TIMER_ITEM_HPP
#define TOFU_ENGINE_CHANNEL_TIMER_ITEM_HPP

#include <tofu/config.hpp>

#include <cstdint>

namespace tofu::inline TOFU_ABI::engine {

enum class timer_kind : std::uint8_t {
    channel,    ///< one of a channel's time limits
    application ///< an update_receiver_after
};

template <class Timer>
struct timer_item {
    explicit constexpr timer_item(timer_kind) noexcept {} // a policy without timers keeps nothing
};
template <class Timer>
requires Timer::has_timers struct timer_item<Timer> : Timer::node {
    explicit timer_item(timer_kind w) noexcept : what(w) {}
    timer_kind what;
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
