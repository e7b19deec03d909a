// SPDX-License-Identifier: BSL-1.0
// A full channel pool: the last channel works, the next peer is refused and nobody else notices; then a quick restart.
#include "long_run.hpp"

#include <memory>
#include <optional>

using namespace long_run;

namespace {

constexpr std::size_t slots = 1024; // of the default pool, one for the listener

/// A server with its own engine and thread.
template <class Poll>
struct service {
    service(tofu::driven_by who, const tofu::address& local)
        : engine({}, who)
        , group(engine.create_group())
        , where(listen(engine, group, local))
        , server(std::in_place, group) {}
    /// The engine ends first, with every connection open: it closes them, so its port is the one that lingers.
    void stop() { server.reset(); }

    using reactor = tofu::basic_reactor<Poll>;
    reactor engine;
    typename reactor::group_type group;
    tofu::address where;
    std::optional<serving_thread<typename reactor::group_type>> server;
};

/// One request on every channel at once, every answer to its channel.
template <class Engine, class Group>
void everybody_echoes(Engine& engine, Group& group, const std::vector<std::uint16_t>& channels) {
    for (const std::uint16_t channel : channels) group.post(make(engine, op_code::request, channel, "still here"));
    std::vector<std::uint16_t> answered;
    while (answered.size() < channels.size()) {
        const tofu::message_ptr m = group.wait_receive(patience);
        demand(m != nullptr, "every channel answers in time");
        if (m->from_engine() && m->status() == tofu::status::pool_empty) continue; // more answers than credit
        expect(m->op() == op_code::response && !m->from_engine(), "nothing but answers, got " + describe(*m));
        answered.push_back(m->header().channel_number);
    }
    std::vector<std::uint16_t> expected(channels);
    std::sort(expected.begin(), expected.end());
    std::sort(answered.begin(), answered.end());
    expect(answered == expected, "every channel answers once");
}

template <class Engine, class Group, class Service>
void one_too_many(Engine& engine, Group& group, Service& served) {
    const std::uint16_t number = say_hello(engine, group, served.where);
    const tofu::message_ptr m = next(group, op_code::hello_response);
    const std::string_view reason = m->headers().find(tofu::reason_header);
    std::printf("    the next peer: %s\n", describe(*m).c_str());
    expect(m->from_engine() && m->header().channel_number == number, "the refused peer learns of it from its engine");
    expect(m->status() == tofu::status::peer_disconnected, "with status peer_disconnected");
    expect(reason == "peer_disconnected" || reason == "peer_reset", "and a reason that says so");
    expect(served.engine.stats().refused == 1, "the server has counted it");
    expect(served.engine.stats().channels == slots, "and its pool is still full");
}

template <class Poll>
void run(const char* poller, tofu::driven_by who) {
    using client_engine = tofu::basic_reactor<Poll, tofu::fixed_channel_pool<2 * slots>>;
    auto served = std::make_unique<service<Poll>>(who, loopback());
    const tofu::address where = served->where;
    client_engine engine({}, tofu::driven_by::caller);
    auto group = engine.create_group();
    std::vector<std::uint16_t> channels;
    const auto start = clock::now();
    while (channels.size() < slots - 1) channels.push_back(connect(engine, group, where));
    std::printf("%-15s %-10s: %zu connections, %.0f/s, resident %ld KiB\n", poller, name_of(who), channels.size(),
                static_cast<double>(channels.size()) / seconds_since(start), resident_memory());
    expect(served->engine.stats().channels == slots, "the pool is full");
    everybody_echoes(engine, group, channels);
    one_too_many(engine, group, *served);
    everybody_echoes(engine, group, channels);

    group.post(make(engine, op_code::bye_request, channels.back()));
    static_cast<void>(next(group, op_code::bye_response));
    next_goodbye(group, channels.back(), "bye");
    while (served->engine.stats().channels == slots) std::this_thread::yield(); // its side closes in its own time
    channels.back() = connect(engine, group, where);
    everybody_echoes(engine, group, channels);

    served->stop();
    served.reset();
    service<Poll> again(who, where);
    expect(again.where == where, "the same address again");
    for (std::size_t i = 0; i < channels.size(); ++i) {
        const tofu::message_ptr m = next(group, op_code::signal);
        expect(m->status() == tofu::status::channel_closed, "a goodbye for every channel of the old server");
    }
    everybody_echoes(engine, group, {connect(engine, group, where)});
    again.stop();
}

} // namespace

int main() {
    demand(raise_socket_limit() >= 4 * slots, "enough descriptors for both ends");
    with_default_polls([]<class Poll>(const char* poller) {
        run<Poll>(poller, tofu::driven_by::io_thread);
        run<Poll>(poller, tofu::driven_by::caller);
    });
    return result();
}
