// SPDX-License-Identifier: BSL-1.0
// The heap of deadlines against a std::multimap.
#include <boost/test/unit_test.hpp>

#include <tofu/policies/timer/wait_timeout.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

using timers = tofu::wait_timeout;
using time_point = timers::time_point;
using namespace std::chrono_literals;

namespace {

constexpr time_point at(int n) { return time_point{} + std::chrono::nanoseconds(n); }

struct entry : timers::node {
    int number = 0;
};

int number_of(timers::node* node) { return node == nullptr ? -1 : static_cast<entry*>(node)->number; }

template <std::size_t N>
std::array<entry, N> numbered() {
    std::array<entry, N> entries;
    for (std::size_t i = 0; i < N; ++i) entries[i].number = static_cast<int>(i);
    return entries;
}

/// A deadline that counts comparisons: the work of a heap, the same on every machine.
struct counted_time {
    int value = 0;
    static inline std::size_t comparisons = 0;

    static constexpr counted_time(max)() { return {std::numeric_limits<int>::max()}; }
    friend bool operator<(counted_time left, counted_time right) {
        ++comparisons;
        return left.value < right.value;
    }
    friend bool operator>(counted_time left, counted_time right) { return right < left; }
};

} // namespace

BOOST_AUTO_TEST_SUITE(wait_timeout)

BOOST_AUTO_TEST_CASE(deadlines_come_out_earliest_first_and_not_too_early) {
    auto entries = numbered<3>();
    timers t;
    BOOST_TEST((t.next() == time_point::max()));
    BOOST_TEST((t.pop_expired(time_point::max()) == nullptr));
    t.schedule(entries[0], at(30));
    t.schedule(entries[1], at(10));
    t.schedule(entries[2], at(20));
    BOOST_TEST((t.next() == at(10)));
    BOOST_TEST((t.pop_expired(at(9)) == nullptr));
    BOOST_TEST(number_of(t.pop_expired(at(10))) == 1);
    BOOST_TEST(!entries[1].scheduled());
    BOOST_TEST((t.next() == at(20)));
    BOOST_TEST(number_of(t.pop_expired(at(100))) == 2);
    BOOST_TEST(number_of(t.pop_expired(at(100))) == 0);
    BOOST_TEST((t.next() == time_point::max()));
}

BOOST_AUTO_TEST_CASE(a_deadline_can_be_moved_both_ways) {
    auto entries = numbered<2>();
    timers t;
    t.schedule(entries[0], at(10));
    t.schedule(entries[1], at(20));
    t.schedule(entries[0], at(30));
    BOOST_TEST((entries[0].deadline() == at(30)));
    BOOST_TEST((t.next() == at(20)));
    t.schedule(entries[0], at(5));
    BOOST_TEST(number_of(t.pop_expired(at(100))) == 0);
    BOOST_TEST(number_of(t.pop_expired(at(100))) == 1);
    BOOST_TEST(number_of(t.pop_expired(at(100))) == -1);
}

BOOST_AUTO_TEST_CASE(cancelling_takes_out_just_that_one) {
    for (std::size_t gone = 0; gone < 5; ++gone) {
        auto entries = numbered<5>();
        timers t;
        for (std::size_t i = 0; i < 5; ++i) t.schedule(entries[i], at(static_cast<int>(i)));
        t.cancel(entries[gone]);
        t.cancel(entries[gone]); // not scheduled: no effect
        BOOST_TEST(!entries[gone].scheduled());
        for (std::size_t i = 0; i < 5; ++i)
            if (i != gone) BOOST_TEST(number_of(t.pop_expired(at(100))) == static_cast<int>(i));
        BOOST_TEST((t.pop_expired(at(100)) == nullptr));
    }
}

BOOST_AUTO_TEST_CASE(equal_deadlines_all_come_out) {
    auto entries = numbered<10>();
    timers t;
    for (entry& e : entries) t.schedule(e, at(7));
    std::vector<int> seen;
    while (timers::node* const node = t.pop_expired(at(7))) seen.push_back(number_of(node));
    std::sort(seen.begin(), seen.end());
    std::vector<int> all(10);
    std::iota(all.begin(), all.end(), 0);
    BOOST_TEST((seen == all));
}

BOOST_AUTO_TEST_CASE(the_far_ends_of_time_are_deadlines_like_others) {
    auto entries = numbered<2>();
    timers t;
    t.schedule(entries[0], time_point::max());
    t.schedule(entries[1], time_point::min());
    BOOST_TEST(number_of(t.pop_expired(time_point::min())) == 1);
    BOOST_TEST((t.pop_expired(at(0)) == nullptr));
    BOOST_TEST(number_of(t.pop_expired(time_point::max())) == 0);
}

BOOST_AUTO_TEST_CASE(random_operations_agree_with_a_multimap) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        std::mt19937 random(seed);
        auto entries = numbered<100>();
        timers t;
        std::multimap<time_point, int> model;
        const auto forget = [&model](int number) {
            std::erase_if(model, [number](const auto& pair) { return pair.second == number; });
        };
        for (int step = 0; step < 3000; ++step) {
            entry& e = entries[random() % entries.size()];
            switch (random() % 4) {
            case 0:
            case 1: {
                const time_point when = at(static_cast<int>(random() % 1000));
                t.schedule(e, when);
                forget(e.number);
                model.emplace(when, e.number);
                break;
            }
            case 2:
                t.cancel(e);
                forget(e.number);
                break;
            default: {
                const time_point now = at(static_cast<int>(random() % 1000));
                timers::node* const first = t.pop_expired(now);
                const bool due = !model.empty() && model.begin()->first <= now;
                BOOST_REQUIRE((first != nullptr) == due);
                if (!due) break;
                BOOST_REQUIRE((first->deadline() == model.begin()->first));
                forget(number_of(first));
            }
            }
            BOOST_REQUIRE((t.next() == (model.empty() ? time_point::max() : model.begin()->first)));
        }
        for (const entry& e : entries) {
            const bool there = std::any_of(model.begin(), model.end(), [&e](auto& p) { return p.second == e.number; });
            BOOST_REQUIRE_EQUAL(e.scheduled(), there);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_hundred_thousand_timers_come_out_in_order) {
    constexpr std::size_t count = 100'000;
    std::mt19937 random(5);
    const auto entries = std::make_unique<std::array<entry, count>>();
    timers t;
    for (entry& e : *entries) t.schedule(e, at(static_cast<int>(random() % 1'000'000)));
    for (std::size_t i = 0; i < count; i += 2) t.cancel((*entries)[i]);
    for (std::size_t i = 1; i < count; i += 4) t.schedule((*entries)[i], at(static_cast<int>(random() % 1'000'000)));
    std::size_t popped = 0;
    time_point last = time_point::min();
    while (const timers::node* const node = t.pop_expired(time_point::max())) {
        BOOST_REQUIRE((node->deadline() >= last));
        last = node->deadline();
        ++popped;
    }
    BOOST_TEST(popped == count / 2);
}

BOOST_AUTO_TEST_CASE(sorted_and_reversed_deadlines_are_no_worse_than_others) {
    constexpr std::size_t count = 100'000; // quadratic behaviour would take minutes, recursion the stack
    for (const bool reversed : {false, true}) {
        const auto entries = std::make_unique<std::array<entry, count>>();
        timers t;
        for (std::size_t i = 0; i < count; ++i)
            t.schedule((*entries)[i], at(static_cast<int>(reversed ? count - i : i)));
        for (std::size_t i = 0; i < count; i += 3) t.cancel((*entries)[i]);
        std::size_t popped = 0;
        while (t.pop_expired(time_point::max()) != nullptr) ++popped;
        BOOST_TEST(popped == count - (count + 2) / 3);
    }
}

// As channels do it: most deadlines are moved away or cancelled, few are reached.
BOOST_AUTO_TEST_CASE(the_work_for_one_timer_grows_no_faster_than_the_logarithm_of_their_number) {
    using heap = tofu::deadline_heap<counted_time>;
    for (const std::size_t count : {1'000U, 10'000U, 100'000U}) {
        std::mt19937 random(7);
        const auto a_time = [&](std::size_t from) { return counted_time{static_cast<int>(from + random() % 1'000)}; };
        std::vector<heap::node> nodes(count);
        heap timers;
        for (heap::node& one : nodes) timers.schedule(one, a_time(0));
        counted_time::comparisons = 0;
        std::size_t operations = 0;
        for (std::size_t now = 0; now < 1'000; now += 10) {
            for (std::size_t i = 0; i < count / 100; ++i, operations += 3) {
                timers.schedule(nodes[random() % count], a_time(now)); // moved
                timers.cancel(nodes[random() % count]);
                if (heap::node* const due = timers.pop_expired({static_cast<int>(now)}))
                    timers.schedule(*due, a_time(now));
            }
        }
        const double each = static_cast<double>(counted_time::comparisons) / static_cast<double>(operations);
        BOOST_TEST_MESSAGE(count << " timers: " << each << " comparisons an operation");
        BOOST_TEST(each < 1.5 * std::log2(static_cast<double>(count)));
    }
}

BOOST_AUTO_TEST_SUITE_END()
