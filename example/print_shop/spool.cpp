// SPDX-License-Identifier: BSL-1.0
// print_spool: a print server that makes up jobs, and makes workers rip every page of them.
#include "../support.hpp"
#include "job_board.hpp"
#include "print_job.hpp"
#include "print_spool.hpp"
#include "progress_display.hpp"
#include "protocol.hpp"
#include "summary.hpp"

#include <tofu/tofu.hpp>

#include <cxxopts.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace print_shop;

constexpr std::string_view more_help = R"(
ADDRESS is tcp|HOST|PORT or uds|PATH; PORT 0 lets the system choose. What was really bound is printed. The jobs are
alternately PS and PDF. A job whose worker is lost or fails is tried again, three times in all. A job is given up when
for --patience there was no worker that speaks its language. A worker is cut off after that time of silence if it has
a job, or was told that there are no more jobs.

exit status: 0 every page of every job arrived intact, 1 not so, 2 wrong arguments
)";

struct task {
    spool_settings settings;
    std::uint32_t jobs = 0;
    std::uint32_t fewest_pages = 0;
    std::uint32_t most_pages = 0;
    std::uint64_t seed = 0;
    std::string log;
};

/// Reads two numbers with `between` between them. Throws if the text is anything else.
std::pair<std::uint32_t, std::uint32_t> read_pair(const std::string& option, std::string_view text, char between) {
    const std::size_t at = text.find(between);
    if (at != std::string_view::npos) {
        const auto first = parse_number<std::uint32_t>(text.substr(0, at));
        const auto second = parse_number<std::uint32_t>(text.substr(at + 1));
        if (first && second && *first != 0 && *second != 0) return {*first, *second};
    }
    throw std::invalid_argument(fmt::format("--{}: two numbers with a '{}' between, please", option, between));
}

task read_task(const cxxopts::ParseResult& given) {
    task result;
    for (const std::string& text : given.unmatched()) {
        const auto address = example::read_address(text, std::cerr);
        if (!address) throw std::invalid_argument("no ADDRESS: " + text);
        result.settings.addresses.push_back(*address);
    }
    if (result.settings.addresses.empty()) throw std::invalid_argument("at least one ADDRESS, please");
    const auto patience = given["patience"].as<std::uint32_t>();
    if (patience == 0 || patience > 86'400) throw std::invalid_argument("--patience: 1 to 86400");
    result.settings.patience = std::chrono::seconds(patience);
    if (given.count("corrupt-page") != 0) {
        const auto [job, page] = read_pair("corrupt-page", given["corrupt-page"].as<std::string>(), ':');
        result.settings.fault = {job, page};
    }
    std::tie(result.fewest_pages, result.most_pages) = read_pair("pages", given["pages"].as<std::string>(), '-');
    if (result.fewest_pages > result.most_pages || result.most_pages > 100'000)
        throw std::invalid_argument("--pages: from few to many, 100000 at most");
    result.jobs = given["jobs"].as<std::uint32_t>();
    if (result.jobs == 0 || result.jobs > 10'000) throw std::invalid_argument("--jobs: 1 to 10000");
    result.seed = given["seed"].as<std::uint64_t>();
    if (given.count("log") != 0) result.log = given["log"].as<std::string>();
    return result;
}

std::vector<print_job> make_jobs(const task& what) {
    std::vector<print_job> jobs;
    std::mt19937_64 random(what.seed);
    for (std::uint32_t number = 1; number <= what.jobs; ++number) {
        const auto spread = static_cast<std::uint32_t>(random() % (what.most_pages - what.fewest_pages + 1));
        jobs.emplace_back(number, all_languages[(number - 1) % all_languages.size()], what.fewest_pages + spread,
                          what.seed);
    }
    return jobs;
}

int run(const task& what, std::FILE* log) {
    job_board board(make_jobs(what));
    progress_display display(stdout, log);
    std::uint64_t pages = 0;
    for (const job_record& record : board.jobs()) pages += record.job.pages();
    display.say(fmt::format("{} jobs with {} pages", board.jobs().size(), pages));
    display.say(fmt::format("engine: {}", tofu::reactor::policies::name));
    const auto begin = steady::now();
    print_spool spool(what.settings, board, display);
    spool.run();
    display.clear_bars();
    const std::chrono::duration<double> time = steady::now() - begin;
    display.say(fmt::format("\n{}", summary_of(board)));
    display.say(fmt::format("{} of {} jobs intact after {:.1f} s; {} refused posts were made later, {} parts came back",
                            board.count(job_state::printed), board.jobs().size(), time.count(), spool.refusals(),
                            spool.came_back()));
    return board.count(job_state::printed) == board.jobs().size() ? 0 : 1;
}

cxxopts::Options command_line() {
    cxxopts::Options options("print_spool", "Makes up print jobs and hands them to RIP workers.\n");
    options.set_width(110).custom_help(
        "ADDRESS... [--jobs N] [--pages FEWEST-MOST] [--seed N] [--patience SECONDS] [--log FILE]");
    options.add_options()                                                                                       //
        ("jobs", "how many", cxxopts::value<std::uint32_t>()->default_value("12"), "N")                         //
        ("pages", "of each job", cxxopts::value<std::string>()->default_value("40-120"), "FEWEST-MOST")         //
        ("seed", "the same seed makes the same jobs", cxxopts::value<std::uint64_t>()->default_value("1"), "N") //
        ("patience", "see below", cxxopts::value<std::uint32_t>()->default_value("30"), "SECONDS")              //
        ("log", "plain lines go there too, also when there are bars", cxxopts::value<std::string>(), "FILE")    //
        ("corrupt-page", "fault injection: damage this page of this job whenever it is sent",
         cxxopts::value<std::string>(), "JOB:PAGE") //
        ("h,help", "this text");
    return options;
}

} // namespace

int main(int argc, char** argv) {
    cxxopts::Options options = command_line();
    task what;
    try {
        const auto given = options.parse(argc, argv);
        if (given.count("help") != 0) {
            fmt::print("{}{}", options.help(), more_help);
            return 0;
        }
        what = read_task(given);
    } catch (const std::exception& error) {
        fmt::print(stderr, "print_spool: {}\n(print_spool --help tells more)\n", error.what());
        return 2;
    }
    try {
        std::unique_ptr<std::FILE, int (*)(std::FILE*)> log(nullptr, std::fclose);
        if (!what.log.empty()) {
            log.reset(std::fopen(what.log.c_str(), "w"));
            if (!log) throw std::system_error(errno, std::generic_category(), what.log);
        }
        return run(what, log.get());
    } catch (const std::exception& error) {
        fmt::print(stderr, "print_spool: {}\n", error.what());
        return 1;
    }
}
