// SPDX-License-Identifier: BSL-1.0
// The engine: the loop and everything that it works on. The reactor, its groups, timer handles and resolvers' requests
// share it.
#ifndef TOFU_ENGINE_ENGINE_CORE_HPP
#define TOFU_ENGINE_ENGINE_CORE_HPP

#include <tofu/config.hpp>
#include <tofu/detail/deadline.hpp>
#include <tofu/engine/channel/admission.hpp>
#include <tofu/engine/channel/channel_directory.hpp>
#include <tofu/engine/channel/group_registry.hpp>
#include <tofu/engine/channel/resolution.hpp>
#include <tofu/engine/loop/group_commands.hpp>
#include <tofu/engine/loop/loop.hpp>
#include <tofu/engine/protocol/post_checks.hpp>
#include <tofu/engine/threads/driver.hpp>
#include <tofu/engine/threads/identities.hpp>
#include <tofu/platform/process_mark.hpp>

#include <atomic>
#include <chrono>
#include <optional>

namespace tofu::inline TOFU_ABI::engine {

/// Lives until its last reference is gone: of the reactor, a group, a timer handle or a resolution_request. After the
/// stop, posts are refused, and delivered messages can still be received. "The role" in this file is that of the driver
/// (see driver.hpp): the thread that has the role turns the loop.
template <class Policies>
class engine_core : public resolution_owner {
public:
    using poll = typename Policies::poll;
    using pool = typename Policies::pool;
    using key = typename Policies::key;
    using timer = typename Policies::timer;
    using loop_type = engine::loop<Policies>;
    using time_point = typename timer::time_point;

    engine_core(const options& o, poll p, pool s, key k, timer t, bool with_io_thread, message_pool& m) noexcept
        : resolution_owner(as_owner)
        , opts(o)
        , poller(std::move(p))
        , channel_pool(std::move(s))
        , keys(std::move(k))
        , timers(std::move(t))
        , has_io_thread(with_io_thread)
        , messages(m)
        , loop(parts()) {
        messages.on_credit(&engine_core::credit_is_back, this);
    }
    engine_core(const engine_core&) = delete;
    engine_core& operator=(const engine_core&) = delete;
    ~engine_core() {
        loop.turn_stopped(); // handles what came into the inbox after the end, such as a resolver's answer
        messages.close();
    }

    [[nodiscard]] io_error open() noexcept {
        if (const io_error error = platform::process_mark::count_forks()) return error;
        if (!loop.open(channel_pool)) return {io_failure::no_memory, 0};
        return poller.open();
    }

    // Posting. Any thread.

    /// On success the engine owns the message, and `sent` is its header as it travels.
    [[nodiscard]] status post(group_core& group, message_ptr& m, binary_header& sent) noexcept {
        if (!m) return status::null_message;
        // A status or reason that an engine put into a message is not sent. A refused message gets them back.
        std::optional<set_aside_marks> marks;
        if (route_of(*m).has_marks()) marks = routing_access::take_marks(*m);
        const status result = post_unmarked(group, m, sent);
        if (marks && result != status::success) routing_access::put_marks(*m, *marks);
        return result;
    }

    /// True: the send queue of the channel has room for `bytes` more, or the channel is gone, or the engine stops.
    [[nodiscard]] bool has_room(std::uint16_t number, std::size_t bytes) const noexcept {
        return admission_.has_room(number, bytes);
    }

    template <class Rep, class Period>
    [[nodiscard]] time_point deadline_after(std::chrono::duration<Rep, Period> timeout) const noexcept {
        return detail::deadline_from(timers.now(), timeout);
    }

    /// Puts a node that needs no admission into the inbox, for example a resolver's answer.
    void submit(detail::queue_node& node) noexcept {
        if (inbox.push(node)) wake();
    }

    void wake() noexcept {
        wakes.fetch_add(1, std::memory_order_relaxed);
        poller.wake();
    }

    /// Call after putting a message directly into a group's mailbox, without the loop.
    void updated() noexcept {
        has_updates_.store(true, std::memory_order_seq_cst);
        nudge();
    }

    /// Call after a change that did not go through the inbox, if the driver or another thread may wait for the change.
    void nudge() noexcept {
        if (inbox.claim_wake()) wake();
        driver.notify();
    }

    // Driving and waiting. Any thread.

    /// Waits until `ready()` is true or `until` has passed. Drives the loop itself in a caller-driven engine, and after
    /// the engine has ended. Returns the last result of `ready`. If `ready()` is false at first, drives or waits once
    /// even if `until` has passed.
    template <class Ready>
    bool await(time_point until, Ready ready) noexcept {
        for (bool looked = false; !ready(); looked = true) {
            if (looked && until != (time_point::max)() && timers.now() >= until) return ready();
            const bool may_drive = can_drive(); // changes if the I/O thread ends while we wait
            if (may_drive && driver.try_acquire()) {
                drive(until, ready);
            } else {
                driver.wait(parking_time(until), may_drive, [&] { return ready() || can_drive() != may_drive; });
            }
        }
        return true;
    }

    /// Runs one turn, unless `ready()` is true already. The caller must have the role; `drive` releases it.
    template <class Ready>
    void drive(time_point until, Ready ready) noexcept {
        if (!ready()) {
            if (is_ended())
                loop.turn_stopped();
            else
                loop.turn(until, [&] { return is_stopping() || ready(); });
        }
        static_cast<void>(loop.take_news());
        sleeps_elsewhere_ = false;
        driver.release();
    }

    /// Lets the loop call `run(state)` until that returns true, and waits for it. Must not be called within a turn.
    template <class Run>
    void call(Run run) noexcept {
        static_cast<void>(call_until((time_point::max)(), run));
    }

    /// The same, but gives up at `until`, and then waits only until the loop has finished the command. Returns the last
    /// result of `run`.
    template <class Run>
    bool call_until(time_point until, Run run) noexcept {
        bool result = false;
        std::atomic<bool> given_up{false};
        auto ask = [&](loop_state<Policies>& state) {
            result = run(state);
            return result || given_up.load(std::memory_order_seq_cst);
        };
        loop_command command(
            [](void* state, void* context) noexcept {
                return (*static_cast<decltype(ask)*>(context))(*static_cast<loop_state<Policies>*>(state));
            },
            &ask);
        const auto done = [&command] { return command.done.load(std::memory_order_seq_cst); };
        submit(command);
        if (await(until, done)) return result;
        given_up.store(true, std::memory_order_seq_cst); // the command lies on this stack: wait until it is done
        wake();                                          // the next turn must not wait, also if this thread runs it
        driver.notify();
        static_cast<void>(await((time_point::max)(), done));
        return result;
    }

    /// Runs one turn. If another thread drives, waits instead until that thread releases the role.
    void run_once(time_point until) noexcept {
        if (driver.try_acquire())
            drive(until, [] { return false; });
        else
            driver.wait(parking_time(until), true, [] { return false; });
    }

    /// Returns the time until which an application's own loop may sleep.
    [[nodiscard]] time_point next_deadline() noexcept {
        if (!driver.try_acquire()) return (time_point::min)();
        note_updates();
        const time_point next = is_stopping() ? (time_point::min)() : loop.fall_asleep();
        sleeps_until_ = next;
        sleeps_elsewhere_ = true;
        driver.release();
        return next;
    }

    /// The function of the I/O thread.
    void run() noexcept {
        while (!is_stopping()) {
            loop.turn_lending([this] { return is_stopping(); });
            if (loop.take_news()) driver.notify();
        }
        finish();
        driver.release();
    }

    /// Refuses posts from now on, and makes the driver stop.
    void begin_stop() noexcept {
        stopping.store(true, std::memory_order_seq_cst);
        nudge();
        poller.wake();
    }

    /// Ends everything; the caller has the role.
    void finish() noexcept {
        loop.stop([this](auto visit) { this->groups.close(visit); });
        ended.store(true, std::memory_order_seq_cst);
        loop.turn_stopped(); // commands that came in before other threads could see `ended`
        driver.notify();
    }

    /// The same for an engine without an I/O thread. Waits for the role first: a thread that drives now releases it,
    /// because the engine stops.
    void finish_here() noexcept {
        while (!driver.try_acquire()) driver.wait((driver::time_point::max)(), true, [] { return false; });
        finish();
        driver.release();
    }

    // Groups. Any thread.

    [[nodiscard]] ref<group_core> make_group(status& why) noexcept {
        const auto which = has_io_thread ? handoff::between::threads : handoff::between::one_thread;
        return groups.make(owned(messages.allocate()), which, why);
    }

    /// Ends the group's channels, and forgets the group. The messages in its mailbox return to the pool.
    void destroy(group_core& group) noexcept {
        if (!is_here()) {
            close_copies([&group](const auto& ch) { return ch.group.get() == &group; });
            return;
        }
        call([&group](loop_state<Policies>& state) { return group_commands<Policies>::destroy(state, group); });
        groups.erase(group);
        while (detail::queue_node* const node = group.mail.pop()) {
            message& m = message_of(*node);
            if (node->kind == detail::node_kind::goodbye) directory.free(m.header().channel_number);
            owned(&m).reset();
        }
    }

    /// False in a child that was forked after the engine was made. The child has copies of everything, but none of the
    /// threads. The kernel's objects for the engine belong to the parent.
    [[nodiscard]] bool is_here() const noexcept { return process_.is_here(); }
    /// True when every call of the application gives shutdown_started.
    [[nodiscard]] bool refuses_calls() const noexcept { return is_stopping() || !is_here(); }

    /// In a forked child, when the reactor is destroyed: closes the descriptors that the child inherited, so that the
    /// parent's peers see the end when the parent closes its own. Does nothing else: the memory stays allocated,
    /// because other threads may have been changing it during the fork.
    void close_copies() noexcept {
        close_copies([](const auto&) { return true; });
        if constexpr (requires { poller.close_copies(); }) poller.close_copies();
    }

    [[nodiscard]] bool is_stopping() const noexcept { return stopping.load(std::memory_order_seq_cst); }
    [[nodiscard]] bool is_ended() const noexcept { return ended.load(std::memory_order_seq_cst); }
    /// True: threads of the application drive the loop, because there is no I/O thread, or because it has ended.
    [[nodiscard]] bool can_drive() const noexcept { return !has_io_thread || is_ended(); }

    ref_count references;
    const std::uint32_t id = next_engine_id();
    const options opts;
    poll poller;
    [[no_unique_address]] pool channel_pool; ///< the storage of the channels was opened with it
    [[no_unique_address]] key keys;
    [[no_unique_address]] timer timers;
    const bool has_io_thread;
    message_pool& messages;
    channel_directory directory;
    engine::inbox inbox;
    group_registry groups;
    engine::driver driver;
    loop_type loop;
    std::atomic<std::uint64_t> wakes{0};

private:
    [[nodiscard]] loop_parts<Policies> parts() noexcept {
        return {*this, id, opts, poller, keys, timers, directory, inbox, driver, messages};
    }

    static engine_core& self(resolution_owner& owner) noexcept { return static_cast<engine_core&>(owner); }

    static constexpr resolution_owner::functions as_owner{
        .keep = [](resolution_owner& owner) noexcept { self(owner).references.add(); },
        .release = [](resolution_owner& owner) noexcept { static_cast<void>(ref<engine_core>::adopt(&self(owner))); },
        .awaits =
            [](const resolution_owner& owner, std::uint16_t number, std::uint32_t generation) noexcept {
                return static_cast<const engine_core&>(owner).directory.is_live(number, generation);
            },
        .submit = [](resolution_owner& owner, detail::queue_node& answer) noexcept { self(owner).submit(answer); }};

    /// Closes the copies of the channels that `belongs` selects.
    template <class Belongs>
    void close_copies(Belongs belongs) noexcept {
        loop.state().channels.for_each([&](auto& ch) {
            if constexpr (requires { ch.socket.close_copy(); })
                if (belongs(ch)) ch.socket.close_copy();
        });
    }

    static void credit_is_back(void* self) noexcept { static_cast<engine_core*>(self)->nudge(); }

    [[nodiscard]] status post_unmarked(group_core& group, message_ptr& m, binary_header& sent) noexcept {
        if (refuses_calls()) return status::shutdown_started;
        if (const status wrong = check_message(*m); wrong != status::success) return wrong;
        const op_code op = m->header().op;
        const admission::verdict admitted = admission_.admit(group, *m);
        if (admitted.wakes && inbox.claim_wake()) wake();
        if (admitted.result != status::success) return admitted.result;
        prepare(*m, next_message_id);
        if (admitted.consumed) {
            sent = m->header();
            m.reset();
            return status::success;
        }
        route_of(*m).group = &group;
        sent = m->header();
        route_of(*m).home->mark_posted(*m); // `home` may belong to another engine
        const bool out = has_io_thread && may_answer(op) && group.mail.claim_answer() && send_now(m);
        const bool asleep = !out && inbox.push(node_of(*m.release()));
        const bool closing = directory.exit(sent.channel_number, op);
        if (has_io_thread || !send_at_once())
            if (asleep || (closing && inbox.claim_wake())) wake();
        return status::success;
    }

    /// True: once this operation is written, the loop has nothing more to do for it.
    [[nodiscard]] static constexpr bool may_answer(op_code op) noexcept {
        return is_regular(op) || op == op_code::hello_response;
    }

    /// If this thread drove last and no thread drives now, runs a turn without a wait, which writes what was posted.
    /// False: it ran no turn.
    [[nodiscard]] bool send_at_once() noexcept {
        if (!driver.was_last() || is_ended() || !driver.try_acquire()) return false;
        loop.turn_posted();
        static_cast<void>(loop.take_news());
        const bool too_early = sleeps_elsewhere_ && !may_sleep_on();
        driver.release();
        if (too_early) wake();
        return true;
    }

    /// True: the time that next_deadline returned still holds. This thread's post brought no mail and no earlier
    /// deadline. The caller has the role.
    TOFU_COLD [[nodiscard]] bool may_sleep_on() noexcept { return loop.fall_asleep() >= sleeps_until_; }

    /// Tells the loop about mail that did not go through it. Call before the loop looks for unread mail. Driver only.
    void note_updates() noexcept {
        if (!has_updates_.load(std::memory_order_relaxed) || !has_updates_.exchange(false, std::memory_order_seq_cst))
            return;
        groups.for_each([this](group_core& group) {
            if (!group.destroyed && group.mail.has_unread()) loop.note_mail(group);
        });
    }

    /// Sends an answer at once if the I/O thread sleeps, so that the I/O thread need not wake up. The receiver has
    /// taken all its mail, so it will probably post no second answer; a wait for one, to write both together, would not
    /// pay. True: the engine owns the message.
    [[nodiscard]] bool send_now(message_ptr& m) noexcept {
        const auto result = loop.send_now(*m);
        if (!result.done) return false;
        static_cast<void>(m.release());
        if (result.news) driver.notify();
        if (result.rest && inbox.claim_wake()) wake();
        return true;
    }

    [[nodiscard]] driver::time_point parking_time(time_point until) const noexcept {
        if (until == (time_point::max)()) return (driver::time_point::max)();
        const auto left = until - timers.now();
        return std::chrono::steady_clock::now() + std::chrono::ceil<std::chrono::steady_clock::duration>(left);
    }

    [[no_unique_address]] platform::process_mark process_;
    std::atomic<bool> stopping{false};
    std::atomic<bool> ended{false};
    admission admission_{directory, opts, id, stopping};
    std::atomic<bool> has_updates_{false}; ///< see updated
    // Used only by the thread that has the role:
    bool sleeps_elsewhere_ = false; ///< true from next_deadline until `drive` runs again
    time_point sleeps_until_{};     ///< the time that next_deadline computed last
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
