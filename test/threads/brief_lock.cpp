// SPDX-License-Identifier: BSL-1.0
// The lock around a few instructions: one thread at a time, and everybody gets through.
#include <boost/test/unit_test.hpp>

#include <tofu/engine/threads/brief_lock.hpp>

#include <atomic>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

using lock_type = tofu::engine::brief_lock;

BOOST_AUTO_TEST_SUITE(brief_lock)

BOOST_AUTO_TEST_CASE(eight_threads_change_what_it_protects_one_at_a_time) {
    lock_type lock;
    std::size_t sum = 0; // not atomic: each increment that is lost shows
    constexpr std::size_t each = 20'000;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            for (std::size_t n = 0; n < each; ++n) {
                const std::lock_guard guard(lock);
                ++sum;
            }
        });
    for (std::thread& t : threads) t.join();
    BOOST_TEST(sum == 8 * each);
}

BOOST_AUTO_TEST_CASE(a_holder_that_does_not_get_on_is_waited_for) {
    lock_type lock;
    std::atomic<bool> released{false};
    std::atomic<bool> waits{false};
    lock.lock();
    BOOST_TEST(!lock.try_lock());
    bool was_released = false;
    std::thread other([&] {
        waits = true;
        lock.lock();
        was_released = released;
        lock.unlock();
    });
    while (!waits) std::this_thread::yield();
    for (int i = 0; i < 1000; ++i) std::this_thread::yield(); // long enough for most runs to see the other sleep
    released = true;
    lock.unlock();
    other.join();
    BOOST_TEST(was_released);
    BOOST_TEST(lock.try_lock());
}

BOOST_AUTO_TEST_SUITE_END()
