// SPDX-License-Identifier: BSL-1.0
// The cost of cutting received bytes into messages.
//
// A buffer of 64 KiB holds as many whole messages as fit, or one that is a little larger. It is given to a frame_reader
// at once (piece:0) or in the pieces that TCP segments of an Ethernet make (piece:1460). Measured: decoding headers and
// copying the parts into a message. Not measured: system calls, the pool (there is one message, always in the cache),
// the checks of the conversation, and that the loop reads large bodies straight into their place.
#include "sample_messages.hpp"
#include "state.hpp"

#include <tofu/engine/protocol/frame_reader.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <span>

namespace {

using tofu::engine::frame_reader;

constexpr std::size_t buffer_size = 64 * 1024;

bench::wire_bytes full_buffer(std::size_t headers, std::size_t body) {
    const std::size_t each = bench::wire_of(bench::sample_messages(1, headers, body)).size();
    return bench::wire_of(bench::sample_messages(std::max<std::size_t>(1, buffer_size / each), headers, body));
}

/// Feeds `input` to a reader; false when memory is short.
template <class OnMessage>
bool cut(frame_reader& reader, tofu::message& store, std::span<const std::byte> input, OnMessage on_message) {
    for (;;) {
        switch (reader.consume(input)) {
        case frame_reader::step::need_bytes: return true;
        case frame_reader::step::header:
            if (reader.store_in(store) != tofu::status::success) return false;
            break;
        case frame_reader::step::message: on_message(*reader.take()); break;
        }
    }
}

template <class OnMessage>
bool cut_in_pieces(frame_reader& reader, tofu::message& store, std::span<const std::byte> input, std::size_t piece,
                   OnMessage on_message) {
    while (!input.empty()) {
        const std::size_t size = std::min(piece, input.size());
        if (!cut(reader, store, input.first(size), on_message)) return false;
        input = input.subspan(size);
    }
    return true;
}

void cut_buffer(benchmark::State& state) {
    const bench::wire_bytes buffer = full_buffer(bench::argument(state, 1), bench::argument(state, 0));
    const std::size_t piece = state.range(2) == 0 ? buffer.size() : bench::argument(state, 2);
    frame_reader reader;
    tofu::message store;

    bench::wire_bytes again;
    const auto keep = [&again](const tofu::message& m) { bench::append_wire(again, m); };
    if (!cut_in_pieces(reader, store, buffer, piece, keep) || again != buffer)
        return state.SkipWithError("the messages are not those of the buffer");

    std::size_t messages = 0;
    const auto count = [&messages](tofu::message& m) {
        benchmark::DoNotOptimize(&m);
        benchmark::ClobberMemory();
        ++messages;
    };
    for (auto _ : state) benchmark::DoNotOptimize(cut_in_pieces(reader, store, buffer, piece, count));

    const std::size_t in_buffer = buffer.size() / store.wire_size();
    if (messages != bench::iterations(state) * in_buffer) state.SkipWithError("messages are missing");
    bench::report_items(state, messages);
    bench::report_bytes(state, bench::iterations(state) * buffer.size());
}

BENCHMARK(cut_buffer)
    ->Name("frame_reader/cut")
    ->ArgNames({"body", "headers", "piece"})
    ->ArgsProduct({{64, 1024, 65535}, {0, 3}, {0, 1460}});

} // namespace
