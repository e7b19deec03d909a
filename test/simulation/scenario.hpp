// SPDX-License-Identifier: BSL-1.0
// Several engines and their applications in one simulated world: the next step is drawn, the results are checked.
//
// Every step draws from a generator of its own, made of the seed and the step's number: leaving a step out changes
// nothing about the choices of the others, which is what makes a schedule shrink.
#ifndef TOFU_TEST_SIMULATION_SCENARIO_HPP
#define TOFU_TEST_SIMULATION_SCENARIO_HPP

#include "applications.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace tofu_simulation {

template <class Set>
class scenario {
public:
    explicit scenario(const run_request& wanted)
        : wanted_(wanted), s_(wanted), engines_(s_), applications_(s_, engines_) {}

    run_result run() {
        run_result result;
        try {
            begin();
            for (step_ = 0; step_ < steps_; ++step_) {
                if (step_ < wanted_.left_out.size() && wanted_.left_out[step_]) continue;
                s_.where.chance() = draw(step_);
                step();
            }
            s_.where.chance() = draw(step_);
            be_patient();
            end();
        } catch (const violation& v) {
            result.found = v;
            s_.log.line("VIOLATION of ", v.rule, ": ", v.text);
        }
        s_.refuse_memory(0);
        engines_.drop_all();
        result.steps = steps_;
        result.reached = step_;
        result.digest = s_.log.digest();
        result.messages = s_.rules.messages_checked;
        result.log = s_.log.text();
        return result;
    }

private:
    using application = typename engines<Set>::application;
    using engine = typename engines<Set>::engine;

    [[nodiscard]] random draw(std::uint64_t part) const {
        random mixed(wanted_.seed ^ (part + 1) * 0xD1342543DE82EF95);
        return random(mixed.next());
    }

    void begin() {
        s_.where.chance() = draw(~std::uint64_t{0} - 1);
        allocated_before_ = allocation::here().alive;
        steps_ = s_.chance().size_between(60, 360);
        prompt_ = s_.chance().chance(200) || s_.kind.prompt;
        const std::uint64_t count = s_.chance().between(1, 3);
        for (std::uint64_t i = 0; i < count; ++i) add_engine();
        if (s_.kind.hostile != 0) {
            most_raw_ = s_.chance().between(1, s_.kind.hostile);
            s_.raw.listen({0, raw_port});
        }
        if (s_.kind.names) make_names();
    }

    void add_engine() {
        engine& e = engines_.add_engine();
        if (e.applications.empty() || !s_.chance().chance(600)) return;
        applications_.posts().welcome(*e.applications.front());
        engines_.settle(e);
    }

    void make_names() {
        for (std::size_t i = 0; i < host_names.size(); ++i) {
            tofu::simulation::name_answer answer;
            const std::uint64_t hosts = s_.chance().below(4);
            for (std::uint64_t h = 0; h < hosts; ++h)
                answer.hosts.push_back(s_.chance().chance(600) ? 127U << 24 | 1
                                                               : 192U << 24 | static_cast<std::uint32_t>(h));
            answer.after = std::chrono::microseconds(s_.chance().below(200'000));
            answer.never = s_.chance().chance(150);
            s_.where.name(host_names[i], answer);
        }
    }

    void step() {
        s_.log.line("#", step_, " ", s_.where.now().time_since_epoch().count() / 1000, " us");
        s_.refuse_memory(s_.kind.memory_refused);
        const std::uint64_t what = s_.chance().below(100);
        const bool raw = s_.chance().chance(most_raw_ == 0 ? 0 : s_.kind.raw_steps);
        if (prompt_) engines_.run_all();
        if (s_.kind.round_the_numbers && step_ == steps_ / 2) round_the_numbers();
        if (raw) {
            raw_step();
        } else if (what < 45) {
            if (!engines_.run_one()) pass_time();
        } else if (what < 90) {
            applications_.act();
        } else {
            pass_time();
        }
        s_.refuse_memory(0);
        s_.rules.check_wires();
        s_.rules.check_contract();
    }

    void raw_step() {
        if (s_.raw.count() < most_raw_ && s_.chance().chance(300))
            s_.raw.connect({127U << 24 | 1, static_cast<std::uint16_t>(s_.chance().between(first_port, last_port))});
        s_.raw.step();
    }

    void pass_time() {
        time_point next = s_.where.next_event();
        for (engine& e : engines_.list)
            if (e.e && e.wakes_at > s_.where.now()) next = std::min(next, e.wakes_at);
        duration passed = std::chrono::microseconds(s_.chance().below(2000));
        const bool farther = s_.chance().chance(100);
        const bool jump = s_.chance().chance(s_.kind.clock_jumps);
        if (farther) passed = std::chrono::milliseconds(s_.chance().below(100));
        const duration until_next = next == time_point::max() ? duration::max() : next - s_.where.now();
        const bool however_long = s_.chance().chance(30);
        if (s_.chance().chance(700) && (until_next < 20ms || (however_long && until_next != duration::max())))
            passed = until_next;
        if (jump) passed = std::chrono::milliseconds(s_.chance().below(100'000));
        s_.log.line("  ", passed.count() / 1000, " us pass");
        s_.where.advance(passed);
    }

    /// No faults, and everybody does what is asked of him, until nothing is left to do.
    void be_patient() {
        s_.log.line("# patience");
        s_.refuse_memory(0);
        s_.patient = true;
        s_.where.faults() = {};
        const time_point end = s_.where.now() + std::chrono::minutes(5);
        for (engine& e : engines_.list)
            for (auto& a : e.applications) applications_.answer_all(*a);
        while (s_.where.now() < end) {
            bool again = true;
            for (unsigned rounds = 0; again; ++rounds) {
                if (rounds > 5'000) violated("liveness", "it does not come to rest");
                engines_.run_all();
                again = s_.raw.be_quiet(); // bytes that were read make room for more
                for (engine& e : engines_.list)
                    for (auto& a : e.applications) again = applications_.serve(*a) || again;
            }
            time_point next = s_.where.next_event();
            for (engine& e : engines_.list)
                if (e.e) next = std::min(next, e.wakes_at);
            if (next == time_point::max()) break;
            s_.where.advance(next > s_.where.now() ? next - s_.where.now() : duration::zero());
        }
        s_.rules.check_patience();
        for (engine& e : engines_.list)
            if (e.e) s_.rules.check_nothing_waits(*e.is, e.e->stats());
    }

    /// Everything is closed: it ends, and nothing is left over.
    void end() {
        s_.log.line("# the end");
        s_.raw.go();
        for (engine& e : engines_.list)
            for (auto& a : e.applications) applications_.abort_all(*a);
        be_patient();
        for (engine& e : engines_.list)
            if (e.e) engines_.check_end(e);
        for (engine& e : engines_.list)
            if (e.e) engines_.destroy_engine(e);
        engines_.list.clear();
        s_.where.drop_questions();
        if (!engines_.abandoned && allocation::here().alive != allocated_before_)
            violated("leak", allocation::here().alive - allocated_before_, " allocations are left");
    }

    /// One group uses up all numbers, while others have not taken their goodbyes.
    void round_the_numbers() {
        engine& e = engines_.list.front();
        if (!e.e || e.applications.empty()) return;
        for (auto& each : e.applications) applications_.posts().say_hello_to_nobody(*each);
        application& a = *e.applications.front();
        for (unsigned i = 0; i < 65'540; ++i) {
            engines_.turn(e, {});
            applications_.receive(a, 2);
            applications_.posts().say_hello_to_nobody(a);
        }
    }

    const run_request& wanted_;
    stage s_;
    engines<Set> engines_;
    applications<Set> applications_;
    bool prompt_ = false; ///< engines turn as soon as they have to
    long long allocated_before_ = 0;
    std::size_t steps_ = 0;
    std::size_t step_ = 0;
    std::uint64_t most_raw_ = 0;
};

} // namespace tofu_simulation

#endif
