// SPDX-License-Identifier: BSL-1.0
// Echo server: answers every request with a response and every signal with the same signal, on any number of listeners.
#include "support.hpp"

#include <tofu/tofu.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using tofu::op_code;

constexpr std::string_view usage = R"(usage: echo_server [--clients N] ADDRESS...

Listens on every ADDRESS (tcp|HOST|PORT or uds|PATH) and echoes what comes in. An empty HOST is every interface, PORT 0
lets the system choose; what was really bound is printed. SIGINT and SIGTERM (on Windows Ctrl-C and Ctrl-Break) end it,
and so does the end of the Nth client.

exit status: 0 ended as it should, 1 it could not listen, 2 wrong arguments
)";

struct task {
    std::vector<tofu::address> addresses;
    std::uint64_t clients = 0; ///< end after this many clients; 0: never
};

class echo_server {
public:
    explicit echo_server(const task& what) : clients_to_come_(what.clients) {
        for (const tofu::address& where : what.addresses) listen_on(where);
    }

    //[serve
    /// Serves until a signal comes or the last client has gone (returns true), or until a listener fails (returns
    /// false).
    bool serve() {
        while (!example::stop_requested() && !last_client_gone_) {
            tofu::message_ptr m = group_.wait_receive(example::stop_interval);
            if (!m) continue; // nothing came in time
            if (!m->from_engine())
                answer(std::move(m));
            else if (!take_notice(*m))
                return false;
        }
        engine_.drain(1s); // answers still on their way out
        return true;
    }
    //]

    void print_figures() const {
        const tofu::engine_stats figures = engine_.stats();
        std::cout << "ended: " << figures.accepted << " connections, " << figures.messages_received
                  << " messages received, " << figures.messages_sent << " sent\n"
                  << "engine: " << figures.policies << '\n';
    }

private:
    struct listener {
        std::uint16_t channel;
        tofu::address asked_for;
    };

    void listen_on(const tofu::address& where) {
        tofu::message_ptr m = engine_.get();
        example::require(m->listen_on(where), "listen_on");
        const tofu::binary_header sent = group_.post(std::move(m));
        listeners_.push_back({sent.channel_number, where});
    }

    //[answer
    /// Turns the received message into its own answer: id, text headers, body and the more bit stay as they are.
    void answer(tofu::message_ptr m) {
        switch (m->op()) {
        case op_code::hello_request: m->header().op = op_code::hello_response; break;
        case op_code::request: m->header().op = op_code::response; break;
        case op_code::signal: break;
        case op_code::bye_request: m->header().op = op_code::bye_response; break;
        default: return; // an answer to a question that was never asked
        }
        const std::uint16_t channel = m->header().channel_number;
        std::error_code refused;
        group_.post(std::move(m), refused);
        // Any other refusal means that the peer has left in the meantime. That is the peer's right, and its goodbye
        // is in the queue.
        if (refused == tofu::status::send_failed) cut_off(channel, std::move(m));
    }

    /// A peer that asks and never reads its answers has filled its send queue.
    void cut_off(std::uint16_t channel, tofu::message_ptr m) {
        m->reset();
        m->header().op = op_code::bye_signal;
        m->header().channel_number = channel;
        std::error_code already_gone;
        group_.post(std::move(m), already_gone);
    }
    //]

    /// False: a listener has failed. All other notices need no action: an answer came back because its peer left, or
    /// reading has paused until these messages are released.
    bool take_notice(const tofu::message& m) {
        const auto at = std::find_if(listeners_.begin(), listeners_.end(),
                                     [&](const listener& l) { return l.channel == m.header().channel_number; });
        if (at == listeners_.end()) {
            if (m.status() == tofu::status::channel_closed && clients_to_come_ != 0)
                last_client_gone_ = --clients_to_come_ == 0;
            return true;
        }
        if (m.op() == op_code::welcome_response && m.status() == tofu::status::success) {
            std::cout << "listening on " << m.headers().find(tofu::listen_on_header) << std::endl;
            return true;
        }
        std::cerr << "echo_server: " << to_text(at->asked_for).view() << ": " << example::explain(m) << '\n';
        return false;
    }

    tofu::reactor engine_;
    tofu::channel_group group_ = engine_.create_group();
    std::vector<listener> listeners_;
    std::uint64_t clients_to_come_; // 0: no limit
    bool last_client_gone_ = false;
};

/// Reads the arguments. No value: they are wrong, and the reason was printed.
std::optional<task> read_task(std::span<const std::string_view> arguments) {
    task result;
    if (arguments.size() >= 2 && arguments[0] == "--clients") {
        const std::string_view text = arguments[1];
        const auto read = std::from_chars(text.data(), text.data() + text.size(), result.clients);
        if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || result.clients == 0) {
            std::cerr << "--clients: a number, please\n";
            return std::nullopt;
        }
        arguments = arguments.subspan(2);
    }
    for (const std::string_view argument : arguments) {
        const auto address = example::read_address(argument, std::cerr);
        if (!address) return std::nullopt;
        result.addresses.push_back(*address);
    }
    if (!result.addresses.empty()) return result;
    std::cerr << usage;
    return std::nullopt;
}

} // namespace

int main(int argc, char** argv) {
    const std::vector<std::string_view> arguments(argv + 1, argv + argc);
    if (arguments.size() == 1 && (arguments[0] == "--help" || arguments[0] == "-h")) {
        std::cout << usage;
        return 0;
    }
    const std::optional<task> what = read_task(arguments);
    if (!what) return 2;
    try {
        example::end_on_signals();
        echo_server server(*what);
        if (!server.serve()) return 1;
        server.print_figures();
        return 0;
    } catch (const std::system_error& error) {
        std::cerr << "echo_server: " << error.what() << '\n';
        return 1;
    }
}
