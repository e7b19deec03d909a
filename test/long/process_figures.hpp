// SPDX-License-Identifier: BSL-1.0
// The system's figures of this process: processor time, memory, the limit on sockets.
#ifndef TOFU_TEST_LONG_PROCESS_FIGURES_HPP
#define TOFU_TEST_LONG_PROCESS_FIGURES_HPP

#include <tofu/platform/socket_api.hpp>

#if defined(_WIN32)
#include <psapi.h>
#else
#include <sys/resource.h>
#include <unistd.h>
#endif

#include <cstddef>
#include <fstream>

namespace long_run {

#if defined(_WIN32)

namespace detail {

inline double seconds_of(const FILETIME& time) { // in units of 100 ns
    return (static_cast<double>(time.dwHighDateTime) * 4294967296.0 + static_cast<double>(time.dwLowDateTime)) / 1e7;
}
inline PROCESS_MEMORY_COUNTERS memory() {
    PROCESS_MEMORY_COUNTERS counters{};
    ::K32GetProcessMemoryInfo(::GetCurrentProcess(), &counters, sizeof counters);
    return counters;
}

} // namespace detail

/// Seconds of processor, user and system, all threads.
inline double cpu_seconds() {
    FILETIME made{};
    FILETIME ended{};
    FILETIME system{};
    FILETIME user{};
    ::GetProcessTimes(::GetCurrentProcess(), &made, &ended, &system, &user);
    return detail::seconds_of(system) + detail::seconds_of(user);
}
/// KiB.
inline long peak_memory() { return static_cast<long>(detail::memory().PeakWorkingSetSize / 1024); }
/// KiB resident now.
inline long resident_memory() { return static_cast<long>(detail::memory().WorkingSetSize / 1024); }
/// As many sockets as this process may have; there is no limit to speak of.
inline std::size_t raise_socket_limit() { return 1'000'000; }

#else

namespace detail {

inline double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}
inline rusage used() {
    rusage figures{};
    ::getrusage(RUSAGE_SELF, &figures);
    return figures;
}

} // namespace detail

/// Seconds of processor, user and system, all threads.
inline double cpu_seconds() {
    const rusage figures = detail::used();
    return detail::seconds_of(figures.ru_utime) + detail::seconds_of(figures.ru_stime);
}
/// KiB (Linux's unit of ru_maxrss).
inline long peak_memory() { return detail::used().ru_maxrss; }
/// KiB resident now; 0 where there is no /proc.
inline long resident_memory() {
    std::ifstream file("/proc/self/statm");
    long total = 0;
    long resident = 0;
    file >> total >> resident;
    return resident * (::sysconf(_SC_PAGESIZE) / 1024);
}
/// As many sockets as this process may have, which is as many as the system lets it.
inline std::size_t raise_socket_limit() {
    rlimit descriptors{};
    ::getrlimit(RLIMIT_NOFILE, &descriptors);
    descriptors.rlim_cur = descriptors.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &descriptors);
    return static_cast<std::size_t>(descriptors.rlim_cur);
}

#endif

} // namespace long_run

#endif
