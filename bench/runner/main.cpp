// SPDX-License-Identifier: BSL-1.0
// The benchmark: starts the programs of all peers in turn, round after round, and compares what they report.
#include "measuring.hpp"
#include "plan.hpp"
#include "progress.hpp"
#include "report.hpp"
#include "results.hpp"
#include "system_calls.hpp"
#include "targets.hpp"

#include <cxxopts.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct settings {
    std::filesystem::path programs;
    std::string csv;
    std::string calls;
    bench::scope scope;
    unsigned rounds = 5;
    std::chrono::milliseconds warm_up{40};
    std::chrono::milliseconds time{150};
    std::chrono::seconds patience{10};
};

cxxopts::Options make_options() {
    using cxxopts::value;
    cxxopts::Options options("tofu_bench", "Compares tofu with its peers. tools/bench builds and runs this.\n");
    options.add_options()                                                                                             //
        ("rounds", "measurements of each kind", value<unsigned>()->default_value("5"), "N")                           //
        ("warm-up", "before each measurement", value<unsigned>()->default_value("40"), "MS")                          //
        ("time", "of each measurement", value<unsigned>()->default_value("150"), "MS")                                //
        ("patience", "what a run may take beside its times", value<unsigned>()->default_value("10"), "S")             //
        ("quick", "TCP, the most telling workloads and rows")                                                         //
        ("only", "measurements whose name contains this", value<std::string>()->default_value(""), "TEXT")            //
        ("scale", "divides the numbers of connections", value<std::size_t>()->default_value("1"), "N")                //
        ("wine", "programs for Windows, which `wine` runs; not beside others")                                        //
        ("calls", "count system calls: perf, strace, none or any", value<std::string>()->default_value("any"), "HOW") //
        ("csv", "write all results to this file", value<std::string>()->default_value(""), "FILE")                    //
        ("programs", "where the peers' programs are", value<std::string>()->default_value(""), "DIRECTORY")           //
        ("h,help", "this text");
    return options;
}

settings read_settings(const cxxopts::ParseResult& given) {
    settings wanted;
    wanted.programs = given["programs"].as<std::string>();
    if (wanted.programs.empty()) wanted.programs = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    wanted.csv = given["csv"].as<std::string>();
    wanted.scope.quick = given.count("quick") != 0;
    wanted.scope.under_wine = given.count("wine") != 0;
    wanted.scope.only = given["only"].as<std::string>();
    wanted.scope.scale = given["scale"].as<std::size_t>();
    wanted.calls = wanted.scope.under_wine ? "none" : given["calls"].as<std::string>();
    wanted.rounds = given["rounds"].as<unsigned>();
    wanted.warm_up = std::chrono::milliseconds(given["warm-up"].as<unsigned>());
    wanted.time = std::chrono::milliseconds(given["time"].as<unsigned>());
    wanted.patience = std::chrono::seconds(given["patience"].as<unsigned>());
    if (wanted.rounds == 0 || wanted.time.count() == 0 || wanted.scope.scale == 0)
        throw std::invalid_argument("--rounds, --time and --scale: at least 1");
    return wanted;
}

/// The signal that asks for an end. The started programs end with it, and the temporary files are removed.
volatile std::sig_atomic_t stop_signal = 0;

extern "C" void bench_note_signal(int number) { stop_signal = number; }

struct interrupted {};

constexpr unsigned most_stalls = 5;

/// Begins a run that stalls again, if the peer is known for that, and says so. Throws all other failures.
template <class Measure>
bench::metrics until_done(const bench::cell& what, bench::progress& shown, Measure measure) {
    for (unsigned stalls = 1;; ++stalls) {
        try {
            return measure(what);
        } catch (const bench::stalled& error) {
            if (!what.who.program.stalls || stop_signal != 0 || stalls == most_stalls) throw;
            shown.clear();
            std::cerr << what.name() << ": " << error.what() << ", once more\n";
        }
    }
}

/// Every cell once; one that fails is not tried again.
template <class Measure>
void run_round(bench::results& into, bench::progress& shown, Measure measure) {
    for (std::size_t i = 0; i < into.cells().size(); ++i) {
        const bench::cell& what = into.cells()[i];
        if (stop_signal != 0) throw interrupted{};
        shown.begin_run(what.name());
        if (into.failed(i)) continue;
        try {
            into.add(i, until_done(what, shown, measure));
        } catch (const std::exception& error) {
            shown.clear();
            if (stop_signal != 0) throw interrupted{}; // and so were the programs
            std::cerr << what.name() << ": " << error.what() << '\n';
            into.fail(i);
        }
    }
}

void run_all(bench::results& into, const settings& wanted) {
    bench::measuring measure(wanted.warm_up, wanted.time, wanted.patience, wanted.scope.under_wine);
    const bench::call_counter counter = bench::find_call_counter(wanted.calls, measure.directory());
    const unsigned counting = counter == bench::call_counter::none ? 0 : 1;
    bench::progress shown(into.cells().size() * (wanted.rounds + counting));
    for (unsigned round = 1; round <= wanted.rounds; ++round) {
        shown.begin_round("round " + std::to_string(round) + " of " + std::to_string(wanted.rounds));
        run_round(into, shown, [&](const bench::cell& what) { return measure.run(what); });
    }
    if (counting != 0) {
        shown.begin_round(counter == bench::call_counter::perf ? "counting system calls with perf"
                                                               : "counting system calls with strace");
        run_round(into, shown, [&](const bench::cell& what) { return measure.count(what, counter); });
    }
    shown.clear();
    if (counting == 0 && wanted.calls != "none")
        std::cout << "system calls are not counted: that is not allowed here\n";
}

std::vector<bench::cell> find_cells(const settings& wanted) {
    const std::vector<std::string> launcher(wanted.scope.under_wine ? 1 : 0, "wine");
    const auto rows = bench::find_rows(bench::find_programs(wanted.scope), wanted.programs, launcher, std::cout);
    const auto works = bench::find_workloads(wanted.scope, bench::allowed_descriptors(), std::cout);
    auto cells = bench::find_cells(works, rows, wanted.scope);
    if (cells.empty()) throw std::runtime_error("no measurement's name contains '" + wanted.scope.only + "'");
    return cells;
}

int run(const settings& wanted) {
    bench::results found(find_cells(wanted));
    run_all(found, wanted);
    bench::tables(found, std::cout).print();
    bench::print_targets(found, std::cout);
    if (!wanted.csv.empty()) {
        std::ofstream file(wanted.csv);
        found.write_csv(file);
        if (!file.flush()) throw std::runtime_error("cannot write " + wanted.csv);
        std::cout << "\nall results: " << wanted.csv << '\n';
    }
    for (std::size_t i = 0; i < found.cells().size(); ++i) {
        if (found.failed(i)) return 1;
    }
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    settings wanted;
    try {
        cxxopts::Options options = make_options();
        const auto given = options.parse(argc, argv);
        if (given.count("help") != 0) {
            std::cout << options.help()
                      << "\nexit status: 0 every reply was right, 1 one was not, 2 wrong arguments, 128 + N ended by "
                         "signal N\n";
            return 0;
        }
        wanted = read_settings(given);
    } catch (const std::exception& error) {
        std::cerr << "tofu_bench: " << error.what() << "\n(tofu_bench --help tells more)\n";
        return 2;
    }
    try {
        std::signal(SIGINT, bench_note_signal);
        std::signal(SIGTERM, bench_note_signal);
        return run(wanted);
    } catch (const interrupted&) {
        return 128 + stop_signal;
    } catch (const std::exception& error) {
        std::cerr << "tofu_bench: " << error.what() << '\n';
        return 1;
    }
}
