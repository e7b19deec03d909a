// SPDX-License-Identifier: BSL-1.0
// The script by which a test controls the system of an engine: its names, its clock, and its refusals.
#ifndef TOFU_TEST_SUPPORT_SCRIPT_HPP
#define TOFU_TEST_SUPPORT_SCRIPT_HPP

#include "any_reactor.hpp"

#include <tofu/contract/io.hpp>
#include <tofu/platform/network.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tofu_test {

using endpoint = tofu::platform::network<>::endpoint;

/// One look-up of a name. Destroying it without an answer drops the request.
struct question {
    std::string host;
    std::uint16_t port = 0;
    bool for_listening = false;
    std::function<void(std::span<const endpoint>, tofu::io_error)> complete;

    void answer(const std::vector<tofu::address>& found);
    void fail(tofu::io_failure why);
};

/// Holds the questions of one or several engines until the test answers them. Any thread.
class name_service {
public:
    void ask(question one);
    /// Takes the oldest question. Turns the loop of a caller-driven engine until there is one.
    question next(any_reactor& engine);
    [[nodiscard]] bool idle();

private:
    std::mutex mutex_;
    std::condition_variable asked_;
    std::deque<question> questions_;
};

/// A socket that an engine has asked its network for, or has accepted.
struct asked_socket {
    enum class how : std::uint8_t { connects, listens, accepted };

    how made;
    tofu::socket_options options;
    int backlog = 0; ///< of a listener
};

/// The list of all asked sockets, in order. Any thread.
class socket_log {
public:
    void add(const asked_socket& one);
    [[nodiscard]] std::vector<asked_socket> all();

private:
    std::mutex mutex_;
    std::vector<asked_socket> sockets_;
};

/// A script must outlive its engines. An empty script is the real system without a resolver.
struct script {
    using milliseconds = std::chrono::milliseconds;

    name_service names;
    socket_log sockets;

    // For now, or for ever. Any thread.
    std::atomic<bool> refuses_reads{false};                                ///< there is no memory
    std::atomic<bool> refuses_writes{false};                               ///< there is no memory
    std::atomic<tofu::io_failure> refuses_accepts{tofu::io_failure::none}; ///< with code 1
    std::atomic<unsigned> refusals{0};                                     ///< number of refusals by these
    std::atomic<bool> breaks_writes{false};                                ///< writes fail, reads do not
    std::atomic<tofu::io_failure> broken_as{tofu::io_failure::reset};      ///< a broken write's failure, with code 1
    std::atomic<bool> never_connects{false};
    std::atomic<bool> connects_unseen{false}; ///< with never_connects: finish_connect succeeds unreported

    /// For each address, the failure with which connecting ends at once (with code 1). would_block: no answer ever
    /// comes. Must be set before the first connect.
    std::vector<std::pair<tofu::address, tofu::io_failure>> connects_as;

    /// A connect to the first address goes to the second one. Must be set before the first connect.
    tofu::address diverted_from;
    tofu::address diverted_to;

    /// The lead of the engine's clock over the real clock. So limits of minutes expire when the test says so, and never
    /// because the machine is slow. Any thread.
    std::atomic<milliseconds::rep> clock_lead{0};
    /// True: the engine's time is the lead alone. Then no call may wait for a time, because that time would never come.
    std::atomic<bool> clock_stands_still{false};
};

} // namespace tofu_test

#endif
