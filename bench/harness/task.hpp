// SPDX-License-Identifier: BSL-1.0
// The task of one program of a measurement.
#ifndef TOFU_BENCH_HARNESS_TASK_HPP
#define TOFU_BENCH_HARNESS_TASK_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace bench {

/// Read from the command line by peer_main; the same for the programs of all peers.
struct task {
    std::string variant{}; ///< one of those the peer offers
    std::size_t body = 64; ///< bytes; of a flood at least 8, for the sequence number
    /// The exact number of round trips, messages or visits, without a warm-up, and a flood of no more messages; 0: the
    /// times decide.
    std::uint64_t count = 0;

    // A server's.
    std::string transport{}; ///< "tcp" or "uds"
    std::string path{};      ///< of a Unix domain socket

    // A client's.
    std::string address{};       ///< as its server has announced it
    long server = 0;             ///< the process that is measured, too; 0: none is
    std::size_t connections = 1; ///< that work
    std::size_t idle = 0;        ///< more connections, on which nothing happens
    std::size_t window = 1;      ///< requests under way at a time, on each connection
    std::chrono::milliseconds warm_up{50};
    std::chrono::milliseconds time{150};
};

} // namespace bench

#endif
