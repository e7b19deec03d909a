// SPDX-License-Identifier: BSL-1.0
// An idle engine with 100 open connections makes no system calls but for deadlines that are due: none here.
#include "long_run.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <filesystem>
#include <sstream>

using namespace long_run;

namespace {

constexpr std::size_t connections = 100;
constexpr auto watched = 5s;

/// The figures of the engine's process for the time in which it was watched.
struct figures {
    std::uint64_t turns;
    std::uint64_t wakes;
    double cpu;
};

template <class Value>
Value read_value(int from) {
    Value value{};
    demand(::read(from, &value, sizeof value) == static_cast<ssize_t>(sizeof value), "word from the other process");
    return value;
}
template <class Value>
void write_value(int to, const Value& value) {
    demand(::write(to, &value, sizeof value) == static_cast<ssize_t>(sizeof value), "a word to the other process");
}

/// The idle process: both ends in one engine; says when it is ready, sleeps until it is told, tells its figures.
int be_idle(int from_parent, int to_parent) {
    tofu::reactor engine({.max_messages = 2 * connections});
    tofu::channel_group server = engine.create_group();
    tofu::channel_group client = engine.create_group();
    const tofu::address where = listen(engine, server);
    for (std::size_t i = 0; i < connections; ++i) {
        static_cast<void>(say_hello(engine, client, where));
        server.post(answer(next(server, op_code::hello_request), op_code::hello_response));
        static_cast<void>(next(client, op_code::hello_response));
    }
    write_value(to_parent, 'r');
    static_cast<void>(read_value<char>(from_parent));
    const tofu::engine_stats before = engine.stats();
    const double used = cpu_seconds();
    write_value(to_parent, 'f');
    static_cast<void>(read_value<char>(from_parent));
    const tofu::engine_stats after = engine.stats();
    write_value(to_parent, figures{after.turns - before.turns, after.wakes - before.wakes, cpu_seconds() - used});
    static_cast<void>(read_value<char>(from_parent));
    return EXIT_SUCCESS;
}

/// The number of times that the threads of a process have gone to sleep.
long voluntary_switches(pid_t process) {
    long sum = 0;
    const std::string tasks = "/proc/" + std::to_string(process) + "/task";
    std::error_code error;
    for (const auto& task : std::filesystem::directory_iterator(tasks, error)) {
        std::ifstream status(task.path() / "status");
        for (std::string line; std::getline(status, line);)
            if (line.starts_with("voluntary_ctxt_switches:")) sum += std::strtol(line.c_str() + 24, nullptr, 10);
    }
    return sum;
}

struct tracer {
    pid_t process = -1;
    std::string report;
};

/// strace(1) attached to a process; process -1 where there is none.
tracer begin_trace(pid_t of) {
    int said[2];
    demand(::pipe(said) == 0, "a pipe");
    tracer made{-1, "/tmp/tofu_idle_" + std::to_string(::getpid())};
    made.process = ::fork();
    if (made.process == 0) {
        ::dup2(said[1], STDERR_FILENO);
        ::execlp("strace", "strace", "-f", "-c", "-o", made.report.c_str(), "-p", std::to_string(of).c_str(), nullptr);
        std::_Exit(127);
    }
    ::close(said[1]);
    std::string text;
    std::array<char, 512> some;
    while (text.find("attached") == std::string::npos) {
        const ssize_t got = ::read(said[0], some.data(), some.size());
        if (got <= 0) break; // it is not there, or must not trace
        text.append(some.data(), static_cast<std::size_t>(got));
    }
    if (text.find("attached") == std::string::npos) {
        ::waitpid(made.process, nullptr, 0);
        made.process = -1;
    }
    ::close(said[0]);
    return made;
}

/// Ends the trace and prints strace's table. The number of calls that strace has seen.
long end_trace(const tracer& trace) {
    ::kill(trace.process, SIGINT);
    ::waitpid(trace.process, nullptr, 0);
    long calls = 0;
    std::ifstream report(trace.report);
    for (std::string line; std::getline(report, line);) {
        std::istringstream words(line);
        std::vector<std::string> fields;
        for (std::string word; words >> word;) fields.push_back(word);
        if (fields.size() < 5 || fields.back() == "total" || fields.front() == "%" || fields.front()[0] == '-')
            continue;
        std::printf("    strace: %s\n", line.c_str());
        calls += std::strtol(fields[3].c_str(), nullptr, 10);
    }
    ::unlink(trace.report.c_str());
    return calls;
}

void watch(pid_t child, int to_child, int from_child) {
    static_cast<void>(read_value<char>(from_child));
    const tracer trace = begin_trace(child);
    write_value(to_child, 'b');
    static_cast<void>(read_value<char>(from_child)); // it has taken its first figures
    const long switches = voluntary_switches(child);
    std::this_thread::sleep_for(watched);
    const long slept = voluntary_switches(child) - switches;
    const long calls = trace.process > 0 ? end_trace(trace) : -1;
    write_value(to_child, 'e');
    const auto seen = read_value<figures>(from_child);
    std::printf("5 s idle with %zu connections: %llu turns, %llu wakes, %.2f ms of processor, %ld voluntary switches, "
                "system calls %ld (-1: no strace)\n",
                connections, static_cast<unsigned long long>(seen.turns), static_cast<unsigned long long>(seen.wakes),
                seen.cpu * 1e3, slept, calls);
    // Two turns: the tracer interrupts epoll_wait when it attaches and when it detaches (a stop makes epoll_wait return
    // EINTR, signal(7)). The first of these turns may come before or after the first figures are taken.
    expect(seen.turns <= 2 && seen.wakes == 0, "the loop does not turn");
    expect(slept <= 4, "no thread wakes up");
    expect(seen.cpu < 0.010, "no processor time");
    expect(calls <= 6, "no system calls but those of the watching itself");
    write_value(to_child, 'q');
}

} // namespace

int main() {
    int down[2];
    int up[2];
    demand(::pipe(down) == 0 && ::pipe(up) == 0, "pipes");
    const pid_t child = ::fork();
    if (child == 0) return be_idle(down[0], up[1]);
    watch(child, down[1], up[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS, "the idle process ended well");
    return result();
}
