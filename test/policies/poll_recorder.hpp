// SPDX-License-Identifier: BSL-1.0
// A poller as the engine holds it: its reports are recorded, and every registration is known by its key.

#ifndef TOFU_TEST_POLICIES_POLL_RECORDER_HPP
#define TOFU_TEST_POLICIES_POLL_RECORDER_HPP

#include <boost/test/unit_test.hpp>

#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <type_traits>
#include <utility>
#include <vector>

namespace tofu_test {

/// Notes what it is told, and knows every registration by its key, as the engine does.
template <class Poll>
struct recorder {
    std::map<std::uintptr_t, typename Poll::registration*> known;
    std::vector<std::pair<std::uintptr_t, tofu::readiness>> reports;
    std::vector<std::uintptr_t> releases;

    void ready(std::uintptr_t key, tofu::readiness bits) noexcept { reports.emplace_back(key, bits); }
    void released(std::uintptr_t key) noexcept { releases.push_back(key); }
    typename Poll::registration* registration_of(std::uintptr_t key) noexcept {
        const auto found = known.find(key);
        return found != known.end() ? found->second : nullptr;
    }

    std::vector<std::uintptr_t> sorted_keys() const {
        std::vector<std::uintptr_t> keys;
        for (const auto& report : reports) {
            keys.push_back(report.first);
        }
        std::sort(keys.begin(), keys.end());
        return keys;
    }
};

/// Everything goes through it, so that its recorder knows what the poller has to be told.
template <class Poll>
class opened_poll {
public:
    static_assert(!std::is_copy_constructible_v<Poll>);
    static_assert(!std::is_move_assignable_v<Poll>);
    using registration = typename Poll::registration;
    using clock = std::chrono::steady_clock;

    opened_poll() { BOOST_REQUIRE(!poll_.open()); }
    explicit opened_poll(Poll&& other) : poll_(std::move(other)) { BOOST_REQUIRE(!poll_.open()); }

    Poll& bare() { return poll_; }
    const Poll& bare() const { return poll_; }
    void wake() { poll_.wake(); }

    template <class Socket>
    void attach(registration& entry, const Socket& which, std::uintptr_t key) {
        const tofu::io_error error = try_attach(entry, which, key);
        BOOST_REQUIRE_EQUAL(error.os_code, 0);
        BOOST_REQUIRE(!error);
    }
    /// The same, for a socket that the poller may refuse.
    template <class Socket>
    tofu::io_error try_attach(registration& entry, const Socket& which, std::uintptr_t key) {
        seen_.known[key] = &entry;
        const tofu::io_error error = poll_.attach(entry, which, key);
        if (error) seen_.known.erase(key);
        return error;
    }
    void arm(registration& entry, tofu::interest wanted) { BOOST_REQUIRE(!poll_.arm(entry, wanted)); }
    /// Waits until the poller has released the registration. Other sockets that are ready are reported again.
    void forget(registration& entry, std::uintptr_t key) {
        if (poll_.disarm(entry) == tofu::disarmed::owed) {
            const auto until = clock::now() + std::chrono::seconds(10);
            do {
                BOOST_REQUIRE(clock::now() < until);
                look(std::chrono::milliseconds(10));
            } while (seen_.releases != std::vector{key});
        }
        seen_.known.erase(key);
    }

    /// One wait, with any result; its reports are in seen().
    tofu::wait_result look(std::chrono::nanoseconds timeout) {
        seen_.reports.clear();
        seen_.releases.clear();
        return poll_.wait(timeout, seen_);
    }
    const recorder<Poll>& seen() const { return seen_; }

    /// One wait that reports what is ready, all of it, and nothing else. The system interrupts waits of its own accord:
    /// epoll_wait(2), when a process was stopped or a ring of io_uring(7) is closed.
    const recorder<Poll>& wait_for(std::chrono::nanoseconds timeout) {
        tofu::wait_result result;
        do {
            result = look(timeout);
        } while (result.interrupted);
        BOOST_TEST(!result.error);
        BOOST_TEST(!result.full);
        BOOST_TEST(seen_.releases.empty());
        return seen_;
    }

    /// The report of the only socket that has anything to tell; none when silent.
    tofu::readiness only_report(std::chrono::nanoseconds timeout) {
        const recorder<Poll>& seen = wait_for(timeout);
        BOOST_REQUIRE(seen.reports.size() <= 1);
        return seen.reports.empty() ? tofu::readiness::none : seen.reports[0].second;
    }

    /// True when nothing at all ends a wait of 30 ms before its time.
    bool is_silent() {
        constexpr std::chrono::milliseconds long_enough{30};
        const auto begin = clock::now();
        const bool quiet = wait_for(long_enough).reports.empty();
        return quiet && clock::now() - begin >= long_enough;
    }

private:
    Poll poll_;
    recorder<Poll> seen_;
};

} // namespace tofu_test

#endif // TOFU_TEST_POLICIES_POLL_RECORDER_HPP
