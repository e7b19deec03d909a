// SPDX-License-Identifier: BSL-1.0
// Tests of the benchmark's own parts: that a wrong reply is noticed, and that figures are computed as they are named.
#include "harness/echo_work.hpp"
#include "harness/flood_work.hpp"
#include "harness/statistics.hpp"
#include "runner/plan.hpp"
#include "runner/report.hpp"
#include "runner/results.hpp"
#include "runner/system_calls.hpp"
#include "runner/targets.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <iostream>
#include <optional>
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

body next_of(bench::echo_work& work, std::size_t connection = 0) {
    const auto bytes = work.next_request(connection);
    return {bytes.begin(), bytes.end()};
}

template <class Take>
bool refuses(Take take) {
    try {
        take();
        return false;
    } catch (const std::exception&) {
        return true;
    }
}

void wrong_replies_are_refused() {
    bench::echo_work work({.body = 64, .count = 10, .connections = 2, .window = 4});
    const auto refused = [&](std::size_t connection, const body& reply) {
        return refuses([&] { work.take_reply(connection, reply); });
    };
    const body first = next_of(work);
    const body second = next_of(work);
    const body elsewhere = next_of(work, 1);
    body spoiled = first;
    spoiled.back() ^= std::byte{1};
    expect(refused(0, second), "a reply to another request is refused");
    expect(refused(1, first), "a reply on another connection is refused");
    expect(refused(2, first), "a reply on a connection that does not work is refused");
    expect(refused(0, spoiled), "a reply with one wrong bit is refused");
    expect(refused(0, body(first.begin(), first.end() - 1)), "a reply that is too short is refused");
    expect(!refused(0, first) && !refused(0, second) && !refused(1, elsewhere), "right replies are taken");
    expect(refused(0, first), "a reply to nothing is refused");
}

void wrong_messages_are_refused() {
    const bench::task what{.body = 64, .count = 3};
    bench::flood_source source(what);
    const auto next = [&] {
        const auto bytes = source.next();
        return body(bytes.begin(), bytes.end());
    };
    const body first = next();
    const body second = next();
    const body third = next();
    expect(!source.more(), "no more messages than asked for");
    bench::flood_work work(what);
    work.start();
    const auto refused = [&](const body& message) { return refuses([&] { work.take(message); }); };
    expect(refused(second), "a message before its turn is refused");
    expect(refused(body(first.begin(), first.end() - 8)), "a message that is too short is refused");
    expect(!refused(first), "the right message is taken");
    expect(refused(first), "a message that comes twice is refused");
    body torn = second;
    torn.back() ^= std::byte{1};
    expect(refused(torn), "a message with another one's end is refused");
    expect(!refused(second) && !work.done() && !refused(third) && work.done(), "a flood ends with its last message");
}

/// An echo without anything between. The number of round trips.
std::size_t run(bench::echo_work& work) {
    struct request {
        std::size_t connection;
        body bytes;
    };
    std::deque<request> under_way;
    std::size_t trips = 0;
    const auto send = [&](std::size_t connection) {
        if (work.may_send()) under_way.push_back({connection, next_of(work, connection)});
    };
    for (std::size_t i = 0; i < work.window(); ++i)
        for (std::size_t each = 0; each < work.connections(); ++each) send(each);
    for (; !work.done() && !under_way.empty(); ++trips) {
        const request first = under_way.front();
        under_way.pop_front();
        work.take_reply(first.connection, first.bytes);
        send(first.connection);
    }
    expect(work.done() && under_way.empty(), "the work is done when the last reply is there");
    return trips;
}

template <class Work>
bench::metrics reported(const Work& work) {
    std::ostringstream lines;
    work.report(lines);
    return bench::read_metrics(lines.str());
}

void work_ends_as_asked() {
    bench::echo_work counted({.count = 10, .connections = 3, .window = 4});
    expect(run(counted) == 10, "exactly as many round trips as asked for");
    expect(!reported(counted).contains("p50_us"), "no time of a round trip when several are under way");
    bench::echo_work single({.count = 3});
    expect(run(single) == 3 && reported(single)["p50_us"] > 0, "a time of a round trip when it is alone");
    const auto start = std::chrono::steady_clock::now();
    bench::echo_work timed({.server = ::getpid(), .window = 64, .warm_up = 5ms, .time = 20ms});
    run(timed);
    expect(std::chrono::steady_clock::now() - start >= 25ms, "warm-up and measurement take the time they are given");
    const bench::metrics found = reported(timed);
    const double cpu = found.at("client_cpu_us") * found.at("rate_per_s");
    // A machine that is busy with something else gives less than all of its time; nobody can use more than all.
    expect(cpu > 0 && cpu < 1.1e6, "processor time is that of the measured part");
}

void quantiles_are_measured_values() {
    expect(bench::median(std::vector<int>{5, 1, 3}) == 3, "the median is the middle one");
    expect(bench::quantile(std::vector<int>{4, 3, 2, 1, 0}, 1.0) == 4, "the highest quantile is the most");
    expect(bench::median(std::vector<int>{}) == 0, "nothing has the median 0");
}

void metrics_follow_from_what_is_printed() {
    const bench::metrics found = bench::read_metrics("rate_per_s 2000\r\nclient_cpu_us 3\nserver_cpu_us 0.5\n"
                                                     "client_sleeps 1\n");
    expect(found.at("rate_per_s") == 2000 && found.at("time_us") == 500, "a rate and the time it means");
    expect(found.at("cpu_us") == 3.5, "the sum of both sides");
    expect(!found.contains("sleeps"), "no sum of one side");
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

/// The offers of programs that can do everything.
std::vector<bench::row> all_rows(const bench::scope& wanted) {
    std::vector<bench::row> rows;
    for (const bench::peer_program& each : bench::find_programs(wanted))
        for (const std::string transport : {"uds", "tcp"})
            rows.push_back(bench::read_offer(each, {}, transport + " - echo many flood visit"));
    return rows;
}

std::vector<bench::cell> planned(const bench::scope& wanted) {
    std::ostringstream unread;
    return bench::find_cells(bench::find_workloads(wanted, 20'000, unread), all_rows(wanted), wanted);
}

bool contains(const std::vector<bench::cell>& cells, std::string_view name) {
    return std::any_of(cells.begin(), cells.end(), [&](const bench::cell& each) { return each.name() == name; });
}

void everybody_takes_part_where_intended() {
    const bench::row offer = bench::read_offer(bench::programs[0], {}, "tcp caller echo visit\r");
    expect(offer.peer == "raw_blocking/caller" && offer.offered == "echo visit", "an offer is read");
    expect(refuses([] { return bench::read_offer(bench::programs[0], {}, "tcp"); }), "half an offer is refused");
    const auto all = planned({});
    expect(contains(all, "W1 free uds tofu/handle_key") && contains(all, "W4-1000 one_core tcp tofu/pointer_key"),
           "keys are measured where they are looked up");
    expect(!contains(all, "W4-100 one_core tcp tofu/pointer_key"), "and nowhere else");
    expect(contains(all, "idle-10000 one_core tcp tofu/growing_pool") &&
               !contains(all, "idle-10000 one_core tcp libzmq"),
           "10,000 connections are for some");
    expect(contains(all, "W5 one_core uds nng") && !contains(all, "W3-1024 free uds nng"), "UDS where it is asked for");
    const auto quick = planned({.quick = true});
    expect(contains(quick, "W1 one_core tcp tofu") && !contains(quick, "W1 free tcp tofu"), "half of it is quick");
    expect(!contains(quick, "W1 one_core uds tofu") && !contains(quick, "W1 one_core tcp tofu/posix_poll"),
           "and the usual rows over TCP");
    expect(!contains(planned({.under_wine = true}), "W1 free uds tofu/afd_iocp") &&
               contains(planned({.under_wine = true}), "W1 free tcp tofu/afd_iocp_direct"),
           "the Windows poller over TCP");
    expect(planned({.only = "W5 one_core tcp asio"}).size() == 1, "only what is asked for");
    auto rows = all_rows({});
    for (bench::row& each : rows) each.offered = "echo";
    std::ostringstream unread;
    expect(
        !contains(bench::find_cells(bench::find_workloads({}, 20'000, unread), rows, {}), "W4-100 one_core tcp tofu"),
        "only what is offered");
}

void connections_are_limited() {
    std::ostringstream said;
    const auto works = bench::find_workloads({}, 1024, said);
    expect(works.back().name == "idle-0", "what needs too many descriptors is left out");
    expect(said.str().find("idle-10000 is left out: it needs 10051 descriptors") != std::string::npos, "and named");
    const auto few = bench::find_workloads({.scale = 50}, 1024, said);
    expect(few.back().idle == 200 && few.back().connections == 1, "a scale divides connections");
    const auto wine = bench::find_workloads({.under_wine = true}, 20'000, said);
    expect(std::none_of(wine.begin(), wine.end(),
                        [](const auto& each) { return each.compared.metric == "server_cpu_us"; }),
           "nothing is compared by what Wine does not tell");
}

/// W4-100 and W4-1000, three rounds each, of two peers.
bench::results measured() {
    const bench::scope wanted{.only = "W4"};
    std::vector<bench::row> rows;
    for (const std::size_t i : {1U, 2U}) rows.push_back(bench::read_offer(bench::programs[i], {}, "tcp - many"));
    rows.push_back(bench::read_offer(bench::programs[5], {}, "tcp io_thread many"));
    std::ostringstream unread;
    bench::results found(bench::find_cells(bench::find_workloads(wanted, 20'000, unread), rows, wanted));
    for (const double slow : {1, 10, 1}) { // the machine, in the second round
        const double figures[] = {10, 40, 30, 20, 50, 60};
        for (std::size_t i = 0; i < found.cells().size(); ++i)
            found.add(i, {{"server_cpu_us", figures[i] * slow}, {"server_bytes_per_connection", 4096.4}});
    }
    return found;
}

void ratios_are_taken_round_by_round() {
    bench::results found = measured();
    const auto figure = bench::server_time.metric;
    expect(found.ratio_to_peer(2, "libzmq", figure) == 0.75 && found.ratio_to_peer(2, "raw_epoll", figure) == 3,
           "a ratio");
    expect(found.ratio_to_base(5, figure) == 2 && !found.ratio_to_base(2, figure), "a ratio to a smaller work");
    expect(found.median_of(2, figure) == 30 && found.extent_of(2, figure)->most == 300, "a median and the most");
    expect(!found.ratio_to_peer(2, "libzmq", "p50_us"), "no ratio of what was not measured");
    std::ostringstream csv;
    found.write_csv(csv);
    const auto has = [&](std::string_view line) { return csv.str().find(line) != std::string::npos; };
    expect(csv.str().find("workload,transport,peer,metric,value\n") == 0, "the head of the file");
    expect(has("\nW4-100/one_core,tcp,tofu/io_thread,ratio_to_libzmq,0.75\n"), "a ratio in the file");
    expect(has("\nW4-1000/one_core,tcp,tofu/io_thread,ratio_to_W4-100,2\n"), "a ratio to another work in the file");
    found.fail(1);
    expect(!found.ratio_to_peer(2, "libzmq", figure), "no ratio to what has failed");
}

void targets_are_judged() {
    const bench::target time{"", "", "", "p50_us", bench::bound::at_most, 0.83, "libzmq"};
    const bench::target speed{"", "", "", "rate_per_s", bench::bound::at_least, 1.5, "libzmq"};
    const bench::target bytes{"", "", "", "bytes", bench::bound::at_most, 4096};
    using bench::judge;
    expect(judge(time, 0.8349) == "p50_us 0.83x libzmq (target <= 0.83x): met", "a time that is just short enough");
    expect(judge(time, 0.8351) == "p50_us 0.84x libzmq (target <= 0.83x): NOT met", "a time that is too long");
    expect(judge(speed, 1.4951) == "rate_per_s 1.50x libzmq (target >= 1.50x): met", "a rate that is high enough");
    expect(judge(speed, 1.494) == "rate_per_s 1.49x libzmq (target >= 1.50x): NOT met", "a rate that is too low");
    expect(judge(bytes, 4096.4) == "bytes 4096 (target <= 4096): met", "a figure of its own");
    expect(judge(bytes, 4096.6) == "bytes 4097 (target <= 4096): NOT met", "a figure of its own that is too high");
    expect(judge(bytes, std::nullopt) == "bytes not known (target <= 4096): not judged", "nothing to judge");
}

void targets_are_summed_up() {
    bench::results found = measured();
    const auto last_line = [&] {
        std::ostringstream out;
        bench::print_targets(found, out);
        const std::string text = out.str();
        return text.substr(text.rfind('\n', text.size() - 2) + 1);
    };
    // To raw_epoll 3 and 3, to the smaller work 2; the memory is as it should be.
    expect(last_line() == "1 of 4 targets met\n", "a sum");
    found.fail(0);
    expect(last_line() == "1 of 4 targets met, 1 not judged\n", "a sum without a comparison");
}

} // namespace

int main() {
    wrong_replies_are_refused();
    wrong_messages_are_refused();
    work_ends_as_asked();
    quantiles_are_measured_values();
    metrics_follow_from_what_is_printed();
    counts_are_read();
    everybody_takes_part_where_intended();
    connections_are_limited();
    ratios_are_taken_round_by_round();
    targets_are_judged();
    targets_are_summed_up();
    return failures == 0 ? 0 : 1;
}
