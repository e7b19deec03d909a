// SPDX-License-Identifier: BSL-1.0
// The faults of a simulated world and their rates.
#ifndef TOFU_POLICIES_POLL_SIMULATION_FAULTS_HPP
#define TOFU_POLICIES_POLL_SIMULATION_FAULTS_HPP

#include <tofu/config.hpp>

#include <chrono>
#include <cstddef>

namespace tofu::inline TOFU_ABI::simulation {

/// Rates are per thousand calls, or per thousand arrivals. The default has no faults: a network with a latency of 50
/// us, and 64 KiB in flight in each direction of a connection.
struct faults {
    // The network.
    std::chrono::nanoseconds least_delay = std::chrono::microseconds(50); ///< from one end to the other
    std::chrono::nanoseconds most_delay = std::chrono::microseconds(50);
    std::size_t least_window = 64 * 1024; ///< bytes in flight in one direction before the writer must wait
    std::size_t most_window = 64 * 1024;
    unsigned short_reads = 0;     ///< a read returns fewer bytes than have arrived
    unsigned short_writes = 0;    ///< a write takes fewer bytes than there is room for
    unsigned breaks = 0;          ///< per arrival: the connection is reset at both ends
    unsigned falls_silent = 0;    ///< per write: no byte arrives any more, in both directions
    unsigned reset_discards = 0;  ///< per reset: bytes that arrived and were not read are lost
    unsigned connect_at_once = 0; ///< connect succeeds at once
    unsigned connect_fails = 0;   ///< connect fails at once, with a random error
    unsigned connect_hangs = 0;   ///< no answer comes, and the system times out after two minutes
    unsigned listen_fails = 0;    ///< listen fails with a random error
    unsigned writes_fail = 0;     ///< per write: this write and all later ones fail, reads still work

    // The system.
    unsigned no_descriptors = 0; ///< of connect, listen and accept
    unsigned no_memory = 0;      ///< of connect, listen, accept, read, write, attach, arm and open
    unsigned wait_fails = 0;     ///< a wait fails with no_memory
    std::chrono::nanoseconds most_shortage =
        std::chrono::milliseconds(2); ///< how long descriptors or memory are refused
    unsigned accept_aborts = 0;       ///< the connection was lost before it was accepted
    unsigned accept_fails = 0;        ///< accept fails with an unexpected error

    // The process: waits end without a report, as after SIGSTOP and SIGCONT.
    unsigned interrupts = 0;                                              ///< per wait that would sleep
    std::chrono::nanoseconds most_pause = std::chrono::milliseconds(100); ///< time that passes meanwhile

    // The poller.
    bool shuffles = false;      ///< reports come in random order, else in the order of attach
    unsigned spurious = 0;      ///< per registration of a wait: reported ready, but is not (never while connecting)
    unsigned stale = 0;         ///< per disarm: one more report comes later, with the old key
    unsigned owes = 0;          ///< per disarm: the registration is owed for a while, as with AFD
    unsigned owes_for_good = 0; ///< per owed registration: it is never released
    std::chrono::nanoseconds most_owed = std::chrono::milliseconds(5);

    /// The poller works like afd_iocp, see completions.hpp: a registration is owed while an operation is in flight, no
    /// report is stale, and reports come in the order of their events. Read when a poller is made.
    bool completions = false;
    unsigned ends_early = 0; ///< per wait in which operations completed without a report: it ends

    friend bool operator==(const faults&, const faults&) noexcept = default;
};

} // namespace tofu::inline TOFU_ABI::simulation

#endif
