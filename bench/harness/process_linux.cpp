// SPDX-License-Identifier: BSL-1.0
// The figures that Linux reports about processes.
#include "process.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace bench {

long own_process() noexcept { return ::getpid(); }

/// The clock of a process runs with what its threads use, in nanoseconds; it is the sum of user and system time that
/// getrusage(2) tells (clock_getcpuclockid(3)).
double cpu_us_of(long process) {
    if (process == 0) return 0;
    clockid_t clock{};
    timespec used{};
    if (::clock_getcpuclockid(static_cast<pid_t>(process), &clock) != 0 || ::clock_gettime(clock, &used) != 0)
        throw std::runtime_error("process " + std::to_string(process) + " is gone");
    return static_cast<double>(used.tv_sec) * 1e6 + static_cast<double>(used.tv_nsec) / 1e3;
}

/// See proc(5), /proc/PID/task/TID/status.
double sleeps_of(long process) {
    double sum = 0;
    if (process == 0) return sum;
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

/// See proc(5), /proc/PID/statm: the second number is in pages.
double resident_bytes_of(long process) {
    if (process == 0) return 0;
    std::ifstream statm("/proc/" + std::to_string(process) + "/statm");
    double whole = 0;
    double resident = 0;
    if (!(statm >> whole >> resident)) throw std::runtime_error("process " + std::to_string(process) + " is gone");
    return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

void end_with_parent() noexcept { ::prctl(PR_SET_PDEATHSIG, SIGKILL); }

void allow_many_descriptors() noexcept {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

extern "C" void bench_end_well(int) { ::_exit(0); }

void end_when_asked() noexcept { std::signal(SIGTERM, bench_end_well); }

void wait_for_the_end() noexcept {
    for (;;) ::pause();
}

} // namespace bench
