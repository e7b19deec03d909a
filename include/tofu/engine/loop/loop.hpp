// SPDX-License-Identifier: BSL-1.0
// The reactor's loop: one turn from waiting to hand-over, and the orderly end of everything.
//
//     wait (until the nearest deadline, or not at all when work is left)
//       -> which channels are ready        keys are resolved before anything can change their owners
//       -> inbox                           what the application has posted
//       -> ready channels                  accept, connect, read
//       -> expired deadlines               after the data that was already there
//       -> settle touched channels         send, draw conclusions, say what is wanted now
//       -> closes                          after the whole batch: no event can name a released slot
//       -> hand-over                       one per group
//
// The cost of a turn is proportional to what has happened, not to how many channels there are.
#ifndef TOFU_ENGINE_LOOP_LOOP_HPP
#define TOFU_ENGINE_LOOP_LOOP_HPP

#include <tofu/config.hpp>
#include <tofu/detail/prefetch.hpp>
#include <tofu/engine/loop/accepting.hpp>
#include <tofu/engine/loop/dispatching.hpp>
#include <tofu/engine/loop/expiring.hpp>
#include <tofu/engine/loop/expiry_gate.hpp>
#include <tofu/engine/loop/reading.hpp>
#include <tofu/engine/loop/writing.hpp>
#include <tofu/engine/threads/loan.hpp>

#include <algorithm>
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

    template <class... Parts>
    explicit loop(Parts&... parts) noexcept : state_(parts...) {}

    /// Makes room for channels. False: memory is short.
    [[nodiscard]] bool open(typename Policies::pool& place) noexcept {
        state_.turn_time = state_.timers.now();
        return state_.channels.open(place) && state_.keys.open(state_.channels.reserved());
    }

    /// One turn. Waits at most until `until` (time_point::max(): for ever), and not at all when `interrupted()`, asked
    /// after the loop has declared itself asleep, says that something else needs the driver.
    template <class Interrupted>
    void turn(time_point until, Interrupted interrupted) noexcept {
        const bool waits = may_wait(interrupted);
        work(state_.poller.wait(begin_wait(waits, until), *this));
        hand_over(state_);
    }

    /// The same for a thread that does nothing else: while it waits, others may `send_now`. What there is for the
    /// groups is handed over when that is so already, for the answer may come before this thread can sleep; what the
    /// turn then brings is left to the next one, or to `stop`.
    template <class Interrupted>
    void turn_lending(Interrupted interrupted) noexcept {
        const bool waits = may_wait(interrupted);
        const duration patience = begin_wait(waits, (time_point::max)());
        if (waits) loan_.lend();
        hand_over(state_);
        const wait_result result = state_.poller.wait(patience, *this);
        loan_.reclaim();
        work(result);
    }

    /// A turn without a look at the poller, for a driver that has just posted something: it is sent at once if the
    /// socket takes it. Nothing expires here.
    void turn_posted() noexcept {
        state_.turn_time = state_.timers.now();
        drain_inbox(state_);
        finish_turn();
        hand_over(state_);
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
        auto* const ch = static_cast<channel_type*>(state_.directory.channel(m.header().channel_number));
        if (ch != nullptr && state_.in.empty() && is_free_to_send(*ch)) {
            state_.turn_time = state_.timers.now();
            dispatch_to_channel(state_, *ch, m);
            flush(state_, *ch);
            state_.cache.flush();
            if (ch->writer.empty()) state_.touched.erase(*ch); // nothing to settle
            result = {.done = true, .rest = work_left(), .news = take_news()};
        }
        loan_.end_borrowing();
        return result;
    }

    /// For a loop of the application's own. Marks this loop as asleep and returns when it has to turn next;
    /// time_point::min() is at once, also while any group has mail.
    [[nodiscard]] time_point fall_asleep() noexcept {
        if (work_left() || !state_.in.fall_asleep() || credit_is_back() || an_end_is_due(state_) || has_unread_mail())
            return (time_point::min)();
        return next_deadline();
    }

    /// This group got mail that did not go through the loop.
    void note_mail(group_core& group) noexcept { state_.unread.push_back(group); }

    /// Ends every channel and every group's mail. `post` is already told to refuse. Bounded: it waits for posts in
    /// flight (a few instructions of other threads) and for at most a second for registrations the kernel holds.
    template <class ForEachGroup>
    void stop(ForEachGroup for_each_group) noexcept {
        state_.stopping = true;
        state_.turn_time = state_.timers.now();
        bool in_flight = true;
        while (in_flight || !state_.closing.empty() || !state_.failed_openings.empty() || !state_.in.empty()) {
            in_flight = state_.directory.close_all();
            if (in_flight) std::this_thread::yield();
            drain_inbox(state_); // opens what was asked for at the last moment: ended like all others
            state_.channels.for_each(
                [this](channel_type& ch) { end_channel(state_, ch, cause::of(reason::engine_stopped)); });
            finish_closes(state_, [this] { drain_inbox(state_); });
        }
        abandon_timers(state_, [](const auto&) { return true; });
        hand_over(state_);
        for_each_group([](group_core& group) { group.mail.finish(); });
        state_.cache.flush();
        ask_commands_again(state_);
        await_zombies();
    }

    /// After `stop`: commands and late answers that still come in are dealt with by whoever waits for them.
    void turn_stopped() noexcept {
        drain_inbox(state_);
        ask_commands_again(state_);
        finish_turn();
        hand_over(state_);
    }

    /// What a turn has done that others may wait for; asking clears it.
    [[nodiscard]] bool take_news() noexcept {
        const bool room = std::exchange(state_.room_made, false);
        const bool done = std::exchange(state_.commands_done, false);
        return room || done;
    }

    [[nodiscard]] state_type& state() noexcept { return state_; }

    // The poller's sink.

    /// Resolved at once: what is still pending when a channel ends can then not be taken for its successor's.
    void ready(std::uintptr_t key, readiness what) noexcept {
        loan_.reclaim();
        channel_type* const ch = state_.keys.find(state_.channels, key);
        if (ch == nullptr || !ch->attached) return; // it has no socket (any more): an event from before
        if constexpr (timer::has_timers) gate_.reported();
        ch->ready |= what;
        state_.ready.push_back(*ch);
    }

    [[nodiscard]] auto* registration_of(std::uintptr_t key) noexcept {
        loan_.reclaim();
        channel_type* const ch = state_.keys.find(state_.channels, key);
        return ch != nullptr && (ch->attached || ch->owed) ? &ch->registration : nullptr;
    }

    void released(std::uintptr_t key) noexcept {
        loan_.reclaim();
        channel_type* const ch = state_.keys.find(state_.channels, key);
        if (ch == nullptr || !ch->owed) return;
        state_.keys.forget(key);
        ch->owed = false;
        if (Policies::key::closes_after_release) close_socket(*ch);
        if (ch->phase == channel_phase::resolving) {
            try_next_address(state_, *ch, {});
            return;
        }
        conclude_zombie(state_, *ch);
    }

private:
    using duration = std::chrono::nanoseconds;
    struct no_gate {}; // nothing expires without timers
    using gate = std::conditional_t<timer::has_timers, expiry_gate<time_point>, no_gate>;

    /// Declares the loop asleep and says whether it may be.
    template <class Interrupted>
    [[nodiscard]] bool may_wait(Interrupted interrupted) noexcept {
        state_.counters.turns.add();
        return !work_left() && state_.in.fall_asleep() && !credit_is_back() && !an_end_is_due(state_) && !interrupted();
    }

    /// What a turn does after the wait, but for the hand-over.
    void work(wait_result result) noexcept {
        state_.in.awake();
        state_.turn_time = state_.timers.now();
        look_again(result);
        end_starvation_if_over(state_);
        drain_inbox(state_);
        digest_leftover(state_);
        handle_ready();
        retry_refused();
        expire_deadlines(result);
        finish_turn();
    }

    /// Everything sent so far is out, and more may follow.
    [[nodiscard]] static bool is_free_to_send(const channel_type& ch) noexcept {
        return ch.phase == channel_phase::open && ch.writer.empty() && !ch.write_blocked && !ch.touched_hook.linked &&
               ch.conversation.writes() && !ch.conversation.bye_queued();
    }

    [[nodiscard]] bool work_left() const noexcept {
        return !state_.touched.empty() || (state_.leftover.owner != nullptr && !state_.starving);
    }

    [[nodiscard]] bool has_unread_mail() noexcept {
        while (group_core* const group = state_.unread.front()) {
            if (group->mail.has_unread()) return true;
            state_.unread.erase(*group);
        }
        return false;
    }

    [[nodiscard]] bool credit_is_back() const noexcept { return state_.starving && !state_.messages.starved(); }

    [[nodiscard]] time_point next_deadline() const noexcept {
        if constexpr (timer::has_timers) {
            return (std::min)(state_.retry_at, state_.timers.next());
        } else {
            return state_.retry_at;
        }
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
                finish_connect(state_, *ch, any(what & readiness::failed) ? io_failure::refused : io_failure::none);
                break;
            case channel_phase::listening: accept_connections(state_, *ch); break;
            case channel_phase::open: handle_open(*ch, what); break;
            case channel_phase::resolving:
            case channel_phase::closing:
            case channel_phase::zombie: break; // its socket is gone: an event from before
            }
            if (ch->attached && !ch->ended()) state_.touch(*ch); // a poller may want to be told again
        }
    }

    void handle_open(channel_type& ch, readiness what) noexcept {
        if (any(what & (readiness::writable | readiness::failed))) ch.write_blocked = false;
        if (any(what & (readiness::readable | readiness::failed)) && !state_.is_parked(ch)) read_channel(state_, ch);
    }

    void retry_refused() noexcept {
        if (state_.turn_time < state_.retry_at) return;
        state_.retry_at = (time_point::max)();
        resume_parked(state_);
        resume_connects(state_);
    }

    /// Data that is already there comes before deadlines; see expiry_gate.
    void expire_deadlines(const wait_result& result) noexcept {
        if constexpr (timer::has_timers) {
            const std::size_t all_reports = state_.channels.used() * reports_per_socket();
            const time_point by =
                gate_.end_wait(result, state_.timers.next(), all_reports, state_.counters.turns.value());
            if (by == (time_point::min)()) return;
            state_.counting_since = gate_.look_began_in();
            expire(state_, by);
        }
    }

    void finish_turn() noexcept {
        settle_touched(state_);
        finish_closes(state_, [this] { drain_inbox(state_); });
        if (!state_.commands.empty()) ask_commands_again(state_);
        state_.cache.flush();
    }

    /// The kernel may still write to what it has been lent: wait for it a while, then leak it on purpose.
    void await_zombies() noexcept {
        const time_point until = state_.timers.now() + std::chrono::seconds(1);
        while (state_.counters.zombies.load(std::memory_order_relaxed) != 0 && state_.timers.now() < until)
            static_cast<void>(state_.poller.wait(std::chrono::milliseconds(10), *this));
        if (state_.counters.zombies.load(std::memory_order_relaxed) == 0) return;
        state_.channels.for_each([](channel_type& ch) noexcept {
            ch.owed = false; // as far as its socket goes: there is nobody left to mistake it for another
            if (Policies::key::closes_after_release) close_socket(ch);
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
