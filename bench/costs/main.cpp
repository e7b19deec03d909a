// SPDX-License-Identifier: BSL-1.0
// Counts what a message costs, prints it, and judges what was promised.
#include "promises.hpp"
#include "scenario.hpp"

#include <cstdio>
#include <exception>

namespace {

using namespace costs;

void print_head() {
    std::printf("For each echo (a request and its response), or for each message of W2, both sides together:\n\n%-48s",
                "");
    for (const char* title : {"alloc", "locks", "notify", "sleeps", "wakes", "reads", "writes", "waits", "other"})
        std::printf("%8s", title);
    std::printf("%9s%9s\n", "copy c", "copy s");
}

void print_row(const scenario& what, const trip_costs& spent) {
    const auto trips = static_cast<double>(what.trips);
    tally both = spent.client.counted;
    both += spent.server.counted;
    std::printf("%-48s", what.name().c_str());
    for (const cost kind : {cost::allocations, cost::locks, cost::notifications, cost::sleeps})
        std::printf("%8.3f", static_cast<double>(both[kind]) / trips);
    std::printf("%8.3f", static_cast<double>(spent.client.wakes + spent.server.wakes) / trips);
    for (const cost kind : {cost::reads, cost::writes, cost::waits, cost::other_calls})
        std::printf("%8.3f", static_cast<double>(both[kind]) / trips);
    for (const side_costs* one : {&spent.client, &spent.server}) std::printf("%9.4f", copied_per_byte(what, *one));
    std::printf("\n");
    std::fflush(stdout);
}

int judge_all() {
    judgement verdict;
    print_head();
    for (const scenario& what : scenarios()) {
        const trip_costs spent = run(what);
        print_row(what, spent);
        verdict.take(what, spent);
    }
    std::printf(
        "\ncopy c, copy s: bytes that the client's and the server's side copy in user space for a byte of body.\n\n");
    return verdict.print() ? 0 : 1;
}

} // namespace

int main() {
    try {
        return judge_all();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
