// SPDX-License-Identifier: BSL-1.0
// A message the application has sent to itself for later: one atomic decides between its delivery and its cancellation.
#ifndef TOFU_ENGINE_GROUP_APPLICATION_TIMER_HPP
#define TOFU_ENGINE_GROUP_APPLICATION_TIMER_HPP

#include <tofu/config.hpp>
#include <tofu/detail/queue_node.hpp>
#include <tofu/engine/group/group_core.hpp>
#include <tofu/engine/group/timer_item.hpp>

#include <atomic>
#include <utility>

namespace tofu::inline TOFU_ABI::engine {

/// Shared by the loop, which schedules it, and the application's handle, which may cancel it.
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

    /// The loop's step from `from` to `to`; false when somebody else has settled it.
    [[nodiscard]] bool advance(stage from, stage to) noexcept {
        return state.compare_exchange_strong(from, to, std::memory_order_acq_rel);
    }

    ref_count references;
    std::atomic<stage> state{stage::posted};
    ref<group_core> group;
    message_ptr content; ///< whoever settles it takes it
    typename Timer::time_point due;
    detail::list_hook<application_timer> hook; ///< all that are scheduled; I/O thread
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
