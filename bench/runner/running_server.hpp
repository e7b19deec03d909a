// SPDX-License-Identifier: BSL-1.0
// A server that can be connected to, from when it has said so until it is asked to end.
#ifndef TOFU_BENCH_RUNNER_RUNNING_SERVER_HPP
#define TOFU_BENCH_RUNNER_RUNNING_SERVER_HPP

#include "process.hpp"

#include <chrono>
#include <csignal>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// The way to ask a server to end. Under Wine a server's process number is not the system's, so no signal reaches it.
enum class ending { signal, end_of_input };

class running_server {
public:
    running_server(std::vector<std::string> command, bool on_one_core, ending with)
        : child_(std::move(command), on_one_core), with_(with) {
        std::istringstream said(child_.read_line(std::chrono::seconds(20)));
        std::string word;
        if (!(said >> word >> process_ >> address_) || word != "listening")
            throw std::runtime_error("the server does not listen");
    }
    running_server(const running_server&) = delete;
    running_server& operator=(const running_server&) = delete;
    ~running_server() { ask_to_end(); }

    /// Throws when it has not ended as it should.
    void stop() {
        ask_to_end();
        child_.read_all(std::chrono::seconds(20));
        if (!child_.ended_well()) throw std::runtime_error("the server has failed");
    }

    /// As its own system numbers it.
    [[nodiscard]] pid_t process() const { return process_; }
    [[nodiscard]] const std::string& address() const { return address_; }

private:
    void ask_to_end() {
        const pid_t process = std::exchange(process_, 0);
        if (with_ == ending::end_of_input) return child_.end_input();
        // Not the child itself: that may be a program that counts its calls, and has to write down how many.
        if (process > 0) ::kill(process, SIGTERM);
    }

    child child_;
    ending with_;
    pid_t process_ = 0;
    std::string address_;
};

} // namespace bench

#endif
