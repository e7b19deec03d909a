// SPDX-License-Identifier: BSL-1.0
// The applications of a simulated run: they receive, answer, keep, throw away, wait, and tell themselves things.
#ifndef TOFU_TEST_SIMULATION_APPLICATIONS_HPP
#define TOFU_TEST_SIMULATION_APPLICATIONS_HPP

#include "posting.hpp"

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

namespace tofu_simulation {

template <class Set>
class applications {
public:
    using application = typename engines<Set>::application;
    using engine = typename engines<Set>::engine;
    using kept = typename engines<Set>::kept;
    using timed = typename engines<Set>::timed;

    applications(stage& on, engines<Set>& all) : s_(on), engines_(all), posts_(on) {
        engines_.receive_all = [this](engine& e) {
            bool any = false;
            for (auto& a : e.applications) any = receive(*a, ~std::uint64_t{0}) || any;
            return any;
        };
    }

    void act() {
        engine& e = engines_.list[s_.chance().size_below(engines_.list.size())];
        if (!e.e) return;
        if (e.embedded && !engines_.runnable(e) && s_.chance().chance(100)) {
            engines_.check_mail(e);
            return;
        }
        if (e.applications.empty()) {
            engines_.add_group(e);
            engines_.settle(e);
            return;
        }
        application& a = *e.applications[s_.chance().size_below(e.applications.size())];
        const std::uint64_t what = s_.chance().below(100);
        const bool as_other_thread = s_.chance().chance(500);
        if (what >= 94) {
            act_and_wait(a, what);
            return;
        }
        const auto action = [this, &a, what] { act_at_once(a, what); };
        const bool before_its_wait = e.embedded && s_.chance().chance(300); // or just after it has asked how long to
        if (as_other_thread)
            engines_.turn(e, action);
        else
            action();
        if (!e.embedded || (!as_other_thread && !before_its_wait)) engines_.settle(e);
    }

    /// True: there was something.
    bool receive(application& a, std::uint64_t most) {
        for (std::uint64_t i = 0; i < most; ++i) {
            std::error_code error;
            tofu::message_ptr m = a.g.wait_receive(0ns, error);
            engines_.rethrow();
            if (!m) return i != 0;
            a.home->is->episodes = a.home->e->stats().starvation_episodes; // this call may have turned the loop
            took(a, std::move(m));
        }
        return most != 0;
    }

    /// Nobody is left without the answer it waits for, though the question was thrown away.
    void answer_all(application& a) {
        const std::vector<std::pair<unsigned, channel_model*>> alive(a.home->is->alive.begin(),
                                                                     a.home->is->alive.end());
        for (const auto& [number, c] : alive) {
            if (c->group != a.is || c->refuses || c->said_bye()) continue;
            const bool hello = c->what == channel_model::role::accepting && !c->hello_posted;
            if (hello) post_answer(a, 4, number);
            if (c->bye_received) post_answer(a, 6, number);
        }
        engines_.settle(*a.home);
    }

    /// True: there was something.
    bool serve(application& a) {
        bool any = !a.hoard.empty();
        while (!a.hoard.empty()) {
            kept one = std::move(a.hoard.back());
            a.hoard.pop_back();
            if (one.bound != nullptr) answer(a, std::move(one.m), one.bound);
        }
        if (!a.home->embedded)
            any = receive(a, ~std::uint64_t{0}) || any;
        else if (!any)
            return false; // its loop receives
        engines_.settle(*a.home);
        return any;
    }

    void abort_all(application& a) {
        const std::vector<std::pair<unsigned, channel_model*>> alive(a.home->is->alive.begin(),
                                                                     a.home->is->alive.end());
        for (const auto& [number, c] : alive) {
            if (c->group != a.is) continue;
            posting p;
            p.op = 7;
            p.number = number;
            if (tofu::message_ptr m = posts_.get(*a.home)) posts_.post(a, std::move(m), p);
        }
        for (timed& one : a.timers)
            if (one.handle.cancel()) a.is->timers.erase(one.tag);
        a.timers.clear();
        engines_.settle(*a.home);
    }

    [[nodiscard]] poster<Set>& posts() { return posts_; }

private:
    /// Calls that do not wait.
    void act_at_once(application& a, std::uint64_t what) {
        s_.log.line("  group ", a.is->serial);
        if (what < 30) {
            posts_.post_data(a, 1);
        } else if (what < 34) {
            posts_.post_data(a, s_.chance().between(2, 20));
        } else if (what < 56) {
            const std::uint64_t most = s_.chance().between(1, 8);
            if (!a.home->embedded) receive(a, most);
        } else if (what < 64) {
            posts_.say_hello(a);
        } else if (what < 68) {
            posts_.welcome(a);
        } else if (what < 72) {
            posts_.post_on_some(a, 5);
        } else if (what < 74) {
            posts_.post_on_some(a, 7);
        } else if (what < 78) {
            answer_kept(a);
        } else if (what < 86) {
            if (!a.hoard.empty()) drop_kept(a, s_.chance().between(1, a.hoard.size()));
        } else {
            update(a, what);
        }
    }

    /// Calls in which virtual time may pass.
    void act_and_wait(application& a, std::uint64_t what) {
        engine& e = *a.home;
        s_.log.line("  group ", a.is->serial, " waits");
        if (what < 96) {
            receive_later(a);
        } else if (what == 96) {
            bool all_sent = false;
            const auto time = std::chrono::microseconds(s_.chance().below(20'000));
            engines_.let_wait(e, [&] { all_sent = e.e->drain(time); });
            s_.log.line("    drain: ", all_sent);
        } else if (what == 97) {
            ask_about_channel(a);
        } else if (what == 98) {
            if (s_.chance().chance(300)) engines_.destroy_group(e, s_.chance().size_below(e.applications.size()));
        } else if (s_.chance().chance(200)) {
            engines_.destroy_engine(e);
        } else {
            engines_.add_group(e);
        }
        for (engine& each : engines_.list) // requests that others have made meanwhile stand
            if (&each == &e || !each.embedded) engines_.settle(each);
    }

    void receive_later(application& a) {
        tofu::message_ptr m;
        const auto time = std::chrono::microseconds(s_.chance().below(20'000));
        engines_.let_wait(*a.home, [&] {
            std::error_code error;
            m = a.g.wait_receive(time, error);
        });
        if (m) took(a, std::move(m));
    }

    void update(application& a, std::uint64_t what) {
        std::error_code error;
        if (what < 88) {
            a.g.update_receiver(error);
            s_.log.line("    empty update: ", error.message());
            if (!error) a.is->updates.push_back({0, {}});
            return;
        }
        if (what >= 92) {
            cancel(a);
            return;
        }
        tofu::message_ptr m = posts_.get(*a.home);
        if (!m) return;
        m->header().message_id = ++last_tag_;
        if (what < 90) {
            a.g.update_receiver(std::move(m), error);
            s_.log.line("    update ", last_tag_, ": ", error.message());
            if (!error) a.is->updates.push_back({last_tag_, {}});
            return;
        }
        if constexpr (engines<Set>::has_timers) update_later(a, std::move(m));
    }

    void update_later(application& a, tofu::message_ptr m) {
        std::error_code error;
        const auto delay = std::chrono::microseconds(s_.chance().below(50'000));
        auto handle = a.g.update_receiver_after(delay, std::move(m), error);
        s_.log.line("    update ", last_tag_, " after ", delay.count(), " us: ", error.message());
        if (error) return;
        a.is->timers[last_tag_] = s_.where.now() + delay;
        a.timers.push_back({std::move(handle), last_tag_});
    }

    void cancel(application& a) {
        if (a.timers.empty()) return;
        const std::size_t which = s_.chance().size_below(a.timers.size());
        timed& one = a.timers[which];
        const tofu::message_ptr back = one.handle.cancel();
        s_.log.line("    cancels update ", one.tag, ": ", back ? "it came back" : "too late");
        if (back) {
            if (back->header().message_id != one.tag) violated("updates", "another message came back");
            if (a.is->timers.erase(one.tag) == 0) violated("updates", "it came back, and had been received");
        }
        a.timers.erase(a.timers.begin() + static_cast<std::ptrdiff_t>(which));
    }

    void ask_about_channel(application& a) {
        const channel_model* const c = posts_.some_channel(a);
        if (c == nullptr) return;
        std::optional<tofu::channel_stats> figures;
        engines_.let_wait(*a.home, [&] { figures = a.g.stats(static_cast<std::uint16_t>(c->number)); });
        s_.log.line("    stats of ", c->number, ": ", figures ? "known" : "unknown");
        if (figures && c->over) violated("stranger", "figures of a channel that is over");
    }

    void took(application& a, tofu::message_ptr m) {
        if (a.home->e) s_.rules.check_figures(*a.home->is, a.home->e->stats());
        s_.rules.received(*a.is, *m);
        if (m->from_engine() || m->header().channel_number == 0) {
            if (s_.chance().chance(50)) keep(a, std::move(m), nullptr);
            return;
        }
        const channel_model* const c = a.home->is->alive.at(m->header().channel_number);
        const std::uint64_t what = s_.patient ? 0 : s_.chance().below(100);
        if (what < 65)
            answer(a, std::move(m), c);
        else if (what < 85)
            keep(a, std::move(m), c);
    }

    void keep(application& a, tofu::message_ptr m, const channel_model* c) { a.hoard.push_back({std::move(m), c}); }

    /// Turns a received message into its own answer, if it wants an answer.
    void answer(application& a, tofu::message_ptr m, const channel_model* c) {
        const op_code op = m->op();
        posting p;
        p.op = op == op_code::hello_request ? 4U : op == op_code::bye_request ? 6U : 1U;
        if (op != op_code::hello_request && op != op_code::bye_request && op != op_code::request) return;
        if (s_.patient && op == op_code::request) return;
        if (p.op == 4 && !s_.patient && s_.chance().chance(50)) p.op = 5; // a refusal
        if (p.op == 4 && !s_.patient && a.home->is->opts.implicit_hello && s_.chance().chance(300)) p.op = 2;
        p.number = m->header().channel_number;
        p.id = m->header().message_id;
        p.bound = c;
        p.text = m->headers().wire();
        p.body = m->body().text();
        posts_.post(a, std::move(m), p);
    }

    void post_answer(application& a, unsigned op, unsigned number) {
        posting p;
        p.op = op;
        p.number = number;
        if (tofu::message_ptr m = posts_.get(*a.home)) posts_.post(a, std::move(m), p);
    }

    /// Late answers, some to numbers that others have now.
    void answer_kept(application& a) {
        if (a.hoard.empty()) return;
        const std::size_t which = s_.chance().size_below(a.hoard.size());
        kept one = std::move(a.hoard[which]);
        a.hoard.erase(a.hoard.begin() + static_cast<std::ptrdiff_t>(which));
        if (one.bound != nullptr)
            answer(a, std::move(one.m), one.bound);
        else
            posts_.post_again(a, std::move(one.m));
    }

    void drop_kept(application& a, std::uint64_t count) {
        for (std::uint64_t i = 0; i < count && !a.hoard.empty(); ++i) {
            const std::size_t which = s_.chance().size_below(a.hoard.size());
            a.hoard.erase(a.hoard.begin() + static_cast<std::ptrdiff_t>(which));
        }
        s_.log.line("    drops ", count, " kept messages");
    }

    stage& s_;
    engines<Set>& engines_;
    poster<Set> posts_;
    std::uint64_t last_tag_ = 0;
};

} // namespace tofu_simulation

#endif
