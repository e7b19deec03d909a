// SPDX-License-Identifier: BSL-1.0
// The command line of the programs of all peers.
#include "peer_main.hpp"
#include "words.hpp"

#include <cxxopts.hpp>

#include <algorithm>
#include <array>
#include <chrono>
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

/// A role that a program can have, and the work of an offer that the role is part of.
struct role {
    std::string_view name;
    std::string_view work;
    void (*peer::*run)(const task&);
    bool serves;
};

constexpr std::array roles{
    role{"serve", "", &peer::serve, true},       role{"flood", "flood", &peer::flood, true},
    role{"echo", "echo", &peer::echo, false},    role{"drain", "flood", &peer::drain, false},
    role{"visit", "visit", &peer::visit, false},
};

cxxopts::Options peer_options() {
    using cxxopts::value;
    cxxopts::Options options("a peer's program", "One process of a measurement. tofu_bench starts these.\n");
    options.positional_help("offers|serve|flood|echo|drain|visit");
    options.add_options()                                                                                         //
        ("variant", "of what is offered", value<std::string>()->default_value(""), "NAME")                        //
        ("body", "size of a body", value<std::size_t>()->default_value("64"), "BYTES")                            //
        ("count", "do exactly N items; 0: see the times", value<std::uint64_t>()->default_value("0"), "N")        //
        ("transport", "a server's: tcp or uds", value<std::string>()->default_value("tcp"), "NAME")               //
        ("path", "a server's: the path of a Unix domain socket", value<std::string>()->default_value(""), "PATH") //
        ("address", "a client's: the address of the server", value<std::string>()->default_value(""), "ADDRESS")  //
        ("server", "a client's: process that is measured, too", value<long>()->default_value("0"), "PID")         //
        ("connections", "echo: those that work", value<std::size_t>()->default_value("1"), "N")                   //
        ("idle", "echo: more connections, that do nothing", value<std::size_t>()->default_value("0"), "N")        //
        ("window", "echo: requests under way on each", value<std::size_t>()->default_value("1"), "N")             //
        ("warm-up", "a client's: before it is measured", value<unsigned>()->default_value("50"), "MS")            //
        ("time", "a client's: for so long", value<unsigned>()->default_value("150"), "MS");
    options.add_options("hidden")("role", "", value<std::string>()->default_value(""));
    options.parse_positional({"role"});
    return options;
}

task read_task(const cxxopts::ParseResult& given) {
    task what;
    what.variant = given["variant"].as<std::string>();
    what.body = given["body"].as<std::size_t>();
    what.count = given["count"].as<std::uint64_t>();
    what.transport = given["transport"].as<std::string>();
    what.path = given["path"].as<std::string>();
    what.address = given["address"].as<std::string>();
    what.server = given["server"].as<long>();
    what.connections = given["connections"].as<std::size_t>();
    what.idle = given["idle"].as<std::size_t>();
    what.window = given["window"].as<std::size_t>();
    what.warm_up = std::chrono::milliseconds(given["warm-up"].as<unsigned>());
    what.time = std::chrono::milliseconds(given["time"].as<unsigned>());
    if (what.window == 0 || what.connections == 0) throw std::invalid_argument("--window, --connections: at least 1");
    if (what.body < sizeof(std::uint64_t)) throw std::invalid_argument("--body: at least 8");
    return what;
}

/// The function that plays this role, if the peer offers what it is for.
void (*find_role(const peer& self, const task& what, std::string_view name))(const task&) {
    const auto found = std::find_if(roles.begin(), roles.end(), [&](const role& each) { return each.name == name; });
    if (found == roles.end()) throw std::invalid_argument("offers, serve, flood, echo, drain or visit?");
    const std::string_view work = name == "echo" && what.connections + what.idle > 1 ? "many" : found->work;
    const bool offered = std::any_of(self.offers.begin(), self.offers.end(), [&](const offer& each) {
        return each.variant == what.variant && (!found->serves || each.transport == what.transport) &&
               (work.empty() || bench::has_word(each.works, work));
    });
    if (!offered || self.*(found->run) == nullptr)
        throw std::invalid_argument("'" + what.variant + "' does not offer " + std::string(name));
    return self.*(found->run);
}

} // namespace

namespace bench {

void announce(std::string_view address) { std::cout << "listening " << own_process() << ' ' << address << std::endl; }

void memory_watch::begin() {
    client_bytes_ = resident_bytes_of(own_process());
    server_bytes_ = resident_bytes_of(server_);
}

void memory_watch::report(std::ostream& out, std::size_t connections) const {
    if (connections == 0) return;
    const auto each = static_cast<double>(connections);
    out << "client_bytes_per_connection " << (resident_bytes_of(own_process()) - client_bytes_) / each << '\n';
    out << "server_bytes_per_connection " << (resident_bytes_of(server_) - server_bytes_) / each << '\n';
}

int peer_main(int argc, char** argv, const peer& self) {
    end_with_parent();
    allow_many_descriptors();
    try {
        cxxopts::Options options = peer_options();
        const auto given = options.parse(argc, argv);
        const auto wanted = given["role"].as<std::string>();
        if (wanted == "offers") {
            for (const offer& each : self.offers)
                std::cout << each.transport << ' ' << (each.variant.empty() ? "-" : each.variant) << ' ' << each.works
                          << '\n';
            return 0;
        }
        const task what = read_task(given);
        auto* const run = find_role(self, what, wanted);
        if (wanted == "serve" || wanted == "flood") end_when_asked();
        run(what);
        std::cout.flush();
        return 0;
    } catch (const std::exception& error) {
        std::cerr << argv[0] << ": " << error.what() << '\n';
        return 1;
    }
}

} // namespace bench
