// SPDX-License-Identifier: BSL-1.0
// Tests of threads that wait for the loop, and of the driver's role: no thread misses a change, one drives at a time.
#include "support/eight_threads.hpp"
#include "support/rounds.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/engine/threads/driver.hpp>
#include <tofu/engine/threads/wait_gate.hpp>

#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

using lot = tofu::engine::wait_gate;
using tofu::engine::driver;
using tofu_test::on_eight_threads;
using namespace std::chrono_literals;

namespace {

lot::time_point soon() { return std::chrono::steady_clock::now() + 20s; }

/// Something that another thread changes as soon as it is looked at, and then gives notice of.
class change_behind_a_look {
public:
    explicit change_behind_a_look(lot& where)
        : other_([this, &where] {
            while (!looking_) std::this_thread::yield();
            changed_ = true;
            where.notify();
        }) {}
    ~change_behind_a_look() {
        looking_ = true;
        other_.join();
    }
    change_behind_a_look(const change_behind_a_look&) = delete;
    change_behind_a_look& operator=(const change_behind_a_look&) = delete;

    bool look() {
        looking_ = true;
        return changed_;
    }

private:
    std::atomic<bool> looking_{false};
    std::atomic<bool> changed_{false};
    std::thread other_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(wait_gate)

BOOST_AUTO_TEST_CASE(what_is_ready_is_not_waited_for) {
    lot p;
    int asked = 0;
    BOOST_TEST(p.wait_until(lot::time_point::max(), [&asked] { return ++asked > 0; }));
    BOOST_TEST(asked == 1);
}

BOOST_AUTO_TEST_CASE(waiting_ends_when_it_is_late) {
    lot p;
    const auto begin = std::chrono::steady_clock::now();
    BOOST_TEST(!p.wait_until(begin + 20ms, [] { return false; }));
    BOOST_TEST((std::chrono::steady_clock::now() - begin >= 20ms));
    BOOST_TEST(!p.wait_until(begin, [] { return false; }));
    BOOST_TEST(!p.wait_until(lot::time_point::min(), [] { return false; }));
}

BOOST_AUTO_TEST_CASE(a_moment_ages_ahead_is_not_late) {
    for (const auto ahead : {lot::time_point::max() - 1ns, std::chrono::steady_clock::now() + 48h}) {
        lot p;
        change_behind_a_look change(p);
        BOOST_TEST(p.wait_until(ahead, [&change] { return change.look(); }));
    }
}

BOOST_AUTO_TEST_CASE(what_became_ready_at_the_last_moment_counts) {
    lot p;
    int asked = 0;
    BOOST_TEST(p.wait_until(std::chrono::steady_clock::now() + 1ms, [&asked] { return ++asked > 1; }));
}

BOOST_AUTO_TEST_CASE(a_notice_without_anybody_waiting_is_forgotten) {
    lot p;
    p.notify();
    BOOST_TEST(!p.wait_until(std::chrono::steady_clock::now() + 1ms, [] { return false; }));
}

BOOST_AUTO_TEST_CASE(a_notice_between_the_look_and_the_wait_is_not_lost) {
    lot p;
    change_behind_a_look change(p);
    bool first = true;
    const lot::time_point too_late = soon();
    BOOST_TEST(p.wait_until(too_late, [&] {
        if (!std::exchange(first, false)) return change.look();
        while (!change.look()) std::this_thread::yield();
        for (int i = 0; i < 1000; ++i) std::this_thread::yield(); // the notice has every chance to come too early
        return false;                                             // the answer from before the change
    }));
    BOOST_TEST((std::chrono::steady_clock::now() < too_late)); // woken, not timed out
}

BOOST_AUTO_TEST_CASE(two_threads_that_take_turns_never_miss_each_other) {
    lot p;
    std::atomic<int> turn{0};
    constexpr auto rounds = static_cast<int>(tofu_test::rounds(10'000));
    std::atomic<int> late{0};
    const auto play = [&](int parity) {
        for (int i = parity; i < rounds && late == 0; i += 2) {
            if (!p.wait_until(soon(), [&] { return turn == i; })) ++late;
            ++turn;
            p.notify();
        }
    };
    std::thread other(play, 1);
    play(0);
    other.join();
    BOOST_TEST(late == 0);
}

BOOST_AUTO_TEST_CASE(one_notice_wakes_all_who_wait_for_it) {
    lot p;
    std::atomic<int> round{0};
    std::atomic<int> arrived{0};
    std::atomic<int> late{0};
    constexpr auto rounds = static_cast<int>(tofu_test::rounds(300));
    on_eight_threads([&](std::size_t thread) {
        for (int r = 1; r <= rounds && late == 0; ++r) {
            if (thread == 0) {
                if (!p.wait_until(soon(), [&] { return arrived == 7 * (r - 1); })) ++late;
                round = r;
                p.notify();
            } else {
                if (!p.wait_until(soon(), [&] { return round >= r; })) ++late;
                ++arrived;
                p.notify();
            }
        }
    });
    BOOST_TEST(late == 0);
}

BOOST_AUTO_TEST_CASE(there_is_one_driver_at_a_time) {
    driver role;
    BOOST_TEST(!role.was_last());
    BOOST_TEST(role.try_acquire());
    BOOST_TEST(!role.try_acquire());
    BOOST_TEST(role.was_last());
    std::thread([&role] {
        BOOST_TEST(!role.try_acquire());
        BOOST_TEST(!role.was_last());
    }).join();
    role.release();
    BOOST_TEST(role.was_last()); // nobody else has driven since
    std::thread([&role] {
        BOOST_TEST(role.try_acquire());
        role.release();
    }).join();
    BOOST_TEST(!role.was_last());
}

BOOST_AUTO_TEST_CASE(who_waits_for_the_role_is_told_when_it_is_free) {
    driver role;
    BOOST_REQUIRE(role.try_acquire());
    std::atomic<bool> taken{false};
    std::thread other([&] {
        while (!role.try_acquire()) role.wait(driver::time_point::max(), true, [] { return false; });
        taken = true;
        role.release();
    });
    std::this_thread::yield();
    BOOST_TEST(!taken);
    role.release();
    other.join();
    BOOST_TEST(taken);
}

BOOST_AUTO_TEST_CASE(eight_threads_drive_one_after_the_other) {
    driver role;
    long turns = 0; // guarded by the role alone
    constexpr long each = 5000;
    on_eight_threads([&](std::size_t) {
        for (long i = 0; i < each; ++i) {
            while (!role.try_acquire()) role.wait(driver::time_point::max(), true, [] { return false; });
            ++turns;
            role.release();
        }
    });
    BOOST_TEST(turns == 8 * each);
}

BOOST_AUTO_TEST_CASE(what_the_driver_brings_about_reaches_those_who_wait_for_it) {
    driver role;
    std::atomic<int> served{0};
    std::atomic<int> asked{0};
    constexpr int each = 2000;
    on_eight_threads([&](std::size_t) {
        for (int i = 0; i < each; ++i) {
            const int ticket = ++asked;
            while (served < ticket) {
                if (role.try_acquire()) {
                    served = asked.load();
                    role.release();
                } else {
                    role.wait(driver::time_point::max(), true, [&] { return served >= ticket; });
                }
            }
        }
    });
    BOOST_TEST(served == 8 * each);
}

BOOST_AUTO_TEST_SUITE_END()
