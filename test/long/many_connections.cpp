// SPDX-License-Identifier: BSL-1.0
// Ten thousand connections open at once, all of them echoing: the memory of one, the cost of a round trip beside many.
//
// Two processes, each with one engine that its caller drives. As many connections as the argument (10,000) or the
// limit of descriptors allow are opened in steps; after each step the same number of round trips goes over all of them
// in turn, and then over one of them while the others are idle, ten under way at a time, so that only the number of
// open connections differs.
#include "two_processes.hpp"

#include <fcntl.h>

#include <cstring>
#include <span>
#include <type_traits>

using namespace long_run;

namespace {

constexpr std::size_t slots = 10'240;
constexpr std::size_t under_way = 10;

template <class Poll>
using engine_type = tofu::basic_reactor<Poll, tofu::fixed_channel_pool<slots>>;

constexpr tofu::options roomy{.max_messages = 1024, .hello_time = 60s, .backlog = 4096};

/// Descriptors this process may have; as many as it is allowed to allow itself.
std::size_t raise_descriptor_limit() {
    rlimit limit{};
    demand(::getrlimit(RLIMIT_NOFILE, &limit) == 0, "the limit of descriptors");
    rlimit wanted = limit;
    wanted.rlim_cur = wanted.rlim_max = std::max<rlim_t>(limit.rlim_max, 65'536);
    if (::setrlimit(RLIMIT_NOFILE, &wanted) != 0) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return static_cast<std::size_t>(limit.rlim_cur);
}

/// The figures that one side reports. The engine's constructor makes the slots of all possible connections, so memory
/// is counted from before that.
struct figures {
    double cpu = 0;
    long resident = 0; // KiB, since the engine was made
};
long without_engine = 0;
figures figures_now() { return {cpu_seconds(), resident_memory() - without_engine}; }

/// The answering process: an order is one byte from the pipe; it answers with its figures, and ends with the pipe.
template <class Poll>
void serve(const tofu::address& where, int orders, int to) {
    without_engine = resident_memory();
    engine_type<Poll> engine(roomy, tofu::driven_by::caller);
    auto group = engine.create_group();
    const tofu::address bound = listen(engine, group, where);
    other_process::tell(to, bound);
    for (;;) {
        std::error_code error;
        tofu::message_ptr m = group.wait_receive(20ms, error); // an order waits no longer
        char order = 0;
        const ssize_t got = ::read(orders, &order, 1);
        if (got == 0) return;
        if (got == 1) other_process::tell(to, figures_now());
        if (!m || m->from_engine()) continue;
        const bool hello = m->op() == op_code::hello_request;
        group.post(answer(std::move(m), hello ? op_code::hello_response : op_code::response));
    }
}

/// The asking process: its connections, by their order.
template <class Poll>
class crowd {
public:
    explicit crowd(const tofu::address& where)
        : where_(where), engine_(roomy, tofu::driven_by::caller), group_(engine_.create_group()) {}

    /// Opens connections until there are `wanted`, sixty-four hellos under way at a time.
    void grow(std::size_t wanted) {
        std::size_t asked = channels_.size();
        while (channels_.size() < wanted) {
            for (; asked < wanted && asked < channels_.size() + 64; ++asked)
                static_cast<void>(say_hello(engine_, group_, where_));
            const tofu::message_ptr m = next(group_, op_code::hello_response);
            demand(m->status() == tofu::status::success, "connecting: " + describe(*m));
            channels_.push_back(m->header().channel_number);
        }
    }

    /// Goes over `connections` connections in turn; every answer must be the question, on the question's channel.
    void echo(std::size_t round_trips, std::size_t connections) {
        used_ = connections;
        std::size_t asked = 0;
        for (std::size_t answered = 0; answered < round_trips; ++answered) {
            for (; asked < round_trips && asked < answered + under_way; ++asked) ask(asked);
            const tofu::message_ptr m = next(group_, op_code::response);
            const std::uint64_t which = m->header().message_id - 1;
            std::uint64_t said = 0;
            demand(m->body().size() == sizeof said, "a whole answer");
            std::memcpy(&said, m->body().data(), sizeof said);
            demand(said == which && m->header().channel_number == channels_[which % used_],
                   "the answer to the question, where it was asked");
        }
    }

private:
    void ask(std::uint64_t which) {
        tofu::message_ptr m = engine_.get();
        m->header().channel_number = channels_[which % used_];
        m->header().message_id = which + 1;
        demand(m->body().append(std::as_bytes(std::span(&which, 1))), "memory for a body");
        group_.post(std::move(m));
    }

    tofu::address where_;
    engine_type<Poll> engine_;
    typename engine_type<Poll>::group_type group_;
    std::vector<std::uint16_t> channels_;
    std::size_t used_ = 0;
};

/// `round_trips` is cut where a poller that looks at every connection each time would take minutes.
template <class Poll>
void run(const char* poller, const tofu::address& where, std::size_t most, std::size_t round_trips) {
    int orders[2];
    demand(::pipe(orders) == 0, "a pipe");
    const std::size_t allowed = raise_descriptor_limit() - 100;
    other_process server([&](int to) {
        ::close(orders[1]);
        ::fcntl(orders[0], F_SETFL, O_NONBLOCK);
        serve<Poll>(where, orders[0], to);
    });
    ::close(orders[0]);
    const auto bound = server.template hear<tofu::address>();
    const auto ask_server = [&] {
        demand(::write(orders[1], "?", 1) == 1, "an order");
        return server.template hear<figures>();
    };
    std::printf("%s, %.*s\n", poller, static_cast<int>(to_text(bound).view().size()), to_text(bound).view().data());
    {
        without_engine = resident_memory();
        crowd<Poll> clients(bound);
        for (const std::size_t wanted : {std::size_t{10}, std::size_t{1'000}, most}) {
            const std::size_t count = std::min({wanted, allowed, slots - 1});
            const auto begin = clock::now();
            clients.grow(count);
            const double opening = seconds_since(begin);
            clients.echo(std::max(count, std::size_t{1000}), count); // every connection once, and caches warm
            const auto measure = [&](std::size_t connections, const char* what) {
                const figures us = figures_now();
                const figures them = ask_server();
                const auto start = clock::now();
                clients.echo(round_trips, connections);
                const double took = seconds_since(start);
                const figures us_after = figures_now();
                const figures them_after = ask_server();
                const auto per_trip = [&](double seconds) { return seconds * 1e6 / static_cast<double>(round_trips); };
                std::printf("    %s %7.0f round trips/s, processor per round trip %6.2f us serving, %6.2f us asking; "
                            "memory of the engine %5ld KiB serving, %5ld KiB asking\n",
                            what, static_cast<double>(round_trips) / took, per_trip(them_after.cpu - them.cpu),
                            per_trip(us_after.cpu - us.cpu), them_after.resident, us_after.resident);
            };
            std::printf("  %zu connections, opened in %.2f s\n", count, opening);
            measure(count, "all of them:");
            measure(1, "one of them:");
            std::fflush(stdout);
            if (count < wanted)
                std::printf("  (the system allows this process %zu descriptors, so not %zu)\n", allowed + 100, wanted);
        }
    }
    ::close(orders[1]);
}

} // namespace

int main(int argc, char** argv) {
    const std::size_t most = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 10'000;
    const std::string path = "/tmp/tofu_many_" + std::to_string(::getpid());
    with_each_poll([&]<class Poll>(const char* name) {
        constexpr bool is_default = std::is_same_v<Poll, tofu::default_poll>;
        run<Poll>(name, loopback(), most, is_default ? 200'000 : 10'000);
        if (is_default) run<Poll>(name, tofu::uds_address{path}, most, 200'000);
    });
    return result();
}
