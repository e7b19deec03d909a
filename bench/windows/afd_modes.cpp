// SPDX-License-Identifier: BSL-1.0
// The two modes of afd_iocp side by side: polls through helper handles, and on the sockets themselves. Also the cost of
// a cancel, and whether a poll is better submitted before the reading it is for, or after.
//
//     afd_modes [ROUNDS]     rounds of each measurement, in turn (default 5); the median is shown

#include "../harness/statistics.hpp"

#include <tofu/policies/poll/afd_iocp.hpp>
#include <tofu/tofu.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;
using tofu::interest;
using tofu::platform::socket;

void demand(bool holds, const char* what) {
    if (!holds) throw std::runtime_error(what);
}

double seconds_since(steady::time_point begin) { return std::chrono::duration<double>(steady::now() - begin).count(); }

// ---- engines: round trips over some connections, each with one message under way ----

struct echo_result {
    double round_trips = 0; ///< per second
    double submitted = 0;   ///< polls of the server, per message it received
    double cancelled = 0;
    double batches = 0; ///< reads of the server, per message
};

template <class Poll>
class echo {
public:
    explicit echo(std::size_t connections)
        : server_(options()), client_(options()), serving_(server_.create_group()), asking_(client_.create_group()) {
        tofu::message_ptr welcome = server_.get();
        demand(welcome->listen_on(tofu::tcp_address{"127.0.0.1", 0}) == tofu::status::success,
               "an address to listen on");
        serving_.post(std::move(welcome));
        const tofu::message_ptr ready = next(serving_);
        demand(ready->op() == tofu::op_code::welcome_response && ready->status() == tofu::status::success,
               "a listener");
        const tofu::address where = tofu::parse_address(ready->headers().find(tofu::listen_on_header)).value;
        for (std::size_t i = 0; i < connections; ++i) connect(where);
    }

    /// `busy` of the connections ask, `turns` times each.
    echo_result run(std::size_t busy, std::size_t turns) {
        const tofu::engine_stats before = server_.stats();
        const auto begin = steady::now();
        for (std::size_t i = 0; i < busy; ++i) ask(channels_[i]);
        std::size_t left = busy * turns;
        std::size_t to_ask = left - busy;
        while (left != 0) {
            answer_all();
            while (tofu::message_ptr m = asking_.wait_receive(0ms)) {
                demand(m->op() == tofu::op_code::response, "a response");
                --left;
                if (to_ask == 0) continue;
                --to_ask;
                ask(m->header().channel_number);
            }
        }
        const double took = seconds_since(begin);
        const tofu::engine_stats after = server_.stats();
        const auto messages = static_cast<double>(busy * turns);
        const auto per_message = [&](std::uint64_t one, std::uint64_t other) {
            return static_cast<double>(one - other) / messages;
        };
        return {messages / took, per_message(after.polls_submitted, before.polls_submitted),
                per_message(after.polls_cancelled, before.polls_cancelled), per_message(after.reads, before.reads)};
    }

private:
    using reactor = tofu::basic_reactor<Poll, tofu::fixed_channel_pool<1'100>>;
    using group = typename reactor::group_type;

    static tofu::options options() {
        tofu::options opts;
        opts.max_messages = 4'096;
        opts.idle_time = 0ms;
        return opts;
    }

    static tofu::message_ptr next(group& from) {
        tofu::message_ptr m = from.wait_receive(30s);
        demand(m != nullptr, "something within thirty seconds");
        return m;
    }

    void connect(const tofu::address& where) {
        tofu::message_ptr hello = client_.get();
        demand(hello->connect_to(where) == tofu::status::success, "an address to connect to");
        channels_.push_back(asking_.post(std::move(hello)).channel_number);
        tofu::message_ptr asked = next(serving_);
        demand(asked->op() == tofu::op_code::hello_request, "a hello_request");
        serving_.post(reply(std::move(asked), tofu::op_code::hello_response));
        demand(next(asking_)->op() == tofu::op_code::hello_response, "a hello_response");
    }

    static tofu::message_ptr reply(tofu::message_ptr m, tofu::op_code op) {
        m->header().op = op;
        return m;
    }

    void ask(std::uint16_t channel) {
        tofu::message_ptr m = client_.get();
        m->header().op = tofu::op_code::request;
        m->header().channel_number = channel;
        demand(m->body().append("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"), "64 bytes");
        asking_.post(std::move(m));
    }

    void answer_all() {
        while (tofu::message_ptr m = serving_.wait_receive(0ms))
            serving_.post(reply(std::move(m), tofu::op_code::response));
    }

    reactor server_;
    reactor client_;
    group serving_;
    group asking_;
    std::vector<std::uint16_t> channels_;
};

template <class Poll>
void show_echo(const char* mode, std::size_t rounds) {
    for (const std::size_t connections : {1U, 100U, 1'000U}) {
        echo<Poll> work(connections);
        for (std::size_t busy = 1; busy <= connections; busy = busy == connections ? connections + 1 : connections) {
            std::vector<double> rates;
            echo_result last;
            for (std::size_t i = 0; i < rounds; ++i) {
                last = work.run(busy, std::max<std::size_t>(300 / busy, 1));
                rates.push_back(last.round_trips);
            }
            std::printf("%-8s %5zu connections, %5zu busy: %7.0f round trips/s; server, per message: %.3f polls "
                        "submitted, %.3f cancelled, %.3f reads\n",
                        mode, connections, busy, bench::median(rates), last.submitted, last.cancelled, last.batches);
            std::fflush(stdout);
        }
    }
}

// ---- the poller alone ----

struct pair {
    socket client;
    socket server;
};

template <class Poll>
class bare {
public:
    using registration = typename Poll::registration;

    explicit bare(std::size_t connections) : entries_(connections) {
        demand(!poll_.open(), "a poller");
        tofu::io_error error;
        tofu::platform::endpoint where;
        const tofu::address text(tofu::tcp_address{"127.0.0.1", 0});
        demand(!tofu::platform::to_endpoint(text, true, where), "an endpoint");
        socket listener = socket::listen(where, {}, 64, error);
        demand(!error, "a listener");
        for (std::size_t i = 0; i < connections; ++i) {
            pair made;
            made.client = socket::connect(listener.local_endpoint(), {}, error);
            do made.server = listener.accept({}, error);
            while (error.kind == tofu::io_failure::would_block);
            demand(!error, "a connection");
            pairs_.push_back(std::move(made));
            demand(!poll_.attach(entries_[i], pairs_.back().server, i + 1), "attached");
        }
    }
    ~bare() {
        for (registration& entry : entries_) static_cast<void>(poll_.disarm(entry));
        while (poll_.in_flight() != 0) static_cast<void>(poll_.wait(10ms, *this));
    }
    bare(const bare&) = delete;
    bare& operator=(const bare&) = delete;

    void ready(std::uintptr_t, tofu::readiness) noexcept { ++reported_; }
    void released(std::uintptr_t) noexcept {}
    registration* registration_of(std::uintptr_t key) noexcept { return &entries_[key - 1]; }

    /// Microseconds of one cancel with a poll in flight on every socket.
    double cancel_us() {
        for (registration& entry : entries_) demand(!poll_.arm(entry, interest::read), "armed");
        const auto begin = steady::now();
        for (registration& entry : entries_) static_cast<void>(poll_.disarm(entry));
        const double took = seconds_since(begin);
        while (poll_.in_flight() != 0) static_cast<void>(poll_.wait(10ms, *this));
        return took * 1e6 / static_cast<double>(entries_.size());
    }

    struct echo_cost {
        double us = 0;
        double reports = 0; ///< per message, as what follows
        double submitted = 0;
        double read_in_vain = 0;
    };

    /// A message there and back, the other end on a thread of its own; the next poll is submitted before the reading
    /// or after it. With a pause the server waits again before the next message comes.
    echo_cost echo_us(bool before, std::size_t turns, std::chrono::milliseconds pause) {
        registration& entry = entries_[0];
        demand(!poll_.arm(entry, interest::read), "armed");
        reported_ = 0;
        std::size_t in_vain = 0;
        const std::uint64_t submitted = poll_.counts().submitted;
        const auto begin = steady::now();
        std::thread other([this, turns, pause] {
            for (std::size_t i = 0; i < turns; ++i) {
                if (pause != 0ms) std::this_thread::sleep_for(pause);
                send(pairs_[0].client);
                while (!receive(pairs_[0].client)) std::this_thread::yield();
            }
        });
        for (std::size_t done = 0; done < turns;) {
            const std::size_t reported = reported_;
            while (reported_ == reported) static_cast<void>(poll_.wait(1s, *this));
            if (before) demand(!poll_.arm(entry, interest::read), "armed");
            if (receive(pairs_[0].server)) {
                send(pairs_[0].server);
                ++done;
            } else {
                ++in_vain;
            }
            if (!before) demand(!poll_.arm(entry, interest::read), "armed");
        }
        other.join();
        const auto messages = static_cast<double>(turns);
        return {seconds_since(begin) * 1e6 / messages, static_cast<double>(reported_) / messages,
                static_cast<double>(poll_.counts().submitted - submitted) / messages,
                static_cast<double>(in_vain) / messages};
    }

private:
    static void send(socket& to) {
        static constexpr std::array<std::byte, 64> text{};
        const tofu::const_buffer piece{text.data(), text.size()};
        demand(to.write({&piece, 1}).bytes == text.size(), "sent");
    }
    static bool receive(socket& from) {
        std::array<std::byte, 128> room{};
        const tofu::mutable_buffer place{room.data(), room.size()};
        return from.read({&place, 1}).bytes != 0;
    }

    Poll poll_;
    std::deque<registration> entries_;
    std::vector<pair> pairs_;
    std::size_t reported_ = 0;
};

template <class Poll>
void show_cancel(const char* mode, std::size_t rounds) {
    for (const std::size_t connections : {1U, 100U, 1'000U}) {
        std::vector<double> costs;
        for (std::size_t i = 0; i < rounds; ++i) costs.push_back(bare<Poll>(connections).cancel_us());
        std::printf("%-8s %5zu connections: %6.1f us a cancel\n", mode, connections, bench::median(costs));
    }
}

template <class Poll>
void show_order(const char* mode, std::size_t rounds) {
    bare<Poll> work(1);
    for (const auto pause : {0ms, 2ms})
        for (const bool before : {false, true}) {
            std::vector<double> costs;
            typename bare<Poll>::echo_cost last;
            for (std::size_t i = 0; i < rounds; ++i) {
                last = work.echo_us(before, 500, pause);
                costs.push_back(last.us);
            }
            std::printf("%-8s submitted %s reading, pause %d ms: %6.0f us a round trip; %.2f reports, %.2f polls "
                        "submitted, %.2f reads in vain\n",
                        mode, before ? "before" : "after ", static_cast<int>(pause.count()), bench::median(costs),
                        last.reports, last.submitted, last.read_in_vain);
        }
}

} // namespace

int main(int argc, char** argv) {
    try {
        const std::size_t rounds = argc > 1 ? std::max(1UL, std::strtoul(argv[1], nullptr, 10)) : 5;
        using one_helper = tofu::basic_afd_iocp<tofu::platform::network<>, tofu::afd_through_helpers<100'000>>;
        show_echo<tofu::afd_iocp>("helpers", rounds);
        show_echo<tofu::afd_iocp_direct>("direct", rounds);
        show_cancel<tofu::afd_iocp>("helpers", rounds);
        show_cancel<one_helper>("one", rounds);
        show_cancel<tofu::afd_iocp_direct>("direct", rounds);
        show_order<tofu::afd_iocp>("helpers", rounds);
        show_order<tofu::afd_iocp_direct>("direct", rounds);
        return 0;
    } catch (const std::exception& wrong) {
        std::fprintf(stderr, "afd_modes: %s\n", wrong.what());
        return 1;
    }
}
