// SPDX-License-Identifier: BSL-1.0
// Tests of the benchmark's own parts: that a wrong reply is noticed, and that figures are computed as they are named.
#include "harness/echo_work.hpp"
#include "harness/statistics.hpp"
#include "runner/plan.hpp"
#include "runner/report.hpp"
#include "runner/results.hpp"
#include "runner/system_calls.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono_literals;

int failures = 0;

void expect(bool held, std::string_view what) {
    if (held) return;
    ++failures;
    std::cout << "does not hold: " << what << '\n';
}

using body = std::vector<std::byte>;

body next_of(bench::echo_work& work) {
    const auto bytes = work.next_request();
    return {bytes.begin(), bytes.end()};
}

bool refuses(bench::echo_work& work, const body& reply) {
    try {
        work.take_reply(reply);
        return false;
    } catch (const std::exception&) {
        return true;
    }
}

void wrong_replies_are_refused() {
    bench::echo_work work({.body = 64, .window = 4, .trips = 10});
    const body first = next_of(work);
    const body second = next_of(work);
    body spoiled = first;
    spoiled.back() ^= std::byte{1};
    expect(refuses(work, second), "a reply to another request is refused");
    expect(refuses(work, spoiled), "a reply with one wrong bit is refused");
    expect(refuses(work, body(first.begin(), first.end() - 1)), "a reply that is too short is refused");
    expect(!refuses(work, first) && !refuses(work, second), "right replies are taken");
    expect(refuses(work, first), "a reply to nothing is refused");
}

/// An echo without anything between; how many round trips it took.
std::size_t run(bench::echo_work& work) {
    std::deque<body> under_way;
    std::size_t trips = 0;
    while (under_way.size() < work.window() && work.may_send()) under_way.push_back(next_of(work));
    for (; !work.done() && !under_way.empty(); ++trips) {
        work.take_reply(under_way.front());
        under_way.pop_front();
        if (work.may_send()) under_way.push_back(next_of(work));
    }
    expect(work.done() && under_way.empty(), "the work is done when the last reply is there");
    return trips;
}

double reported(const bench::echo_work& work, std::string_view wanted) {
    std::stringstream lines;
    work.report(lines);
    std::string name;
    for (double value = 0; lines >> name >> value;)
        if (name == wanted) return value;
    return -1;
}

void work_ends_as_asked() {
    bench::echo_work counted({.window = 4, .trips = 10});
    expect(run(counted) == 10, "exactly as many round trips as asked for");
    expect(reported(counted, "p50_us") == -1, "no time of a round trip when several are under way");
    bench::echo_work single({.window = 1, .trips = 3});
    expect(run(single) == 3 && reported(single, "p50_us") > 0, "a time of a round trip when it is alone");
    const auto start = std::chrono::steady_clock::now();
    bench::echo_work timed({.server = ::getpid(), .window = 64, .warm_up = 5ms, .time = 20ms});
    run(timed);
    expect(std::chrono::steady_clock::now() - start >= 25ms, "warm-up and measurement take the time they are given");
    const double cpu = reported(timed, "client_cpu_us_per_round_trip") * reported(timed, "round_trips_per_s");
    // A machine that is busy with something else gives less than all of its time; nobody can use more than all.
    expect(cpu > 0 && cpu < 1.1e6, "processor time is that of the measured part");
}

void quantiles_are_measured_values() {
    expect(bench::median(std::vector<int>{5, 1, 3}) == 3, "the median is the middle one");
    expect(bench::quantile(std::vector<int>{4, 3, 2, 1, 0}, 1.0) == 4, "the highest quantile is the most");
    expect(bench::median(std::vector<int>{}) == 0, "nothing has the median 0");
}

void counts_are_read() {
    using bench::read_perf, bench::read_strace;
    std::istringstream perf("# started on Monday\n\n7402,,raw_syscalls:sys_enter,17041212,100.00,,\n");
    std::istringstream refused("<not counted>,,raw_syscalls:sys_enter,0,100.00,,\n");
    std::istringstream strace(
        "% time seconds usecs/call calls errors syscall\n------ -----\n"
        " 60.00 0.000020 1 20 3 read\n100.00    0.000033           1        29         3 total\n");
    std::istringstream nothing("strace: ptrace: not permitted\n");
    expect(read_perf(perf) == 7402, "perf's count");
    expect(!read_perf(refused), "no count of perf's");
    expect(read_strace(strace) == 29, "strace's count");
    expect(!read_strace(nothing), "no count of strace's");
}

void ratios_are_taken_round_by_round() {
    const std::vector<bench::row> rows{
        {"raw_epoll", "", "", "tcp"}, {"libzmq", "", "", "tcp"}, {"mine", "", "", "tcp"}};
    bench::results found(bench::find_cells(rows));
    const double slow[] = {1, 10, 1}; // the machine, in the second round
    for (const double factor : slow) {
        found.add(0, {{"p50_us", 10 * factor}});
        found.add(1, {{"p50_us", 40 * factor}});
        found.add(2, {{"p50_us", 30 * factor}});
    }
    expect(found.ratio_to(2, "libzmq") == 0.75 && found.ratio_to(2, "raw_epoll") == 3, "a ratio");
    expect(found.median_of(2, "p50_us") == 30 && found.most_of(2, "p50_us") == 300, "a median and the most");
    expect(!found.ratio_to(3, "libzmq"), "no ratio of what was not measured");
    std::ostringstream csv;
    found.write_csv(csv);
    expect(csv.str().find("workload,transport,peer,metric,value\n") == 0, "the head of the file");
    expect(csv.str().find("\nW1/one_core,tcp,mine,ratio_to_libzmq,0.75\n") != std::string::npos, "a line of the file");
    found.fail(1);
    expect(!found.ratio_to(2, "libzmq"), "no ratio to what has failed");
}

void targets_are_judged() {
    const bench::target time{"W1", "", "", 0.83, true};
    const bench::target rate{"W3-64", "", "", 1.5, false};
    expect(bench::judge(time, 0.8349) == "0.83x libzmq (target <= 0.83x): met", "a time that is just short enough");
    expect(bench::judge(time, 0.836) == "0.84x libzmq (target <= 0.83x): NOT met", "a time that is too long");
    expect(bench::judge(rate, 1.6) == "1.60x libzmq (target >= 1.50x): met", "a rate that is high enough");
    expect(bench::judge(rate, 1.2) == "1.20x libzmq (target >= 1.50x): NOT met", "a rate that is too low");
}

} // namespace

int main() {
    wrong_replies_are_refused();
    work_ends_as_asked();
    quantiles_are_measured_values();
    counts_are_read();
    ratios_are_taken_round_by_round();
    targets_are_judged();
    return failures == 0 ? 0 : 1;
}
