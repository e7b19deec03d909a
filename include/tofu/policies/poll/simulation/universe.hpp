// SPDX-License-Identifier: BSL-1.0
// All that sockets, pollers and their world share: the system below, who watches it, and what happens when all wait.
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

/// What is to become of an engine that waits and has nothing to do.
enum class idle : std::uint8_t {
    go_on,    ///< time passes until something happens, or its timeout is over
    again,    ///< something was done: it looks again
    interrupt ///< its wait ends early, as after a signal
};

/// Asked whenever an engine would have to wait. It may post and receive as another thread would, and turn others.
/// `poll` is the number of the poller, `timeout` what is left of its wait.
struct idle_hook {
    idle (*ask)(void* context, unsigned poll, duration timeout) noexcept = nullptr;
    void* context = nullptr;
};

/// One thread at a time, except wake-ups.
struct universe : system_calls {
    explicit universe(std::uint64_t seed) noexcept : system_calls(seed) {}

    [[nodiscard]] watch& watch_of(unsigned number) noexcept { return watches[number - 1]; }
    [[nodiscard]] unsigned add_watch() noexcept {
        const auto number = tofu::detail::integer_cast<unsigned>(watches.size() + 1);
        watches.emplace_back(*this, number);
        return number;
    }

    engine::ref_count references;
    std::deque<watch> watches;
    idle_hook hook;
    bool asking = false; ///< inside the hook: it is not asked again
};

} // namespace tofu::inline TOFU_ABI::simulation

#endif
