// SPDX-License-Identifier: BSL-1.0
// The promises.
#include "promises.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace costs {
namespace {

/// Of each side by itself, in steady state.
struct promise {
    std::string_view sentence;
    double limit;
    bool (*concerns)(const scenario& what);
    double (*figure)(const scenario& what, const side_costs& spent);
};

double per_trip(const scenario& what, std::uint64_t count) {
    return static_cast<double>(count) / static_cast<double>(what.trips);
}

constexpr std::array promises{
    // One in ten thousand is for what was set aside: with the first notice of an empty pool it comes into use, and gets
    // memory for a body then.
    promise{
        "no allocation for bodies up to retained_capacity", 0.0001,
        [](const scenario& what) { return what.body <= what.retained_capacity; },
        [](const scenario& what, const side_costs& spent) { return per_trip(what, spent.counted[cost::allocations]); }},
    // Of a large body only the first look is copied, with its header.
    promise{"an echo of 65,535 bytes copies at most a tenth of them on either side", 0.1,
            [](const scenario& what) { return what.what == work::echo && what.body == 65535; }, copied_per_byte},
    // One write, one wait and one read, and no call that wakes the other thread's loop; a wait may be interrupted.
    promise{"one request under way takes each side at most 3.1 system calls", 3.1,
            [](const scenario& what) { return what.what == work::echo && what.window == 1 && what.body == 64; },
            [](const scenario& what, const side_costs& spent) { return per_trip(what, spent.counted.system_calls()); }},
};

constexpr std::array<std::string_view, kinds_of_cost> names_of_costs{
    "allocations", "locks", "notifications", "sleeps",          "reads",
    "writes",      "waits", "other calls",   "calls of memcpy", "copied bytes"};

/// All of them happen in some scenario. One that was not seen is not counted, and what is promised of it means nothing.
bool all_are_counted(const tally& all) {
    bool complete = true;
    for (std::size_t i = 0; i < kinds_of_cost; ++i) {
        if (all[static_cast<cost>(i)] != 0) continue;
        complete = false;
        std::printf("FAILED: nothing counts the %s\n", names_of_costs[i].data());
    }
    return complete;
}

} // namespace

double copied_per_byte(const scenario& what, const side_costs& spent) {
    return per_trip(what, spent.counted[cost::copied_bytes]) / static_cast<double>(what.body);
}

void judgement::take(const scenario& what, const trip_costs& spent) {
    judge(what, spent.client, "client");
    judge(what, spent.server, "server");
    all_ += spent.client.counted;
    all_ += spent.server.counted;
}

void judgement::judge(const scenario& what, const side_costs& spent, std::string_view name_of_side) {
    for (std::size_t i = 0; i < promises.size(); ++i)
        if (promises[i].concerns(what)) findings_.push_back({i, promises[i].figure(what, spent), what, name_of_side});
}

bool judgement::print() const {
    bool holds = all_are_counted(all_);
    for (std::size_t i = 0; i < promises.size(); ++i) {
        const promise& given = promises[i];
        double most = 0;
        for (const finding& each : findings_) {
            if (each.promise != i) continue;
            most = (std::max)(most, each.figure);
            if (each.figure <= given.limit) continue;
            holds = false;
            std::printf("FAILED: %s: %.5f, and should be at most %g (%s, %s)\n", given.sentence.data(), each.figure,
                        given.limit, each.what.name().c_str(), each.side.data());
        }
        std::printf("promised: %s; the most is %.5f\n", given.sentence.data(), most);
    }
    std::printf("%s\n", holds ? "all right" : "not all right");
    return holds;
}

} // namespace costs
