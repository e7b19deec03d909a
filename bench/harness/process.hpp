// SPDX-License-Identifier: BSL-1.0
// The figures of a process so far, read from outside: the measured process does nothing for it. And the few other
// things that the systems do differently.
#ifndef TOFU_BENCH_HARNESS_PROCESS_HPP
#define TOFU_BENCH_HARNESS_PROCESS_HPP

namespace bench {

struct usage {
    double cpu_us = 0;         ///< processor time of all threads, user and system
    double sleeps = 0;         ///< times that a thread has gone to sleep (voluntary context switches)
    double resident_bytes = 0; ///< of its memory, at present
};

/// Of this process and its threads.
[[nodiscard]] long own_process() noexcept;

/// Zeros for process 0, and for everything the system does not tell. Throws when the process is gone.
[[nodiscard]] double cpu_us_of(long process);
[[nodiscard]] double sleeps_of(long process);
[[nodiscard]] double resident_bytes_of(long process);

/// Ends this process when its parent ends: the parent may be gone before it could end this process.
void end_with_parent() noexcept;

/// As many connections as the system will give.
void allow_many_descriptors() noexcept;

/// A server has nothing to clean up. It ends in order when it is asked to (SIGTERM; on Windows, when its standard input
/// ends), so that a tracer of its system calls can write down their number.
void end_when_asked() noexcept;

/// Waits until then. A server that has no more to do waits here.
[[noreturn]] void wait_for_the_end() noexcept;

} // namespace bench

#endif
