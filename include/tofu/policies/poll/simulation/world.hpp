// SPDX-License-Identifier: BSL-1.0
// A simulated world as its test holds it: the clock, the faults, the names, and all that ever went over its wires.
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

/// Made by a test, with a seed; engines get their pollers and timers from it. It may go before them: then names that
/// were asked for have no answer any more. One thread at a time.
class world {
public:
    explicit world(std::uint64_t seed, const simulation::faults& faults = {})
        : universe_(engine::ref<universe>::adopt(new universe(seed))) {
        universe_->faults = faults;
    }
    world(const world&) = delete;
    world& operator=(const world&) = delete;
    ~world() { universe_->names.close(); }

    /// The time of everything in this world. Give it to the manual_timer of each engine.
    [[nodiscard]] manual_clock& clock() noexcept { return universe_->time.clock; }
    [[nodiscard]] time_point now() const noexcept { return universe_->now(); }

    /// Lets time pass, and happen what is due on the way; no engine turns meanwhile.
    void advance(duration time) noexcept {
        const time_point until = now() + time;
        while (now() < until || universe_->time.next() <= until) universe_->pass(until);
    }
    /// No wait lets time pass beyond this point at once: whoever waits then looks again, and asks the hook again.
    void stop_at(time_point when) noexcept {
        if (when != (time_point::max)()) universe_->schedule(when - now(), {});
    }
    /// When the next thing happens on the wires; time_point::max(): never.
    [[nodiscard]] time_point next_event() const noexcept { return universe_->time.next(); }

    /// What goes wrong from now on.
    [[nodiscard]] simulation::faults& faults() noexcept { return universe_->faults; }
    /// The choices of the world come from here; a test may draw its own, too.
    [[nodiscard]] random& chance() noexcept { return universe_->chance; }
    void name(std::string_view text, name_answer answer) noexcept { universe_->names.set(text, std::move(answer)); }

    /// Questions about names that wait for their answer get none any more.
    void drop_questions() noexcept { universe_->names.drop_all(); }

    /// Who is asked when an engine has to wait. Without a hook time passes by itself.
    void while_waiting(idle_hook hook) noexcept { universe_->hook = hook; }

    /// For raw peers, which are no engines.
    [[nodiscard]] simulation::network network() noexcept { return simulation::network(universe_); }

    // What there is to see.

    /// The sockets of this world are named 1 to socket_count(). Closed ones are kept.
    [[nodiscard]] std::size_t socket_count() const noexcept { return universe_->socket_count(); }
    [[nodiscard]] const socket_state& socket(socket_id id) const noexcept { return universe_->at(id); }
    /// The poller with this number; see basic_simulated_poll::number.
    [[nodiscard]] watch& poller(unsigned number) noexcept { return universe_->watch_of(number); }
    /// The first rule of the policies' contract that an engine has broken; empty: none. A test asserts that.
    [[nodiscard]] std::string_view complaint() const noexcept { return universe_->complaint; }

private:
    template <std::size_t>
    friend class ::tofu::basic_simulated_poll;

    engine::ref<universe> universe_;
};

} // namespace tofu::inline TOFU_ABI::simulation

#endif
