// SPDX-License-Identifier: BSL-1.0
// The simulator: whole engines in simulated worlds, one world a seed. See doc/testing.md, and --help.
#include "shrink.hpp"
#include "workers.hpp"

#include <cxxopts.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <thread>

#if __has_include(<unistd.h>)
#include <unistd.h>
#endif

namespace {

using namespace tofu_simulation;
using namespace std::chrono_literals;

[[nodiscard]] bool on_terminal() {
#if __has_include(<unistd.h>)
    return ::isatty(STDERR_FILENO) == 1;
#else
    return false;
#endif
}

struct wanted {
    seed_range seeds;
    const profile* kind = nullptr; ///< null: mixed
    const policy_set* set = &policy_sets()[0];
    std::vector<bool> left_out;
    unsigned jobs = 1;
    bool one_seed = false;
    bool verbose = false;
    bool digest = false;
    bool shrinks = true;
    std::chrono::seconds limit{60};
};

[[noreturn]] void die(const std::string& words) {
    std::cerr << words << '\n';
    std::exit(2);
}

[[nodiscard]] std::uint64_t to_seed(const std::string& text) {
    std::uint64_t value = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || stop != text.data() + text.size() || value == 0) die("not a seed: " + text);
    return value;
}

[[nodiscard]] seed_range to_range(const std::string& text) {
    const std::size_t dots = text.find("..");
    if (dots == std::string::npos) die("a range is written A..B: " + text);
    const seed_range range{to_seed(text.substr(0, dots)), to_seed(text.substr(dots + 2))};
    if (range.last < range.first) die("an empty range: " + text);
    return range;
}

void list_everything() {
    std::cout << "profiles (mixed: each seed has one of them, in these shares)\n";
    for (const profile& one : profiles)
        std::cout << "  " << one.name << ": " << one.words << " (" << one.share << ")\n";
    std::cout << "policy sets\n";
    for (const policy_set& one : policy_sets()) std::cout << "  " << one.name << ": " << one.words << '\n';
}

[[nodiscard]] wanted parse(int argc, char** argv) {
    cxxopts::Options options("simulate", "Runs whole engines in simulated worlds, one world a seed.");
    options.add_options()("seeds", "these seeds, until one fails", cxxopts::value<std::string>(), "A..B")           //
        ("seed", "this seed only", cxxopts::value<std::string>(), "N")                                              //
        ("profile", "what kind of world (see --list)", cxxopts::value<std::string>()->default_value("mixed"), "P")  //
        ("policy-set", "which policies (see --list)", cxxopts::value<std::string>()->default_value("default"), "S") //
        ("leave-out", "steps of the schedule that are left out, as --seed says after a failure",
         cxxopts::value<std::string>()->default_value(""), "RANGES")                                       //
        ("jobs", "threads", cxxopts::value<unsigned>(), "N")                                               //
        ("limit", "seconds one seed may take", cxxopts::value<unsigned>()->default_value("60"), "SECONDS") //
        ("verbose", "print the log of the run")                                                            //
        ("digest", "print a digest of all logs")                                                           //
        ("no-shrink", "do not make a failing schedule shorter")                                            //
        ("list", "list profiles and policy sets")                                                          //
        ("help", "print this");
    const auto given = options.parse(argc, argv);
    if (given.count("help") != 0) {
        std::cout << options.help();
        std::exit(0);
    }
    if (given.count("list") != 0) {
        list_everything();
        std::exit(0);
    }
    wanted w;
    w.one_seed = given.count("seed") != 0;
    if (w.one_seed == (given.count("seeds") != 0)) die("one of --seed and --seeds is needed; see --help");
    if (w.one_seed)
        w.seeds.first = w.seeds.last = to_seed(given["seed"].as<std::string>());
    else
        w.seeds = to_range(given["seeds"].as<std::string>());
    const auto& kind = given["profile"].as<std::string>();
    if (kind != "mixed" && (w.kind = find_profile(kind)) == nullptr) die("no such profile: " + kind);
    const auto& set = given["policy-set"].as<std::string>();
    const auto found = std::ranges::find(policy_sets(), set, &policy_set::name);
    if (found == policy_sets().end()) die("no such policy set: " + set);
    w.set = &*found;
    const auto left_out = parse_ranges(given["leave-out"].as<std::string>());
    if (!left_out) die("not a list of steps: " + given["leave-out"].as<std::string>());
    w.left_out = *left_out;
    w.jobs =
        given.count("jobs") != 0 ? given["jobs"].as<unsigned>() : std::max(1U, std::thread::hardware_concurrency());
    if (w.jobs == 0) die("somebody has to do it: --jobs is at least 1");
    w.verbose = given.count("verbose") != 0;
    w.digest = given.count("digest") != 0;
    w.shrinks = given.count("no-shrink") == 0;
    w.limit = std::chrono::seconds(given["limit"].as<unsigned>());
    return w;
}

/// Names the seed when a signal kills the program.
void report_death(int signal) {
    char words[96];
    const int size = std::snprintf(words, sizeof words, "\nseed %llu: the program died (signal %d)\n",
                                   static_cast<unsigned long long>(workers::present_seed()), signal);
    if (size > 0) std::fwrite(words, 1, static_cast<std::size_t>(size), stderr);
    std::_Exit(1);
}

class progress {
public:
    explicit progress(std::uint64_t all) : all_(all) {}

    void show(std::uint64_t done) const {
        if (!on_terminal()) return;
        constexpr std::uint64_t width = 30;
        const std::string bar(static_cast<std::size_t>(width * done / all_), '#');
        const double rate = static_cast<double>(done) / seconds();
        const double left = rate > 0 ? static_cast<double>(all_ - done) / rate : 0;
        std::fprintf(stderr, "\r[%-30s] %3d %%  %.0f seeds/s  %.0f s left   ", bar.c_str(),
                     static_cast<int>(100 * done / all_), rate, left);
    }
    void clear() const {
        if (on_terminal()) std::fprintf(stderr, "\r%78s\r", "");
    }
    [[nodiscard]] double seconds() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
    }

private:
    std::uint64_t all_;
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

void explain(const wanted& w, const failure& f) {
    run_request again;
    again.seed = f.seed;
    again.profile = &profile_of(f.seed, w.kind);
    again.left_out = w.left_out;
    run_result whole = w.set->run(again);
    std::cout << "seed " << f.seed << " (profile " << again.profile->name << ", policy set " << w.set->name
              << ") violates " << f.what.rule << ": " << f.what.text << '\n';
    if (w.shrinks && whole.found) {
        const run_request shorter = shrink(*w.set, again, whole.found->rule, whole.reached, whole.steps);
        const auto left = std::ranges::count(shorter.left_out, false);
        std::cout << "shortened from " << whole.steps << " steps to " << left << '\n';
        again.left_out = shorter.left_out;
    }
    again.keep_log = true;
    const run_result shown = w.set->run(again);
    std::cout << shown.log << "replay: tools/simulate --seed " << f.seed << " --profile " << again.profile->name
              << " --policy-set " << w.set->name;
    if (const std::string ranges = to_ranges(again.left_out); !ranges.empty()) std::cout << " --leave-out " << ranges;
    std::cout << " --verbose\n";
}

[[nodiscard]] int run_one(const wanted& w) {
    run_request one;
    one.seed = w.seeds.first;
    one.profile = &profile_of(one.seed, w.kind);
    one.left_out = w.left_out;
    one.keep_log = w.verbose;
    workers::present_seed() = one.seed;
    const run_result result = w.set->run(one);
    if (w.verbose) std::cout << result.log;
    if (w.digest) std::cout << "digest " << std::hex << result.digest << std::dec << '\n';
    if (result.found && !w.verbose) explain(w, {one.seed, *result.found});
    if (!result.found)
        std::cout << "seed " << one.seed << " (profile " << one.profile->name << "): " << result.steps << " steps, "
                  << result.messages << " messages, all rules hold\n";
    return result.found ? 1 : 0;
}

[[nodiscard]] int run_many(const wanted& w) {
    const progress bar(w.seeds.count());
    workers all(w.seeds, w.kind, *w.set, w.jobs);
    while (!all.wait(100ms)) {
        bar.show(all.done());
        if (const std::uint64_t seed = all.stuck(w.limit); seed != 0) {
            std::cout << "seed " << seed << " violates liveness: it has been running for " << w.limit.count() << " s"
                      << std::endl;
            std::_Exit(1); // its thread cannot be ended in another way
        }
    }
    bar.clear();
    std::printf("%llu seeds, policy set %s: %.0f seeds/s, %llu messages checked, %s\n",
                static_cast<unsigned long long>(all.done()), std::string(w.set->name).c_str(),
                static_cast<double>(all.done()) / bar.seconds(), static_cast<unsigned long long>(all.messages()),
                all.failed() ? "a rule is violated" : "all rules hold");
    std::fflush(stdout);
    if (w.digest) std::cout << "digest " << std::hex << all.digest() << std::dec << '\n';
    if (const auto failed = all.failed()) {
        explain(w, *failed);
        return 1;
    }
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    std::signal(SIGSEGV, report_death);
    std::signal(SIGABRT, report_death);
    try {
        const wanted w = parse(argc, argv);
        return w.one_seed ? run_one(w) : run_many(w);
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 2;
    }
}
