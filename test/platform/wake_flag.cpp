// SPDX-License-Identifier: BSL-1.0
// The flag by which many wake-ups become one: alone, and with wakers that race a waiting thread.
#include <boost/test/unit_test.hpp>

#include <tofu/platform/wake_flag.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>

namespace {

/// The signal of a poller: counts what was sent and not taken.
class counted_signal {
public:
    void send() {
        const std::lock_guard lock(mutex_);
        ++pending_;
        most_ = pending_ > most_ ? pending_ : most_;
        sent_.notify_one();
    }

    /// Takes all there is; false when none came in ten seconds.
    bool take() {
        std::unique_lock lock(mutex_);
        const bool came = sent_.wait_for(lock, std::chrono::seconds(10), [this] { return pending_ != 0; });
        pending_ = 0;
        return came;
    }

    int most_at_a_time() {
        const std::lock_guard lock(mutex_);
        return most_;
    }

private:
    std::mutex mutex_;
    std::condition_variable sent_;
    int pending_ = 0;
    int most_ = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(wake_flag)

BOOST_AUTO_TEST_CASE(the_first_to_raise_it_sends_the_signal) {
    tofu::platform::wake_flag flag;
    BOOST_TEST(flag.raise());
    BOOST_TEST(!flag.raise());
    BOOST_TEST(!flag.raise());
}

BOOST_AUTO_TEST_CASE(a_lowered_flag_can_be_raised_again) {
    tofu::platform::wake_flag flag;
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(flag.raise());
        flag.lower();
    }
}

BOOST_AUTO_TEST_CASE(lowering_it_twice_is_harmless) {
    tofu::platform::wake_flag flag;
    flag.lower();
    BOOST_TEST(flag.raise());
    flag.lower();
    flag.lower();
    BOOST_TEST(flag.raise());
}

// Each waker fills its box, wakes, and waits until the box is empty: a lost wake-up stops it for ever.
BOOST_AUTO_TEST_CASE(no_wake_up_of_four_threads_is_lost) {
    constexpr std::size_t rounds = 1'000;
    constexpr std::size_t wakers = 4;
    tofu::platform::wake_flag flag;
    counted_signal sent;
    std::array<std::atomic<bool>, wakers> boxes{};
    std::array<std::thread, wakers> threads;
    std::atomic<bool> gave_up{false};
    for (std::size_t i = 0; i < wakers; ++i)
        threads[i] = std::thread([&, i] {
            for (std::size_t round = 0; round < rounds && !gave_up; ++round) {
                boxes[i].store(true, std::memory_order_relaxed);
                if (flag.raise()) sent.send();
                while (boxes[i].load(std::memory_order_relaxed) && !gave_up) std::this_thread::yield();
            }
        });
    std::size_t emptied = 0;
    while (emptied < wakers * rounds && sent.take()) {
        flag.lower();
        for (std::atomic<bool>& box : boxes) emptied += box.exchange(false, std::memory_order_relaxed) ? 1U : 0U;
    }
    gave_up = emptied < wakers * rounds;
    for (std::thread& one : threads) one.join();
    BOOST_TEST(!gave_up);
    BOOST_TEST(sent.most_at_a_time() == 1);
}

// The waker has raised the flag before the flag is lowered: the waker's earlier writes are visible, by the flag alone.
BOOST_AUTO_TEST_CASE(what_was_written_before_a_raise_is_seen_after_the_lower) {
    for (int round = 0; round < 200; ++round) {
        tofu::platform::wake_flag flag;
        int written = 0;
        std::atomic<bool> raised{false};
        std::thread waker([&] {
            written = 1;
            static_cast<void>(flag.raise());
            raised.store(true, std::memory_order_relaxed);
        });
        while (!raised.load(std::memory_order_relaxed)) std::this_thread::yield();
        flag.lower();
        BOOST_REQUIRE_EQUAL(written, 1); // ThreadSanitizer reports a race here if lower() does not synchronise
        waker.join();
    }
}

BOOST_AUTO_TEST_SUITE_END()
