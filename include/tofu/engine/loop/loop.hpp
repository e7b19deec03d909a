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

/// One driver at a time; see driver.hpp for who that is.
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

    /// One turn. Waits at most until `until` (time_point::max(): for ever), and not at all when `interrupted()`, asked
    /// after the loop has declared itself asleep, says that something else needs the driver.
    template <class Interrupted>
    void turn(time_point until, Interrupted interrupted) noexcept {
        TOFU_ASSERT(state_.driver.is_acquired());
        const bool waits = may_wait(interrupted);
        work(state_.poller.wait(begin_wait(waits, until), *this));
        state_.delivery.hand_over();
    }

    /// The same for a thread that does nothing else: while it waits, others may `send_now`. What there is for the
    /// groups is handed over when that is so already, for the answer may come before this thread can sleep; what the
    /// turn then brings is left to the next one, or to `stop`.
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

    /// A turn without a look at the poller, for a driver that has just posted something: it is sent at once if the
    /// socket takes it. Nothing expires here.
    void turn_posted() noexcept {
        TOFU_ASSERT(state_.driver.is_acquired());
        state_.turn_time = state_.timers.now();
        dispatching<Policies>::drain_inbox(state_);
        finish_turn();
        state_.delivery.hand_over();
    }

    /// What became of `send_now`.
    struct sent_now {
        bool done = false; ///< the message is the loop's, and out, or as much of it as the socket takes
        bool rest = false; ///< the loop has something left to do: it must not sleep on
        bool news = false; ///< see take_news
    };

    /// Any thread, while another waits in a turn that lends. Sends a message on an open connection at once, if nothing
    /// of the application's waits to be sent before it.
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

    /// For a loop of the application's own. Marks this loop as asleep and returns when it has to turn next;
    /// time_point::min() is at once, also while any group has mail.
    [[nodiscard]] time_point fall_asleep() noexcept {
        TOFU_ASSERT(state_.driver.is_acquired());
        if (!may_sleep() || state_.delivery.has_unread()) return (time_point::min)();
        return next_deadline();
    }

    /// This group got mail that did not go through the loop.
    void note_mail(group_core& group) noexcept { state_.delivery.note_mail(group); }

    /// Ends every channel and every group's mail. `post` is already told to refuse. Bounded: it waits for posts in
    /// flight (a few instructions of other threads) and for at most a second for registrations the kernel holds.
    template <class ForEachGroup>
    void stop(ForEachGroup for_each_group) noexcept {
        TOFU_ASSERT(state_.driver.is_acquired());
        state_.stopping = true;
        state_.turn_time = state_.timers.now();
        bool in_flight = true;
        while (in_flight || !state_.closing.empty() || !state_.failed_openings.empty() || !state_.inbox.empty()) {
            in_flight = state_.directory.close_all();
            if (in_flight) std::this_thread::yield();
            drain_inbox(); // opens what was asked for at the last moment: ended like all others
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

    /// After `stop`: commands and late answers that still come in are dealt with by whoever waits for them.
    void turn_stopped() noexcept {
        drain_inbox();
        state_.commands.run_again(&state_);
        finish_turn();
        state_.delivery.hand_over();
    }

    /// What a turn has done that others may wait for; asking clears it.
    [[nodiscard]] bool take_news() noexcept {
        const bool room = std::exchange(state_.room_made, false);
        const bool done = state_.commands.take_completed();
        return room || done;
    }

    [[nodiscard]] state_type& state() noexcept { return state_; }

    // The poller's sink.

    /// Resolved at once: what is still pending when a channel ends can then not be taken for its successor's.
    void ready(std::uintptr_t key, readiness what) noexcept {
        loan_.reclaim();
        channel_type* const ch = state_.keys.find(state_.channels, key);
        if (ch == nullptr || !ch->is_attached()) return; // it has no socket (any more): an event from before
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

    /// The same for a turn. `interrupted()` is asked last.
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

    /// What a turn does after the wait, but for the hand-over.
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

    /// Everything sent so far is out, and more may follow.
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

    /// Enough credit is back: reading goes on, and time does, too.
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

    /// A wait that was interrupted, or that ran into a deadline, is followed by one more that only looks: what expires
    /// in this turn was due before that look began.
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
                             sizeof(channel_type)); // of many channels each is cold when its turn comes
            const readiness what = std::exchange(ch->ready, readiness::none);
            switch (ch->phase) {
            case channel_phase::connecting:
                // A socket that failed without an error number would be reported again and again.
                opening<Policies>::finish_connect(
                    state_, *ch, any(what & readiness::failed) ? io_failure::refused : io_failure::none);
                break;
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

    /// After the retry time, everything that the system has refused may work again.
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

    /// The kernel may still write to what it has been lent: wait for it a while, then leak it on purpose.
    void await_zombies() noexcept {
        const time_point until = state_.timers.now() + std::chrono::seconds(1);
        while (state_.counters.zombies.load(std::memory_order_relaxed) != 0 && state_.timers.now() < until)
            static_cast<void>(state_.poller.wait(std::chrono::milliseconds(10), *this));
        if (state_.counters.zombies.load(std::memory_order_relaxed) == 0) return;
        state_.channels.for_each([](channel_type& ch) noexcept {
            // As far as its socket goes: there is nobody left to mistake it for another.
            ch.held = registration_state::released;
            if (Policies::key::closes_after_release) closing<Policies>::close_socket(ch);
        });
        state_.channels.abandon();
    }

    /// In how many reports, of full waits in a row, what is ready of one socket may come.
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
