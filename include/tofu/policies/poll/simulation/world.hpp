// SPDX-License-Identifier: BSL-1.0
// The handle of a simulated world for tests: its clock, faults, names, and the state of its sockets.
#ifndef TOFU_POLICIES_POLL_SIMULATION_WORLD_HPP
#define TOFU_POLICIES_POLL_SIMULATION_WORLD_HPP

#include <tofu/config.hpp>
#include <tofu/engine/threads/ref.hpp>
#include <tofu/policies/poll/simulation/network.hpp>
#include <tofu/policies/poll/simulation/universe.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace tofu::inline TOFU_ABI {
template <std::size_t Batch>
class basic_simulated_poll;
}

namespace tofu::inline TOFU_ABI::simulation {

/// A test makes a world from a seed, and makes the pollers and timers of its engines from the world. The world may end
/// before its engines; then no question about a name is answered any more. One thread at a time. The constructor and
/// `name` may throw std::bad_alloc.
class world {
public:
    explicit world(std::uint64_t seed, const simulation::faults& faults = {})
        : universe_(engine::ref<universe>::adopt(new universe(seed))) {
        universe_->faults = faults;
    }
    world(const world&) = delete;
    world& operator=(const world&) = delete;
    ~world() { universe_->names.close(); }

    /// The clock of the world, for the manual_timer of each engine.
    [[nodiscard]] manual_clock& clock() noexcept { return universe_->time.clock; }
    [[nodiscard]] time_point now() const noexcept { return universe_->now(); }

    /// Advances the clock and handles the events that become due. No engine turns meanwhile.
    void advance(duration time) noexcept {
        const time_point until = now() + time;
        while (now() < until || universe_->time.next() <= until) universe_->pass(until);
    }
    /// Ends the waits at this time: engines that wait then check their sockets and call the hook again.
    void stop_at(time_point when) noexcept {
        if (when != (time_point::max)()) universe_->schedule(when - now(), {});
    }
    /// The time of the next event, or time_point::max().
    [[nodiscard]] time_point next_event() const noexcept { return universe_->time.next(); }

    /// The faults, which may be changed at any time.
    [[nodiscard]] simulation::faults& faults() noexcept { return universe_->faults; }
    /// The random numbers of the world; a test may draw from them.
    [[nodiscard]] random& chance() noexcept { return universe_->chance; }
    /// Sets the answer for a name.
    void name(std::string_view text, name_answer answer) noexcept { universe_->names.set(text, std::move(answer)); }

    /// Drops all open questions about names.
    void drop_questions() noexcept { universe_->names.drop_all(); }

    /// Sets the function that runs when an engine has to wait. Without one, time passes. The hook's context must live
    /// as long as the world and its engines.
    void while_waiting(idle_hook hook) noexcept { universe_->hook = hook; }

    /// The network, for peers that are no engines.
    [[nodiscard]] simulation::network network() noexcept { return simulation::network(universe_); }

    // Observers.

    /// Sockets have the numbers 1 to socket_count(); closed ones are kept.
    [[nodiscard]] std::size_t socket_count() const noexcept { return universe_->socket_count(); }
    [[nodiscard]] const socket_state& socket(socket_id id) const noexcept { return universe_->at(id); }
    /// When a connect last failed because there is no way to the address. time_point::min(): never.
    [[nodiscard]] time_point no_way_at() const noexcept { return universe_->no_way_at; }
    /// A poller by basic_simulated_poll::number.
    [[nodiscard]] watch& poller(unsigned number) noexcept { return universe_->watch_of(number); }
    /// The first rule of the policies' contract that an engine broke; empty if none. Tests check that it is empty.
    [[nodiscard]] std::string_view complaint() const noexcept { return universe_->complaint; }

private:
    template <std::size_t>
    friend class ::tofu::basic_simulated_poll;

    engine::ref<universe> universe_;
};

} // namespace tofu::inline TOFU_ABI::simulation

#endif
