// SPDX-License-Identifier: BSL-1.0
// tofu's promises about its costs, and their check.
#ifndef TOFU_BENCH_COSTS_PROMISES_HPP
#define TOFU_BENCH_COSTS_PROMISES_HPP

#include "scenario.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace costs {

/// Bytes one side copies in user space for each byte of body that passes through it: in an echo, every byte is received
/// once and sent once.
[[nodiscard]] double copied_per_byte(const scenario& what, const side_costs& spent);

/// Takes the costs of scenarios, says in the end which promises hold.
class judgement {
public:
    void take(const scenario& what, const trip_costs& spent);

    /// A line for each promise and for each time it was broken. False: one was that should hold by now, or something
    /// was never counted, so that nobody knows.
    [[nodiscard]] bool print() const;

private:
    struct finding {
        std::size_t promise;
        double figure;
        scenario what;
        std::string_view side;
    };

    void judge(const scenario& what, const side_costs& spent, std::string_view name_of_side);

    tally all_;
    std::vector<finding> findings_;
};

} // namespace costs

#endif
