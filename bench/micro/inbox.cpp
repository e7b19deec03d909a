// SPDX-License-Identifier: BSL-1.0
// The cost for other threads to ask the loop for something.
//
// `push` alone: one thread pushes, nobody takes. `hand_over`: 1, 2 or 4 threads push to one inbox. One consumer thread
// plays the loop: it takes all nodes, and sleeps on an eventfd when `fall_asleep` allows it. `sleeps_per_node` is its
// number of sleeps divided by the number of nodes. Measured: the push, the wake-ups it asks for, and the wait of a
// producer that has 256 nodes under way. Not measured: the loop's work on a node. The processor time is the producers'
// alone.
#include "lane.hpp"
#include "state.hpp"

#include <tofu/engine/threads/inbox.hpp>
#include <tofu/platform/linux/wake_event.hpp>

#include <benchmark/benchmark.h>

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using tofu::detail::queue_node;
using tofu::engine::inbox;

std::size_t length_of(tofu::detail::node_queue batch) {
    std::size_t length = 0;
    while (batch.pop_front() != nullptr) ++length;
    return length;
}

void push_alone(benchmark::State& state) {
    struct alignas(64) node : tofu::detail::queue_node {
        node() noexcept { kind = tofu::detail::node_kind::command; } // it is not a message
    };
    std::vector<node> nodes(bench::lane::window);
    std::optional<inbox> in;
    for (auto _ : state) {
        in.emplace(); // a new inbox each time: nothing takes the nodes, and a node may be in only one queue
        for (node& each : nodes) benchmark::DoNotOptimize(in->push(each));
    }
    if (length_of(in->take_all()) != nodes.size()) state.SkipWithError("nodes are missing");
    bench::report_items(state, bench::iterations(state) * nodes.size());
}

/// An inbox, its producers' lanes, and the thread that empties it.
class drained_inbox {
public:
    explicit drained_inbox(std::size_t producers) : lanes_(producers) {
        if (wake_.open()) throw std::runtime_error("no eventfd");
        consumer_ = std::thread([this] { drain(); });
    }
    ~drained_inbox() { stop(); }

    /// Pushes the next node of producer `index`. Only that producer's thread calls this.
    void push_next(std::size_t index) {
        if (inbox_.push(lanes_[index].next())) wake_.wake();
    }

    /// Call after the producers have ended. Takes the nodes that are left.
    void stop() {
        if (!consumer_.joinable()) return;
        stopping_.store(true, std::memory_order_seq_cst);
        if (inbox_.claim_wake()) wake_.wake();
        consumer_.join();
    }

    // After `stop`.
    [[nodiscard]] bool complete() const {
        return std::all_of(lanes_.begin(), lanes_.end(), [](const bench::lane& each) { return each.complete(); });
    }
    [[nodiscard]] double sleeps_per_node() const {
        std::size_t nodes = 0;
        for (const bench::lane& each : lanes_) nodes += each.given();
        return static_cast<double>(sleeps_) / static_cast<double>(nodes);
    }

private:
    void drain() {
        for (;;) {
            while (take_batch()) {
            }
            if (inbox_.fall_asleep()) {
                if (stopping_.load(std::memory_order_seq_cst)) return;
                sleep();
            }
            inbox_.awake();
        }
    }

    /// False: there was none.
    bool take_batch() {
        tofu::detail::node_queue batch = inbox_.take_all();
        if (batch.empty()) return false;
        while (tofu::detail::queue_node* const node = batch.pop_front()) bench::lane::take(*node);
        return true;
    }

    void sleep() {
        ++sleeps_;
        pollfd ready{wake_.descriptor(), POLLIN, 0};
        while (::poll(&ready, 1, -1) < 0) {
        }
        std::uint64_t wakes = 0;
        // Only so that poll waits again.
        [[maybe_unused]] const auto size = ::read(wake_.descriptor(), &wakes, sizeof wakes);
    }

    inbox inbox_;
    std::deque<bench::lane> lanes_;
    tofu::linux_api::wake_event wake_;
    std::atomic<bool> stopping_{false};
    std::size_t sleeps_ = 0;
    std::thread consumer_;
};

std::optional<drained_inbox> drained; // of the benchmark that runs

void set_up(const benchmark::State& state) { drained.emplace(static_cast<std::size_t>(state.threads())); }
void tear_down(const benchmark::State&) { drained.reset(); }

void hand_over(benchmark::State& state) {
    const auto index = static_cast<std::size_t>(state.thread_index());
    for (auto _ : state) drained->push_next(index);
    if (index == 0) { // all threads have ended their loops
        drained->stop();
        if (!drained->complete()) state.SkipWithError("nodes are missing, or came in another order");
        state.counters["sleeps_per_node"] = drained->sleeps_per_node();
    }
    bench::report_items(state, bench::iterations(state));
}

BENCHMARK(push_alone)->Name("inbox/push");
BENCHMARK(hand_over)
    ->Name("inbox/hand_over")
    ->Setup(set_up)
    ->Teardown(tear_down)
    ->Threads(1)
    ->Threads(2)
    ->Threads(4)
    ->UseRealTime();

} // namespace
