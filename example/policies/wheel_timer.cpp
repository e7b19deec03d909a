// SPDX-License-Identifier: BSL-1.0
// Checks a timing wheel against a std::multimap, and runs engines with the wheel.
#include "wheel_timer.hpp"
#include "talk.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using wheel = example::wheel_timer<>;
using small_wheel = example::wheel_timer<std::chrono::milliseconds, 16>; // so that some deadlines are many rounds away
using wheel_engine = tofu::reactor_with<wheel>;

/// Schedules, moves, cancels and expires at random. A map in order of the deadlines has the expected result.
void compare_with_a_map(std::uint32_t seed) {
    std::mt19937 random(seed);
    const auto up_to = [&random](std::int64_t most) {
        return std::uniform_int_distribution<std::int64_t>(0, most)(random);
    };
    small_wheel timers;
    std::vector<small_wheel::node> nodes(200);
    std::multimap<small_wheel::time_point, small_wheel::node*> expected;
    auto now = small_wheel::time_point(1h);
    const auto forget = [&expected](small_wheel::node& one) {
        const auto [first, last] = expected.equal_range(one.deadline());
        for (auto each = first; each != last; ++each)
            if (each->second == &one) return static_cast<void>(expected.erase(each));
    };
    for (int step = 0; step < 5'000; ++step) {
        small_wheel::node& one = nodes[static_cast<std::size_t>(up_to(199))];
        if (one.scheduled()) forget(one);
        if (up_to(2) == 0) {
            timers.cancel(one);
        } else { // the deadline is sometimes in the past
            timers.schedule(one, now + std::chrono::microseconds(up_to(up_to(9) == 0 ? 500'000 : 3'000) - 500));
            expected.emplace(one.deadline(), &one);
        }
        if (up_to(3) == 0) now += std::chrono::microseconds(up_to(up_to(50) == 0 ? 100'000 : 700));
        while (small_wheel::node* const due = up_to(3) != 0 ? timers.pop_expired(now) : nullptr) {
            example::check(due->deadline() == expected.begin()->first && !due->scheduled(), "earliest first");
            forget(*due);
        }
        const auto next = expected.empty() ? small_wheel::time_point::max() : expected.begin()->first;
        example::check(timers.next() == next, "the next deadline is exact");
    }
}

/// Timers of an application expire in the order of their deadlines, not in the order in which they were set. One timer
/// is cancelled.
void ring_in_order() {
    wheel_engine engine;
    auto group = engine.create_group();
    const auto begin = wheel::clock::now();
    std::vector<wheel_engine::timer_handle> kept;
    for (const auto delay : {40ms, 10ms, 30ms, 20ms, 11ms}) {
        tofu::message_ptr m = engine.get();
        m->header().message_id = static_cast<std::uint64_t>(delay.count());
        kept.push_back(group.update_receiver_after(delay, std::move(m)));
    }
    example::check(kept[2].cancel() != nullptr, "a timer that has not rung can be called off");
    for (const std::uint64_t delay : {10U, 11U, 20U, 40U}) {
        const tofu::message_ptr m = group.wait_receive(20s);
        example::check(m && m->header().message_id == delay, "timers ring in the order of their deadlines");
        example::check(wheel::clock::now() - begin >= std::chrono::milliseconds(delay), "no timer rings too early");
    }
}

/// The time limits of channels are timers, too.
void end_an_idle_channel() {
    tofu::options impatient;
    impatient.idle_time = 50ms;
    wheel_engine engine(impatient);
    auto server = engine.create_group();
    auto client = engine.create_group();
    example::call(engine, client, example::listen(engine, server));
    example::answer(server, example::expect(server, tofu::op_code::hello_request), tofu::op_code::hello_response);
    example::expect(client, tofu::op_code::hello_response);
    example::check(example::expect(client, tofu::op_code::signal) != nullptr, "an idle channel ends");
}

void turn() {
    for (std::uint32_t seed = 1; seed <= 20; ++seed) compare_with_a_map(seed);
    wheel_engine one;
    wheel_engine other;
    example::talk(one, other);
    ring_in_order();
    end_an_idle_channel();
}

} // namespace

int main() { return example::run(turn); }
