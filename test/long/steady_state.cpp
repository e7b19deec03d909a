// SPDX-License-Identifier: BSL-1.0
// The cost of a message: echo and one-way traffic between two processes, beside the same work with bare system calls.
// Rates and times are printed, not judged; allocations and system calls are counted, and judged.
#include "long_run.hpp"
#include "raw_echo.hpp"
#include "raw_peer.hpp"
#include "two_processes.hpp"

using namespace long_run;

namespace {

constexpr std::string_view body = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
constexpr std::size_t rounds = 3;

/// Answers requests; at a bye_request and at every signal with the body "mark" it tells what it has used.
void serve(tofu::driven_by who, const tofu::options& opts, int to_parent) {
    tofu::reactor engine(opts, who);
    tofu::channel_group group = engine.create_group();
    other_process::tell(to_parent, listen(engine, group).port());
    for (;;) {
        tofu::message_ptr m = group.wait_receive(patience);
        demand(m != nullptr, "something to serve");
        if (m->from_engine()) {
            if (m->status() == tofu::status::channel_closed) return;
            continue;
        }
        switch (m->op()) {
        case op_code::hello_request: group.post(answer(std::move(m), op_code::hello_response)); break;
        case op_code::request: group.post(answer(std::move(m), op_code::response)); break;
        case op_code::bye_request: group.post(answer(std::move(m), op_code::bye_response)); break;
        default:
            if (m->body().text() == "mark") other_process::tell(to_parent, usage_now(engine.stats()));
        }
    }
}

/// The client's side of a measurement.
struct measuring {
    measuring(tofu::driven_by who, const tofu::options& opts)
        : server([&](int to) { serve(who, opts, to); })
        , engine(opts, who)
        , group(engine.create_group())
        , channel(connect(engine, group, loopback(server.hear<std::uint16_t>()))) {}

    usage mark_server() {
        group.post(make(engine, op_code::signal, channel, "mark"));
        expect(engine.drain(patience), "the mark goes out");
        return server.hear<usage>();
    }
    void bye() {
        group.post(make(engine, op_code::bye_request, channel));
        static_cast<void>(next(group, op_code::bye_response));
        next_goodbye(group, channel, "bye");
    }

    other_process server; // first: forked before the engine has a thread
    tofu::reactor engine;
    tofu::channel_group group;
    std::uint16_t channel;
};

/// `window` requests under way; every answer is posted again until `count` were received.
void echo(measuring& with, std::size_t window, std::size_t count, std::vector<double>& times) {
    std::size_t posted = 0;
    auto sent_at = clock::now();
    for (; posted < std::min(window, count); ++posted)
        with.group.post(make(with.engine, op_code::request, with.channel, body));
    for (std::size_t received = 0; received < count; ++received) {
        tofu::message_ptr m = next(with.group, op_code::response);
        if (window == 1) times.push_back(microseconds(clock::now() - sent_at));
        if (posted == count) continue;
        ++posted;
        m = answer(std::move(m), op_code::request);
        if (window == 1) sent_at = clock::now();
        with.group.post(std::move(m));
    }
}

echo_result tofu_echo(tofu::driven_by who, std::size_t window, std::size_t count) {
    measuring with(who, {});
    std::vector<double> times;
    times.reserve(count + count / 10 + 1);
    echo(with, window, count / 10 + window, times); // warm: every buffer has its size
    times.clear();
    const usage there = with.mark_server();
    const usage here = usage_now(with.engine.stats());
    const auto start = clock::now();
    echo(with, window, count, times);
    echo_result result;
    result.rate = static_cast<double>(count) / seconds_since(start);
    result.here = usage_now(with.engine.stats()) - here;
    result.there = with.mark_server() - there;
    result.p50 = quantile(times, 0.5);
    result.p99 = quantile(times, 0.99);
    with.bye();
    return result;
}

/// Posts `count` signals as fast as the queue takes them, then asks whether all have arrived.
double tofu_one_way(tofu::driven_by who, std::size_t size, std::size_t count, usage& here) {
    measuring with(who, {.max_messages = 1024, .retained_capacity = 65536, .max_queued_messages = 512});
    const std::string text(size, 'b');
    const usage before = usage_now(with.engine.stats());
    const auto start = clock::now();
    for (std::size_t i = 0; i < count; ++i) {
        std::error_code error;
        with.group.wait_post(make(with.engine, op_code::signal, with.channel, text), patience, error);
        demand(!error, "room in the queue, in time");
    }
    with.group.wait_post(make(with.engine, op_code::request, with.channel, "all?"), patience);
    static_cast<void>(next(with.group, op_code::response));
    const double rate = static_cast<double>(count) / seconds_since(start);
    here = usage_now(with.engine.stats()) - before;
    with.bye();
    return rate;
}

void print_costs(const char* side, const usage& used, double count) {
    const auto per = [&](std::uint64_t n) { return static_cast<double>(n) / count; };
    std::printf("      %s, per message: %.3f reads, %.3f writes, %.3f waits, %.3f wakes, %.3f switches, %.2f us of "
                "processor, %.4f allocations\n",
                side, per(used.reads), per(used.writes), per(used.turns), per(used.wakes), per(used.switches),
                used.cpu * 1e6 / count, per(used.allocated));
}

/// Rounds of raw and tofu in turn; the medians, and the costs of the last round.
void compare_echo(tofu::driven_by who, std::size_t window, std::size_t count, bool one_core) {
    const on_one_core place(one_core);
    std::vector<double> ratio, raw_rate, rate, raw_p50, p50;
    echo_result last;
    for (std::size_t i = 0; i < rounds; ++i) {
        const echo_result raw = raw_echo(window, body.size(), count);
        last = tofu_echo(who, window, count);
        raw_rate.push_back(raw.rate);
        rate.push_back(last.rate);
        ratio.push_back(last.rate / raw.rate);
        raw_p50.push_back(raw.p50);
        p50.push_back(last.p50);
    }
    std::printf("  window %2zu, %s, %s: %.0f round trips/s, raw %.0f, ratio %.2f", window, name_of(who),
                one_core ? "one core" : "all cores", median(rate), median(raw_rate), median(ratio));
    if (window == 1) std::printf("; p50 %.1f us, raw %.1f us", median(p50), median(raw_p50));
    std::printf("\n");
    print_costs("client", last.here, static_cast<double>(count));
    print_costs("server", last.there, static_cast<double>(count));
    expect(last.here.allocated == 0, "the client's steady state allocates nothing");
    expect(last.there.allocated == 0, "the server's steady state allocates nothing");
    const double calls = static_cast<double>(last.there.reads + last.there.writes + last.there.turns);
    // A batch shares reads and waits; writes, too, unless each post of a driving thread tries the socket itself.
    const double most = window == 1 ? 4.5 : who == tofu::driven_by::caller ? 2.5 : 1.0;
    expect(calls < most * static_cast<double>(count), "few system calls for a message");
}

void compare_one_way(tofu::driven_by who, std::size_t size, std::size_t count) {
    std::vector<double> ratio, rate, raw;
    usage here;
    for (std::size_t i = 0; i < rounds; ++i) {
        raw.push_back(raw_one_way(size, count));
        rate.push_back(tofu_one_way(who, size, count, here));
        ratio.push_back(rate.back() / raw.back());
    }
    std::printf("  one way %5zu B, %s: %.0f messages/s, raw %.0f, ratio %.2f\n", size, name_of(who), median(rate),
                median(raw), median(ratio));
    print_costs("client", here, static_cast<double>(count));
}

} // namespace

int main(int argc, char** argv) {
    const std::size_t scale = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 10;
    for (const tofu::driven_by who : {tofu::driven_by::io_thread, tofu::driven_by::caller}) {
        compare_echo(who, 64, 100'000 * scale / 10, false);
        compare_echo(who, 64, 100'000 * scale / 10, true);
        compare_echo(who, 1, 20'000 * scale / 10, false);
        compare_echo(who, 1, 20'000 * scale / 10, true);
        compare_one_way(who, 64, 1'000'000 * scale / 10);
        compare_one_way(who, 1024, 300'000 * scale / 10);
        compare_one_way(who, 65535, 10'000 * scale / 10);
    }
    return result();
}
