// SPDX-License-Identifier: BSL-1.0
// The numbers a micro-benchmark gets from Google Benchmark and hands to it, in tofu's types.
#ifndef TOFU_BENCH_MICRO_STATE_HPP
#define TOFU_BENCH_MICRO_STATE_HPP

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>

namespace bench {

inline std::size_t argument(const benchmark::State& state, std::size_t index = 0) {
    return static_cast<std::size_t>(state.range(index));
}

/// Of this thread; where several take part, each reports its own.
inline std::size_t iterations(const benchmark::State& state) { return static_cast<std::size_t>(state.iterations()); }

/// Reports this thread's items as `items_per_second`.
inline void report_items(benchmark::State& state, std::size_t items) {
    state.SetItemsProcessed(static_cast<std::int64_t>(items));
}

/// The same for `bytes_per_second`.
inline void report_bytes(benchmark::State& state, std::size_t bytes) {
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

} // namespace bench

#endif
