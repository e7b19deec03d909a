// SPDX-License-Identifier: BSL-1.0
// Eight threads that start together, and a bell that one thread waits for. Used by the tests of concurrent parts.
#ifndef TOFU_TEST_SUPPORT_EIGHT_THREADS_HPP
#define TOFU_TEST_SUPPORT_EIGHT_THREADS_HPP

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace tofu_test {

/// Runs `work(index)` on eight threads at once and waits for them. The threads must not use checks of Boost.Test: count
/// the errors, and check the count afterwards.
template <class Work>
void on_eight_threads(Work work) {
    std::atomic<int> waiting{8};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 8; ++i)
        threads.emplace_back([&waiting, &work, i] {
            for (--waiting; waiting != 0;) std::this_thread::yield();
            work(i);
        });
    for (std::thread& t : threads) t.join();
}

/// Lets threads wait for each other, again and again. Yields, because std::barrier loses notifications where
/// libstdc++ 12 has no futex (atomic_wait.h, _M_do_wait).
class meeting_point {
public:
    explicit meeting_point(int threads) : threads_(threads) {}
    void arrive_and_wait() {
        const int all = (arrived_++ / threads_ + 1) * threads_;
        while (arrived_ < all) std::this_thread::yield();
    }

private:
    const int threads_;
    std::atomic<int> arrived_{0};
};

/// A thread that is joined even if the test ends early.
class side_thread {
public:
    template <class Work>
    explicit side_thread(Work work) : thread_(std::move(work)) {}
    side_thread(const side_thread&) = delete;
    side_thread& operator=(const side_thread&) = delete;
    ~side_thread() { join(); }
    void join() {
        if (thread_.joinable()) thread_.join();
    }

private:
    std::thread thread_;
};

/// Counts rings, so that none is lost between a look and a wait.
class bell {
public:
    void ring() {
        {
            const std::lock_guard lock(mutex_);
            ++rings_;
        }
        rung_.notify_one();
    }
    /// Takes one ring; false when none came in twenty seconds.
    [[nodiscard]] bool wait() {
        std::unique_lock lock(mutex_);
        if (!rung_.wait_for(lock, std::chrono::seconds(20), [this] { return rings_ != 0; })) return false;
        --rings_;
        return true;
    }

private:
    std::mutex mutex_;
    std::condition_variable rung_;
    int rings_ = 0;
};

} // namespace tofu_test

#endif
