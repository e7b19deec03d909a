// SPDX-License-Identifier: BSL-1.0
// The poll policy of a simulated world: sockets in memory, virtual time, faults on demand. One seed decides every
// choice.
//
// Use it to test a program that uses tofu: several engines in one process, driven by their caller on one thread. The
// result does not depend on the machine.
//
//     using engine = tofu::basic_reactor<tofu::simulated_poll, tofu::default_pool, tofu::default_key,
//                                        tofu::manual_timer>;
//     tofu::simulation::world world(42, {.most_delay = std::chrono::milliseconds(30), .short_writes = 200});
//     engine tested({}, tofu::driven_by::caller, tofu::simulated_poll(world), tofu::manual_timer(world.clock()));
//
// While an engine waits, virtual time passes until its sockets have an event or its timeout is over.
// world.while_waiting sets a function that turns the other engines meanwhile; example/simulated_world.cpp shows its
// use. If an engine waits for ever and no event is scheduled, the program calls std::terminate: this is a deadlock.
#ifndef TOFU_POLICIES_POLL_SIMULATED_POLL_HPP
#define TOFU_POLICIES_POLL_SIMULATED_POLL_HPP

#include <tofu/config.hpp>
#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/detail/deadline.hpp>
#include <tofu/policies/categories.hpp>
#include <tofu/policies/poll/simulation/world.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>
#include <utility>

namespace tofu::inline TOFU_ABI {

/// Meets the contract in policies/concepts/poll.hpp, and reports violations of it (world::complaint). It owes
/// registrations at random if the faults say so. `Batch` is the most reports of one wait; 0 is no limit. One thread at
/// a time for the whole world; wake() from any thread.
template <std::size_t Batch = 0>
class basic_simulated_poll {
public:
    using category = poll_category;
    static constexpr std::string_view name = "simulated_poll";
    using network_type = simulation::network;
    using socket = network_type::socket;
    using endpoint = network_type::endpoint;
    using registration = simulation::registration;

    explicit basic_simulated_poll(simulation::world& where) noexcept
        : universe_(where.universe_), network_(where.universe_), number_(universe_->add_watch()) {}
    basic_simulated_poll(basic_simulated_poll&& other) noexcept
        : universe_(std::move(other.universe_)), network_(std::move(other.network_)), number_(other.number_) {}
    basic_simulated_poll& operator=(basic_simulated_poll&&) = delete;
    ~basic_simulated_poll() {
        if (universe_) news().close();
    }

    /// The poller's number in its world, from 1; see world::poller and idle_hook.
    [[nodiscard]] unsigned number() const noexcept { return number_; }

    [[nodiscard]] io_error open() noexcept { return universe_->memory(); }
    [[nodiscard]] network_type& network() noexcept { return network_; }

    [[nodiscard]] io_error attach(registration& entry, const socket& which, std::uintptr_t key) noexcept {
        const io_error error = universe_->memory();
        if (!error) news().attach(entry, which.id(), key);
        return error;
    }
    [[nodiscard]] io_error arm(registration& entry, interest wanted) noexcept { return news().arm(entry, wanted); }
    [[nodiscard]] disarmed disarm(registration& entry) noexcept { return news().disarm(entry); }

    template <class Sink>
    [[nodiscard]] wait_result wait(std::chrono::nanoseconds timeout, Sink& sink) noexcept {
        if (universe_->chance.chance(universe_->faults.wait_fails)) {
            rest();
            return {{io_failure::no_memory, 12}, false};
        }
        const simulation::time_point until = detail::deadline_from(universe_->now(), timeout);
        universe_->settle();
        if (!news().woken && !news().has_news() && universe_->now() < until) {
            const bool is_interrupted = universe_->chance.chance(universe_->faults.interrupts);
            const simulation::duration pause = universe_->up_to(universe_->faults.most_pause);
            if (is_interrupted) return interrupt(pause);
        }
        return news().by_completions() ? wait_for_completions(until, sink) : wait_for_readiness(until, sink);
    }

    void wake() noexcept {
        news().woken = true;
        news().wakes.fetch_add(1, std::memory_order_relaxed);
    }

private:
    [[nodiscard]] simulation::watch& news() noexcept { return universe_->watch_of(number_); }

    template <class Sink>
    [[nodiscard]] wait_result wait_for_readiness(simulation::time_point until, Sink& sink) noexcept {
        while (!news().woken && !news().has_news() && universe_->now() < until)
            if (!wait_a_while(until)) break;
        news().woken = false;
        return {{}, news().report(Batch, sink)};
    }

    /// A completion without a report does not end the wait; the next operation of its socket is submitted.
    template <class Sink>
    [[nodiscard]] wait_result wait_for_completions(simulation::time_point until, Sink& sink) noexcept {
        simulation::completion_port& port = news().port();
        for (;;) {
            bool over = port.submit_again(sink);
            news().invent();
            while (!over && !news().woken && port.empty() && universe_->now() < until) over = !wait_a_while(until);
            over = news().woken.exchange(false) || over;
            const std::size_t taken = port.take(Batch, over, sink);
            const bool early = universe_->chance.chance(universe_->faults.ends_early);
            const bool nothing_came = taken == 0 && universe_->now() >= until;
            if (!over && !nothing_came && !(early && taken != 0)) continue;
            const bool full = Batch != 0 && taken == Batch;
            news().shown(full);
            return {{}, full};
        }
    }

    /// Sleeps after a wait that failed, as the contract demands.
    void rest() noexcept {
        const simulation::time_point until = universe_->now() + std::chrono::milliseconds(10);
        while (!news().woken && universe_->now() < until) universe_->pass(until);
        news().woken = false;
    }

    /// Simulates a stopped process: time passes and the sockets are not looked at.
    [[nodiscard]] wait_result interrupt(simulation::duration pause) noexcept {
        const simulation::time_point until = universe_->now() + pause;
        while (universe_->now() < until) universe_->pass(until);
        news().interrupted();
        return {{}, false, true};
    }

    /// Lets time pass to the next event. Returns false if the wait must end early.
    [[nodiscard]] bool wait_a_while(simulation::time_point until) noexcept {
        simulation::idle what = simulation::idle::go_on;
        if (universe_->hook.ask != nullptr && !std::exchange(universe_->asking, true)) {
            what = universe_->hook.ask(universe_->hook.context, number_, until - universe_->now());
            universe_->asking = false;
        }
        if (what == simulation::idle::go_on && !universe_->pass(until)) std::terminate(); // a deadlock
        return what != simulation::idle::interrupt;
    }

    engine::ref<simulation::universe> universe_;
    network_type network_;
    unsigned number_;
};

using simulated_poll = basic_simulated_poll<>;

} // namespace tofu::inline TOFU_ABI

#endif
