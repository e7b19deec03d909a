// SPDX-License-Identifier: BSL-1.0
// The shared state of a simulated world: its system, its pollers, and the function that runs while an engine waits.
#ifndef TOFU_POLICIES_POLL_SIMULATION_UNIVERSE_HPP
#define TOFU_POLICIES_POLL_SIMULATION_UNIVERSE_HPP

#include <tofu/config.hpp>
#include <tofu/detail/integer_cast.hpp>
#include <tofu/engine/threads/ref.hpp>
#include <tofu/policies/poll/simulation/system_calls.hpp>
#include <tofu/policies/poll/simulation/watch.hpp>

#include <cstdint>
#include <deque>

namespace tofu::inline TOFU_ABI::simulation {

/// Tells an engine that would have to wait how to continue.
enum class idle : std::uint8_t {
    go_on,    ///< let time pass to the next event, or until the timeout is over
    again,    ///< check the sockets again: the function has done something
    interrupt ///< end the wait early, as after a signal
};

/// Called when an engine would have to wait. The function may post and receive as another thread could, and turn other
/// engines. `poll` is the number of the waiting poller, `timeout` the rest of its wait.
struct idle_hook {
    idle (*ask)(void* context, unsigned poll, duration timeout) noexcept = nullptr;
    void* context = nullptr;
};

/// One thread at a time, except for wake-ups.
struct universe : system_calls {
    explicit universe(std::uint64_t seed) noexcept : system_calls(seed) {}

    [[nodiscard]] watch& watch_of(unsigned number) noexcept {
        TOFU_ASSERT(number != 0 && number <= watches.size());
        return watches[number - 1];
    }
    [[nodiscard]] unsigned add_watch() noexcept {
        const auto number = tofu::detail::integer_cast<unsigned>(watches.size() + 1);
        watches.emplace_back(*this, number);
        return number;
    }

    engine::ref_count references;
    std::deque<watch> watches;
    idle_hook hook;
    bool asking = false; ///< true exactly while the hook runs; it is not called again then
};

} // namespace tofu::inline TOFU_ABI::simulation

#endif
