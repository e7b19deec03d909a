// SPDX-License-Identifier: BSL-1.0
// One measurement: a server and a client of one peer, side by side, and what the client has found out.
#ifndef TOFU_BENCH_RUNNER_MEASURING_HPP
#define TOFU_BENCH_RUNNER_MEASURING_HPP

#include "plan.hpp"
#include "process.hpp"
#include "system_calls.hpp"

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// Name and value.
using metrics = std::map<std::string, double>;

/// A directory of this run's own, for sockets and counts.
class work_directory {
public:
    work_directory() {
        std::string name = (std::filesystem::temp_directory_path() / "tofu-bench-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no directory for sockets: " + name);
        path_ = name;
    }
    work_directory(const work_directory&) = delete;
    work_directory& operator=(const work_directory&) = delete;
    ~work_directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// A server that can be connected to.
class running_server {
public:
    running_server(std::vector<std::string> command, const cell& what, const std::filesystem::path& socket)
        : child_(with_arguments(std::move(command), *what.who, socket), what.where->one_core) {
        std::istringstream said(child_.read_line(std::chrono::seconds(20)));
        std::string word;
        if (!(said >> word >> process_ >> address_) || word != "listening")
            throw std::runtime_error("the server does not listen");
    }
    running_server(const running_server&) = delete;
    running_server& operator=(const running_server&) = delete;
    ~running_server() {
        if (process_ > 0) ::kill(process_, SIGTERM);
    }

    /// Throws when it has not ended as it should.
    void stop() {
        // Not the child itself: that may be a program that counts its calls, and has to write down how many.
        ::kill(std::exchange(process_, 0), SIGTERM);
        child_.read_all(std::chrono::seconds(20));
        if (!child_.ended_well()) throw std::runtime_error("the server has failed");
    }

    [[nodiscard]] pid_t process() const { return process_; }
    [[nodiscard]] const std::string& address() const { return address_; }

private:
    static std::vector<std::string> with_arguments(std::vector<std::string> command, const row& who,
                                                   const std::filesystem::path& socket) {
        command.insert(command.end(), {who.program, "serve", "--variant", who.variant, "--transport", who.transport,
                                       "--path", socket.string()});
        return command;
    }

    child child_;
    pid_t process_ = 0;
    std::string address_;
};

class measuring {
public:
    measuring(std::chrono::milliseconds warm_up, std::chrono::milliseconds time) : warm_up_(warm_up), time_(time) {}

    /// What the client of one run reports. Throws when a reply was wrong, or anything else.
    metrics run(const cell& what) {
        metrics found = run_pair(what, 0, call_counter::none, {}, {});
        found["cpu_us_per_round_trip"] = found["client_cpu_us_per_round_trip"] + found["server_cpu_us_per_round_trip"];
        found["sleeps_per_round_trip"] = found["client_sleeps_per_round_trip"] + found["server_sleeps_per_round_trip"];
        return found;
    }

    /// System calls of both sides per round trip, from a short run and a longer one: what their difference is due to
    /// is the round trips alone, not starting, connecting and ending.
    metrics count(const cell& what, call_counter with) {
        // strace makes everything so slow that a quarter has to do.
        const std::uint64_t trips = what.work->few_trips / (with == call_counter::strace ? 4 : 1);
        const auto [few_client, few_server] = count_run(what, with, trips);
        const auto [many_client, many_server] = count_run(what, with, 3 * trips);
        const double client = (many_client - few_client) / static_cast<double>(2 * trips);
        const double server = (many_server - few_server) / static_cast<double>(2 * trips);
        return {{"client_system_calls_per_round_trip", client},
                {"server_system_calls_per_round_trip", server},
                {"system_calls_per_round_trip", client + server}};
    }

    [[nodiscard]] const std::filesystem::path& directory() const { return directory_.path(); }

private:
    metrics run_pair(const cell& what, std::uint64_t trips, call_counter with, const std::string& client_file,
                     const std::string& server_file) {
        const auto socket = directory_.path() / ("socket" + std::to_string(++runs_));
        running_server server(counting_command(with, server_file), what, socket);
        std::vector<std::string> command = counting_command(with, client_file);
        const auto add = [&](const char* name, const std::string& value) {
            command.insert(command.end(), {name, value});
        };
        command.insert(command.end(), {what.who->program, "echo"});
        add("--variant", what.who->variant);
        add("--address", server.address());
        add("--server", std::to_string(server.process()));
        add("--body", std::to_string(what.work->body));
        add("--window", std::to_string(what.work->window));
        add("--trips", std::to_string(trips));
        add("--warm-up", std::to_string(warm_up_.count()));
        add("--time", std::to_string(time_.count()));
        child client(std::move(command), what.where->one_core);
        std::istringstream said(client.read_all(warm_up_ + time_ + std::chrono::seconds(30)));
        if (!client.ended_well()) throw std::runtime_error("the client has failed");
        server.stop();
        metrics found;
        std::string name;
        for (double value = 0; said >> name >> value;) found[name] = value;
        return found;
    }

    std::pair<double, double> count_run(const cell& what, call_counter with, std::uint64_t trips) {
        const std::string client = directory_.path() / "client_calls";
        const std::string server = directory_.path() / "server_calls";
        run_pair(what, trips, with, client, server);
        const auto by_client = read_count(with, client);
        const auto by_server = read_count(with, server);
        if (!by_client || !by_server) throw std::runtime_error("no count of system calls");
        return {*by_client, *by_server};
    }

    std::chrono::milliseconds warm_up_;
    std::chrono::milliseconds time_;
    work_directory directory_;
    std::uint64_t runs_ = 0;
};

} // namespace bench

#endif
