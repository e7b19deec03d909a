// SPDX-License-Identifier: BSL-1.0
// What goes wrong in a simulated world, and how often.
#ifndef TOFU_POLICIES_POLL_SIMULATION_FAULTS_HPP
#define TOFU_POLICIES_POLL_SIMULATION_FAULTS_HPP

#include <tofu/config.hpp>

#include <chrono>
#include <cstddef>

namespace tofu::inline TOFU_ABI::simulation {

/// Rates are in thousandths of the calls (or arrivals) they concern. As it stands, nothing goes wrong: a network with a
/// latency of 50 us and room for 64 KiB under way in each direction of a connection.
struct faults {
    // The network.
    std::chrono::nanoseconds least_delay = std::chrono::microseconds(50); ///< from one end to the other
    std::chrono::nanoseconds most_delay = std::chrono::microseconds(50);
    std::size_t least_window = 64 * 1024; ///< bytes one direction of a connection holds before its writer must wait
    std::size_t most_window = 64 * 1024;
    unsigned short_reads = 0;     ///< fewer bytes than there are
    unsigned short_writes = 0;    ///< fewer bytes than there is room for
    unsigned breaks = 0;          ///< of arrivals: the connection is reset at both ends
    unsigned falls_silent = 0;    ///< of writes: nothing arrives any more, in both directions
    unsigned reset_discards = 0;  ///< of resets: what had arrived and was not read is lost
    unsigned connect_at_once = 0; ///< connect succeeds without a wait
    unsigned connect_fails = 0;   ///< connect fails at once, for one of the reasons it can have
    unsigned connect_hangs = 0;   ///< no answer, until the system gives up after two minutes
    unsigned listen_fails = 0;    ///< for one of the reasons it can have
    unsigned writes_fail = 0;     ///< of writes: this write and all later ones fail, reads still work

    // The system.
    unsigned no_descriptors = 0; ///< of connect, listen and accept
    unsigned no_memory = 0;      ///< of connect, listen, accept, read, write, attach, arm and open
    unsigned wait_fails = 0;     ///< for lack of memory
    std::chrono::nanoseconds most_shortage = std::chrono::milliseconds(2); ///< descriptors or memory are refused for
    unsigned accept_aborts = 0; ///< the connection was gone before it was accepted
    unsigned accept_fails = 0;  ///< for a reason nobody expects

    // The process: waits end with nothing reported, as they do when a stopped process goes on.
    unsigned interrupts = 0; ///< of waits that would otherwise have to rest
    std::chrono::nanoseconds most_pause = std::chrono::milliseconds(100); ///< time that passes meanwhile

    // The poller.
    bool shuffles = false;      ///< reports in any order; else in that of attaching
    unsigned spurious = 0;      ///< of registrations looked at: ready, though it is not (never for a connecting socket)
    unsigned stale = 0;         ///< of disarmed registrations: one more report comes later, for a key that is history
    unsigned owes = 0;          ///< of disarmed registrations: they are held for a while, as AFD does
    unsigned owes_for_good = 0; ///< of those: they are never released
    std::chrono::nanoseconds most_owed = std::chrono::milliseconds(5);

    /// The poller works as afd_iocp does, see completions.hpp: a registration is owed when something was under way for
    /// it, no event is stale, and all come in the order in which they happened. Looked at when a poller is made.
    bool completions = false;
    unsigned ends_early = 0; ///< of its waits that found nothing to report, though something had completed

    friend bool operator==(const faults&, const faults&) noexcept = default;
};

} // namespace tofu::inline TOFU_ABI::simulation

#endif
