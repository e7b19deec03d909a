// SPDX-License-Identifier: BSL-1.0
// A message that the application has sent to itself for later. One atomic decides between delivery and cancellation.
#ifndef TOFU_ENGINE_CHANNEL_APPLICATION_TIMER_HPP
#define TOFU_ENGINE_CHANNEL_APPLICATION_TIMER_HPP

#include <tofu/config.hpp>
#include <tofu/detail/queue_node.hpp>
#include <tofu/engine/channel/group_core.hpp>
#include <tofu/engine/channel/timer_item.hpp>

#include <atomic>
#include <utility>

namespace tofu::inline TOFU_ABI::engine {

/// Shared by the loop, which schedules the timer, and the application's handle, which may cancel it.
///
///     posted --(loop)--> scheduled --(loop, deadline)--> settled: the message is on its way
///        \                   \-----(cancel)------------> settled: the message goes back to the caller, and the node
///         \                                                       once more through the inbox, to leave the heap
///          \---(cancel)-------------------------------> settled: the loop finds it so and drops it
template <class Timer>
struct application_timer : detail::queue_node, timer_item<Timer> {
    enum class stage : std::uint8_t { posted, scheduled, settled };

    application_timer(ref<group_core> to, message_ptr message, typename Timer::time_point when) noexcept
        : timer_item<Timer>(timer_kind::application), group(std::move(to)), content(std::move(message)), due(when) {
        kind = detail::node_kind::timer;
    }

    /// Any thread. Takes the step from `from` to `to`. False: another thread has settled the timer.
    [[nodiscard]] bool advance(stage from, stage to) noexcept {
        return state.compare_exchange_strong(from, to, std::memory_order_acq_rel);
    }

    ref_count references;
    std::atomic<stage> state{stage::posted};
    ref<group_core> group;
    message_ptr content; ///< belongs to the thread that settles the timer
    typename Timer::time_point due;
    detail::list_hook<application_timer> hook; ///< for the list of scheduled timers; I/O thread
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
