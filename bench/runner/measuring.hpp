// SPDX-License-Identifier: BSL-1.0
// One measurement: a server and a client of one peer, side by side, and what the client has found out.
#ifndef TOFU_BENCH_RUNNER_MEASURING_HPP
#define TOFU_BENCH_RUNNER_MEASURING_HPP

#include "plan.hpp"
#include "running_server.hpp"
#include "system_calls.hpp"

#include <chrono>
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

/// A run that was not over in time. That need not be a fault of the peer's program: messages through a pipeline of nng
/// 1.5.2 stop now and then, when the machine is busy.
struct stalled : std::runtime_error {
    stalled() : std::runtime_error("the client is not done in time") {}
};

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

/// The metrics that the client has printed, and the metrics that follow from them.
inline metrics read_metrics(const std::string& text) {
    metrics found;
    std::istringstream words(text);
    std::string name;
    for (double value = 0; words >> name >> value;) found[name] = value;
    for (const std::string each : {"cpu_us", "sleeps"}) {
        const auto client = found.find("client_" + each);
        const auto server = found.find("server_" + each);
        if (client != found.end() && server != found.end()) found[each] = client->second + server->second;
    }
    if (found.contains("rate_per_s")) found["time_us"] = 1e6 / found["rate_per_s"];
    return found;
}

class measuring {
public:
    measuring(std::chrono::milliseconds warm_up, std::chrono::milliseconds time, std::chrono::seconds patience,
              bool under_wine)
        : warm_up_(warm_up)
        , time_(time)
        , patience_(patience)
        , end_with_(under_wine ? ending::end_of_input : ending::signal) {}

    /// The metrics of one run. Throws when a reply or anything else was wrong.
    metrics run(const cell& what) {
        metrics found = read_metrics(run_pair(what, 0, call_counter::none, {}, {}));
        // Under Wine, figures that it does not tell are 0, and so is processor time below a step of its clock.
        if (end_with_ == ending::end_of_input) std::erase_if(found, [](const auto& each) { return each.second == 0; });
        return found;
    }

    /// System calls of both sides per item, from a short run and a longer one: their difference is due to the items
    /// alone, not to starting, connecting and ending.
    metrics count(const cell& what, call_counter with) {
        // strace makes everything so slow that a quarter has to do.
        const std::uint64_t items = what.work.few / (with == call_counter::strace ? 4 : 1);
        const auto [few_client, few_server] = count_run(what, with, items);
        const auto [many_client, many_server] = count_run(what, with, 3 * items);
        const double client = (many_client - few_client) / static_cast<double>(2 * items);
        const double server = (many_server - few_server) / static_cast<double>(2 * items);
        return {{"client_system_calls", client}, {"server_system_calls", server}, {"system_calls", client + server}};
    }

    [[nodiscard]] const std::filesystem::path& directory() const { return directory_.path(); }

private:
    static void add(std::vector<std::string>& command, const std::vector<std::string>& words) {
        command.insert(command.end(), words.begin(), words.end());
    }

    /// The client's output. With a `count` of 0, the times decide when the run ends.
    std::string run_pair(const cell& what, std::uint64_t count, call_counter with, const std::string& client_file,
                         const std::string& server_file) {
        const workload& work = what.work;
        const std::vector<std::string> common{"--variant", what.who.variant,     "--body", std::to_string(work.body),
                                              "--count",   std::to_string(count)};
        std::vector<std::string> command = counting_command(with, server_file);
        add(command, what.who.command);
        add(command, {std::string(work.what.server), "--transport", what.who.transport, "--path",
                      directory_.path() / ("socket" + std::to_string(++runs_))});
        add(command, common);
        running_server server(std::move(command), what.where.one_core, end_with_);

        command = counting_command(with, client_file);
        add(command, what.who.command);
        add(command, {std::string(work.what.client), "--address", server.address(), "--server",
                      std::to_string(server.process())});
        add(command, common);
        add(command, {"--window", std::to_string(work.window), "--connections", std::to_string(work.connections),
                      "--idle", std::to_string(work.idle)});
        add(command, {"--warm-up", std::to_string(warm_up_.count()), "--time", std::to_string(time_.count())});
        child client(std::move(command), what.where.one_core);
        std::string said = client.read_all(warm_up_ + time_ + patience_);
        if (!client.was_in_time()) throw stalled();
        if (!client.ended_well()) throw std::runtime_error("the client has failed");
        server.stop();
        return said;
    }

    std::pair<double, double> count_run(const cell& what, call_counter with, std::uint64_t items) {
        const std::string client = directory_.path() / "client_calls";
        const std::string server = directory_.path() / "server_calls";
        run_pair(what, items, with, client, server);
        const auto by_client = read_count(with, client);
        const auto by_server = read_count(with, server);
        if (!by_client || !by_server) throw std::runtime_error("no count of system calls");
        return {*by_client, *by_server};
    }

    std::chrono::milliseconds warm_up_;
    std::chrono::milliseconds time_;
    std::chrono::seconds patience_; ///< for all else: to connect, to warm up and to finish what is under way
    ending end_with_;
    work_directory directory_;
    std::uint64_t runs_ = 0;
};

} // namespace bench

#endif
