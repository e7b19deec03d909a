// SPDX-License-Identifier: BSL-1.0
// The cost of getting a message and giving it back, when several threads do.
//
// `get_and_give_back`: 1, 2 or 4 threads, as applications do it, with a lock for each call; the pool gives out the
// message that has rested longest, so that with many free ones each is far away. `cache`: thread 0 is the loop, which
// takes and returns 32 messages a turn; the others are application threads. `loop_items` are the loop's share of
// the items per second. An item is a message that was taken and returned. Measured: locks, lists, cleaning. Not
// measured: allocations (there are enough free messages; none has buffers), the receive credit, max_messages_alive.
#include "state.hpp"

#include <tofu/engine/memory/message_cache.hpp>
#include <tofu/engine/memory/message_pool.hpp>
#include <tofu/options.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>

namespace {

using tofu::engine::message_cache;
using tofu::engine::message_pool;

message_pool* pool = nullptr; // of the benchmark that runs

void set_up(const benchmark::State& state) {
    const std::size_t free = bench::argument(state);
    pool = message_pool::create({.initial_messages = free, .max_messages = free});
}
void tear_down(const benchmark::State&) { pool->close(); }

/// After the loop, when no thread has a message any more.
void check(benchmark::State& state) {
    const std::size_t free = bench::argument(state);
    if (pool->outstanding() != 0 || pool->free_messages() != free) state.SkipWithError("messages are missing");
    if (pool->allocations() != free) state.SkipWithError("there were not enough free messages");
}

void get_one() {
    tofu::message* const m = pool->acquire();
    benchmark::DoNotOptimize(m);
    pool->release(*m);
}

/// One turn of the loop: a batch of messages comes and goes.
void turn(message_cache& cache) {
    std::array<tofu::message*, message_cache::batch> messages{};
    for (tofu::message*& m : messages) m = cache.acquire();
    benchmark::DoNotOptimize(messages.data());
    for (tofu::message* const m : messages) cache.release(*m);
    cache.flush();
}

void get_and_give_back(benchmark::State& state) {
    for (auto _ : state) get_one();
    if (state.thread_index() == 0) check(state);
    bench::report_items(state, bench::iterations(state));
}

void cache_beside_threads(benchmark::State& state) {
    message_cache cache(*pool);
    const bool is_loop = state.thread_index() == 0;
    for (auto _ : state) {
        if (is_loop) {
            turn(cache);
            continue;
        }
        for (std::size_t i = 0; i < message_cache::batch; ++i) get_one();
    }
    const std::size_t items = bench::iterations(state) * message_cache::batch;
    if (is_loop) {
        check(state);
        state.counters["loop_items"] = {static_cast<double>(items), benchmark::Counter::kIsRate};
    }
    bench::report_items(state, items);
}

BENCHMARK(get_and_give_back)
    ->Name("message_pool/get_and_give_back")
    ->Setup(set_up)
    ->Teardown(tear_down)
    ->ArgName("free")
    ->Arg(64)
    ->Arg(4096)
    ->Threads(1)
    ->Threads(2)
    ->Threads(4)
    ->UseRealTime();
BENCHMARK(cache_beside_threads)
    ->Name("message_pool/cache")
    ->Setup(set_up)
    ->Teardown(tear_down)
    ->ArgName("free")
    ->Arg(256)
    ->Threads(1)
    ->Threads(2)
    ->Threads(4)
    ->UseRealTime();

} // namespace
