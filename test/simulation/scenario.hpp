// SPDX-License-Identifier: BSL-1.0
// Several engines and their applications in one simulated world: what they do next is drawn, what they see is checked.
//
// Every step draws from a generator of its own, made of the seed and the step's number: leaving a step out changes
// nothing about the choices of the others, which is what makes a schedule shrink.
#ifndef TOFU_TEST_SIMULATION_SCENARIO_HPP
#define TOFU_TEST_SIMULATION_SCENARIO_HPP

#include "allocation.hpp"
#include "model.hpp"
#include "raw_peers.hpp"
#include "run.hpp"

#include <tofu/policies/poll/simulated_poll.hpp>
#include <tofu/policies/timer/manual_timer.hpp>
#include <tofu/reactor.hpp>

#include <array>
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
class scenario {
public:
    explicit scenario(const run_request& wanted)
        : wanted_(wanted)
        , profile_(*wanted.profile)
        , world_(wanted.seed, wanted.profile->faults)
        , log_(wanted.keep_log)
        , model_(world_, log_)
        , raw_(world_, log_) {}

    run_result run() {
        run_result result;
        try {
            begin();
            for (step_ = 0; step_ < steps_; ++step_) {
                if (step_ < wanted_.left_out.size() && wanted_.left_out[step_]) continue;
                world_.chance() = draw(step_);
                step();
            }
            world_.chance() = draw(step_);
            be_patient();
            end();
        } catch (const violation& v) {
            result.found = v;
            log_.line("VIOLATION of ", v.rule, ": ", v.text);
        }
        refuse_memory(0);
        blocking_ = true; // who is destroyed now may wait as long as it wants to
        engines_.clear();
        result.steps = steps_;
        result.reached = step_;
        result.digest = log_.digest();
        result.messages = model_.messages_checked;
        result.log = log_.text();
        return result;
    }

private:
    using reactor = tofu::basic_reactor<typename Set::poll, typename Set::pool, typename Set::key, tofu::manual_timer>;
    using group = typename reactor::group_type;
    using timer_handle = typename reactor::timer_handle;
    using random = tofu::simulation::random;
    using idle = tofu::simulation::idle;
    using duration = tofu::simulation::duration;

    struct kept {
        tofu::message_ptr m;
        const channel_model* bound = nullptr;
    };
    struct timed {
        timer_handle handle;
        std::uint64_t tag = 0;
    };
    struct engine;
    struct application {
        group g;
        group_model* is = nullptr;
        engine* home = nullptr;
        std::vector<kept> hoard;
        std::vector<timed> timers;
    };
    struct engine {
        std::optional<reactor> e;
        engine_model* is = nullptr;
        unsigned poll = 0;
        time_point wakes_at = time_point::min();
        unsigned empty_turns = 0; ///< in a row, at one time
        time_point last_turn{};
        bool slept = false;       ///< in the last turn: it would have waited
        bool was_woken = false;   ///< in the last turn: it was asked to turn
        std::vector<std::unique_ptr<application>> applications;
    };

    // The beginning.

    [[nodiscard]] random& chance() { return world_.chance(); }
    [[nodiscard]] random draw(std::uint64_t part) const {
        random mixed(wanted_.seed ^ (part + 1) * 0xD1342543DE82EF95);
        return random(mixed.next());
    }
    void refuse_memory(unsigned rate) {
        allocation& here = allocation::here();
        here.chance = rate == 0 ? nullptr : &chance();
        here.refused_per_mille = rate;
        memory_refused_ = rate;
    }

    void begin() {
        world_.chance() = draw(~std::uint64_t{0} - 1);
        allocated_before_ = allocation::here().alive;
        model_.memory_may_be_short = profile_.memory_refused != 0 || profile_.faults.no_memory != 0;
        model_.faults_are_off = profile_.faults == tofu::simulation::faults{} && profile_.memory_refused == 0;
        world_.while_waiting({[](void* self, unsigned poll, duration timeout) noexcept {
                                  return static_cast<scenario*>(self)->asked(poll, timeout);
                              },
                              this});
        steps_ = chance().between(60, 360);
        prompt_ = chance().chance(200) || profile_.prompt;
        const std::uint64_t count = chance().between(1, 3);
        for (std::uint64_t i = 0; i < count; ++i) add_engine();
        if (profile_.hostile != 0) {
            most_raw_ = chance().between(1, profile_.hostile);
            raw_.listen({0, raw_port});
        }
        if (profile_.names) make_names();
    }

    [[nodiscard]] tofu::options draw_options() {
        tofu::options o;
        o.initial_messages = chance().below(4);
        o.max_messages = profile_.tight ? chance().between(4, 12) : chance().between(8, 64);
        o.retained_capacity = chance().below(2) * 256;
        if (profile_.tight) {
            o.max_queued_messages = chance().between(1, 6);
            o.max_queued_bytes = 131'086 + chance().below(1000);
            o.max_awaiting_hello = chance().between(1, 3);
            o.read_budget = chance().between(1, 5000);
            o.write_budget = chance().between(1, 5000);
            o.accept_budget = chance().between(1, 3);
        }
        if (profile_.hostile != 0 && chance().chance(300)) o.max_body = 2000;
        if (profile_.short_times) {
            for (auto* limit : {&o.connect_time, &o.hello_time, &o.message_time, &o.bye_time})
                *limit = std::chrono::milliseconds(chance().chance(200) ? 0 : chance().between(5, 400));
            o.idle_time = std::chrono::milliseconds(chance().chance(700) ? 0 : chance().between(20, 400));
            o.grace_time = std::chrono::milliseconds(chance().chance(300) ? 0 : chance().between(1, 100));
            o.retry_time = std::chrono::milliseconds(chance().between(1, 20));
        }
        o.close_when_full = chance().chance(500);
        o.backlog = static_cast<int>(chance().between(1, 5));
        return o;
    }

    void add_engine() {
        engine& e = engines_.emplace_back();
        const tofu::options opts = draw_options();
        auto poll = std::make_unique<typename Set::poll>(world_);
        e.poll = poll->number();
        e.is = &model_.add_engine(e.poll, opts, Set::slots);
        std::error_code error;
        refuse_memory(profile_.memory_refused);
        e.e.emplace(opts, tofu::driven_by::caller, error, std::move(*poll), tofu::manual_timer(world_.clock()));
        if (error) { // for lack of memory: without an engine there is nothing to see
            refuse_memory(0);
            e.e.reset();
            e.is->stopped = true;
            if (!model_.memory_may_be_short) violated("post", "an engine was refused: ", error.message());
            return;
        }
        refuse_memory(0);
        log_.line("engine ", e.is->serial, ": credit ", opts.max_messages, ", queue ", opts.max_queued_messages,
                  ", awaiting hello ", opts.max_awaiting_hello, ", connect ", opts.connect_time.count(), ", hello ",
                  opts.hello_time.count(), ", message ", opts.message_time.count(), ", idle ", opts.idle_time.count(),
                  ", bye ", opts.bye_time.count(), ", grace ", opts.grace_time.count());
        const std::uint64_t groups = chance().between(1, 3);
        for (std::uint64_t i = 0; i < groups; ++i) add_group(e);
        if (!e.applications.empty() && chance().chance(600)) welcome(*e.applications.front());
        refresh(e);
    }

    void add_group(engine& e) {
        std::error_code error;
        group g = e.e->create_group(error);
        if (error) {
            if (!model_.memory_may_be_short) violated("post", "a group was refused: ", error.message());
            return;
        }
        auto& a = *e.applications.emplace_back(std::make_unique<application>());
        a.g = std::move(g);
        a.is = &model_.add_group(*e.is);
        a.home = &e;
        log_.line("  group ", a.is->serial, " of engine ", e.is->serial);
    }

    void make_names() {
        for (std::size_t i = 0; i < names.size(); ++i) {
            tofu::simulation::name_answer answer;
            const std::uint64_t hosts = chance().below(4);
            for (std::uint64_t h = 0; h < hosts; ++h)
                answer.hosts.push_back(chance().chance(600) ? 127U << 24 | 1 : 192U << 24 | static_cast<std::uint32_t>(h));
            answer.after = std::chrono::microseconds(chance().below(200'000));
            answer.never = chance().chance(150);
            world_.name(names[i], answer);
        }
    }

    // A step.

    void step() {
        log_.line("#", step_, " ", world_.now().time_since_epoch().count() / 1000, " us");
        refuse_memory(profile_.memory_refused);
        const std::uint64_t what = chance().below(100);
        const bool raw = chance().chance(most_raw_ == 0 ? 0 : profile_.raw_steps);
        if (prompt_) run_all();
        if (profile_.round_the_numbers && step_ == steps_ / 2) round_the_numbers();
        if (raw) {
            raw_step();
        } else if (what < 45) {
            if (!run_one()) pass_time();
        } else if (what < 90) {
            act();
        } else {
            pass_time();
        }
        refuse_memory(0);
        model_.check_wires();
        model_.check_contract();
    }

    void raw_step() {
        if (raw_.count() < most_raw_ && chance().chance(300))
            raw_.connect({127U << 24 | 1, static_cast<std::uint16_t>(chance().between(first_port, last_port))});
        raw_.step();
    }

    [[nodiscard]] bool runnable(engine& e) {
        if (!e.e) return false;
        const auto& news = world_.poller(e.poll);
        return e.wakes_at <= world_.now() || news.woken || news.has_news();
    }

    /// False: nobody has anything to do.
    bool run_one() {
        std::vector<engine*> ready;
        for (engine& e : engines_)
            if (runnable(e)) ready.push_back(&e);
        if (ready.empty()) return false;
        turn(*ready[chance().below(ready.size())], {});
        return true;
    }

    void run_all() {
        for (unsigned turns = 0; run_one(); ++turns)
            if (turns > 20'000) violated("busy", "the engines do not come to rest");
    }

    void pass_time() {
        time_point next = world_.next_event();
        for (engine& e : engines_)
            if (e.e && e.wakes_at > world_.now()) next = std::min(next, e.wakes_at);
        duration passed = std::chrono::microseconds(chance().below(2000));
        const bool far = chance().chance(100);
        const bool jump = chance().chance(profile_.clock_jumps);
        if (far) passed = std::chrono::milliseconds(chance().below(100));
        const duration until_next = next == time_point::max() ? duration::max() : next - world_.now();
        const bool however_long = chance().chance(30);
        if (chance().chance(700) && (until_next < 20ms || (however_long && until_next != duration::max())))
            passed = until_next;
        if (jump) passed = std::chrono::milliseconds(chance().below(100'000));
        log_.line("  ", passed.count() / 1000, " us pass");
        world_.advance(passed);
    }

    // Turning an engine.

    /// What has moved, and what only moves when something was done.
    struct progress {
        std::uint64_t sent, received, in, out, accepted, refused, episodes;
        std::size_t channels, zombies, sockets, open;
        friend bool operator==(const progress&, const progress&) = default;

        [[nodiscard]] std::string text() const {
            trace words(true);
            words.line(sent, " sent, ", received, " received, ", in, " bytes in, ", out, " out, ", accepted, " accepted, ",
                       refused, " refused, ", episodes, " episodes, ", channels, " channels, ", zombies, " zombies, ",
                       sockets, " sockets, ", open, " open");
            std::string line = words.text();
            line.pop_back();
            return line;
        }
    };
    [[nodiscard]] progress progress_of(engine& e) {
        const tofu::engine_stats s = e.e->stats();
        return {s.messages_sent, s.messages_received, s.bytes_received, s.bytes_sent, s.accepted, s.refused,
                s.starvation_episodes, s.channels, s.zombies, world_.socket_count(), open_sockets(e.poll)};
    }

    [[nodiscard]] std::size_t open_sockets(unsigned poll) {
        std::size_t count = 0;
        for (socket_id id = 1; id <= world_.socket_count(); ++id)
            if (world_.socket(id).open && world_.socket(id).holder == poll) ++count;
        return count;
    }

    /// `action`, if any, is done while the engine waits, as another thread would.
    void turn(engine& e, std::function<void()> action) {
        auto& news = world_.poller(e.poll);
        const progress before = progress_of(e);
        const std::uint64_t inventions = news.inventions;
        const std::uint64_t reports = news.reports;
        const bool woken = news.woken;
        current_ = &e;
        action_ = std::move(action);
        e.slept = e.was_woken = false;
        log_.line("  engine ", e.is->serial, " turns");
        std::error_code error;
        e.e->run_once(tofu::forever, error);
        rethrow();
        const progress after = progress_of(e);
        if (e.slept && !e.was_woken && news.inventions == inventions && after != before)
            violated("lost_wakeup", "engine ", e.is->serial,
                     " slept, nobody woke it and nothing was ready; yet there was something to do: ", before.text(), ", then ", after.text());
        if (action_) std::exchange(action_, nullptr)(); // it did not wait
        refresh(e);
        judge_idleness(e, woken || e.slept || after != before || news.inventions != inventions, news.reports != reports);
        model_.check_wires();
        model_.check_figures(*e.is, e.e->stats());
        model_.check_contract();
    }

    /// A turn that was neither asked for nor of any use: a few may happen, many are a loop that spins.
    void judge_idleness(engine& e, bool useful, bool reported) {
        if (useful || e.last_turn != world_.now()) e.empty_turns = 0;
        e.last_turn = world_.now();
        if (!useful && ++e.empty_turns > 50)
            violated("busy", "engine ", e.is->serial, " turns and turns, for nothing", reported ? " but reports" : "");
    }

    /// The loop declares itself asleep, as one does that waits elsewhere, and says until when.
    void refresh(engine& e) {
        if (!e.e) return;
        std::error_code error;
        e.wakes_at = e.e->next_deadline(error);
    }

    /// The world asks what is to happen while an engine waits.
    [[nodiscard]] idle asked(unsigned poll, duration) noexcept {
        try {
            if (blocking_) {
                if (chance().chance(300)) return run_others(poll) ? idle::again : idle::go_on;
                return idle::go_on;
            }
            current_->slept = true;
            if (action_) std::exchange(action_, nullptr)();
            current_->was_woken = world_.poller(poll).woken;
            return current_->was_woken ? idle::again : idle::interrupt;
        } catch (const violation& v) {
            if (!stored_) stored_ = v;
            return idle::interrupt;
        }
    }

    void rethrow() {
        if (stored_) throw *std::exchange(stored_, std::nullopt);
    }

    /// While one engine waits in a call, another one turns.
    bool run_others(unsigned but) {
        for (engine& e : engines_) {
            if (e.poll == but || !runnable(e)) continue;
            std::error_code error;
            log_.line("  engine ", e.is->serial, " turns meanwhile");
            e.e->run_once(0ns, error);
            refresh(e);
            return true;
        }
        return false;
    }

    // What applications do.

    void act() {
        engine& e = engines_[chance().below(engines_.size())];
        if (!e.e) return;
        if (e.applications.empty()) {
            add_group(e);
            return;
        }
        application& a = *e.applications[chance().below(e.applications.size())];
        const std::uint64_t what = chance().below(100);
        const bool as_other_thread = chance().chance(500);
        if (what >= 94) {
            act_and_wait(a, what);
            return;
        }
        const auto action = [this, &a, what] { act_at_once(a, what); };
        if (as_other_thread)
            turn(e, action);
        else
            action();
        refresh(e);
    }

    /// Calls that do not wait.
    void act_at_once(application& a, std::uint64_t what) {
        log_.line("  group ", a.is->serial);
        if (what < 30) {
            post_data(a, 1);
        } else if (what < 34) {
            post_data(a, chance().between(2, 20));
        } else if (what < 56) {
            receive(a, chance().between(1, 8));
        } else if (what < 64) {
            say_hello(a);
        } else if (what < 68) {
            welcome(a);
        } else if (what < 72) {
            post_on_some(a, 5);
        } else if (what < 74) {
            post_on_some(a, 7);
        } else if (what < 78) {
            answer_kept(a);
        } else if (what < 86) {
            if (!a.hoard.empty()) drop_kept(a, chance().between(1, a.hoard.size()));
        } else {
            update(a, what);
        }
    }

    void update(application& a, std::uint64_t what) {
        std::error_code error;
        if (what < 88) {
            a.g.update_receiver(error);
            log_.line("    empty update: ", error.message());
            if (!error) a.is->updates.push_back({0, {}});
            return;
        }
        if (what >= 92) {
            cancel(a);
            return;
        }
        tofu::message_ptr m = get(*a.home);
        if (!m) return;
        m->header().message_id = ++last_tag_;
        if (what < 90) {
            a.g.update_receiver(std::move(m), error);
            log_.line("    update ", last_tag_, ": ", error.message());
            if (!error) a.is->updates.push_back({last_tag_, {}});
            return;
        }
        const auto delay = std::chrono::microseconds(chance().below(50'000));
        timer_handle handle = a.g.update_receiver_after(delay, std::move(m), error);
        log_.line("    update ", last_tag_, " after ", delay.count(), " us: ", error.message());
        if (error) return;
        a.is->timers[last_tag_] = world_.now() + delay;
        a.timers.push_back({std::move(handle), last_tag_});
    }

    void cancel(application& a) {
        if (a.timers.empty()) return;
        const std::size_t which = chance().below(a.timers.size());
        timed& one = a.timers[which];
        const tofu::message_ptr back = one.handle.cancel();
        log_.line("    cancels update ", one.tag, ": ", back ? "it came back" : "too late");
        if (back) {
            if (back->header().message_id != one.tag) violated("updates", "another message came back");
            if (a.is->timers.erase(one.tag) == 0) violated("updates", "it came back, and had been received");
        }
        a.timers.erase(a.timers.begin() + static_cast<std::ptrdiff_t>(which));
    }

    /// Calls in which virtual time may pass.
    void act_and_wait(application& a, std::uint64_t what) {
        engine& e = *a.home;
        log_.line("  group ", a.is->serial, " waits");
        blocking_ = true;
        current_ = &e;
        std::error_code error;
        if (what < 96) {
            tofu::message_ptr m = a.g.wait_receive(std::chrono::microseconds(chance().below(20'000)), error);
            blocking_ = false;
            if (m) took(a, std::move(m));
        } else if (what == 96) {
            log_.line("    drain: ", e.e->drain(std::chrono::microseconds(chance().below(20'000))));
        } else if (what == 97) {
            ask_about_channel(a);
        } else if (what == 98) {
            if (chance().chance(300)) destroy_group(e, chance().below(e.applications.size()));
        } else if (chance().chance(200)) {
            destroy_engine(e);
        } else {
            add_group(e);
        }
        blocking_ = false;
        rethrow();
        for (engine& each : engines_) refresh(each);
    }

    void ask_about_channel(application& a) {
        const channel_model* const c = some_channel(a);
        if (c == nullptr) return;
        const auto figures = a.g.stats(static_cast<std::uint16_t>(c->number));
        log_.line("    stats of ", c->number, ": ", figures ? "known" : "unknown");
        if (figures && c->over) violated("stranger", "figures of a channel that is over");
    }

    [[nodiscard]] tofu::message_ptr get(engine& e) {
        std::error_code error;
        tofu::message_ptr m = e.e->get(tofu::allocation::always, error);
        if (error && !model_.memory_may_be_short) violated("post", "get: ", error.message());
        return m;
    }

    /// Any channel this group has or had; often one of its own that is alive.
    [[nodiscard]] const channel_model* some_channel(application& a) {
        std::vector<const channel_model*> mine;
        const bool any_at_all = chance().chance(profile_.illegal);
        for (const channel_model& c : model_.channels())
            if (any_at_all ? c.home == a.home->is : c.group == a.is && !c.over && c.what != channel_model::role::listener)
                mine.push_back(&c);
        if (mine.empty()) return nullptr;
        return mine[chance().below(mine.size())];
    }

    void post_data(application& a, std::uint64_t count) {
        const channel_model* const c = some_channel(a);
        if (c == nullptr) return;
        for (std::uint64_t i = 0; i < count; ++i) {
            posting p;
            p.op = static_cast<unsigned>(chance().below(3));
            p.number = c->number;
            p.more = chance().chance(100);
            p.id = chance().chance(300) ? ++last_own_id_ : 0;
            if (chance().chance(profile_.illegal)) spoil(p);
            if (tofu::message_ptr m = get(*a.home); m && fill(*m, p)) post(a, std::move(m), p);
        }
    }

    void spoil(posting& p) {
        switch (chance().below(5)) {
        case 0: p.op = static_cast<unsigned>(chance().below(16)); break;
        case 1: p.number = static_cast<unsigned>(chance().below(40)); break;
        case 2: p.more = true; break;
        case 3: p.number = chance().chance(500) ? 0 : 65535; break;
        case 4: p.op = static_cast<unsigned>(chance().between(3, 7)); break;
        }
    }

    void post_on_some(application& a, unsigned op) {
        const channel_model* const c = some_channel(a);
        if (c == nullptr) return;
        post_one(a, *c, op == 5 && chance().chance(300) ? 6 : op);
    }

    /// False: memory is short.
    [[nodiscard]] bool fill(tofu::message& m, posting& p) {
        if (chance().chance(300)) {
            const std::string value(chance().below(40), 'v');
            if (m.headers().append("name", value) != status::success) return false;
        }
        std::size_t size = chance().below(80);
        const std::uint64_t kind = chance().below(100);
        if (kind < 6) size = chance().below(9000);
        if (kind == 0) size = chance().chance(100) ? 65536 : chance().below(65536);
        p.body.resize(size);
        for (std::size_t i = 0; i < size; ++i) p.body[i] = static_cast<char>(i * 7 + size);
        if (!m.body().assign(std::as_bytes(std::span(p.body)))) return false;
        p.text = m.headers().wire();
        return true;
    }

    [[nodiscard]] std::string draw_target(application&) {
        const std::uint64_t what = chance().below(100);
        const std::string port = std::to_string(chance().between(first_port, last_port));
        if (profile_.hostile != 0 && what < 20) return "tcp|127.0.0.1|" + std::to_string(raw_port);
        if (profile_.names && what < 60) return "tcp|" + std::string(names[chance().below(names.size())]) + "|" + port;
        if (what < 95) return "tcp|127.0.0.1|" + port;
        return what < 97 ? "tcp|192.0.2.1|" + port : "uds|/nowhere";
    }

    /// Sometimes more is posted on the new channel at once, before anything can have come of it.
    void say_hello(application& a) {
        const channel_model* const c = open(a, 3, tofu::connect_to_header);
        if (c == nullptr || !chance().chance(300)) return;
        for (std::uint64_t i = chance().below(4); i > 0; --i) post_one(a, *c, static_cast<unsigned>(chance().below(3)));
        if (chance().chance(300)) post_one(a, *c, chance().chance(500) ? 5 : 7);
    }
    void welcome(application& a) { static_cast<void>(open(a, 8, tofu::listen_on_header)); }

    /// The channel that was begun; null: none was.
    const channel_model* open(application& a, unsigned op, std::string_view header) {
        posting p;
        p.op = op;
        p.target = draw_target(a);
        p.bad_target = chance().chance(profile_.illegal);
        if (p.bad_target) p.target = chance().chance(500) ? "tcp|" : "nonsense";
        tofu::message_ptr m = get(*a.home);
        if (!m || m->headers().append(header, p.target) != status::success || !fill(*m, p)) return nullptr;
        const std::size_t before = model_.channels().size();
        post(a, std::move(m), p);
        return model_.channels().size() > before ? &model_.channels().back() : nullptr;
    }

    void post_one(application& a, const channel_model& c, unsigned op) {
        posting p;
        p.op = op;
        p.number = c.number;
        if (tofu::message_ptr m = get(*a.home); m && fill(*m, p)) post(a, std::move(m), p);
    }

    /// The model says what must become of it.
    void post(application& a, tofu::message_ptr m, const posting& p) {
        m->header().op = static_cast<op_code>(p.op);
        m->header().channel_number = static_cast<std::uint16_t>(p.number);
        m->header().more = p.more;
        m->header().message_id = p.id;
        m->header().status_byte = static_cast<std::uint8_t>(p.status_byte);
        model_.check_wires();
        const allowed expected = model_.may_post(*a.is, p);
        std::error_code error;
        const tofu::binary_header sent = a.g.post(std::move(m), error);
        const auto result = static_cast<status>(error.value());
        log_.line("    post op ", p.op, " on ", p.number, ", ", p.text.size() + p.body.size(), " bytes, id ",
                  model_.id_text(error ? 0 : sent.message_id), p.target.empty() ? "" : " to ", p.target, ": ",
                  to_string(result));
        if (!expected.has(result))
            violated("post", "op ", p.op, " on number ", p.number, " gave ", to_string(result), ", and it should be ",
                     expected.text());
        if (static_cast<bool>(m) != static_cast<bool>(error))
            violated("post", error ? "a refused message did not stay with its caller" : "an accepted message stayed");
        if (!error)
            model_.posted(*a.is, p, sent);
        else
            model_.post_refused(*a.is, p, result);
    }

    void receive(application& a, std::uint64_t most) {
        for (std::uint64_t i = 0; i < most; ++i) {
            std::error_code error;
            tofu::message_ptr m = a.g.wait_receive(0ns, error);
            rethrow();
            if (!m) return;
            took(a, std::move(m));
        }
    }

    void took(application& a, tofu::message_ptr m) {
        if (a.home->e) model_.check_figures(*a.home->is, a.home->e->stats());
        model_.received(*a.is, *m);
        if (m->from_engine() || m->header().channel_number == 0) {
            if (chance().chance(50)) keep(a, std::move(m), nullptr);
            return;
        }
        const channel_model* const c = a.home->is->alive.at(m->header().channel_number);
        const std::uint64_t what = patient_ ? 0 : chance().below(100);
        if (what < 65)
            answer(a, std::move(m), c);
        else if (what < 85)
            keep(a, std::move(m), c);
    }

    void keep(application& a, tofu::message_ptr m, const channel_model* c) { a.hoard.push_back({std::move(m), c}); }

    /// What came becomes its own answer, if it wants one.
    void answer(application& a, tofu::message_ptr m, const channel_model* c) {
        const op_code op = m->op();
        posting p;
        p.op = op == op_code::hello_request ? 4U : op == op_code::bye_request ? 6U : 1U;
        if (op != op_code::hello_request && op != op_code::bye_request && op != op_code::request) return;
        if (patient_ && op == op_code::request) return;
        if (p.op == 4 && !patient_ && chance().chance(50)) p.op = 5; // a refusal
        p.number = m->header().channel_number;
        p.id = m->header().message_id;
        p.bound = c;
        p.text = m->headers().wire();
        p.body = m->body().text();
        post(a, std::move(m), p);
    }

    /// Late answers, some to numbers that others have now.
    void answer_kept(application& a) {
        if (a.hoard.empty()) return;
        const std::size_t which = chance().below(a.hoard.size());
        kept one = std::move(a.hoard[which]);
        a.hoard.erase(a.hoard.begin() + static_cast<std::ptrdiff_t>(which));
        if (one.bound != nullptr) answer(a, std::move(one.m), one.bound);
    }

    void drop_kept(application& a, std::uint64_t count) {
        for (std::uint64_t i = 0; i < count && !a.hoard.empty(); ++i) {
            const std::size_t which = chance().below(a.hoard.size());
            a.hoard.erase(a.hoard.begin() + static_cast<std::ptrdiff_t>(which));
        }
        log_.line("    drops ", count, " kept messages");
    }

    void destroy_group(engine& e, std::size_t which) {
        application& a = *e.applications[which];
        log_.line("    group ", a.is->serial, " is destroyed");
        blocking_ = true;
        a.g = group();
        blocking_ = false;
        rethrow();
        model_.destroyed(*a.is);
        e.applications.erase(e.applications.begin() + static_cast<std::ptrdiff_t>(which));
    }

    /// Its groups outlive it: they still get what is theirs.
    void destroy_engine(engine& e) {
        log_.line("    engine ", e.is->serial, " is destroyed");
        blocking_ = true;
        e.is->stopped = true;
        e.is->episodes = e.e->stats().starvation_episodes;
        e.e.reset();
        blocking_ = false;
        rethrow();
        abandoned_ = abandoned_ || world_.poller(e.poll).owed() != 0;
        for (auto& a : e.applications) {
            for (;;) {
                std::error_code error;
                const tofu::message_ptr m = a->g.wait_receive(0ns, error);
                if (!m) {
                    if (error != status::shutdown_started) violated("post", "a stopped engine says ", error.message());
                    break;
                }
                model_.received(*a->is, *m);
            }
        }
        model_.check_over(*e.is);
        e.applications.clear();
    }

    // The end.

    /// No faults, and everybody does what is asked of him, until nothing is left to do.
    void be_patient() {
        log_.line("# patience");
        refuse_memory(0);
        patient_ = true;
        world_.faults() = {};
        const time_point end = world_.now() + std::chrono::minutes(5);
        for (engine& e : engines_)
            for (auto& a : e.applications) answer_all(*a);
        while (world_.now() < end) {
            bool again = true;
            for (unsigned rounds = 0; again; ++rounds) {
                if (rounds > 5'000) violated("liveness", "it does not come to rest");
                run_all();
                raw_.be_quiet();
                again = false;
                for (engine& e : engines_)
                    for (auto& a : e.applications) again = serve(*a) || again;
            }
            time_point next = world_.next_event();
            for (engine& e : engines_)
                if (e.e) next = std::min(next, e.wakes_at);
            if (next == time_point::max()) break;
            world_.advance(std::max(next - world_.now(), duration::zero()));
        }
        model_.check_patience();
        for (engine& e : engines_)
            if (e.e) model_.check_nothing_waits(*e.is, e.e->stats());
    }

    /// Nobody is left without the answer it waits for, though the question was thrown away.
    void answer_all(application& a) {
        const std::vector<std::pair<unsigned, channel_model*>> alive(a.home->is->alive.begin(), a.home->is->alive.end());
        for (const auto& [number, c] : alive) {
            if (c->group != a.is || c->refuses || c->said_bye()) continue;
            const bool hello = c->what == channel_model::role::accepting && !c->hello_posted;
            if (hello) post_answer(a, 4, number);
            if (c->bye_received) post_answer(a, 6, number);
        }
        refresh(*a.home);
    }

    void post_answer(application& a, unsigned op, unsigned number) {
        posting p;
        p.op = op;
        p.number = number;
        if (tofu::message_ptr m = get(*a.home)) post(a, std::move(m), p);
    }

    /// True: there was something.
    bool serve(application& a) {
        bool any = !a.hoard.empty();
        while (!a.hoard.empty()) {
            kept one = std::move(a.hoard.back());
            a.hoard.pop_back();
            if (one.bound != nullptr) answer(a, std::move(one.m), one.bound);
        }
        for (;;) {
            std::error_code error;
            tofu::message_ptr m = a.g.wait_receive(0ns, error);
            rethrow();
            if (!m) break;
            any = true;
            took(a, std::move(m));
        }
        refresh(*a.home);
        return any;
    }

    /// Everything is closed: it ends, and nothing is left over.
    void end() {
        log_.line("# the end");
        raw_.go();
        for (engine& e : engines_)
            for (auto& a : e.applications) abort_all(*a);
        be_patient();
        for (engine& e : engines_)
            if (e.e) check_end(e);
        for (engine& e : engines_)
            if (e.e) destroy_engine(e);
        engines_.clear();
        world_.drop_questions();
        if (!abandoned_ && allocation::here().alive != allocated_before_)
            violated("leak", allocation::here().alive - allocated_before_, " allocations are left");
    }

    void abort_all(application& a) {
        const std::vector<std::pair<unsigned, channel_model*>> alive(a.home->is->alive.begin(), a.home->is->alive.end());
        for (const auto& [number, c] : alive) {
            if (c->group != a.is) continue;
            posting p;
            p.op = 7;
            p.number = number;
            if (tofu::message_ptr m = get(*a.home)) post(a, std::move(m), p);
        }
        for (timed& one : a.timers)
            if (one.handle.cancel()) a.is->timers.erase(one.tag);
        a.timers.clear();
        refresh(*a.home);
    }

    void check_end(engine& e) {
        model_.check_over(*e.is);
        const tofu::engine_stats s = e.e->stats();
        // A connection that has fallen silent before its hello stays for as long as there is no limit for that.
        const std::size_t silent = e.is->opts.hello_time.count() == 0 ? model_.before_hello(*e.is) : 0;
        if (s.channels != s.zombies + silent || s.zombies > world_.poller(e.poll).owed())
            violated("leak", "engine ", e.is->serial, " still has ", s.channels, " channels, ", s.zombies, " zombies");
        // A group keeps one for its notice, such a connection one for its end and one for what has come of its hello.
        if (s.credit_used != 0 || s.messages_alive > e.applications.size() + 2 * silent)
            violated("leak", "engine ", e.is->serial, " has ", s.messages_alive, " messages outside, ", s.credit_used,
                     " of them received ones, and nobody has any");
    }

    /// One group uses up all numbers, while others have not taken their goodbyes.
    void round_the_numbers() {
        engine& e = engines_.front();
        if (!e.e || e.applications.empty()) return;
        for (auto& each : e.applications) say_hello_to_nobody(*each);
        application& a = *e.applications.front();
        for (unsigned i = 0; i < 65'540; ++i) {
            turn(e, {});
            receive(a, 2);
            say_hello_to_nobody(a);
        }
    }

    void say_hello_to_nobody(application& a) {
        posting p;
        p.op = 3;
        p.target = "uds|/nowhere";
        tofu::message_ptr m = get(*a.home);
        if (!m || m->headers().append(tofu::connect_to_header, p.target) != status::success) return;
        p.text = m->headers().wire();
        post(a, std::move(m), p);
    }

    static constexpr std::uint16_t first_port = 7001;
    static constexpr std::uint16_t last_port = 7003;
    static constexpr std::uint16_t raw_port = 7666;
    static constexpr std::array<std::string_view, 4> names{"one.test", "two.test", "three.test", "unknown.test"};

    const run_request& wanted_;
    const profile& profile_;
    world world_;
    trace log_;
    model model_;
    raw_peers raw_;
    std::deque<engine> engines_;
    engine* current_ = nullptr;
    std::function<void()> action_;
    std::optional<violation> stored_;
    bool prompt_ = false; ///< engines turn as soon as they have to
    bool blocking_ = false;
    bool patient_ = false;
    bool abandoned_ = false;
    unsigned memory_refused_ = 0;
    long long allocated_before_ = 0;
    std::uint64_t steps_ = 0;
    std::uint64_t step_ = 0;
    std::uint64_t most_raw_ = 0;
    std::uint64_t last_tag_ = 0;
    std::uint64_t last_own_id_ = first_own_id;
};

} // namespace tofu_simulation

#endif
