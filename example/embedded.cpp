// SPDX-License-Identifier: BSL-1.0
// An engine in a loop of the program's own: poll(2) waits for the engine's descriptor together with a socket of the
// program, no longer than the nearest of two deadlines. The program has one thread.
#include <tofu/policies.hpp>
#include <tofu/tofu.hpp>

#include <iostream>

#if __has_include(<poll.h>)

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;
using tofu::op_code;

/// Posts one request per tick, tells its user when ten requests were answered, and stops when the user says so. The
/// user is at the other end of a socket. Both peers are groups of one engine, because a program with several groups
/// must serve every one of them.
template <class Engine>
class program {
public:
    explicit program(int user) : user_(user) {}

    /// The number of answers.
    int run() {
        if (!listen()) return 0;
        while (!over_) {
            //[recipe
            // Before each wait: ask how long it may last. time_point::min() means: do not wait.
            const auto until = std::min(engine_.next_deadline(), next_tick_);
            std::array<pollfd, 2> waits{{{engine_.native_handle(), POLLIN, 0}, {user_, POLLIN, 0}}};
            if (::poll(waits.data(), waits.size(), milliseconds_until(until)) < 0) continue; // a signal: ask again

            // The program's own events; they may post.
            if (waits[1].revents != 0) read_order();
            if (clock_type::now() >= next_tick_) tick();

            // After every wait: one turn of the engine, then take the mail of every group.
            engine_.run_once(0ms);
            while (tofu::message_ptr m = server_.wait_receive(0ms)) serve(std::move(m));
            while (tofu::message_ptr m = client_.wait_receive(0ms)) take(std::move(m));
            //]
        }
        return answers_;
    }

private:
    [[nodiscard]] static int milliseconds_until(typename Engine::time_point until) {
        if (until == (Engine::time_point::max)()) return -1;
        const auto now = clock_type::now();
        if (until <= now) return 0;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now);
        return static_cast<int>(std::min<std::chrono::milliseconds::rep>(left.count(), INT_MAX));
    }

    bool listen() {
        tofu::message_ptr welcome = engine_.get();
        if (welcome->listen_on(tofu::tcp_address{"127.0.0.1", 0}) != tofu::status::success) return false;
        server_.post(std::move(welcome));
        return true;
    }

    void serve(tofu::message_ptr m) {
        if (m->op() == op_code::welcome_response && m->status() == tofu::status::success) {
            const tofu::address where = tofu::parse_address(m->headers().find(tofu::listen_on_header)).value;
            if (m->connect_to(where) == tofu::status::success) channel_ = client_.post(std::move(m)).channel_number;
            return;
        }
        if (m->from_engine()) return;
        if (m->op() == op_code::hello_request) m->header().op = op_code::hello_response;
        if (m->op() == op_code::request) m->header().op = op_code::response;
        server_.post(std::move(m));
    }

    void take(tofu::message_ptr m) {
        if (m->why()) over_ = true; // the channel is gone
        if (!m->from_engine() && m->op() == op_code::hello_response) is_open_ = true;
        if (m->from_engine() || m->op() != op_code::response) return;
        constexpr std::string_view news = "ten answers\n";
        if (++answers_ == 10 && ::write(user_, news.data(), news.size()) < 0) over_ = true;
    }

    void tick() {
        next_tick_ = clock_type::now() + 5ms;
        if (!is_open_) return;
        tofu::message_ptr question = engine_.get();
        question->header().channel_number = channel_;
        client_.post(std::move(question)); // an empty message is a request
    }

    void read_order() {
        std::array<char, 64> text{};
        over_ = over_ || ::read(user_, text.data(), text.size()) >= 0; // "stop", or the user is gone
    }

    int user_;
    Engine engine_{{}, tofu::driven_by::caller};
    typename Engine::group_type server_ = engine_.create_group();
    typename Engine::group_type client_ = engine_.create_group();
    std::uint16_t channel_ = 0;
    clock_type::time_point next_tick_ = clock_type::now();
    int answers_ = 0;
    bool is_open_ = false;
    bool over_ = false;
};

/// Waits until the program writes something, and orders it to stop. 0: the program has got the order.
int be_the_user(int program) {
    std::array<char, 64> text{};
    return ::read(program, text.data(), text.size()) > 0 && ::write(program, "stop\n", 5) == 5 ? 0 : 1;
}

/// Runs the program with another process as its user.
template <class Engine>
int embed() {
    if constexpr (tofu::poll_has_native_handle<typename Engine::policies::poll>) {
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) return 1;
        const pid_t user = ::fork();
        if (user == 0) {
            ::close(ends[0]);
            ::_exit(be_the_user(ends[1]));
        }
        ::close(ends[1]);
        const int answers = user < 0 ? 0 : program<Engine>(ends[0]).run();
        ::close(ends[0]);
        std::cout << "answers: " << answers << '\n';
        return answers >= 10 ? 0 : 1;
    } else {
        std::cout << "the poll policy of this system has no single descriptor to wait for\n";
        return 0;
    }
}

} // namespace

int main() { return embed<tofu::reactor>(); }

#else

int main() { std::cout << "this system has no poll(2)\n"; }

#endif
