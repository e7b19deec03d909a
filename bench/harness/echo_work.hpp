// SPDX-License-Identifier: BSL-1.0
// The work of an echo client, whatever it sends with: which body comes next, whether a reply is right, when to measure
// and when to stop.
#ifndef TOFU_BENCH_HARNESS_ECHO_WORK_HPP
#define TOFU_BENCH_HARNESS_ECHO_WORK_HPP

#include "statistics.hpp"
#include "task.hpp"
#include "usage.hpp"

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ostream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

/// A client connects, sends one request for each place in its window, and then one more for each reply, as long as it
/// may. The measured part lies in the middle of that: the window is full when it begins and when it ends.
class echo_work {
public:
    explicit echo_work(const task& what) : task_(what), bytes_(what.body + period) {
        for (std::size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = static_cast<std::byte>(i % period);
        if (keeps_times()) times_.reserve(most_times);
    }

    [[nodiscard]] std::size_t window() const { return task_.window; }

    /// Whether another request is wanted. Replies are to be taken until done().
    [[nodiscard]] bool may_send() const { return task_.trips == 0 ? phase_ != phase::over : sent_ < task_.trips; }

    [[nodiscard]] bool done() const { return phase_ == phase::over && received_ == sent_; }

    /// The body of the next request, to be copied and sent at once. With one request under way, its time begins here.
    [[nodiscard]] std::span<const std::byte> next_request() {
        const auto body = body_of(sent_++);
        if (sent_ == 1) start();
        if (keeps_times()) sent_at_ = clock::now();
        return body;
    }

    /// Replies come in the order of their requests. Throws when this is not the one whose turn it is.
    void take_reply(std::span<const std::byte> body) {
        const auto expected = body_of(received_);
        if (received_ == sent_ || body.size() != expected.size() ||
            std::memcmp(body.data(), expected.data(), body.size()) != 0)
            throw std::runtime_error("reply " + std::to_string(received_) + " is wrong");
        ++received_;
        if (keeps_times()) {
            const auto now = clock::now();
            if (phase_ == phase::measured && times_.size() < most_times) times_.push_back((now - sent_at_).count());
            advance(now);
        } else if (received_ % look_every == 0 || received_ == task_.trips) {
            advance(clock::now());
        }
    }

    /// One `metric value` a line.
    void report(std::ostream& out) const {
        const auto trips = static_cast<double>(measured_);
        const std::chrono::duration<double> seconds = ended_ - began_;
        out << "round_trips_per_s " << trips / seconds.count() << '\n';
        if (keeps_times()) {
            out << "p50_us " << microseconds(quantile(times_, 0.5)) << '\n';
            out << "p99_us " << microseconds(quantile(times_, 0.99)) << '\n';
        }
        out << "client_cpu_us_per_round_trip " << client_.cpu_us / trips << '\n';
        out << "server_cpu_us_per_round_trip " << server_.cpu_us / trips << '\n';
        out << "client_sleeps_per_round_trip " << client_.sleeps / trips << '\n';
        out << "server_sleeps_per_round_trip " << server_.sleeps / trips << '\n';
    }

private:
    using clock = std::chrono::steady_clock;
    enum class phase { idle, warm_up, measured, over };

    static constexpr std::size_t period = 251;      // a prime: bodies do not repeat with the buffers' sizes
    static constexpr std::uint64_t look_every = 64; // replies, where nobody asks for the time of each
    static constexpr std::size_t most_times = 1 << 20;

    /// A time is a round trip's own only when nothing else is under way.
    [[nodiscard]] bool keeps_times() const { return task_.window == 1; }

    [[nodiscard]] std::span<const std::byte> body_of(std::uint64_t sequence) const {
        return std::span(bytes_).subspan(sequence % period, task_.body);
    }

    static double microseconds(double nanoseconds) { return nanoseconds / 1e3; }

    void start() {
        if (task_.trips != 0) return begin();
        phase_ = phase::warm_up;
        until_ = clock::now() + task_.warm_up;
    }

    void advance(clock::time_point now) {
        if (phase_ == phase::warm_up && now >= until_) return begin();
        if (phase_ != phase::measured) return;
        if (task_.trips == 0 ? now >= until_ : received_ == task_.trips) end(now);
    }

    /// What takes long to find out stands outside of what it would disturb: sleeps, then processor time, then time.
    void begin() {
        phase_ = phase::measured;
        measured_ = received_;
        client_.sleeps = sleeps_of(::getpid());
        server_.sleeps = sleeps_of(task_.server);
        client_.cpu_us = cpu_us_of(::getpid());
        server_.cpu_us = cpu_us_of(task_.server);
        began_ = clock::now();
        until_ = began_ + task_.time;
    }

    void end(clock::time_point now) {
        phase_ = phase::over;
        ended_ = now;
        measured_ = received_ - measured_;
        server_.cpu_us = cpu_us_of(task_.server) - server_.cpu_us;
        client_.cpu_us = cpu_us_of(::getpid()) - client_.cpu_us;
        server_.sleeps = sleeps_of(task_.server) - server_.sleeps;
        client_.sleeps = sleeps_of(::getpid()) - client_.sleeps;
    }

    task task_;
    std::vector<std::byte> bytes_;
    phase phase_ = phase::idle;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
    std::uint64_t measured_ = 0; ///< round trips; before the end, those before the beginning
    usage client_;
    usage server_;
    clock::time_point sent_at_{};
    clock::time_point began_{};
    clock::time_point ended_{};
    clock::time_point until_{};
    std::vector<std::int64_t> times_; ///< nanoseconds
};

} // namespace bench

#endif
