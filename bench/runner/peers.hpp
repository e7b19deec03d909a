// SPDX-License-Identifier: BSL-1.0
// The peers: whose programs there are, in which workloads they take part, and what they offer.
#ifndef TOFU_BENCH_RUNNER_PEERS_HPP
#define TOFU_BENCH_RUNNER_PEERS_HPP

#include "../harness/words.hpp"
#include "process.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

inline constexpr std::string_view usual_work = "W1 W2-64 W2-1024 W2-65535 W3-64 W3-1024 W4-100 W4-1000 W5 idle-0 "
                                               "idle-1000";
inline constexpr std::string_view all_work = "W1 W2-64 W2-1024 W2-65535 W3-64 W3-1024 W4-100 W4-1000 W5 idle-0 "
                                             "idle-1000 idle-10000";

/// The program of a peer; see CMakeLists.txt.
struct peer_program {
    std::string_view peer; ///< as in tables and files, where "/" and the variant follow
    std::string_view file;
    std::string_view works = usual_work;
    std::string_view variant = ""; ///< the only one that is measured; empty: all
    bool quick = true;             ///< measured in a quick run, too
    std::string_view remedy = "";  ///< the package to install when it is not there
    bool stalls = false;           ///< it is known to stop for ever now and then; a run that does is begun again
};

inline constexpr std::array programs{
    peer_program{.peer = "raw_blocking", .file = "tofu_bench_raw_blocking"},
    peer_program{.peer = "raw_epoll", .file = "tofu_bench_raw_epoll", .works = all_work},
    peer_program{.peer = "libzmq", .file = "tofu_bench_zmq", .remedy = "libzmq3-dev"},
    peer_program{.peer = "nng", .file = "tofu_bench_nng", .remedy = "libnng-dev", .stalls = true},
    peer_program{.peer = "asio", .file = "tofu_bench_asio", .remedy = "libboost-dev"},
    peer_program{.peer = "tofu", .file = "tofu_bench_tofu"},
    peer_program{.peer = "tofu/growing_pool",
                 .file = "tofu_bench_tofu_growing_pool",
                 .works = "W1 W4-1000 idle-0 idle-1000 idle-10000",
                 .quick = false},
    peer_program{.peer = "tofu/posix_poll",
                 .file = "tofu_bench_tofu_posix_poll",
                 .works = "W1 W4-100 W4-1000 idle-0 idle-1000",
                 .variant = "io_thread",
                 .quick = false},
    peer_program{.peer = "tofu/linux_io_uring",
                 .file = "tofu_bench_tofu_linux_io_uring",
                 .works = "W1 W2-65535 W3-64 W4-100 W4-1000 W5",
                 .quick = false},
    peer_program{.peer = "tofu/pointer_key",
                 .file = "tofu_bench_tofu_pointer_key",
                 .works = "W1 W4-1000",
                 .variant = "io_thread",
                 .quick = false},
    peer_program{.peer = "tofu/handle_key",
                 .file = "tofu_bench_tofu_handle_key",
                 .works = "W1 W4-1000",
                 .variant = "io_thread",
                 .quick = false},
};

inline constexpr std::string_view work_under_wine = "W1 W3-64 W3-1024 W4-100 W4-1000 idle-0 idle-1000";

inline constexpr std::array programs_under_wine{
    peer_program{.peer = "tofu/afd_iocp", .file = "tofu_bench_tofu.exe", .works = work_under_wine},
    peer_program{.peer = "tofu/afd_iocp_direct", .file = "tofu_bench_tofu_direct.exe", .works = work_under_wine},
};

/// A peer, in one of its variants, over one transport.
struct row {
    std::string peer; ///< "tofu/posix_poll/io_thread"
    std::string transport{};
    std::string variant{};
    std::string offered{}; ///< activities
    std::vector<std::string> command{};
    peer_program program{};
};

/// A line of what a program offers: "tcp io_thread echo many flood visit"; its variant is "-" when it has no name.
inline row read_offer(const peer_program& from, std::vector<std::string> command, const std::string& line) {
    row one{.peer = std::string(from.peer), .command = std::move(command), .program = from};
    std::istringstream words(line);
    if (!(words >> one.transport >> one.variant))
        throw std::runtime_error(std::string(from.file) + " offers '" + line + "'");
    for (std::string word; words >> word;) one.offered += (one.offered.empty() ? "" : " ") + word;
    if (one.variant == "-")
        one.variant.clear();
    else
        one.peer += "/" + one.variant;
    return one;
}

/// Asks every program what it offers. Says on `out` what is not there. `launcher` is the command
/// that runs a program, or nothing.
inline std::vector<row> find_rows(const std::vector<peer_program>& from, const std::filesystem::path& directory,
                                  const std::vector<std::string>& launcher, std::ostream& out) {
    std::vector<row> found;
    for (const peer_program& each : from) {
        const std::string program = directory / each.file;
        if (!std::filesystem::exists(program)) {
            out << each.peer << " is left out: " << program << " has not been built";
            if (!each.remedy.empty()) out << " (it needs " << each.remedy << ')';
            out << '\n';
            continue;
        }
        std::vector<std::string> command = launcher;
        command.push_back(program);
        std::vector<std::string> question = command;
        question.emplace_back("offers");
        child asked(std::move(question));
        std::istringstream offers(asked.read_all(std::chrono::seconds(30)));
        if (!asked.ended_well()) throw std::runtime_error(program + " does not say what it offers");
        for (std::string line; std::getline(offers, line);) {
            row one = read_offer(each, command, line);
            if (each.variant.empty() || each.variant == one.variant) found.push_back(std::move(one));
        }
    }
    return found;
}

} // namespace bench

#endif
