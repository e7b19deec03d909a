// SPDX-License-Identifier: BSL-1.0
// The jobs of a run: the waiting jobs, the number of attempts at each job, and the results.
#ifndef TOFU_EXAMPLE_PRINT_SHOP_JOB_BOARD_HPP
#define TOFU_EXAMPLE_PRINT_SHOP_JOB_BOARD_HPP

#include "print_job.hpp"
#include "protocol.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace print_shop {

using steady = std::chrono::steady_clock;

enum class job_state : std::uint8_t { waiting, printing, printed, failed };

struct job_record {
    explicit job_record(print_job what) : job(std::move(what)) {}

    print_job job;
    job_state state = job_state::waiting;
    unsigned attempts = 0;
    std::string worker;            ///< the worker that has the job, or had it last
    steady::time_point begun{};    ///< the first time
    steady::duration time_taken{}; ///< from then until it was settled
};

class job_board {
public:
    /// A job that fails this often is given up. So a job that crashes its workers crashes at most three of them.
    static constexpr unsigned most_attempts = 3;

    explicit job_board(std::vector<print_job> jobs) {
        jobs_.reserve(jobs.size());
        for (print_job& job : jobs) jobs_.emplace_back(std::move(job));
        for (job_record& record : jobs_) queue_of(record).push_back(&record);
        counts_[index_of(job_state::waiting)] = jobs_.size();
    }

    /// Takes the next job in this language. The caller ends the attempt with `printed` or `try_again`. Null: there is
    /// none.
    [[nodiscard]] job_record* take(language pdl, const std::string& worker) {
        auto& queue = waiting_[static_cast<std::size_t>(pdl)];
        if (queue.empty()) return nullptr;
        job_record* const record = queue.front();
        queue.pop_front();
        if (++record->attempts == 1) record->begun = steady::now();
        change(*record, job_state::printing);
        record->worker = worker;
        return record;
    }

    void printed(job_record& record) { settle(record, job_state::printed); }

    /// Puts a job back to the front of its queue. False: that was its last attempt, and the job has failed.
    bool try_again(job_record& record) {
        if (record.attempts >= most_attempts) {
            settle(record, job_state::failed);
            return false;
        }
        change(record, job_state::waiting);
        queue_of(record).push_front(&record);
        return true;
    }

    /// Fails all jobs that wait in this language, and returns them.
    std::vector<const job_record*> give_up(language pdl) {
        std::vector<const job_record*> given_up;
        for (job_record* const record : std::exchange(waiting_[static_cast<std::size_t>(pdl)], {})) {
            settle(*record, job_state::failed);
            given_up.push_back(record);
        }
        return given_up;
    }

    [[nodiscard]] bool any_waiting(language pdl) const { return !waiting_[static_cast<std::size_t>(pdl)].empty(); }
    [[nodiscard]] const std::vector<job_record>& jobs() const { return jobs_; }

    [[nodiscard]] std::size_t count(job_state state) const { return counts_[index_of(state)]; }

    /// True: every job is printed or has failed.
    [[nodiscard]] bool all_settled() const {
        return count(job_state::printed) + count(job_state::failed) == jobs_.size();
    }

private:
    [[nodiscard]] static constexpr std::size_t index_of(job_state state) { return static_cast<std::size_t>(state); }

    [[nodiscard]] std::deque<job_record*>& queue_of(const job_record& record) {
        return waiting_[static_cast<std::size_t>(record.job.pdl())];
    }

    void change(job_record& record, job_state state) {
        --counts_[index_of(record.state)];
        ++counts_[index_of(state)];
        record.state = state;
    }

    void settle(job_record& record, job_state state) {
        change(record, state);
        if (record.attempts != 0) record.time_taken = steady::now() - record.begun;
    }

    std::vector<job_record> jobs_; // never grows again: the queues point into it
    std::array<std::deque<job_record*>, all_languages.size()> waiting_;
    std::array<std::size_t, 4> counts_{}; // of jobs in each state
};

} // namespace print_shop

#endif
