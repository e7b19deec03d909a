// SPDX-License-Identifier: BSL-1.0
// An engine without receive credit does nothing at all, even if its peers reset, end, or send on.
#include "long_run.hpp"
#include "raw_peer.hpp"

using namespace long_run;

namespace {

constexpr auto watched = 2s;
constexpr double most_cpu = 0.050;
constexpr std::size_t credit = 4;

enum class then : std::uint8_t { resets, ends, stays };

const char* name_of(then what) {
    return what == then::resets ? "resets" : what == then::ends ? "ends its stream" : "stays";
}

/// Receives until the credit is used up and keeps everything.
std::vector<tofu::message_ptr> starve(tofu::channel_group& group) {
    std::vector<tofu::message_ptr> kept;
    bool told = false;
    while (!told || kept.size() < credit) {
        tofu::message_ptr m = group.wait_receive(patience);
        demand(m != nullptr, "requests until the credit is used up");
        if (m->from_engine()) {
            expect(m->status() == tofu::status::pool_empty && !told, "one notice, not " + describe(*m));
            told = true;
        } else {
            kept.push_back(std::move(m));
        }
    }
    return kept;
}

/// Waits without receiving anything, and checks what the process uses meanwhile.
void watch(tofu::reactor& engine, tofu::channel_group& group, then what) {
    const tofu::engine_stats before = engine.stats();
    const double used = cpu_seconds();
    const std::uint64_t made = allocations;
    const tofu::message_ptr nothing = group.wait_receive(watched); // drives, if there is no thread
    const double spent = cpu_seconds() - used;
    const tofu::engine_stats after = engine.stats();
    std::printf("    peer %-15s: %.1f ms of processor in 2 s, %llu turns, %llu allocations\n", name_of(what),
                spent * 1e3, static_cast<unsigned long long>(after.turns - before.turns),
                static_cast<unsigned long long>(allocations - made));
    expect(!nothing, "nothing to receive");
    expect(spent < most_cpu, "next to no processor time");
    expect(after.turns - before.turns <= 10, "the loop sleeps");
    expect(after.reads == before.reads, "nobody reads");
    expect(allocations - made <= 10, "nothing piles up");
}

void run(tofu::driven_by who, then what) {
    tofu::reactor engine({.initial_messages = credit, .max_messages = credit}, who);
    tofu::channel_group group = engine.create_group();
    const std::uint16_t port = listen(engine, group).port();
    raw_peer peer = raw_peer::connect(port);
    expect(peer.send_all(hello_frame()), "a hello");
    tofu::message_ptr hello = next(group, op_code::hello_request);
    const std::uint16_t channel = hello->header().channel_number;
    group.post(answer(std::move(hello), op_code::hello_response));
    std::vector<std::byte> said(hello_frame().size());
    expect(peer.read_exactly(said), "the answer");
    constexpr std::size_t requests = 10;
    for (std::size_t i = 0; i < requests; ++i) peer.send_all(frame(op_code::request, {}, 100));
    std::vector<tofu::message_ptr> kept = starve(group);
    if (what == then::resets) peer.reset();
    if (what == then::ends) peer.close();
    watch(engine, group, what);

    std::size_t received = kept.size();
    kept.clear();
    while (received < requests) {
        const tofu::message_ptr m = group.wait_receive(patience);
        demand(m != nullptr, "reading goes on when the credit is back");
        if (m->status() == tofu::status::pool_empty) continue;
        if (m->status() == tofu::status::channel_closed) break;
        ++received;
    }
    // After a reset the system may keep or drop unread bytes; otherwise every request arrives.
    if (what != then::resets) expect(received == requests, "every request was received");
    if (what == then::ends) next_goodbye(group, channel, "peer_disconnected");
}

} // namespace

int main() {
    for (const tofu::driven_by who : {tofu::driven_by::io_thread, tofu::driven_by::caller}) {
        std::printf("%s\n", name_of(who));
        for (const then what : {then::resets, then::ends, then::stays}) run(who, what);
    }
    return result();
}
