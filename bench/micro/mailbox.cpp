// SPDX-License-Identifier: BSL-1.0
// The cost of handing received messages to the application, in batches of 1, 8 and 64.
//
// `one_thread`: a batch is pushed and popped by the same thread: the instructions, and nobody waits. `two_threads`: one
// pushes all the time, another pops, and now and then waits: the added cost of memory that two threads share.
// `round_trip`: one node goes to another thread and back, and the receiver is asleep every time: the price of waking.
// Measured: push, push_all, pop, the wait in the mailbox, and the wait of a producer that has 256 nodes under way.
// Not measured: the making of a batch. If two threads take part, the processor time is the sum for both.
#include "lane.hpp"
#include "state.hpp"

#include <tofu/engine/threads/mailbox.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <thread>

namespace {

using tofu::detail::queue_node;
using tofu::engine::mailbox;

void push_batch(mailbox& box, bench::lane& lane, std::size_t size) {
    tofu::detail::node_queue batch;
    for (std::size_t i = 0; i < size; ++i) batch.push_back(lane.next());
    box.push_all(batch);
}

void pop_all(mailbox& box) {
    while (tofu::detail::queue_node* const node = box.pop()) bench::lane::take(*node);
}

/// The receiving thread, until the mailbox is finished.
template <class OnNode>
void receive(mailbox& box, OnNode on_node) {
    while (!box.finished() || box.has_mail()) {
        while (tofu::detail::queue_node* const node = box.pop()) on_node(*node);
        box.wait_until((mailbox::time_point::max)());
    }
}

void report(benchmark::State& state, const bench::lane& lane, std::size_t batch) {
    if (!lane.complete() || lane.given() != bench::iterations(state) * batch)
        state.SkipWithError("nodes are missing, or came in another order");
    bench::report_items(state, lane.given());
}

void one_thread(benchmark::State& state) {
    const std::size_t batch = bench::argument(state);
    mailbox box;
    bench::lane lane;
    for (auto _ : state) {
        push_batch(box, lane, batch);
        pop_all(box);
    }
    report(state, lane, batch);
}

void two_threads(benchmark::State& state) {
    const std::size_t batch = bench::argument(state);
    mailbox box;
    bench::lane lane;
    std::thread receiver([&box] { receive(box, bench::lane::take); });
    for (auto _ : state) push_batch(box, lane, batch);
    box.finish();
    receiver.join();
    report(state, lane, batch);
}

tofu::detail::queue_node& wait_for_node(mailbox& box) {
    for (;;) {
        if (tofu::detail::queue_node* const node = box.pop()) return *node;
        box.wait_until((mailbox::time_point::max)());
    }
}

void round_trip(benchmark::State& state) {
    mailbox there;
    mailbox back;
    std::thread receiver([&] { receive(there, [&back](tofu::detail::queue_node& node) { back.push(node); }); });
    tofu::detail::queue_node node{.kind = tofu::detail::node_kind::command}; // it is not a message
    std::size_t returned = 0;
    for (auto _ : state) {
        there.push(node);
        if (&wait_for_node(back) == &node) ++returned;
    }
    there.finish();
    receiver.join();
    if (returned != bench::iterations(state)) state.SkipWithError("another node came back");
    bench::report_items(state, returned);
}

BENCHMARK(one_thread)->Name("mailbox/one_thread")->ArgName("batch")->Arg(1)->Arg(8)->Arg(64);
BENCHMARK(two_threads)
    ->Name("mailbox/two_threads")
    ->ArgName("batch")
    ->Arg(1)
    ->Arg(8)
    ->Arg(64)
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK(round_trip)->Name("mailbox/round_trip")->MeasureProcessCPUTime()->UseRealTime();

} // namespace
