// SPDX-License-Identifier: BSL-1.0
// 200,000 connections in sequence through one engine: the channel numbers go round, nothing piles up.
#include "long_run.hpp"

using namespace long_run;

namespace {

/// From hello to goodbye, on both sides. The client's channel number.
template <class Reactor, class Group>
std::uint16_t whole_conversation(Reactor& engine, Group& server, Group& client, const tofu::address& where) {
    const std::uint16_t number = say_hello(engine, client, where);
    tofu::message_ptr m = next(server, op_code::hello_request);
    const std::uint16_t other = m->header().channel_number;
    server.post(answer(std::move(m), op_code::hello_response));
    m = next(client, op_code::hello_response);
    demand(m->status() == tofu::status::success, "connecting: " + describe(*m));
    client.post(make(engine, op_code::request, number, "echo"));
    server.post(answer(next(server, op_code::request), op_code::response));
    m = next(client, op_code::response);
    expect(m->body().text() == "echo" && m->header().channel_number == number, "an echo as it was sent");
    client.post(make(engine, op_code::bye_request, number));
    server.post(answer(next(server, op_code::bye_request), op_code::bye_response));
    m = next(client, op_code::bye_response);
    next_goodbye(client, number, "bye");
    next_goodbye(server, other, "bye");
    return number;
}

template <class Poll>
void run(const char* poller, tofu::driven_by who, std::size_t count) {
    tofu::basic_reactor<Poll> engine({}, who);
    auto server = engine.create_group();
    auto client = engine.create_group();
    const tofu::address where = listen(engine, server);
    const auto start = clock::now();
    long early = 0;
    std::size_t rounds = 0;
    std::uint16_t last = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint16_t number = whole_conversation(engine, server, client, where);
        if (number < last) ++rounds;
        last = number;
        if (i == count / 10) early = peak_memory();
    }
    const double rate = static_cast<double>(count) / seconds_since(start);
    const tofu::engine_stats stats = engine.stats();
    std::printf(
        "%-15s %-10s %s: %zu connections, %.0f/s, numbers went round %zu times, peak memory %ld KiB at a tenth, "
        "%ld KiB at the end, messages made %llu\n",
        poller, name_of(who), std::string(to_text(where).view()).c_str(), count, rate, rounds, early, peak_memory(),
        static_cast<unsigned long long>(stats.messages_allocated));
    // Each connection takes two numbers of 65,534.
    expect(rounds >= 2 * count / 65534, "the channel numbers go round");
    expect(stats.accepted == count, "every connection was accepted once");
    expect(stats.channels == 1, "only the listener is left");
    expect(peak_memory() - early < 4 * 1024, "memory does not grow with the number of connections");
}

} // namespace

int main(int argc, char** argv) {
    const std::size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 200'000;
    with_default_polls([count]<class Poll>(const char* poller) {
        run<Poll>(poller, tofu::driven_by::caller, count);
        run<Poll>(poller, tofu::driven_by::io_thread, count);
    });
    return result();
}
