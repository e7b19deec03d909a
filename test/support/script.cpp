// SPDX-License-Identifier: BSL-1.0
// Holds an engine's look-ups of names until the test answers them, and lists the engine's sockets.
#include "script.hpp"

#include "dialogue.hpp"

#include <utility>
#include <vector>

namespace tofu_test {

void question::answer(const std::vector<tofu::address>& found) {
    std::vector<endpoint> endpoints;
    for (const tofu::address& one : found) {
        tofu::platform::network<> net;
        BOOST_REQUIRE(!net.to_endpoint(one, for_listening, endpoints.emplace_back()));
    }
    std::exchange(complete, nullptr)(endpoints, {});
}

void question::fail(tofu::io_failure why) { std::exchange(complete, nullptr)({}, {why, 0}); }

void name_service::ask(question one) {
    const std::lock_guard lock(mutex_);
    questions_.push_back(std::move(one));
    asked_.notify_all();
}

question name_service::next(any_reactor& engine) {
    const auto until = std::chrono::steady_clock::now() + patience;
    std::unique_lock lock(mutex_);
    while (questions_.empty()) {
        BOOST_REQUIRE_MESSAGE(std::chrono::steady_clock::now() < until, "no name was asked for in time");
        lock.unlock();
        std::error_code has_thread;
        engine.run_once(0ms, has_thread);
        lock.lock();
        if (has_thread) asked_.wait_until(lock, until, [this] { return !questions_.empty(); });
    }
    question first = std::move(questions_.front());
    questions_.pop_front();
    return first;
}

void socket_log::add(const asked_socket& one) {
    const std::lock_guard lock(mutex_);
    sockets_.push_back(one);
}

std::vector<asked_socket> socket_log::all() {
    const std::lock_guard lock(mutex_);
    return sockets_;
}

bool name_service::idle() {
    const std::lock_guard lock(mutex_);
    return questions_.empty();
}

} // namespace tofu_test
