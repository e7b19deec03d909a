// SPDX-License-Identifier: BSL-1.0
// The figures an engine gives about itself, collected from its parts.
#ifndef TOFU_ENGINE_FIGURES_HPP
#define TOFU_ENGINE_FIGURES_HPP

#include <tofu/config.hpp>
#include <tofu/engine/engine_core.hpp>
#include <tofu/stats.hpp>

#include <atomic>

namespace tofu::inline TOFU_ABI::engine {

/// Each figure is right by itself; all are 0 in a forked child. Any thread.
template <class Policies>
[[nodiscard]] engine_stats figures_of(engine_core<Policies>& core) noexcept {
    if (!core.is_here()) return {};
    const loop_counters& c = core.loop.state().counters;
    poll_counts polls;
    if constexpr (requires { core.poller.counts(); }) polls = core.poller.counts();
    return {.messages_sent = c.messages_sent.value(),
            .messages_received = c.messages_received.value(),
            .bytes_sent = c.bytes_sent.value(),
            .bytes_received = c.bytes_received.value(),
            .turns = c.turns.value(),
            .wakes = core.wakes.load(std::memory_order_relaxed),
            .reads = c.reads.value(),
            .writes = c.writes.value(),
            .polls_submitted = polls.submitted,
            .polls_cancelled = polls.cancelled,
            .accepted = c.accepted.value(),
            .refused = c.refused.value(),
            .starvation_episodes = core.loop.state().starvation.episodes(),
            .messages_allocated = core.messages.allocations(),
            .channels = c.channels.load(std::memory_order_relaxed),
            .zombies = c.zombies.load(std::memory_order_acquire),
            .messages_alive = core.messages.outstanding(),
            .messages_free = core.messages.free_messages(),
            .credit_used = core.messages.credit_used(),
            .messages_counted = core.messages.counted(),
            .policies = Policies::name};
}

} // namespace tofu::inline TOFU_ABI::engine

#endif
