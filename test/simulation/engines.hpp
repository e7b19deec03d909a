// SPDX-License-Identifier: BSL-1.0
// The engines of a simulated run: their turns, the events while they wait, and the check that they neither sleep too
// long nor turn for nothing.
#ifndef TOFU_TEST_SIMULATION_ENGINES_HPP
#define TOFU_TEST_SIMULATION_ENGINES_HPP

#include "stage.hpp"

#include <tofu/detail/deadline.hpp>
#include <tofu/policies/poll/simulated_poll.hpp>
#include <tofu/reactor.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tofu_simulation {

using namespace std::chrono_literals;

template <class Set>
class engines {
public:
    using timer = typename Set::timer;
    using reactor = tofu::basic_reactor<typename Set::poll, typename Set::pool, typename Set::key, timer>;
    using group = typename reactor::group_type;
    using timer_handle = typename reactor::timer_handle;
    static constexpr bool has_timers = timer::has_timers;
    using idle = tofu::simulation::idle;

    /// A message that the application still holds.
    struct kept {
        tofu::message_ptr m;
        const channel_model* bound = nullptr; ///< it was received there
    };
    struct timed {
        timer_handle handle;
        std::uint64_t tag = 0;
    };
    struct engine;
    /// The user of one group: posts to it and receives from it.
    struct application {
        group g;
        group_model* is = nullptr;
        engine* home = nullptr;
        std::vector<kept> hoard;
        std::vector<timed> timers;
    };
    struct engine {
        std::optional<reactor> e; ///< nothing: it was destroyed
        engine_model* is = nullptr;
        unsigned poll = 0;
        time_point wakes_at = time_point::min();
        unsigned empty_turns = 0; ///< in a row, at one time
        time_point last_turn{};
        bool slept = false;     ///< in the last turn: it would have waited
        bool was_woken = false; ///< in the last turn, while it would have waited
        time_point slept_until{};
        bool embedded = false; ///< its program has a loop of its own, see embedded_turn
        std::vector<std::unique_ptr<application>> applications;
    };

    explicit engines(stage& on) : s_(on) {
        s_.where.while_waiting({[](void* self, unsigned poll, duration left) noexcept {
                                    return static_cast<engines*>(self)->asked(poll, left);
                                },
                                this});
    }

    engine& add_engine() {
        engine& e = list.emplace_back();
        const tofu::options opts = draw_options();
        auto poll = std::make_unique<typename Set::poll>(s_.where);
        e.poll = poll->number();
        e.embedded = s_.chance().chance(300) && !s_.kind.round_the_numbers;
        e.is = &s_.rules.add_engine(e.poll, has_timers ? opts : without_limits(opts), Set::slots);
        std::error_code error;
        s_.refuse_memory(s_.kind.memory_refused);
        e.e.emplace(opts, tofu::driven_by::caller, error, std::move(*poll), timer(s_.where.clock()));
        if (error) { // for lack of memory: without an engine there is nothing to see
            s_.refuse_memory(0);
            e.e.reset();
            e.is->stopped = true;
            if (!s_.rules.memory_may_be_short) violated("post", "an engine was refused: ", error.message());
            return e;
        }
        s_.refuse_memory(0);
        s_.log.line("engine ", e.is->serial, ": credit ", opts.max_messages, ", queue ", opts.max_queued_messages,
                    ", awaiting hello ", opts.max_awaiting_hello, ", connect ", opts.connect_time.count(), ", hello ",
                    opts.hello_time.count(), ", message ", opts.message_time.count(), ", idle ", opts.idle_time.count(),
                    ", bye ", opts.bye_time.count(), ", grace ", opts.grace_time.count(),
                    opts.implicit_hello ? ", implicit hello" : "", e.embedded ? ", embedded" : "");
        const std::uint64_t groups = s_.chance().between(1, 3);
        for (std::uint64_t i = 0; i < groups; ++i) add_group(e);
        refresh(e);
        return e;
    }

    void add_group(engine& e) {
        std::error_code error;
        group g = e.e->create_group(error);
        if (error) {
            if (!s_.rules.memory_may_be_short) violated("post", "a group was refused: ", error.message());
            return;
        }
        auto& a = *e.applications.emplace_back(std::make_unique<application>());
        a.g = std::move(g);
        a.is = &s_.rules.add_group(*e.is);
        a.home = &e;
        s_.log.line("  group ", a.is->serial, " of engine ", e.is->serial);
    }

    [[nodiscard]] bool runnable(engine& e) {
        if (!e.e) return false;
        const auto& news = s_.where.poller(e.poll);
        return e.wakes_at <= s_.where.now() || news.woken || news.has_news();
    }

    /// False: nobody has anything to do.
    bool run_one() {
        std::vector<engine*> ready;
        for (engine& e : list)
            if (runnable(e)) ready.push_back(&e);
        if (ready.empty()) return false;
        turn(*ready[s_.chance().size_below(ready.size())], {});
        return true;
    }

    void run_all() {
        for (unsigned turns = 0; run_one(); ++turns)
            if (turns > 20'000) violated("busy", "the engines do not come to rest");
    }

    /// `action`, if any, is done while the engine waits, as another thread would.
    void turn(engine& e, std::function<void()> action) {
        if (e.embedded) {
            action ? action() : embedded_turn(e);
            return;
        }
        auto& news = s_.where.poller(e.poll);
        const progress before = progress_of(e);
        const std::uint64_t inventions = news.inventions;
        const std::uint64_t reports = news.reports;
        const bool woken = news.woken;
        current_ = &e;
        action_ = std::move(action);
        e.slept = e.was_woken = false;
        s_.log.line("  engine ", e.is->serial, " turns");
        std::error_code error;
        e.e->run_once(tofu::infinite_duration, error);
        rethrow();
        const progress after = progress_of(e);
        if (e.slept && !e.was_woken && news.inventions == inventions && after != before)
            violated("lost_wakeup", "engine ", e.is->serial,
                     " slept, nobody woke it and nothing was ready; yet there was something to do: ", before.text(),
                     ", then ", after.text());
        if (action_) std::exchange(action_, nullptr)(); // it did not wait
        refresh(e);
        // It has to look again at once for mail alone, which this application reads when it likes.
        if (e.wakes_at == time_point::min() && e.slept && !e.was_woken && after == before) e.wakes_at = e.slept_until;
        judge_idleness(e, woken || e.slept || after != before || news.inventions != inventions,
                       news.reports != reports);
        s_.rules.check_wires();
        s_.rules.check_figures(*e.is, e.e->stats());
        s_.rules.check_contract();
    }

    /// Does what a program with a loop of its own does after every wait. See example/embedded.cpp.
    void embedded_turn(engine& e) {
        auto& news = s_.where.poller(e.poll);
        const progress before = progress_of(e);
        const std::uint64_t inventions = news.inventions;
        const bool woken = news.woken;
        s_.log.line("  engine ", e.is->serial, " turns in a loop of its program");
        std::error_code error;
        e.e->run_once(0ns, error);
        const bool any = receive_all(e);
        refresh(e);
        judge_idleness(e, any || woken || progress_of(e) != before || news.inventions != inventions, false);
        s_.rules.check_wires();
        s_.rules.check_figures(*e.is, e.e->stats());
        s_.rules.check_contract();
    }

    /// A program whose loop sleeps has nothing to receive.
    void check_mail(engine& e) {
        const std::uint64_t inventions = s_.where.poller(e.poll).inventions;
        const time_point now = s_.where.now(); // a wait that fails takes time, in which things happen
        for (const auto& a : e.applications) {
            std::error_code error;
            const tofu::message_ptr m = a->g.wait_receive(0ns, error);
            if (!m) continue;
            if (s_.where.poller(e.poll).inventions == inventions && s_.where.now() == now)
                violated("mail", "engine ", e.is->serial, " may sleep, and group ", a->is->serial,
                         " has mail: ", to_string(m->op()), " on ", m->header().channel_number);
            e.is->episodes = e.e->stats().starvation_episodes; // this call may have turned the loop
            s_.rules.received(*a->is, *m);
        }
        embedded_turn(e); // it was in use
    }

    /// After the driving thread has done something else.
    void settle(engine& e) {
        if (!e.e) return;
        if (e.embedded)
            embedded_turn(e);
        else
            refresh(e);
    }

    /// The loop declares itself asleep, as one does that waits elsewhere, and says until when.
    void refresh(engine& e) {
        if (!e.e) return;
        std::error_code error;
        e.wakes_at = e.e->next_deadline(error);
    }

    /// A call of the application in which virtual time may pass, and others turn.
    template <class Call>
    void let_wait(engine& e, Call call) {
        current_ = &e;
        blocking_ = true;
        call();
        blocking_ = false;
        rethrow();
    }

    /// Throws the violation that was found while the engine could not let an exception pass.
    void rethrow() {
        if (stored_) throw *std::exchange(stored_, std::nullopt);
    }

    void destroy_group(engine& e, std::size_t which) {
        application& a = *e.applications[which];
        s_.log.line("    group ", a.is->serial, " is destroyed");
        let_wait(e, [&] { a.g = group(); });
        s_.rules.destroyed(*a.is);
        e.applications.erase(e.applications.begin() + static_cast<std::ptrdiff_t>(which));
    }

    /// Its groups outlive it: they still get what is theirs.
    void destroy_engine(engine& e) {
        s_.log.line("    engine ", e.is->serial, " is destroyed");
        e.is->stopped = true;
        e.is->episodes = e.e->stats().starvation_episodes;
        let_wait(e, [&] { e.e.reset(); });
        abandoned = abandoned || s_.where.poller(e.poll).owed() != 0;
        for (auto& a : e.applications) {
            for (;;) {
                std::error_code error;
                const tofu::message_ptr m = a->g.wait_receive(0ns, error);
                if (!m) {
                    if (error != status::shutdown_started) violated("post", "a stopped engine says ", error.message());
                    break;
                }
                s_.rules.received(*a->is, *m);
            }
        }
        s_.rules.check_over(*e.is);
        e.applications.clear();
    }

    void check_end(engine& e) {
        s_.rules.check_over(*e.is);
        const tofu::engine_stats s = e.e->stats();
        // A connection that has fallen silent before its hello stays for as long as there is no limit for that.
        const std::size_t silent = e.is->opts.hello_time.count() == 0 ? s_.rules.before_hello(*e.is) : 0;
        if (s.channels != s.zombies + silent || s.zombies > s_.where.poller(e.poll).owed())
            violated("leak", "engine ", e.is->serial, " still has ", s.channels, " channels, ", s.zombies, " zombies");
        // A group keeps one for its notice, such a connection one for its end and one for what has come of its hello.
        if (s.credit_used != 0 || s.messages_alive > e.applications.size() + 2 * silent)
            violated("leak", "engine ", e.is->serial, " has ", s.messages_alive, " messages outside, ", s.credit_used,
                     " of them received ones, and nobody has any");
        if (s.messages_counted != 0)
            violated("leak", "engine ", e.is->serial, " counts ", s.messages_counted, " messages alive");
    }

    /// The run is over, with any result.
    void drop_all() {
        blocking_ = true;
        list.clear();
    }

    std::deque<engine> list;
    std::function<bool(engine&)> receive_all; ///< every group's mail; true: there was some
    bool abandoned = false;                   ///< a pool was, for registrations that are never released

private:
    [[nodiscard]] tofu::options draw_options() {
        tofu::options o;
        o.initial_messages = s_.chance().size_below(4);
        o.max_messages = s_.kind.tight ? s_.chance().size_between(4, 12) : s_.chance().size_between(8, 64);
        if (o.max_messages % 2 == 0) o.max_messages_alive = o.max_messages + 1'000'000; // counted, and never met
        o.retained_capacity = s_.chance().size_below(2) * 256;
        if (s_.kind.tight) {
            o.max_queued_messages = s_.chance().size_between(1, 6);
            o.max_queued_bytes = 131'086 + s_.chance().size_below(1000);
            o.max_awaiting_hello = s_.chance().size_between(1, 3);
            o.read_budget = s_.chance().size_between(1, 5000);
            o.write_budget = s_.chance().size_between(1, 5000);
            o.accept_budget = s_.chance().size_between(1, 3);
        }
        if (s_.kind.hostile != 0 && s_.chance().chance(300)) o.max_body = 2000;
        if (s_.kind.short_times) {
            for (auto* limit : {&o.connect_time, &o.hello_time, &o.message_time, &o.bye_time})
                *limit = std::chrono::milliseconds(s_.chance().chance(200) ? 0 : s_.chance().between(5, 400));
            o.idle_time = std::chrono::milliseconds(s_.chance().chance(700) ? 0 : s_.chance().between(20, 400));
            o.grace_time = std::chrono::milliseconds(s_.chance().chance(300) ? 0 : s_.chance().between(1, 100));
            o.retry_time = std::chrono::milliseconds(s_.chance().between(1, 20));
        }
        o.close_when_full = s_.chance().chance(500);
        o.implicit_hello = s_.chance().chance(300);
        o.backlog = static_cast<int>(s_.chance().between(1, 5));
        return o;
    }

    /// For a set of policies without timers, to which the limits do not matter.
    [[nodiscard]] static tofu::options without_limits(tofu::options o) {
        o.connect_time = o.hello_time = o.message_time = o.idle_time = o.bye_time = o.grace_time = {};
        return o;
    }

    /// Figures that change only when something has moved or was done.
    struct progress {
        std::uint64_t sent, received, in, out, accepted, refused, episodes;
        std::size_t channels, zombies, sockets, open;
        friend bool operator==(const progress&, const progress&) = default;

        [[nodiscard]] std::string text() const {
            trace words(true);
            words.line(sent, " sent, ", received, " received, ", in, " bytes in, ", out, " out, ", accepted,
                       " accepted, ", refused, " refused, ", episodes, " episodes, ", channels, " channels, ", zombies,
                       " zombies, ", sockets, " sockets, ", open, " open");
            std::string line = words.text();
            line.pop_back();
            return line;
        }
    };

    [[nodiscard]] progress progress_of(engine& e) {
        const tofu::engine_stats s = e.e->stats();
        return {s.messages_sent,     s.messages_received,   s.bytes_received, s.bytes_sent, s.accepted,
                s.refused,           s.starvation_episodes, s.channels,       s.zombies,    s_.where.socket_count(),
                open_sockets(e.poll)};
    }

    [[nodiscard]] std::size_t open_sockets(unsigned poll) {
        std::size_t count = 0;
        for (socket_id id = 1; id <= s_.where.socket_count(); ++id)
            if (s_.where.socket(id).open && s_.where.socket(id).holder == poll) ++count;
        return count;
    }

    /// A turn that was neither asked for nor of any use: a few may happen, many are a loop that spins.
    void judge_idleness(engine& e, bool useful, bool reported) {
        if (useful || e.last_turn != s_.where.now()) e.empty_turns = 0;
        e.last_turn = s_.where.now();
        if (!useful && ++e.empty_turns > 50)
            violated("busy", "engine ", e.is->serial, " turns and turns, for nothing", reported ? " but reports" : "");
    }

    /// The world asks what is to happen while an engine waits.
    [[nodiscard]] idle asked(unsigned poll, duration left) noexcept {
        try {
            if (blocking_) {
                if (s_.chance().chance(300)) return run_others(poll) ? idle::again : idle::go_on;
                return idle::go_on;
            }
            current_->slept = true;
            current_->slept_until = tofu::detail::deadline_from(s_.where.now(), left);
            if (action_) std::exchange(action_, nullptr)();
            current_->was_woken = s_.where.poller(poll).woken;
            return current_->was_woken ? idle::again : idle::interrupt;
        } catch (const violation& v) {
            if (!stored_) stored_ = v;
            return idle::interrupt;
        }
    }

    /// While one engine waits in a call, another one turns.
    bool run_others(unsigned but) {
        for (engine& e : list) {
            if (e.poll == but || !runnable(e)) continue;
            if (e.embedded) {
                embedded_turn(e);
                return true;
            }
            s_.log.line("  engine ", e.is->serial, " turns meanwhile");
            std::error_code error;
            e.e->run_once(0ns, error);
            refresh(e);
            return true;
        }
        return false;
    }

    stage& s_;
    engine* current_ = nullptr;
    std::function<void()> action_;
    std::optional<violation> stored_;
    bool blocking_ = false;
};

} // namespace tofu_simulation

#endif
