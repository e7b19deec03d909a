// SPDX-License-Identifier: BSL-1.0
// Echo server: answers every request with a response and every signal with the same signal, on any number of listeners.
#include "support.hpp"

#include <tofu/tofu.hpp>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using tofu::op_code;

constexpr std::string_view usage = R"(usage: echo_server ADDRESS...

Listens on every ADDRESS (tcp|HOST|PORT or uds|PATH) and echoes what comes in. An empty HOST is every interface, PORT 0
lets the system choose; what was really bound is printed. SIGINT and SIGTERM end it.

exit status: 0 ended by a signal, 1 it could not listen, 2 wrong arguments
)";

class echo_server {
public:
    void listen_on(const tofu::address& where) {
        tofu::message_ptr m = engine_.get();
        example::require(m->listen_on(where), "listen_on");
        const tofu::binary_header sent = group_.post(std::move(m));
        listeners_.push_back({sent.channel_number, where});
    }

    //[serve
    /// Until a signal comes (true) or a listener fails (false).
    bool serve() {
        while (!example::stop_requested()) {
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
                  << " messages received, " << figures.messages_sent << " sent\n";
    }

private:
    struct listener {
        std::uint16_t channel;
        tofu::address asked_for;
    };

    //[answer
    /// The message that came becomes its own answer: id, text headers, body and the more bit stay as they are.
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

    /// False when a listener has failed. Everything else the engine tells is no news here: a peer that left, an answer
    /// that came back because its peer left, a pause in reading that ends as soon as these messages are released.
    bool take_notice(const tofu::message& m) {
        const auto at = std::find_if(listeners_.begin(), listeners_.end(),
                                     [&](const listener& l) { return l.channel == m.header().channel_number; });
        if (at == listeners_.end()) return true;
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
};

} // namespace

int main(int argc, char** argv) {
    const std::vector<std::string_view> arguments(argv + 1, argv + argc);
    if (arguments.size() == 1 && (arguments[0] == "--help" || arguments[0] == "-h")) {
        std::cout << usage;
        return 0;
    }
    std::vector<tofu::address> addresses;
    for (const std::string_view argument : arguments) {
        const auto address = example::read_address(argument, std::cerr);
        if (!address) return 2;
        addresses.push_back(*address);
    }
    if (addresses.empty()) {
        std::cerr << usage;
        return 2;
    }
    try {
        example::end_on_signals();
        echo_server server;
        for (const tofu::address& where : addresses) server.listen_on(where);
        if (!server.serve()) return 1;
        server.print_figures();
        return 0;
    } catch (const std::system_error& error) {
        std::cerr << "echo_server: " << error.what() << '\n';
        return 1;
    }
}
