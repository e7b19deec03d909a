// SPDX-License-Identifier: BSL-1.0
// The reactor's loop: one turn from waiting to hand-over, and the orderly end of everything.
//
//     wait (until the nearest deadline, or not at all when work is left)
//       -> which channels are ready        keys are resolved before anything can change their owners
//       -> inbox                           what the application has posted
//       -> ready channels                  accept, connect, read
//       -> expired deadlines               after the data that was already there
//       -> updates                         send, draw conclusions, say what is wanted now
//       -> closes                          after the whole batch: no event can name a released slot
//       -> hand-over                       one per group
//
// The cost of a turn is proportional to what has happened, not to how many channels there are.
#ifndef TOFU_ENGINE_LOOP_LOOP_HPP
#define TOFU_ENGINE_LOOP_LOOP_HPP

#include <tofu/config.hpp>
#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/detail/prefetch.hpp>
#include <tofu/engine/loop/accepting.hpp>
#include <tofu/engine/loop/closing.hpp>
#include <tofu/engine/loop/dispatching.hpp>
#include <tofu/engine/loop/expiring.hpp>
#include <tofu/engine/loop/expiry_gate.hpp>
#include <tofu/engine/loop/loop_state.hpp>
#include <tofu/engine/loop/opening.hpp>
#include <tofu/engine/loop/reading.hpp>
#include <tofu/engine/loop/updating.hpp>
#include <tofu/engine/threads/loan.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <type_traits>
#include <utility>

namespace tofu::inline TOFU_ABI::engine {

/// Only one thread at a time turns the loop: the driver, see driver.hpp.
template <class Policies>
class loop {
public:
    using state_type = loop_state<Policies>;
    using channel_type = channel<Policies>;
    using timer = typename Policies::timer;
    using time_point = typename timer::time_point;

    explicit loop(const loop_parts<Policies>& parts) noexcept : state_(parts) {}

    /// Makes room for channels. False: memory is short.
    [[nodiscard]] bool open(typename Policies::pool& channel_pool) noexcept {
        state_.turn_time = state_.timers.now();
        return state_.channels.open(channel_pool) && state_.keys.open(state_.channels.reserved());
    }

    /// Runs one turn. Waits at most until `until` (time_point::max(): for ever). Does not wait if `interrupted()` is
    /// true: then something else needs the driver. `interrupted()` is called after the loop has declared itself asleep.
    template <class Interrupted>
    void turn(time_point until, Interrupted interrupted) noexcept {
        TOFU_ASSERT(state_.driver.is_acquired());
        const bool waits = may_wait(interrupted);
        work(state_.poller.wait(begin_wait(waits, until), *this));
        state_.delivery.hand_over();
    }

    /// The same for the I/O thread: while it waits, other threads may call `send_now`. The loop is lent before the
    /// hand-over, because the application may answer before this thread sleeps. Messages that come after the wait are
    /// handed over by the next turn, or by `stop`.
    template <class Interrupted>
    void turn_lending(Interrupted interrupted) noexcept {
        TOFU_ASSERT(state_.driver.is_acquired());
        const bool waits = may_wait(interrupted);
        const duration patience = begin_wait(waits, (time_point::max)());
        if (waits) loan_.lend();
        state_.delivery.hand_over();
        const wait_result result = state_.poller.wait(patience, *this);
        loan_.reclaim();
        work(result);
    }

    /// Runs a turn without a wait, for a driver that has just posted a message. The message is sent at once if the
    /// socket takes it. No deadline expires here.
    void turn_posted() noexcept {
        TOFU_ASSERT(state_.driver.is_acquired());
        state_.turn_time = state_.timers.now();
        dispatching<Policies>::drain_inbox(state_);
        finish_turn();
        state_.delivery.hand_over();
    }

    /// The result of `send_now`.
    struct sent_now {
        bool done = false; ///< the loop owns the message, and has written as much of it as the socket takes
        bool rest = false; ///< the loop has work left: the caller has to wake it
        bool news = false; ///< see take_news
    };

    /// Any thread, while the I/O thread waits in turn_lending. Sends a message on an open connection at once, if no
    /// posted message waits to be sent before it.
    [[nodiscard]] sent_now send_now(message& m) noexcept {
        sent_now result;
        if (!loan_.try_borrow()) return result;
        channel_type* const ch = state_.channel_of(m.header().channel_number);
        if (ch != nullptr && state_.inbox.empty() && is_free_to_send(*ch)) {
            state_.turn_time = state_.timers.now();
            dispatching<Policies>::dispatch_to_channel(state_, *ch, m);
            writing<Policies>::flush(state_, *ch);
            state_.cache.flush();
            if (ch->writer.empty()) ch->update_hook.unlink(); // there are no conclusions to draw
            result = {.done = true, .rest = work_left(), .news = take_news()};
        }
        loan_.end_borrowing();
        return result;
    }

    /// For a program with a loop of its own. Marks this loop as asleep, and returns the time of its next turn.
    /// time_point::min(): at once, because the loop has work or a group has mail.
    [[nodiscard]] time_point fall_asleep() noexcept {
        TOFU_ASSERT(state_.driver.is_acquired());
        if (!may_sleep() || state_.delivery.has_unread()) return (time_point::min)();
        return next_deadline();
    }

    /// Call when this group got mail that did not go through the loop.
    void note_mail(group_core& group) noexcept { state_.delivery.note_mail(group); }

    /// Ends every channel, and finishes every group's mailbox. `post` must refuse already. The time is bounded: `stop`
    /// waits for posts in flight (a few instructions of other threads), and at most a second for the next release of a
    /// registration that the kernel holds.
    template <class ForEachGroup>
    void stop(ForEachGroup for_each_group) noexcept {
        TOFU_ASSERT(state_.driver.is_acquired());
        state_.stopping = true;
        state_.turn_time = state_.timers.now();
        bool in_flight = true;
        while (in_flight || !state_.closing.empty() || !state_.failed_openings.empty() || !state_.inbox.empty()) {
            in_flight = state_.directory.close_all();
            if (in_flight) std::this_thread::yield();
            drain_inbox(); // may open more channels; they end like all others
            state_.channels.for_each([this](channel_type& ch) noexcept {
                closing<Policies>::end(state_, ch, cause::of(reason::engine_stopped));
            });
            finish_closes();
        }
        TOFU_ASSERT(state_.awaiting_hello == 0 && state_.partials.count() == 0);
        TOFU_ASSERT(state_.undecoded_input.owner == nullptr);
        state_.application_timers.abandon([](const auto&) { return true; });
        state_.delivery.hand_over();
        for_each_group([](group_core& group) { group.mail.finish(); });
        state_.cache.flush();
        state_.commands.run_again(&state_);
        await_zombies();
    }

    /// Handles commands and late answers that come in after `stop`. A thread that waits for such a command calls this.
    void turn_stopped() noexcept {
        drain_inbox();
        state_.commands.run_again(&state_);
        finish_turn();
        state_.delivery.hand_over();
    }

    /// True once after a turn in which a send queue has got room, a channel has ended, or a command was completed.
    /// Other threads may wait for that.
    [[nodiscard]] bool take_news() noexcept {
        const bool room = std::exchange(state_.room_made, false);
        const bool done = state_.commands.take_completed();
        return room || done;
    }

    [[nodiscard]] state_type& state() noexcept { return state_; }

    // The poller's sink.

    /// The key is resolved at once, so that a pending report cannot reach a later channel with the same key.
    void ready(std::uintptr_t key, readiness what) noexcept {
        loan_.reclaim();
        channel_type* const ch = state_.keys.find(state_.channels, key);
        if (ch == nullptr || !ch->is_attached()) return; // an event from before: the channel has no socket (any more)
        if constexpr (timer::has_timers) gate_.reported();
        ch->ready |= what;
        state_.ready.push_back(*ch);
    }

    [[nodiscard]] auto* registration_of(std::uintptr_t key) noexcept {
        loan_.reclaim();
        channel_type* const ch = state_.keys.find(state_.channels, key);
        return ch != nullptr && (ch->is_attached() || ch->is_owed()) ? &ch->registration : nullptr;
    }

    void released(std::uintptr_t key) noexcept {
        loan_.reclaim();
        channel_type* const ch = state_.keys.find(state_.channels, key);
        if (ch == nullptr || !ch->is_owed()) return;
        closing<Policies>::take_release(state_, *ch);
        if (ch->phase == channel_phase::waiting_for_release)
            opening<Policies>::continue_after_release(state_, *ch);
        else if (ch->phase == channel_phase::zombie)
            closing<Policies>::conclude_zombie(state_, *ch);
        // Else the channel is about to end by itself.
    }

private:
    using duration = std::chrono::nanoseconds;
    struct no_gate {}; // nothing expires without timers
    using gate = std::conditional_t<timer::has_timers, expiry_gate<time_point>, no_gate>;

    /// True: this turn may wait. `interrupted()` is called last, after the loop has declared itself asleep.
    template <class Interrupted>
    [[nodiscard]] bool may_wait(Interrupted interrupted) noexcept {
        state_.counters.turns.add();
        return may_sleep() && !interrupted();
    }

    /// Declares the loop asleep. False: there is something to do.
    [[nodiscard]] bool may_sleep() noexcept {
        return !work_left() && state_.inbox.fall_asleep() && !state_.starvation.is_over() &&
               !closing<Policies>::is_due(state_);
    }

    /// Does everything that a turn does after the wait, except the hand-over.
    void work(wait_result result) noexcept {
        state_.inbox.awake();
        state_.turn_time = state_.timers.now();
        look_again(result);
        if (state_.starvation.is_over()) end_starvation();
        drain_inbox();
        reading<Policies>::decode_rest(state_);
        handle_ready();
        retry_refused();
        expire_deadlines(result);
        finish_turn();
    }

    /// True: nothing waits to be sent on the channel, and the channel may send more.
    [[nodiscard]] static bool is_free_to_send(const channel_type& ch) noexcept {
        return ch.is_open() && ch.writer.empty() && !ch.write_blocked && !ch.update_hook.linked() &&
               ch.conversation.writes() && !ch.conversation.bye_queued();
    }

    [[nodiscard]] bool work_left() const noexcept {
        return !state_.needs_update.empty() || (state_.undecoded_input.owner != nullptr && !state_.starvation.lasts());
    }

    void drain_inbox() noexcept { dispatching<Policies>::drain_inbox(state_); }

    void finish_closes() noexcept {
        closing<Policies>::finish(state_, [this]() noexcept { drain_inbox(); });
    }

    /// Enough credit is free again: reading goes on, and reading time goes on.
    void end_starvation() noexcept {
        state_.starvation.end(state_.turn_time, state_.resumer(),
                              [this](channel_type& ch) noexcept { state_.request_update(ch); });
    }

    [[nodiscard]] time_point next_deadline() const noexcept {
        if constexpr (timer::has_timers)
            return (std::min)(state_.refusals.retry_at(), state_.timers.next());
        else
            return state_.refusals.retry_at();
    }

    /// Returns how long a wait that begins now may last. An endless wait needs no clock: no deadline is set, and a
    /// deadline that arrives in the inbox expires in a later turn at the earliest.
    [[nodiscard]] duration begin_wait(bool waits, time_point until) noexcept {
        const time_point deadline = next_deadline();
        const time_point first = waits ? (std::min)(until, deadline) : deadline;
        const bool needs_clock = !waits || first != (time_point::max)();
        const time_point now = needs_clock ? state_.timers.now() : (time_point::min)();
        if constexpr (timer::has_timers) gate_.begin_wait(now);
        if (!waits || first <= now) return duration::zero();
        return needs_clock ? std::chrono::ceil<duration>(first - now) : (duration::max)();
    }

    /// After a wait that was interrupted, or that lasted until a deadline, waits once more with timeout 0. So a
    /// deadline that expires in this turn was due before the last wait began.
    void look_again(wait_result& result) noexcept {
        if constexpr (timer::has_timers) {
            for (std::size_t tries = 0; tries < gate::most_unseen; ++tries) {
                if (!gate_.wants_another_wait(result, state_.timers.next(), state_.turn_time)) return;
                gate_.begin_wait(state_.turn_time);
                result = state_.poller.wait(duration::zero(), *this);
                state_.turn_time = state_.timers.now();
            }
        }
    }

    void handle_ready() noexcept {
        while (channel_type* const ch = state_.ready.pop_front()) {
            detail::prefetch(state_.ready.front(),
                             sizeof(channel_type)); // with many channels, the next one is not in the cache
            const readiness what = std::exchange(ch->ready, readiness::none);
            switch (ch->phase) {
            case channel_phase::connecting: opening<Policies>::take_connect_report(state_, *ch, what); break;
            case channel_phase::listening: accepting<Policies>::accept_connections(state_, *ch); break;
            case channel_phase::open: handle_open(*ch, what); break;
            case channel_phase::opening:
            case channel_phase::resolving:
            case channel_phase::waiting_for_backlog:
            case channel_phase::waiting_for_release:
            case channel_phase::closing:
            case channel_phase::shut:
            case channel_phase::zombie: break; // its socket is gone: an event from before
            }
            if (ch->is_attached() && !ch->has_ended()) state_.request_update(*ch); // a poller may want to be told again
        }
    }

    void handle_open(channel_type& ch, readiness what) noexcept {
        if (any(what & (readiness::writable | readiness::failed))) ch.write_blocked = false;
        if (any(what & (readiness::readable | readiness::failed)) && !ch.is_paused())
            reading<Policies>::read(state_, ch);
    }

    /// After the retry time, tries again everything that the system has refused.
    void retry_refused() noexcept {
        if (!state_.refusals.take_retry(state_.turn_time)) return;
        if (state_.refusals.take_refused_arms())
            state_.channels.for_each([this](channel_type& ch) noexcept {
                if (state_.refusals.count_refused_arm(ch)) state_.resume(ch);
            });
        state_.partials.resume_all(state_.resumer());
        state_.resume_listeners();
        state_.refusals.resume_writers([this](channel_type& ch) noexcept {
            ch.write_blocked = false;
            state_.request_update(ch);
        });
        opening<Policies>::resume_connects(state_);
    }

    /// Data that is already there comes before deadlines; see expiry_gate.
    void expire_deadlines(const wait_result& result) noexcept {
        if constexpr (timer::has_timers) {
            const std::size_t all_reports = state_.channels.used() * reports_per_socket();
            const time_point by =
                gate_.end_wait(result, state_.timers.next(), all_reports, state_.counters.turns.value());
            if (by == (time_point::min)()) return;
            state_.looked_since = gate_.look_began_in();
            expiring<Policies>::expire(state_, by);
        }
    }

    void finish_turn() noexcept {
        updating<Policies>::update_all(state_);
        finish_closes();
        if (!state_.commands.empty()) state_.commands.run_again(&state_);
        state_.cache.flush();
    }

    /// The kernel may still write to the registrations that it holds. Waits for their release. After a second without a
    /// release, leaks the slots on purpose.
    void await_zombies() noexcept {
        // Simulated waits take no real time, so waits are counted, too. The clock of the timer policy may stand still.
        using clock = std::chrono::steady_clock;
        std::size_t left = state_.counters.zombies.load(std::memory_order_relaxed);
        clock::time_point last_release = clock::now();
        for (int in_vain = 0; left != 0 && in_vain < 100;) {
            const wait_result result = state_.poller.wait(std::chrono::milliseconds(10), *this);
            const std::size_t before = std::exchange(left, state_.counters.zombies.load(std::memory_order_relaxed));
            const clock::time_point now = clock::now();
            if (left != before) {
                in_vain = 0;
                last_release = now;
            } else if (now - last_release > std::chrono::seconds(1)) {
                break;
            } else if (!result.interrupted) {
                ++in_vain;
            }
        }
        if (left == 0) return;
        state_.channels.for_each([](channel_type& ch) noexcept {
            // Only so that the socket can be closed: no later channel can get its events any more.
            ch.held = registration_state::released;
            if (Policies::key::closes_after_release) closing<Policies>::close_socket(ch);
        });
        state_.channels.abandon();
    }

    /// The most reports that a poller makes of one socket, over several full waits in a row.
    [[nodiscard]] static constexpr std::size_t reports_per_socket() noexcept {
        using poll = typename Policies::poll;
        if constexpr (requires { poll::reports_per_socket; })
            return poll::reports_per_socket;
        else
            return 1;
    }

    state_type state_;
    loan loan_;
    [[no_unique_address]] gate gate_;
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
