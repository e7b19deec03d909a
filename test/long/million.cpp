// SPDX-License-Identifier: BSL-1.0
// A million messages (or as many as the argument says) each way over eight connections from eight threads, a kilobyte
// in the mean, the largest among them: none is lost, none is out of order, none is changed, with every poller of this
// system.
#include "long_run.hpp"

#include <cstring>
#include <random>

using namespace long_run;

namespace {

constexpr std::size_t connections = 8;
std::uint64_t each = 125'000; ///< messages of one connection in one direction
constexpr std::size_t largest = 65'535;

/// The message of a number is always the same: 1 in 512 has the largest text headers and body, the others up to 1.5 KiB
/// of body.
class script {
public:
    script() {
        std::mt19937_64 random(42);
        for (char& c : noise_) c = static_cast<char>('a' + random() % 26);
    }
    [[nodiscard]] std::string_view body(std::uint64_t number) const { return part(number, size_of(number)); }
    /// One header line, exactly `largest` bytes with its name and its end.
    [[nodiscard]] std::string_view header(std::uint64_t number) const {
        return is_large(number) ? part(number + 7, largest - 4) : std::string_view();
    }

private:
    static bool is_large(std::uint64_t number) { return number % 512 == 0; }
    static std::size_t size_of(std::uint64_t number) {
        return is_large(number) ? largest : static_cast<std::size_t>(number * 2'654'435'761U % 1537);
    }
    [[nodiscard]] std::string_view part(std::uint64_t number, std::size_t size) const {
        return std::string_view(noise_).substr(static_cast<std::size_t>(number * 31 % 65'536), size);
    }

    std::string noise_ = std::string(2 * 65'536, '\0');
};

const script lines;
std::atomic<std::uint64_t> bytes_received{0};

/// One end of one connection: posts its messages, and checks those of the other end.
template <class Reactor>
class talker {
public:
    talker(Reactor& engine, typename Reactor::group_type& group, std::uint16_t channel)
        : engine_(engine), group_(group), channel_(channel) {}

    void talk() {
        while (posted_ < each || received_ < each) {
            const bool full = posted_ != each && !post_next();
            if (received_ == each) continue;
            // While there is something to post this only looks; a full queue is worth a short wait.
            std::error_code error;
            take(group_.wait_receive(posted_ == each ? patience : full ? 1ms : 0ms, error));
            demand(!error, "the engine runs");
        }
    }

private:
    bool post_next() {
        std::error_code error;
        if (!next_) {
            const std::uint64_t number = posted_ + 1;
            next_ = make(engine_, op_code::signal, channel_, lines.body(number));
            next_->header().message_id = number;
            if (!lines.header(number).empty())
                demand(next_->headers().append("x", lines.header(number)) == tofu::status::success, "a text header");
        }
        group_.post(std::move(next_), error);
        if (error == tofu::status::send_failed) return false;
        demand(!error, "a post: " + error.message());
        ++posted_;
        return true;
    }
    void take(const tofu::message_ptr& m) {
        if (!m) {
            demand(posted_ < each, "the other end's messages in time");
            return;
        }
        if (m->from_engine()) {
            demand(m->status() == tofu::status::pool_empty, "a message of the peer, not " + describe(*m));
            return;
        }
        ++received_;
        bytes_received += m->wire_size();
        demand(m->header().message_id == received_, "the messages in their order");
        demand(m->body().text() == lines.body(received_), "a body as it was posted");
        demand(m->headers().find("x") == lines.header(received_), "text headers as they were posted");
    }

    Reactor& engine_;
    typename Reactor::group_type& group_;
    const std::uint16_t channel_;
    std::uint64_t posted_ = 0;
    std::uint64_t received_ = 0;
    tofu::message_ptr next_;
};

template <class Poll>
void run(const char* poller, const tofu::address& where) {
    using reactor = tofu::basic_reactor<Poll>;
    using group = typename reactor::group_type;
    const tofu::options opts{.max_messages = 1024, .max_queued_messages = 256, .max_queued_bytes = 1024 * 1024};
    reactor here(opts);
    reactor there(opts);
    std::vector<group> asking;
    std::vector<group> serving;
    std::vector<std::uint16_t> ours;
    std::vector<std::uint16_t> theirs;
    group door = there.create_group();
    // Each accepted connection is served by its listener's group, so each has a listener of its own.
    for (std::size_t i = 0; i < connections; ++i) {
        asking.push_back(here.create_group());
        serving.push_back(there.create_group());
        tofu::address at = where;
        if (at.kind() == tofu::address_kind::uds) at = tofu::uds_address{std::string(at.path()) + std::to_string(i)};
        const tofu::address bound = listen(there, serving[i], at);
        ours.push_back(say_hello(here, asking[i], bound));
        tofu::message_ptr m = next(serving[i], op_code::hello_request);
        theirs.push_back(m->header().channel_number);
        serving[i].post(answer(std::move(m), op_code::hello_response));
        demand(next(asking[i], op_code::hello_response)->status() == tofu::status::success, "connected");
    }
    bytes_received = 0;
    const auto start = clock::now();
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < connections; ++i) {
        threads.emplace_back([&, i] { talker<reactor>(here, asking[i], ours[i]).talk(); });
        threads.emplace_back([&, i] { talker<reactor>(there, serving[i], theirs[i]).talk(); });
    }
    for (std::thread& one : threads) one.join();
    const double took = seconds_since(start);
    const tofu::engine_stats stats = here.stats();
    std::printf("%-15s %-4s: %llu messages each way in %.1f s, %.0f/s both ways together, %.0f MiB/s; mean %llu bytes; "
                "reads %.3f and writes %.3f per message, starved %llu times\n",
                poller, where.kind() == tofu::address_kind::uds ? "uds" : "tcp",
                static_cast<unsigned long long>(connections * each), took,
                2.0 * static_cast<double>(connections * each) / took,
                static_cast<double>(bytes_received) / took / (1024 * 1024),
                static_cast<unsigned long long>(bytes_received / (2 * connections * each)),
                static_cast<double>(stats.reads) / static_cast<double>(connections * each),
                static_cast<double>(stats.writes) / static_cast<double>(connections * each),
                static_cast<unsigned long long>(stats.starvation_episodes));
    std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv) {
    if (argc > 1) each = std::strtoull(argv[1], nullptr, 10) / connections;
    with_each_poll([]<class Poll>(const char* name) {
        run<Poll>(name, loopback());
#if !defined(_WIN32)
        run<Poll>(name, tofu::uds_address{"/tmp/tofu_million_" + std::to_string(::getpid()) + "_"});
#endif
    });
    return result();
}
