// SPDX-License-Identifier: BSL-1.0
// A healthy echo beside rude peers: they get what they asked for, it goes on, and memory stays bounded.
#include "long_run.hpp"
#include "raw_peer.hpp"

#include <random>

using namespace long_run;

namespace {

constexpr tofu::options guarded{.max_queued_messages = 1024,
                                .max_queued_bytes = 1024 * 1024,
                                .max_awaiting_hello = 64,
                                .hello_time = 2s,
                                .message_time = 3s};
constexpr std::size_t floods = 4;
constexpr std::size_t silents = 32;
constexpr std::size_t halves = 32;
constexpr auto observed = 5s;

struct latencies {
    std::vector<double> all;
    void print(const char* when) {
        std::printf("    %-8s p50 %.1f us, p99 %.1f us, worst %.1f us, %zu round trips\n", when, quantile(all, 0.5),
                    quantile(all, 0.99), quantile(all, 1), all.size());
    }
};

latencies echo_for(tofu::reactor& engine, tofu::channel_group& group, std::uint16_t channel, clock::duration time) {
    latencies seen;
    for (const auto until = clock::now() + time; clock::now() < until;) {
        const auto start = clock::now();
        group.post(make(engine, op_code::request, channel, std::string_view("0123456789abcdef")));
        const tofu::message_ptr m = next(group, op_code::response);
        seen.all.push_back(microseconds(clock::now() - start));
        expect(m->header().channel_number == channel && m->body().size() == 16, "an echo as it was sent");
    }
    return seen;
}

/// Everything that is rude, on one thread, until it is stopped.
class mob {
public:
    explicit mob(std::uint16_t port) : port_(port), thread_([this] { be_rude(); }) {}
    mob(const mob&) = delete;
    mob& operator=(const mob&) = delete;
    ~mob() {
        stop_ = true;
        thread_.join();
    }
    std::atomic<std::uint64_t> flooded{0}; ///< bytes
    std::atomic<std::uint64_t> garbage{0}; ///< connections

private:
    void be_rude() {
        std::vector<raw_peer> never_reading;
        for (std::size_t i = 0; i < floods; ++i) never_reading.push_back(connect_politely(port_));
        for (const raw_peer& peer : never_reading) peer.set_non_blocking();
        std::vector<raw_peer> half;
        for (std::size_t i = 0; i < halves; ++i) {
            half.push_back(connect_politely(port_));
            half.back().send_all(frame(op_code::request, {}, 10, 60'000));
        }
        std::vector<raw_peer> silent;
        for (std::size_t i = 0; i < silents; ++i) silent.push_back(raw_peer::connect(port_));
        while (!stop_) {
            send_garbage();
            flood(never_reading);
        }
    }
    /// Requests of 1 KiB, never an answer taken.
    void flood(const std::vector<raw_peer>& peers) {
        const std::vector<std::byte> request = frame(op_code::request, {}, 1024);
        std::vector<std::byte> many;
        for (int i = 0; i < 32; ++i) many.insert(many.end(), request.begin(), request.end());
        sent_.resize(peers.size());
        for (int turn = 0; turn < 50; ++turn) {
            for (std::size_t i = 0; i < peers.size(); ++i) {
                const std::size_t n = peers[i].send_some(std::span<const std::byte>(many).subspan(sent_[i]));
                sent_[i] = (sent_[i] + n) % many.size();
                flooded += n;
            }
        }
    }
    void send_garbage() {
        std::array<std::byte, 300> bytes;
        for (std::byte& byte : bytes) byte = static_cast<std::byte>(random_());
        bytes[2] = std::byte{0x0F}; // an op code there is not
        raw_peer peer = raw_peer::connect(port_);
        peer.send_all(bytes);
        peer.reset();
        ++garbage;
    }

    const std::uint16_t port_;
    std::atomic<bool> stop_{false};
    std::mt19937 random_{7};
    std::vector<std::size_t> sent_;
    std::thread thread_;
};

void run(tofu::driven_by who) {
    tofu::reactor serving(guarded, who);
    tofu::channel_group offered = serving.create_group();
    const tofu::address where = listen(serving, offered);
    serving_thread served(offered);
    tofu::reactor engine({}, tofu::driven_by::caller);
    tofu::channel_group group = engine.create_group();
    const std::uint16_t channel = connect(engine, group, where);
    std::printf("%s\n", name_of(who));
    latencies before = echo_for(engine, group, channel, 1s);
    before.print("before");
    const long memory = peak_memory();
    latencies during;
    {
        mob rude(where.port());
        during = echo_for(engine, group, channel, observed);
        std::printf("    %llu MiB of requests nobody reads the answers of, %llu connections of garbage\n",
                    static_cast<unsigned long long>(rude.flooded / (1024 * 1024)),
                    static_cast<unsigned long long>(rude.garbage));
        expect(rude.garbage > 0 && rude.flooded > 0, "somebody was rude");
    }
    during.print("during");
    latencies after = echo_for(engine, group, channel, 500ms);
    after.print("after");
    const tofu::engine_stats stats = serving.stats();
    std::printf(
        "    peak memory %ld KiB before, %ld KiB after; answers refused %llu; starved %llu times; accepted %llu\n",
        memory, peak_memory(), static_cast<unsigned long long>(served.refused()),
        static_cast<unsigned long long>(stats.starvation_episodes), static_cast<unsigned long long>(stats.accepted));
    expect(served.refused() > 0, "queues filled up");
    expect(quantile(during.all, 0.99) < 100'000, "the healthy pair goes on beside them");
    // Four queues of 1 MiB, messages of 256 credits at 64 KiB at most, and what the kernel is not charged for.
    expect(peak_memory() - memory < 40 * 1024, "memory is bounded");
}

} // namespace

int main() {
    run(tofu::driven_by::io_thread);
    run(tofu::driven_by::caller);
    return result();
}
