// SPDX-License-Identifier: BSL-1.0
// Many seeds on several threads: each run is a world of its own, so the threads only share the next seed.
#ifndef TOFU_TEST_SIMULATION_WORKERS_HPP
#define TOFU_TEST_SIMULATION_WORKERS_HPP

#include "run.hpp"

#include <tofu/policies/poll/simulation/random.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace tofu_simulation {

/// The profile of a seed: the wanted one or, in the mixed one, each as often as its share says.
[[nodiscard]] inline const profile& profile_of(std::uint64_t seed, const profile* wanted) {
    if (wanted != nullptr) return *wanted;
    if (seed % 1009 == 1008) return *find_profile("numbers"); // these take a thousand times as long as others
    unsigned all = 0;
    for (const profile& one : profiles) all += one.share;
    std::uint64_t drawn = tofu::simulation::random(seed).next() % all;
    for (const profile& one : profiles) {
        if (drawn < one.share) return one;
        drawn -= one.share;
    }
    return profiles[0];
}

struct seed_range {
    std::uint64_t first = 1;
    std::uint64_t last = 1;
    [[nodiscard]] std::uint64_t count() const { return last - first + 1; }
};

/// The first failure in the order of the seeds, of those that were run.
struct failure {
    std::uint64_t seed = 0;
    violation what;
};

/// Runs them all, unless one fails.
class workers {
public:
    workers(seed_range seeds, const profile* wanted, const policy_set& set, unsigned threads)
        : seeds_(seeds), profile_(wanted), set_(set), next_(seeds.first), working_(threads), busy_(threads) {
        for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this, i] { work(busy_[i]); });
    }
    ~workers() {
        for (std::thread& one : threads_) one.join();
    }

    [[nodiscard]] std::uint64_t done() const { return done_; }
    [[nodiscard]] std::uint64_t messages() const { return messages_; }
    [[nodiscard]] std::uint64_t digest() const { return digest_; }

    /// Waits for their end, but no longer than this; true: it has come.
    [[nodiscard]] bool wait(std::chrono::milliseconds time) {
        std::unique_lock lock(mutex_);
        return ended_.wait_for(lock, time, [this] { return working_ == 0; });
    }
    [[nodiscard]] std::optional<failure> failed() const {
        const std::lock_guard lock(mutex_);
        return failure_;
    }

    /// A seed that has been running for so long that it will not end; 0: none.
    [[nodiscard]] std::uint64_t stuck(std::chrono::seconds limit) const {
        for (const busy& one : busy_) {
            const std::uint64_t seed = one.seed;
            if (seed != 0 && std::chrono::steady_clock::now() - one.since.load() > limit) return seed;
        }
        return 0;
    }

    /// Of the calling thread; 0: none. For what is to be said when the program dies.
    static std::uint64_t& present_seed() {
        thread_local std::uint64_t seed = 0;
        return seed;
    }

private:
    struct busy {
        std::atomic<std::uint64_t> seed{0};
        std::atomic<std::chrono::steady_clock::time_point> since{};
    };

    void work(busy& mine) {
        while (!stop_) {
            const std::uint64_t seed = next_.fetch_add(1);
            if (seed > seeds_.last) break;
            mine.since = std::chrono::steady_clock::now();
            mine.seed = present_seed() = seed;
            run_request wanted;
            wanted.seed = seed;
            wanted.profile = &profile_of(seed, profile_);
            const run_result result = set_.run(wanted);
            digest_ += tofu::simulation::random(seed ^ result.digest).next();
            messages_ += result.messages;
            ++done_;
            if (result.found) {
                const std::lock_guard lock(mutex_);
                if (!failure_ || seed < failure_->seed) failure_ = {seed, *result.found};
                stop_ = true;
            }
            mine.seed = present_seed() = 0;
        }
        const std::lock_guard lock(mutex_);
        if (--working_ == 0) ended_.notify_all();
    }

    seed_range seeds_;
    const profile* profile_;
    const policy_set& set_;
    std::atomic<std::uint64_t> next_;
    std::atomic<std::uint64_t> done_{0};
    std::atomic<std::uint64_t> messages_{0};
    std::atomic<std::uint64_t> digest_{0};
    std::atomic<bool> stop_{false};
    mutable std::mutex mutex_;
    std::condition_variable ended_;
    unsigned working_; ///< threads that are not at their end
    std::optional<failure> failure_;
    std::deque<busy> busy_;
    std::deque<std::thread> threads_;
};

} // namespace tofu_simulation

#endif
