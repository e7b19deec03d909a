// SPDX-License-Identifier: BSL-1.0
// What a process has used so far, read from outside: the process measured does nothing for it.
#ifndef TOFU_BENCH_HARNESS_USAGE_HPP
#define TOFU_BENCH_HARNESS_USAGE_HPP

#include <sys/types.h>
#include <time.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace bench {

struct usage {
    double sleeps = 0; ///< how often a thread has gone to sleep (voluntary context switches)
    double cpu_us = 0; ///< processor time of all threads, user and system
};

/// The clock of a process runs with what its threads use, in nanoseconds; it is the sum of user and system time that
/// getrusage(2) tells (clock_getcpuclockid(3)).
inline double cpu_us_of(pid_t process) {
    if (process == 0) return 0; // nobody
    clockid_t clock{};
    timespec used{};
    if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &used) != 0)
        throw std::runtime_error("process " + std::to_string(process) + " is gone");
    return static_cast<double>(used.tv_sec) * 1e6 + static_cast<double>(used.tv_nsec) / 1e3;
}

/// See proc(5), /proc/PID/task/TID/status.
inline double sleeps_of(pid_t process) {
    double sum = 0;
    if (process == 0) return sum; // nobody
    for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task")) {
        std::ifstream status(thread.path() / "status");
        for (std::string word; status >> word;) {
            if (word != "voluntary_ctxt_switches:") continue;
            double count = 0;
            if (status >> count) sum += count;
        }
    }
    return sum;
}

} // namespace bench

#endif
