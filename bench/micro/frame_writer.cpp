// SPDX-License-Identifier: BSL-1.0
// The cost of making gathered writes of a send queue.
//
// A queue of messages is pushed to a frame_writer; then it gathers, and the whole list counts as sent, until the queue
// is empty (`writes` times). Measured: encoding headers, copying small parts, pointing at large ones, and taking sent
// messages off the queue. Not measured: the system call, partial writes, and the release of messages that are out.
// There are no bytes per second, because bodies of more than 512 bytes are only pointed at.
#include "sample_messages.hpp"
#include "state.hpp"

#include <tofu/engine/protocol/frame_writer.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <deque>
#include <memory>

namespace {

using tofu::engine::frame_writer;
using tofu::engine::gather_list;

/// Sends all messages. Returns their number.
template <class OnWrite>
std::size_t send_all(frame_writer& writer, gather_list& list, OnWrite on_write) {
    std::size_t messages = 0;
    while (!writer.empty()) {
        writer.gather(list, gather_list::byte_limit);
        if (list.bytes() == 0) break; // a defect; the caller sees what is missing
        on_write(list);
        writer.sent(list.bytes(), [&messages](tofu::message&, std::size_t) { ++messages; });
    }
    return messages;
}

void gather_queue(benchmark::State& state) {
    std::deque<tofu::message> messages =
        bench::sample_messages(bench::argument(state, 0), 0, bench::argument(state, 1));
    const bench::wire_bytes wire = bench::wire_of(messages);
    const auto list = std::make_unique<gather_list>(); // as in the loop: beyond any stack
    frame_writer writer;

    bench::wire_bytes written;
    std::size_t writes = 0;
    for (tofu::message& m : messages) writer.push(m);
    send_all(writer, *list, [&](const gather_list& full) {
        ++writes;
        for (const tofu::const_buffer& part : full.buffers())
            written.insert(written.end(), part.data, part.data + part.size);
    });
    if (written != wire) return state.SkipWithError("the bytes are not those of the messages");

    std::size_t sent = 0;
    const auto write = [](const gather_list& full) {
        benchmark::DoNotOptimize(full.buffers().data());
        benchmark::ClobberMemory();
    };
    for (auto _ : state) {
        for (tofu::message& m : messages) writer.push(m);
        sent += send_all(writer, *list, write);
    }

    if (sent != bench::iterations(state) * messages.size()) state.SkipWithError("messages are missing");
    state.counters["writes"] = static_cast<double>(writes);
    bench::report_items(state, sent);
}

BENCHMARK(gather_queue)
    ->Name("frame_writer/gather")
    ->ArgNames({"queue", "body"})
    ->Args({64, 64})
    ->Args({64, 1024})
    ->Args({8, 65535});

} // namespace
