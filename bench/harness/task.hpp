// SPDX-License-Identifier: BSL-1.0
// What one program of a measurement is asked to do.
#ifndef TOFU_BENCH_HARNESS_TASK_HPP
#define TOFU_BENCH_HARNESS_TASK_HPP

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace bench {

/// Read from the command line by peer_main; the same for the programs of all peers.
struct task {
    std::string variant{}; ///< one of those the peer offers

    // A server's.
    std::string transport{}; ///< "tcp" or "uds"
    std::string path{};      ///< where a Unix domain socket is to be

    // A client's.
    std::string address{};   ///< as its server has announced it
    pid_t server = 0;        ///< whose processor time is measured, too; 0: nobody's
    std::size_t body = 64;   ///< bytes
    std::size_t window = 1;  ///< requests under way at a time
    std::uint64_t trips = 0; ///< exactly so many round trips, without a warm-up; 0: for as long as the times say
    std::chrono::milliseconds warm_up{50};
    std::chrono::milliseconds time{150};
};

} // namespace bench

#endif
