// SPDX-License-Identifier: BSL-1.0
// The nodes of one producer on their way to a consumer and back, and the check that none is lost or overtaken.
#ifndef TOFU_BENCH_MICRO_LANE_HPP
#define TOFU_BENCH_MICRO_LANE_HPP

#include <tofu/detail/queue_node.hpp>

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace bench {

/// At most `window` nodes are under way; with none left, the producer waits for the consumer. Nodes do not come back
/// through a queue: the consumer counts what it has taken, and the producer looks there only when it seems to have no
/// node left, so that the way back costs next to nothing.
class lane {
public:
    static constexpr std::size_t window = 256;

    lane() : nodes_(window) {
        for (numbered_node& node : nodes_) node.home = this;
    }
    lane(const lane&) = delete;
    lane& operator=(const lane&) = delete;

    /// The producer. The next node, in no queue.
    tofu::detail::queue_node& next() {
        while (given_ - known_ == window) {
            known_ = taken_.load(std::memory_order_acquire);
            if (given_ - known_ == window) std::this_thread::yield();
        }
        numbered_node& node = nodes_[given_ % window];
        node.number = given_++;
        return node;
    }

    /// The consumer. The node is the producer's again: its link is not to be read after this.
    static void take(tofu::detail::queue_node& taken) {
        const auto& node = static_cast<numbered_node&>(taken);
        lane& home = *node.home;
        const std::size_t count = home.taken_.load(std::memory_order_relaxed);
        home.in_order_ = home.in_order_ && node.number == count;
        home.taken_.store(count + 1, std::memory_order_release);
    }

    /// Valid after producer and consumer have ended.
    [[nodiscard]] std::size_t given() const { return given_; }
    [[nodiscard]] bool complete() const { return in_order_ && taken_.load(std::memory_order_acquire) == given_; }

private:
    // A node has a cache line of its own, as a message's has.
    struct alignas(64) numbered_node : tofu::detail::queue_node {
        numbered_node() noexcept { kind = tofu::detail::node_kind::command; } // it is not a message

        lane* home = nullptr;
        std::size_t number = 0;
    };

    std::vector<numbered_node> nodes_;
    std::size_t given_ = 0;
    std::size_t known_ = 0;
    alignas(64) std::atomic<std::size_t> taken_{0};
    bool in_order_ = true; // beside taken_, as both are the consumer's
};

} // namespace bench

#endif
