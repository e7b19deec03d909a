// SPDX-License-Identifier: BSL-1.0
// The work of an echo client of any peer: the next body, the check of each reply, the time of each round trip.
#ifndef TOFU_BENCH_HARNESS_ECHO_WORK_HPP
#define TOFU_BENCH_HARNESS_ECHO_WORK_HPP

#include "measurement.hpp"
#include "statistics.hpp"
#include "task.hpp"

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

/// A client connects, sends one request for each place in the windows of its connections, and then one more for each
/// reply, as long as it may. The windows are full when the measurement begins and when it ends.
class echo_work {
public:
    explicit echo_work(const task& what)
        : task_(what), measured_(what), bytes_(what.body + period), lines_(what.connections) {
        for (std::size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = static_cast<std::byte>(i % period);
        if (keeps_times()) times_.reserve(most_times);
    }

    [[nodiscard]] std::size_t connections() const { return task_.connections; }
    [[nodiscard]] std::size_t window() const { return task_.window; }

    /// True if another request is wanted. Replies are to be taken until done().
    [[nodiscard]] bool may_send() const { return measured_.may_begin(sent_); }

    [[nodiscard]] bool done() const { return measured_.over() && received_ == sent_; }

    /// The body of the next request on this connection, to be copied and sent at once. With one request under way, its
    /// time begins here.
    [[nodiscard]] std::span<const std::byte> next_request(std::size_t connection) {
        const auto body = body_of(connection, lines_[connection].sent++);
        if (sent_++ == 0) measured_.start();
        if (keeps_times()) sent_at_ = measurement::clock::now();
        return body;
    }

    /// The replies of a connection come in the order of its requests. Throws when another reply is due.
    void take_reply(std::size_t connection, std::span<const std::byte> body) {
        line& from = lines_.at(connection);
        const auto expected = body_of(connection, from.received);
        if (from.received == from.sent || body.size() != expected.size() ||
            std::memcmp(body.data(), expected.data(), body.size()) != 0)
            throw std::runtime_error("reply " + std::to_string(from.received) + " is wrong");
        ++from.received;
        ++received_;
        if (keeps_times()) {
            const auto now = measurement::clock::now();
            if (measured_.running() && times_.size() < most_times) times_.push_back((now - sent_at_).count());
            measured_.reached(received_, now);
        } else if (measured_.wants(received_)) {
            measured_.reached(received_, measurement::clock::now());
        }
    }

    void report(std::ostream& out) const {
        measured_.report(out);
        if (!keeps_times()) return;
        out << "p50_us " << quantile(times_, 0.5) / 1e3 << '\n';
        out << "p99_us " << quantile(times_, 0.99) / 1e3 << '\n';
    }

private:
    struct line {
        std::uint64_t sent = 0;
        std::uint64_t received = 0;
    };

    static constexpr std::size_t period = 251; // a prime: bodies do not repeat with the buffers' sizes
    static constexpr std::size_t most_times = 1 << 20;

    /// A time is a round trip's own only when nothing else is under way.
    [[nodiscard]] bool keeps_times() const { return task_.window * task_.connections == 1; }

    [[nodiscard]] std::span<const std::byte> body_of(std::size_t connection, std::uint64_t sequence) const {
        return std::span(bytes_).subspan(static_cast<std::size_t>((connection + sequence) % period), task_.body);
    }

    task task_;
    measurement measured_;
    std::vector<std::byte> bytes_;
    std::vector<line> lines_;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
    measurement::clock::time_point sent_at_{};
    std::vector<std::int64_t> times_; ///< nanoseconds
};

} // namespace bench

#endif
