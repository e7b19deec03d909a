// SPDX-License-Identifier: BSL-1.0
// Counting the system calls of a process and all its threads: with perf where the system allows it, else with strace.
#ifndef TOFU_BENCH_RUNNER_SYSTEM_CALLS_HPP
#define TOFU_BENCH_RUNNER_SYSTEM_CALLS_HPP

#include "process.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

enum class call_counter { none, perf, strace };

/// The command that runs another one and writes what it has counted to `file`.
inline std::vector<std::string> counting_command(call_counter with, const std::string& file) {
    switch (with) {
    case call_counter::perf: return {"perf", "stat", "-x", ",", "-e", "raw_syscalls:sys_enter", "-o", file, "--"};
    case call_counter::strace: return {"strace", "-f", "-c", "-o", file, "--"};
    case call_counter::none: break;
    }
    return {};
}

/// Reads the one figure out of perf's table: "7402,,raw_syscalls:sys_enter,...". Nothing when it is not one.
inline std::optional<double> read_perf(std::istream& from) {
    for (std::string line; std::getline(from, line);) {
        if (line.find("raw_syscalls:sys_enter") == std::string::npos) continue;
        std::istringstream first(line.substr(0, line.find(',')));
        if (double count = 0; first >> count) return count;
    }
    return std::nullopt;
}

/// Reads the sum of strace's table: "100.00    0.000123           4        29         1 total".
inline std::optional<double> read_strace(std::istream& from) {
    for (std::string line; std::getline(from, line);) {
        std::istringstream words(line);
        double percent = 0;
        double seconds = 0;
        double each = 0;
        double calls = 0;
        if (line.ends_with(" total") && words >> percent >> seconds >> each >> calls) return calls;
    }
    return std::nullopt;
}

inline std::optional<double> read_count(call_counter with, const std::string& file) {
    std::ifstream from(file);
    return with == call_counter::perf ? read_perf(from) : read_strace(from);
}

/// The first that can count the calls of `true`. `wanted` is "perf", "strace", "any" of them, or "none".
inline call_counter find_call_counter(std::string_view wanted, const std::filesystem::path& work) {
    for (const auto& [name, with] : {std::pair(std::string_view("perf"), call_counter::perf),
                                     std::pair(std::string_view("strace"), call_counter::strace)}) {
        if (wanted != name && wanted != "any") continue;
        const std::string file = work / "trial";
        // Either says at length why it is not allowed to; that is no news here.
        std::vector<std::string> command{"/bin/sh", "-c", "exec \"$@\" 2>/dev/null", "sh"};
        for (std::string& word : counting_command(with, file)) command.push_back(std::move(word));
        command.push_back("true");
        child trial(std::move(command));
        trial.read_all(std::chrono::seconds(10));
        if (trial.ended_well() && read_count(with, file).value_or(0) > 0) return with;
    }
    return call_counter::none;
}

} // namespace bench

#endif
