// SPDX-License-Identifier: BSL-1.0
// Echo client: sends requests, keeps a window of them under way, verifies every answer, and measures the round trips.
#include "latencies.hpp"
#include "support.hpp"

#include <tofu/tofu.hpp>

#include <cxxopts.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <iomanip>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using tofu::op_code;
using steady = std::chrono::steady_clock;

constexpr std::string_view sequence_header = "sequence";

struct task {
    tofu::address server;
    std::uint64_t count = 1000;
    std::size_t body = 64;
    std::size_t window = 1;
    std::uint64_t say_every = 0; ///< prints a line each time this many answers have come; 0: never
};

/// A signal asked the program to end.
struct interrupted {};

class echo_client {
public:
    explicit echo_client(const task& what)
        : task_(what)
        // If the server falls silent, the channel ends, and its goodbye says why.
        , engine_({.idle_time = 30s}, best_driver(what))
        , group_(engine_.create_group())
        , pattern_(task_.body + pattern_period) {
        for (std::size_t i = 0; i < pattern_.size(); ++i) pattern_[i] = static_cast<std::byte>(i % pattern_period);
    }

    //[connect
    void connect() {
        tofu::message_ptr hello = engine_.get();
        example::require(hello->connect_to(task_.server), "connect_to");
        channel_ = group_.post(std::move(hello)).channel_number;
        const tofu::message_ptr welcome = next(op_code::hello_response);
        if (welcome->status() != tofu::status::success)
            throw std::runtime_error("the server says " + std::string(to_string(welcome->status())));
    }
    //]

    //[window
    /// Keeps `window` requests under way until all are answered. A checked answer becomes the next request, so no
    /// message is allocated after the first ones.
    void run() {
        started_ = steady::now();
        while (sent_ < task_.count && sent_ < task_.window && send(engine_.get())) {
        }
        while (received_ < task_.count) {
            tofu::message_ptr answer = next(op_code::response);
            check(*answer);
            if (task_.say_every != 0 && received_ % task_.say_every == 0)
                std::cout << received_ << " answers right" << std::endl;
            if (sent_ < task_.count) send(std::move(answer));
        }
        finished_ = steady::now();
    }
    //]

    //[bye
    /// Both sides agree to end the connection. Then the engine delivers the goodbye, the last message of the channel.
    void say_bye() {
        group_.post(about_channel(op_code::bye_request));
        next(op_code::bye_response);
        const std::string goodbye = wait_for_goodbye();
        if (goodbye != "channel_closed (bye)") throw std::runtime_error("the goodbye was " + goodbye);
    }
    //]

    /// Ends at once, and gives up the requests under way.
    void abort() {
        std::error_code already_gone;
        if (channel_ == tofu::no_channel) return;
        group_.post(about_channel(op_code::bye_signal), already_gone);
        if (!already_gone) wait_for_goodbye();
    }

    void print_figures() const {
        using seconds = std::chrono::duration<double>;
        using microseconds = std::chrono::duration<double, std::micro>;
        const double time = seconds((finished_ == steady::time_point{} ? steady::now() : finished_) - started_).count();
        const auto micros = [this](double percent) { return microseconds(times_.percentile(percent)).count(); };
        std::cout << std::fixed << received_ << " round trips, window " << task_.window << ", body " << task_.body
                  << " bytes: " << std::setprecision(0) << static_cast<double>(received_) / time << "/s, p50 "
                  << std::setprecision(1) << micros(50) << " us, p99 " << micros(99) << " us\n";
    }

private:
    //[driver
    /// With one request at a time, this thread waits anyway. If it drives the loop itself, each round trip saves two
    /// thread switches. With many requests under way, a thread of the engine sends them in few large writes.
    static tofu::driven_by best_driver(const task& what) {
        return what.window == 1 ? tofu::driven_by::caller : tofu::driven_by::io_thread;
    }
    //]

    static constexpr std::size_t pattern_period = 251; // a prime, so that it divides no buffer size

    struct request {
        std::uint64_t id;
        steady::time_point sent_at;
    };

    /// Turns `m` into the next request. False: the connection has ended, and its goodbye will say why.
    bool send(tofu::message_ptr m) {
        m->reset();
        m->header().channel_number = channel_;
        if (!m->body().assign(body_of(sent_))) tofu::throw_status(tofu::status::allocation_failed, "body");
        example::require(m->headers().append(sequence_header, std::to_string(sent_)), "text headers");
        const steady::time_point now = steady::now();
        std::error_code refused;
        const tofu::binary_header header = group_.post(std::move(m), refused);
        if (refused == tofu::status::invalid_channel_number) return false;
        if (refused) throw std::system_error(refused, "post");
        under_way_.push_back({header.message_id, now});
        ++sent_;
        return true;
    }

    void check(const tofu::message& answer) {
        const std::string which = std::to_string(received_);
        if (under_way_.empty()) throw std::runtime_error("an answer to no request");
        if (answer.header().message_id != under_way_.front().id)
            throw std::runtime_error("answer " + which + ": another message id");
        if (answer.status() != tofu::status::success || answer.header().more)
            throw std::runtime_error("answer " + which + ": another status or more bit");
        if (answer.headers().wire() != std::string(sequence_header) + ':' + which + "\r\n")
            throw std::runtime_error("answer " + which + ": other text headers");
        const auto expected = body_of(received_);
        const auto body = answer.body().bytes();
        if (!std::equal(body.begin(), body.end(), expected.begin(), expected.end()))
            throw std::runtime_error("answer " + which + ": another body");
        times_.add(steady::now() - under_way_.front().sent_at);
        under_way_.pop_front();
        ++received_;
    }

    //[next
    /// Receives the next message of the server. It must have this operation.
    tofu::message_ptr next(op_code expected) {
        for (;;) {
            if (example::stop_requested()) throw interrupted{};
            tofu::message_ptr m = group_.wait_receive(example::stop_interval);
            if (!m) continue; // nothing came in time
            if (m->from_engine()) {
                if (is_goodbye(*m)) throw std::runtime_error("the connection ended: " + example::explain(*m));
                continue; // a pause in reading, or a request that comes back: the goodbye says why
            }
            if (m->op() != expected) throw std::runtime_error("unexpected " + std::string(to_string(m->op())));
            return m;
        }
    }

    /// True: the last message of a channel, which says that the channel is closed, or why it never opened.
    static bool is_goodbye(const tofu::message& m) {
        return m.status() == tofu::status::channel_closed ? m.op() == op_code::signal
                                                          : m.op() == op_code::hello_response;
    }
    //]

    std::string wait_for_goodbye() {
        for (;;) {
            const tofu::message_ptr m = group_.wait_receive();
            if (m->from_engine() && is_goodbye(*m)) return example::explain(*m);
        }
    }

    tofu::message_ptr about_channel(op_code op) {
        tofu::message_ptr m = engine_.get();
        m->header().op = op;
        m->header().channel_number = channel_;
        return m;
    }

    [[nodiscard]] std::span<const std::byte> body_of(std::uint64_t sequence) const {
        return std::span(pattern_).subspan(static_cast<std::size_t>(sequence % pattern_period), task_.body);
    }

    task task_;
    tofu::reactor engine_;
    tofu::channel_group group_;
    std::vector<std::byte> pattern_;
    std::uint16_t channel_ = tofu::no_channel;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
    std::deque<request> under_way_;
    steady::time_point started_{};
    steady::time_point finished_{};
    example::latencies times_;
};

int run(const task& what) {
    echo_client client(what);
    try {
        client.connect();
        client.run();
        client.print_figures();
        client.say_bye();
        std::cout << "all answers right, bye answered\n";
        return 0;
    } catch (const interrupted&) {
        client.abort();
        client.print_figures();
        return 128 + example::stop_signal.load();
    }
}

/// Reads the task from the command line. Throws if an argument is wrong.
task read_task(const cxxopts::ParseResult& given) {
    task result;
    if (given.count("address") != 1 || !given.unmatched().empty()) throw std::invalid_argument("one ADDRESS, please");
    const auto text = given["address"].as<std::string>();
    const tofu::parsed_address parsed = tofu::parse_address(text);
    if (parsed.status == tofu::status::success) result.server = parsed.value;
    const std::string_view problem = parsed.problem.empty() ? connect_problem(parsed.value) : parsed.problem;
    if (!problem.empty()) throw std::invalid_argument('"' + text + "\": " + std::string(problem));
    result.count = given["count"].as<std::uint64_t>();
    result.body = given["body"].as<std::size_t>();
    result.window = given["window"].as<std::size_t>();
    result.say_every = given["say-every"].as<std::uint64_t>();
    if (result.body > tofu::max_part_length) throw std::invalid_argument("--body: at most 65535");
    if (result.window == 0 || result.window > 1024) throw std::invalid_argument("--window: 1 to 1024");
    // Otherwise both sides would have to handle full send queues.
    if (result.window * (result.body + 100) > 4 * 1024 * 1024)
        throw std::invalid_argument("--window: more than 4 MiB would be under way");
    return result;
}

} // namespace

int main(int argc, char** argv) {
    cxxopts::Options options("echo_client", "Sends requests to an echo server and verifies every answer.\n");
    options.positional_help("ADDRESS").custom_help("[--count N] [--body BYTES] [--window W] [--say-every N]");
    options.add_options()                                                                                             //
        ("count", "requests in all", cxxopts::value<std::uint64_t>()->default_value("1000"), "N")                     //
        ("body", "size of every body, 0 to 65535", cxxopts::value<std::size_t>()->default_value("64"), "BYTES")       //
        ("window", "requests under way at a time, 1 to 1024", cxxopts::value<std::size_t>()->default_value("1"), "W") //
        ("say-every", "a line after every N answers; 0: none", cxxopts::value<std::uint64_t>()->default_value("0"),
         "N") //
        ("h,help", "this text");
    options.add_options("hidden")("address", "", cxxopts::value<std::string>());
    options.parse_positional({"address"});
    task what;
    try {
        const auto given = options.parse(argc, argv);
        if (given.count("help") != 0) {
            std::cout << options.help({""})
                      << "\nADDRESS is tcp|HOST|PORT or uds|PATH.\n"
                         "exit status: 0 all was right, 1 it was not, 2 wrong arguments, 128 + N ended by signal N\n";
            return 0;
        }
        what = read_task(given);
    } catch (const std::exception& error) {
        std::cerr << "echo_client: " << error.what() << "\n(echo_client --help tells more)\n";
        return 2;
    }
    try {
        example::end_on_signals();
        return run(what);
    } catch (const std::exception& error) {
        std::cerr << "echo_client: " << error.what() << '\n';
        return 1;
    }
}
