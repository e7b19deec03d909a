// SPDX-License-Identifier: BSL-1.0
// The command line of the programs of all peers.
#include "peer_main.hpp"

#include <cxxopts.hpp>

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

using bench::offer;
using bench::peer;
using bench::task;

/// A server has nothing to clean up, and whoever counts its system calls shall see it end in order.
extern "C" void bench_end_well(int) { ::_exit(0); }

cxxopts::Options peer_options() {
    using cxxopts::value;
    cxxopts::Options options("a peer's program", "One process of a measurement. tofu_bench starts these.\n");
    options.positional_help("offers|serve|echo");
    options.add_options()                                                                                       //
        ("variant", "of what is offered", value<std::string>()->default_value(""), "NAME")                      //
        ("transport", "serve: tcp or uds", value<std::string>()->default_value("tcp"), "NAME")                  //
        ("path", "serve: where a Unix domain socket is to be", value<std::string>()->default_value(""), "PATH") //
        ("address", "echo: what the server has announced", value<std::string>()->default_value(""), "ADDRESS")  //
        ("server", "echo: process whose processor time is measured", value<pid_t>()->default_value("0"), "PID") //
        ("body", "echo: size of a body", value<std::size_t>()->default_value("64"), "BYTES")                    //
        ("window", "echo: requests under way", value<std::size_t>()->default_value("1"), "N")                   //
        ("trips", "echo: round trips; 0: see the times", value<std::uint64_t>()->default_value("0"), "N")       //
        ("warm-up", "echo: before it is measured", value<unsigned>()->default_value("50"), "MS")                //
        ("time", "echo: for so long", value<unsigned>()->default_value("150"), "MS");
    options.add_options("hidden")("role", "", value<std::string>()->default_value(""));
    options.parse_positional({"role"});
    return options;
}

task read_task(const cxxopts::ParseResult& given) {
    task what;
    what.variant = given["variant"].as<std::string>();
    what.transport = given["transport"].as<std::string>();
    what.path = given["path"].as<std::string>();
    what.address = given["address"].as<std::string>();
    what.server = given["server"].as<pid_t>();
    what.body = given["body"].as<std::size_t>();
    what.window = given["window"].as<std::size_t>();
    what.trips = given["trips"].as<std::uint64_t>();
    what.warm_up = std::chrono::milliseconds(given["warm-up"].as<unsigned>());
    what.time = std::chrono::milliseconds(given["time"].as<unsigned>());
    if (what.window == 0 || what.body == 0) throw std::invalid_argument("--window and --body: at least 1");
    return what;
}

void check_offered(const peer& self, const task& what, std::string_view role) {
    const bool known = std::any_of(self.offers.begin(), self.offers.end(), [&](const offer& each) {
        return each.variant == what.variant && (role == "echo" || each.transport == what.transport);
    });
    if (!known) throw std::invalid_argument("'" + what.variant + "' over " + what.transport + " is not offered");
}

} // namespace

namespace bench {

void announce(std::string_view address) { std::cout << "listening " << ::getpid() << ' ' << address << std::endl; }

int peer_main(int argc, char** argv, const peer& self) {
    // Whoever has started this may be gone before it could end it.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
        cxxopts::Options options = peer_options();
        const auto given = options.parse(argc, argv);
        const auto role = given["role"].as<std::string>();
        if (role == "offers") {
            for (const offer& each : self.offers) std::cout << each.transport << ' ' << each.variant << '\n';
            return 0;
        }
        const task what = read_task(given);
        check_offered(self, what, role);
        if (role == "serve") {
            std::signal(SIGTERM, bench_end_well);
            self.serve(what);
        } else if (role == "echo") {
            echo_work work(what);
            self.echo(what, work);
            work.report(std::cout);
        } else {
            throw std::invalid_argument("offers, serve or echo?");
        }
        return 0;
    } catch (const std::exception& error) {
        std::cerr << argv[0] << ": " << error.what() << '\n';
        return 1;
    }
}

} // namespace bench
