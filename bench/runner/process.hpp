// SPDX-License-Identifier: BSL-1.0
// Starting a program, reading what it says, ending it. Nothing here waits without a limit.
#ifndef TOFU_BENCH_RUNNER_PROCESS_HPP
#define TOFU_BENCH_RUNNER_PROCESS_HPP

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace bench {

/// The last of the cores this process may use: the first ones tend to serve interrupts.
inline cpu_set_t one_core() {
    cpu_set_t allowed;
    cpu_set_t one;
    CPU_ZERO(&one);
    ::sched_getaffinity(0, sizeof allowed, &allowed);
    for (int core = CPU_SETSIZE - 1; core >= 0; --core) {
        if (!CPU_ISSET(core, &allowed)) continue;
        CPU_SET(core, &one);
        break;
    }
    return one;
}

/// A program that was started. It never outlives this object, nor this process.
class child {
public:
    /// Its standard output comes here, its complaints go where this process's go; its standard input stays open and
    /// empty.
    explicit child(std::vector<std::string> command, bool on_one_core = false) {
        std::vector<char*> arguments;
        for (std::string& word : command) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        const auto [input, feed] = make_pipe();
        const auto [said, output] = make_pipe();
        process_ = ::fork();
        if (process_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            ::dup2(input, STDIN_FILENO);
            ::dup2(output, STDOUT_FILENO);
            const cpu_set_t core = one_core();
            if (on_one_core) ::sched_setaffinity(0, sizeof core, &core);
            ::execvp(arguments[0], arguments.data());
            ::_exit(127);
        }
        ::close(input);
        ::close(output);
        in_ = feed;
        out_ = said;
        if (process_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    }
    child(const child&) = delete;
    child& operator=(const child&) = delete;
    ~child() {
        end_input();
        ::close(out_);
        if (process_ < 0) return;
        ::kill(process_, SIGKILL);
        static_cast<void>(wait());
    }

    /// Some programs end when there is nothing more for them to read.
    void end_input() {
        if (in_ >= 0) ::close(std::exchange(in_, -1));
    }

    /// The next line of what it says, without its end; empty when there was none in time.
    std::string read_line(std::chrono::milliseconds patience) {
        const auto until = clock::now() + patience;
        while (text_.find('\n') == std::string::npos && read_more(until)) {
        }
        const std::size_t end = text_.find('\n');
        if (end == std::string::npos) return {};
        std::string line = text_.substr(0, end);
        text_.erase(0, end + 1);
        return line;
    }

    /// All it says until it closes its output. One that is not done in time is killed.
    std::string read_all(std::chrono::milliseconds patience) {
        const auto until = clock::now() + patience;
        while (read_more(until)) {
        }
        if (!closed_) ::kill(process_, SIGKILL);
        return std::exchange(text_, {});
    }

    /// True if the program had closed its output when read_all returned.
    [[nodiscard]] bool was_in_time() const { return closed_; }

    /// Waits for the program's end, after read_all. True if its exit code was 0.
    [[nodiscard]] bool ended_well() {
        const int status = wait();
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }

private:
    using clock = std::chrono::steady_clock;

    /// The end to read from, and the end to write to.
    static std::pair<int, int> make_pipe() {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
        return {ends[0], ends[1]};
    }

    /// False when nothing more came in time, or will come.
    bool read_more(clock::time_point until) {
        std::array<char, 4096> buffer;
        for (;;) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now()).count();
            pollfd waited{.fd = out_, .events = POLLIN, .revents = 0};
            const int ready = ::poll(&waited, 1, left < 0 ? 0 : static_cast<int>(left));
            if (ready < 0 && errno == EINTR) continue;
            if (ready <= 0) return false;
            const auto got = ::read(out_, buffer.data(), buffer.size());
            if (got < 0 && errno == EINTR) continue;
            closed_ = got <= 0;
            if (!closed_) text_.append(buffer.data(), static_cast<std::size_t>(got));
            return !closed_;
        }
    }

    int wait() {
        int status = 0;
        while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
        }
        process_ = -1;
        return status;
    }

    pid_t process_ = -1;
    int in_ = -1;
    int out_ = -1;
    bool closed_ = false;
    std::string text_;
};

} // namespace bench

#endif
