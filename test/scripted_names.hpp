// SPDX-License-Identifier: BSL-1.0
// A resolver that does what a test says: it keeps every question until the test answers it, drops it, or forgets it.
#ifndef TOFU_TEST_SCRIPTED_NAMES_HPP
#define TOFU_TEST_SCRIPTED_NAMES_HPP

#include "harness.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <thread>

namespace tofu_test {

using endpoint = tofu::platform::network<>::endpoint;

/// One name somebody wants to know. Destroying it unanswered drops the request.
struct question {
    std::string host;
    std::uint16_t port = 0;
    bool for_listening = false;
    std::function<void(std::span<const endpoint>, tofu::io_error)> complete;

    void answer(std::initializer_list<tofu::address> found) {
        std::vector<endpoint> endpoints;
        for (const tofu::address& one : found) {
            tofu::platform::network<> net;
            BOOST_REQUIRE(!net.to_endpoint(one, for_listening, endpoints.emplace_back()));
        }
        std::exchange(complete, nullptr)(endpoints, {});
    }
    void fail(tofu::io_failure why) { std::exchange(complete, nullptr)({}, {why, 0}); }
};

/// Where the questions of one or several engines wait. Any thread; it outlives the engines.
class name_service {
public:
    void ask(question one) {
        const std::lock_guard lock(mutex_);
        questions_.push_back(std::move(one));
        asked_.notify_all();
    }

    /// The oldest question; turns the loop of a caller-driven engine until there is one.
    template <class Engine>
    question next(Engine& engine) {
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

    [[nodiscard]] bool idle() {
        const std::lock_guard lock(mutex_);
        return questions_.empty();
    }

private:
    std::mutex mutex_;
    std::condition_variable asked_;
    std::deque<question> questions_;
};

struct scripted_resolver {
    name_service* service = nullptr;

    template <class Resolution>
    void resolve(Resolution request) noexcept {
        question one{std::string(request.host()), request.port(), request.for_listening(), {}};
        auto kept = std::make_shared<Resolution>(std::move(request)); // std::function wants to be copyable
        one.complete = [kept](std::span<const endpoint> found, tofu::io_error error) { kept->complete(found, error); };
        service->ask(std::move(one));
    }
};

/// The same poll policy over another network.
template <class Poll, class Network>
struct with_network_of;
template <template <class> class Poll, class Old, class Network>
struct with_network_of<Poll<Old>, Network> {
    using type = Poll<Network>;
};
template <class Network>
using poll_with_network = typename with_network_of<tofu::default_poll, Network>::type;

using scripted_network = tofu::platform::network<scripted_resolver>;
using scripted_poll = poll_with_network<scripted_network>;

/// A dialogue in which names are connected to and listened on.
template <class Reactor>
struct dialogue_with_names : dialogue<Reactor> {
    using dialogue<Reactor>::dialogue;

    /// Posts a hello_request to a name of port 80, which does not matter: the answer names the port.
    std::uint16_t hello_to_name(std::string_view name = "some.name") {
        return this->hello(tofu::tcp_address{name, 80}).channel_number;
    }
    std::uint16_t listen_on_name(std::string_view name = "some.name") {
        tofu::message_ptr m = this->engine.get();
        BOOST_REQUIRE(m->listen_on(tofu::tcp_address{name, 80}) == tofu::status::success);
        return this->server.post(std::move(m)).channel_number;
    }
    /// The engine's failed answer to a hello_ or welcome_request.
    void expect_failure(typename dialogue<Reactor>::group& from, tofu::op_code op, std::uint16_t channel,
                        tofu::status why, std::string_view reason) {
        const tofu::message_ptr m = this->expect(from, op);
        BOOST_TEST(m->from_engine());
        BOOST_TEST(m->header().channel_number == channel);
        BOOST_TEST(to_string(m->status()) == to_string(why));
        BOOST_TEST(reason_of(*m) == reason);
    }
};

/// The same, and the engine asks the test for them.
template <class Pool = tofu::default_pool>
struct scripted_dialogue : dialogue_with_names<tofu::basic_reactor<scripted_poll, Pool>> {
    scripted_dialogue(name_service& names, tofu::driven_by who, const tofu::options& opts = {})
        : dialogue_with_names<tofu::basic_reactor<scripted_poll, Pool>>(
              who, opts, scripted_poll(scripted_network(scripted_resolver{&names}))) {}
};

} // namespace tofu_test

#endif
