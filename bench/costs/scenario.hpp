// SPDX-License-Identifier: BSL-1.0
// The work that is done while costs are counted, and its costs.
#ifndef TOFU_BENCH_COSTS_SCENARIO_HPP
#define TOFU_BENCH_COSTS_SCENARIO_HPP

#include "counters.hpp"

#include <tofu/tofu.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace costs {

enum class work : std::uint8_t {
    echo,   ///< the server answers in place, the client posts the answer again as the next request
    one_way ///< the client posts signals as fast as the queue takes them, the server releases them
};

/// One connection between two engines of this process. A trip is an echo or a signal.
struct scenario {
    std::string_view title;
    work what = work::echo;
    std::size_t window = 1; ///< requests under way; of signals, as many as the queue takes
    std::size_t body = 64;
    std::uint64_t trips = 0; ///< that are counted
    tofu::driven_by who = tofu::driven_by::io_thread;
    std::size_t retained_capacity = tofu::options{}.retained_capacity;
    std::size_t max_queued_messages = tofu::options{}.max_queued_messages;
    bool uds = false;

    [[nodiscard]] std::string name() const;
};

/// The costs of one side for all counted trips.
struct side_costs {
    tally counted;
    std::uint64_t wakes = 0; ///< of the loop, as the engine counts them
};
struct trip_costs {
    side_costs client;
    side_costs server;
};

/// All there are.
[[nodiscard]] std::vector<scenario> scenarios();

/// Does the work, and counts in the middle of it: when counting begins and when it ends, the window is full and every
/// message has the memory it needs. Throws when something does not work.
[[nodiscard]] trip_costs run(const scenario& what);

} // namespace costs

#endif
