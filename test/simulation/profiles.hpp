// SPDX-License-Identifier: BSL-1.0
// The kinds of simulated worlds: their faults, and the character of the applications in them.
#ifndef TOFU_TEST_SIMULATION_PROFILES_HPP
#define TOFU_TEST_SIMULATION_PROFILES_HPP

#include <tofu/policies/poll/simulation/faults.hpp>

#include <array>
#include <chrono>
#include <string_view>

namespace tofu_simulation {

/// Rates are in thousandths.
struct profile {
    std::string_view name;
    std::string_view words;
    unsigned share = 1; ///< of the seeds of the mixed profile
    tofu::simulation::faults faults{};
    unsigned memory_refused = 0;    ///< of the allocations of the code under test
    unsigned illegal = 0;           ///< of the posts
    unsigned hostile = 0;           ///< most raw peers
    unsigned raw_steps = 100;       ///< of the steps are theirs
    unsigned clock_jumps = 0;       ///< of the steps in which time passes
    bool tight = false;             ///< limits of a few messages
    bool names = false;             ///< addresses are names
    bool short_times = true;        ///< limits of milliseconds, so that many are reached
    bool round_the_numbers = false; ///< every channel number is used up at least once
    bool prompt = false;            ///< engines always turn as soon as they have to
};

using std::chrono::microseconds;
using std::chrono::milliseconds;

inline constexpr tofu::simulation::faults rough_network{.least_delay = microseconds(0),
                                                        .most_delay = milliseconds(20),
                                                        .least_window = 1,
                                                        .most_window = 8 * 1024,
                                                        .short_reads = 300,
                                                        .short_writes = 300,
                                                        .breaks = 5,
                                                        .falls_silent = 3,
                                                        .reset_discards = 300,
                                                        .connect_at_once = 100,
                                                        .connect_fails = 20,
                                                        .connect_hangs = 30,
                                                        .listen_fails = 20,
                                                        .writes_fail = 2,
                                                        .interrupts = 20,
                                                        .shuffles = true,
                                                        .spurious = 20};

constexpr tofu::simulation::faults with_window(tofu::simulation::faults f, std::size_t most) {
    f.most_window = most;
    return f;
}

constexpr tofu::simulation::faults with_system(tofu::simulation::faults f, unsigned rate) {
    f.no_descriptors = f.no_memory = f.wait_fails = f.accept_aborts = f.accept_fails = rate;
    return f;
}

constexpr tofu::simulation::faults with_poller(tofu::simulation::faults f) {
    f.stale = 300;
    f.owes = 500;
    f.owes_for_good = 20;
    return f;
}

constexpr tofu::simulation::faults with_completions(tofu::simulation::faults f) {
    f.completions = true;
    f.ends_early = 100;
    f.owes_for_good = 20;
    return f;
}

inline constexpr std::array profiles{
    profile{.name = "good", .words = "nothing goes wrong", .share = 2, .short_times = false, .prompt = true},
    profile{.name = "rough",
            .words = "bytes come in pieces, late, and not at all",
            .share = 4,
            .faults = rough_network,
            .illegal = 50,
            .clock_jumps = 20},
    profile{.name = "tight",
            .words = "limits of a few messages, receivers that are slow and keep what they get",
            .share = 4,
            .faults = with_window(rough_network, 200'000),
            .illegal = 20,
            .hostile = 4,
            .clock_jumps = 50,
            .tight = true},
    profile{.name = "hostile",
            .words = "peers that break the rules",
            .share = 4,
            .faults = rough_network,
            .illegal = 50,
            .hostile = 6,
            .raw_steps = 400},
    profile{.name = "system",
            .words = "the system refuses calls, and memory",
            .share = 3,
            .faults = with_system(rough_network, 30),
            .memory_refused = 30,
            .illegal = 20,
            .hostile = 2},
    profile{.name = "poller",
            .words = "late events, and registrations that are held for a while, at random",
            .share = 2,
            .faults = with_poller(rough_network),
            .illegal = 20,
            .hostile = 2},
    profile{.name = "port",
            .words = "a completion port: a registration is held until its operation has completed",
            .share = 4,
            .faults = with_completions(rough_network),
            .illegal = 20,
            .hostile = 2},
    profile{.name = "names",
            .words = "names that resolve late, never, or to several addresses",
            .share = 2,
            .faults = with_completions(rough_network),
            .names = true},
    profile{.name = "time",
            .words = "the clock jumps",
            .share = 2,
            .faults = rough_network,
            .hostile = 2,
            .clock_jumps = 300},
    profile{.name = "all",
            .words = "everything at once",
            .share = 5,
            .faults = with_completions(with_system(rough_network, 10)),
            .memory_refused = 10,
            .illegal = 50,
            .hostile = 4,
            .clock_jumps = 50,
            .tight = true,
            .names = true},
    profile{.name = "numbers",
            .words = "all channel numbers are used up, and again",
            .share = 0,
            .round_the_numbers = true,
            .prompt = true},
};

/// Null: there is none of that name.
[[nodiscard]] constexpr const profile* find_profile(std::string_view name) {
    for (const profile& one : profiles)
        if (one.name == name) return &one;
    return nullptr;
}

} // namespace tofu_simulation

#endif
