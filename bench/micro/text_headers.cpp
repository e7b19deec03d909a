// SPDX-License-Identifier: BSL-1.0
// The cost of reading and writing text headers, among 1, 8 and 64 of them.
//
// Headers are lines like `header-07:the value of 07`. An item is a header that was looked at or written: to find the
// last one (`find_last`) or one that is not there (`find_missing`), all are looked at. Measured: finding line ends
// and colons, trimming values, checking and copying what is appended, into memory that is there already. Not measured:
// growing that memory, `set` and `erase`. A peer's bytes are checked nowhere: any bytes are headers.
#include "state.hpp"

#include <tofu/text_headers.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <new>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct line {
    std::string name;
    std::string value;
};

std::vector<line> sample_lines(std::size_t count) {
    std::vector<line> lines;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string index = {static_cast<char>('0' + i / 10), static_cast<char>('0' + i % 10)};
        lines.push_back({"header-" + index, "the value of " + index});
    }
    return lines;
}

void append_all(tofu::text_headers& headers, const std::vector<line>& lines) {
    for (const line& each : lines)
        if (headers.append(each.name, each.value) != tofu::status::success) throw std::bad_alloc();
}

std::size_t bytes_of(const std::vector<line>& lines) {
    std::size_t bytes = 0;
    for (const line& each : lines) bytes += each.name.size() + each.value.size();
    return bytes;
}

void iterate(benchmark::State& state) {
    const std::vector<line> lines = sample_lines(bench::argument(state));
    tofu::text_headers headers;
    append_all(headers, lines);
    std::size_t bytes = 0;
    for (auto _ : state) {
        bytes = 0;
        for (const tofu::text_header each : headers) bytes += each.name.size() + each.value.size();
        benchmark::DoNotOptimize(bytes);
        benchmark::ClobberMemory();
    }
    if (bytes != bytes_of(lines)) state.SkipWithError("not the names and values that were written");
    bench::report_items(state, bench::iterations(state) * lines.size());
}

void find(benchmark::State& state, bool is_there) {
    const std::vector<line> lines = sample_lines(bench::argument(state));
    tofu::text_headers headers;
    append_all(headers, lines);
    const std::string name = is_there ? lines.back().name : "header-xx";
    std::string_view value;
    for (auto _ : state) {
        value = headers.find(name);
        benchmark::DoNotOptimize(value.data());
        benchmark::ClobberMemory();
    }
    if (is_there ? value != lines.back().value : value.data() != nullptr) state.SkipWithError("not what was written");
    bench::report_items(state, bench::iterations(state) * lines.size());
}

void append(benchmark::State& state) {
    const std::vector<line> lines = sample_lines(bench::argument(state));
    tofu::text_headers headers;
    for (auto _ : state) {
        headers.clear();
        append_all(headers, lines);
        benchmark::DoNotOptimize(headers.wire().data());
        benchmark::ClobberMemory();
    }
    std::string wire;
    for (const line& each : lines) wire += each.name + ':' + each.value + "\r\n";
    if (headers.wire() != wire) state.SkipWithError("not what was written");
    bench::report_items(state, bench::iterations(state) * lines.size());
}

BENCHMARK(iterate)->Name("text_headers/iterate")->ArgName("headers")->Arg(1)->Arg(8)->Arg(64);
BENCHMARK_CAPTURE(find, last, true)->Name("text_headers/find_last")->ArgName("headers")->Arg(1)->Arg(8)->Arg(64);
BENCHMARK_CAPTURE(find, missing, false)->Name("text_headers/find_missing")->ArgName("headers")->Arg(1)->Arg(8)->Arg(64);
BENCHMARK(append)->Name("text_headers/append")->ArgName("headers")->Arg(1)->Arg(8)->Arg(64);

} // namespace
