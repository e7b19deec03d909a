// SPDX-License-Identifier: BSL-1.0
// A serving process beside the measuring one: forked before any thread exists, joined by pipes, on a core if wanted.
#ifndef TOFU_TEST_LONG_TWO_PROCESSES_HPP
#define TOFU_TEST_LONG_TWO_PROCESSES_HPP

#include "long_run.hpp"

#include <sched.h>
#include <sys/wait.h>

namespace long_run {

/// The figures of a process since it began.
struct usage {
    std::uint64_t messages = 0;
    std::uint64_t reads = 0;
    std::uint64_t writes = 0;
    std::uint64_t turns = 0;
    std::uint64_t wakes = 0;
    std::uint64_t allocated = 0; ///< calls of operator new
    std::uint64_t switches = 0;  ///< number of times that a thread went to sleep
    double cpu = 0;              ///< seconds
};

inline usage usage_now(const tofu::engine_stats& stats) {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return {.messages = stats.messages_received,
            .reads = stats.reads,
            .writes = stats.writes,
            .turns = stats.turns,
            .wakes = stats.wakes,
            .allocated = allocations.load(),
            .switches = static_cast<std::uint64_t>(used.ru_nvcsw),
            .cpu = cpu_seconds()};
}
inline usage operator-(const usage& later, const usage& earlier) {
    return {later.messages - earlier.messages, later.reads - earlier.reads, later.writes - earlier.writes,
            later.turns - earlier.turns,       later.wakes - earlier.wakes, later.allocated - earlier.allocated,
            later.switches - earlier.switches, later.cpu - earlier.cpu};
}

/// A forked process that runs `work(write end of a pipe)` and ends.
class other_process {
public:
    template <class Work>
    explicit other_process(Work work) {
        std::fflush(stdout); // buffered output must not be printed twice
        int ends[2];
        demand(::pipe(ends) == 0, "a pipe");
        process_ = ::fork();
        demand(process_ >= 0, "a process");
        if (process_ == 0) {
            ::close(ends[0]);
            failures = 0; // the parent's failures so far do not count for the child
            work(ends[1]);
            std::fflush(stdout);
            std::_Exit(failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
        }
        ::close(ends[1]);
        from_ = ends[0];
    }
    other_process(const other_process&) = delete;
    other_process& operator=(const other_process&) = delete;
    ~other_process() {
        ::close(from_);
        int status = 0;
        ::waitpid(process_, &status, 0);
        expect(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS, "the other process ended well");
    }

    template <class Value>
    Value hear() const {
        Value value{};
        demand(::read(from_, &value, sizeof value) == static_cast<ssize_t>(sizeof value), "word of the other process");
        return value;
    }
    template <class Value>
    static void tell(int to, const Value& value) {
        demand(::write(to, &value, sizeof value) == static_cast<ssize_t>(sizeof value), "a word to the other process");
    }

private:
    pid_t process_ = -1;
    int from_ = -1;
};

/// Keeps this process, and those it forks, on one core until it goes.
class on_one_core {
public:
    explicit on_one_core(bool wanted) : wanted_(wanted) {
        if (!wanted) return;
        ::sched_getaffinity(0, sizeof before_, &before_);
        cpu_set_t one;
        CPU_ZERO(&one);
        for (int cpu = CPU_SETSIZE - 1; cpu >= 0; --cpu) {
            if (!CPU_ISSET(cpu, &before_)) continue;
            CPU_SET(cpu, &one);
            break;
        }
        ::sched_setaffinity(0, sizeof one, &one);
    }
    on_one_core(const on_one_core&) = delete;
    on_one_core& operator=(const on_one_core&) = delete;
    ~on_one_core() {
        if (wanted_) ::sched_setaffinity(0, sizeof before_, &before_);
    }

private:
    bool wanted_;
    cpu_set_t before_{};
};

} // namespace long_run

#endif
