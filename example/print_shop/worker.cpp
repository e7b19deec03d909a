// SPDX-License-Identifier: BSL-1.0
// rip_worker: turns the pages of print jobs into rasters. The work is only simulated, but it takes real time.
#include "../support.hpp"
#include "rip_worker.hpp"

#include <tofu/tofu.hpp>

#include <cxxopts.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

using namespace print_shop;

rip_task read_task(const cxxopts::ParseResult& given) {
    rip_task result;
    if (given.unmatched().size() != 1 || given.count("pdl") != 1)
        throw std::invalid_argument("one ADDRESS and its --pdl, please");
    const auto address = example::read_address(given.unmatched().front(), std::cerr);
    if (!address) throw std::invalid_argument("no ADDRESS: " + given.unmatched().front());
    if (const std::string_view problem = connect_problem(*address); !problem.empty())
        throw std::invalid_argument(std::string(problem));
    result.spool = *address;
    result.pdl = given["pdl"].as<std::string>();
    if (given.count("name") != 0) result.name = given["name"].as<std::string>();
    const auto speed = given["speed"].as<double>();
    if (!(speed > 0 && speed <= 1e6)) throw std::invalid_argument("--speed: more than 0, at most a million");
    result.time_per_page = std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 / speed));
    if (given.count("fault") != 0) result.fault = given["fault"].as<std::string>();
    if (!result.fault.empty() && result.fault != "wrong_digest" && result.fault != "lost_progress")
        throw std::invalid_argument("--fault: wrong_digest or lost_progress");
    return result;
}

cxxopts::Options command_line() {
    cxxopts::Options options("rip_worker", "Rips the print jobs that a print_spool sends.\n");
    options.set_width(110).custom_help("ADDRESS --pdl PS|PDF [--name NAME] [--speed PAGES]");
    options.add_options()                                                                                       //
        ("pdl", "the language this worker speaks, PS or PDF", cxxopts::value<std::string>(), "PDL")             //
        ("name", "what the spool calls it; without one it has a number", cxxopts::value<std::string>(), "NAME") //
        ("speed", "pages a second", cxxopts::value<double>()->default_value("1000000"), "PAGES")                //
        ("fault", "fault injection: wrong_digest in every answer, lost_progress of the second page",
         cxxopts::value<std::string>(), "FAULT") //
        ("h,help", "this text");
    return options;
}

} // namespace

int main(int argc, char** argv) {
    cxxopts::Options options = command_line();
    rip_task what;
    try {
        const auto given = options.parse(argc, argv);
        if (given.count("help") != 0) {
            fmt::print("{}\nADDRESS is tcp|HOST|PORT or uds|PATH.\n"
                       "exit status: 0 the last job was done well, and the bye answered; 1 not so, 2 wrong arguments\n",
                       options.help());
            return 0;
        }
        what = read_task(given);
    } catch (const std::exception& error) {
        fmt::print(stderr, "rip_worker: {}\n(rip_worker --help tells more)\n", error.what());
        return 2;
    }
    try {
        return rip_worker(what).run() ? 0 : 1;
    } catch (const std::exception& error) {
        fmt::print(stderr, "rip_worker: {}\n", error.what());
        return 1;
    }
}
