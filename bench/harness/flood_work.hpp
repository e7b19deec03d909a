// SPDX-License-Identifier: BSL-1.0
// Both ends of a stream of messages in one direction: the bodies that are sent, and their check at the other end.
#ifndef TOFU_BENCH_HARNESS_FLOOD_WORK_HPP
#define TOFU_BENCH_HARNESS_FLOOD_WORK_HPP

#include "measurement.hpp"
#include "task.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ostream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

/// The server's side: bodies that begin and end with their sequence number. To fill in more would be work that is not
/// the peer's.
class flood_source {
public:
    explicit flood_source(const task& what) : count_(what.count), body_(what.body) {}

    [[nodiscard]] bool more() const { return count_ == 0 || sequence_ != count_; }

    /// Size of every body, for a peer that fills them in where they are.
    [[nodiscard]] std::size_t size() const { return body_.size(); }

    /// The next body, to be copied and sent.
    [[nodiscard]] std::span<const std::byte> next() {
        stamp(body_);
        return body_;
    }

    /// The same, written to `place`, which is of that size.
    void stamp(std::span<std::byte> place) {
        std::memcpy(place.data(), &sequence_, sizeof sequence_);
        std::memcpy(place.data() + place.size() - sizeof sequence_, &sequence_, sizeof sequence_);
        ++sequence_;
    }

private:
    std::uint64_t count_;
    std::uint64_t sequence_ = 0;
    std::vector<std::byte> body_;
};

/// The client's side. Throws when a message is missing, or is not whole.
class flood_work {
public:
    explicit flood_work(const task& what) : size_(what.body), measured_(what) {}

    void start() { measured_.start(); }
    [[nodiscard]] bool done() const { return measured_.over(); }

    void take(std::span<const std::byte> body) {
        std::uint64_t front = 0;
        std::uint64_t back = 0;
        if (body.size() == size_) {
            std::memcpy(&front, body.data(), sizeof front);
            std::memcpy(&back, body.data() + body.size() - sizeof back, sizeof back);
        }
        if (body.size() != size_ || front != received_ || back != received_)
            throw std::runtime_error("message " + std::to_string(received_) + " is wrong");
        if (measured_.wants(++received_)) measured_.reached(received_, measurement::clock::now());
    }

    void report(std::ostream& out) const { measured_.report(out); }

private:
    std::size_t size_;
    measurement measured_;
    std::uint64_t received_ = 0;
};

} // namespace bench

#endif
