// SPDX-License-Identifier: BSL-1.0
// tofu as a program would use it: default options, requests answered in place. Compiled once for each set of policies,
// TOFU_BENCH_POLICIES; its variants are the drivers of the engine.
#include "../harness/peer_main.hpp"

#include <tofu/platform/unix_sockets.hpp>
#include <tofu/policies/poll/linux_io_uring.hpp>
#include <tofu/tofu.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using tofu::op_code;

using engine = tofu::reactor_with<TOFU_BENCH_POLICIES>;

constexpr std::string_view driven_by_caller = "caller";

tofu::driven_by driver_of(const bench::task& what) {
    return what.variant == driven_by_caller ? tofu::driven_by::caller : tofu::driven_by::io_thread;
}

[[noreturn]] void fail_with(const tofu::message& m) {
    const std::string_view reason = m.headers().find(tofu::reason_header);
    throw std::runtime_error(std::string(to_string(m.op())) + ", " + std::string(to_string(m.status())) + " (" +
                             std::string(reason) + ")");
}

class server {
public:
    explicit server(const bench::task& what) : engine_({}, driver_of(what)) {
        tofu::message_ptr m = engine_.get();
        const tofu::address where = what.transport == "uds" ? tofu::address(tofu::uds_address{what.path})
                                                            : tofu::address(tofu::tcp_address{"127.0.0.1", 0});
        if (m->listen_on(where) != tofu::status::success) throw std::invalid_argument("nowhere to listen");
        group_.post(std::move(m));
        const tofu::message_ptr ready = group_.wait_receive();
        if (ready->status() != tofu::status::success) fail_with(*ready);
        bench::announce(ready->headers().find(tofu::listen_on_header));
    }

    [[noreturn]] void serve() {
        for (;;) answer(next());
    }

    /// Ends when everything is sent, or the client has gone.
    void flood(bench::flood_source source) {
        tofu::message_ptr hello = next();
        const std::uint16_t channel = hello->header().channel_number;
        answer(std::move(hello));
        while (source.more()) {
            tofu::message_ptr m = engine_.get();
            m->header().op = op_code::signal;
            m->header().channel_number = channel;
            if (!m->body().resize(source.size())) throw std::bad_alloc();
            source.stamp(m->body().bytes());
            std::error_code gone;
            group_.wait_post(std::move(m), tofu::infinite_duration, gone);
            if (gone) return;
        }
        engine_.drain(tofu::infinite_duration);
    }

private:
    /// Of what the engine tells nothing is news here: clients that have left, answers that came back because they have,
    /// a pause in reading that ends by itself.
    tofu::message_ptr next() {
        for (;;)
            if (tofu::message_ptr m = group_.wait_receive(); !m->from_engine()) return m;
    }

    /// The message that came becomes its own answer.
    void answer(tofu::message_ptr m) {
        switch (m->op()) {
        case op_code::hello_request: m->header().op = op_code::hello_response; break;
        case op_code::request: m->header().op = op_code::response; break;
        case op_code::bye_request: m->header().op = op_code::bye_response; break;
        default: throw std::runtime_error("an operation this server does not expect");
        }
        std::error_code refused; // by a channel that has ended meanwhile; its goodbye is on its way
        group_.post(std::move(m), refused);
        if (refused && refused != tofu::status::invalid_channel_number) throw std::system_error(refused, "post");
    }

    engine engine_;
    engine::group_type group_ = engine_.create_group();
};

class client {
public:
    explicit client(const bench::task& what)
        : server_(tofu::parse_address(what.address).value), engine_({}, driver_of(what)) {}

    void open() {
        const std::uint16_t channel = say_hello()->header().channel_number;
        connection_of_[channel] = channels_.size();
        channels_.push_back(channel);
    }

    void send(std::size_t which, std::span<const std::byte> body) {
        tofu::message_ptr m = received_ ? std::move(received_) : engine_.get();
        m->reset();
        m->header().op = op_code::request;
        m->header().channel_number = channels_[which];
        if (!m->body().assign(body)) throw std::bad_alloc();
        group_.post(std::move(m));
    }

    bench::reply receive() {
        received_ = next();
        return {connection_of_[received_->header().channel_number], received_->body().bytes()};
    }

    /// The counterpart of the others' close: bye_signal ends the channel without asking the server. With the engine's
    /// goodbye the channel has ended, and its number is free again.
    void visit() {
        tofu::message_ptr m = say_hello();
        const std::uint16_t channel = m->header().channel_number;
        m->reset();
        m->header().op = op_code::bye_signal;
        m->header().channel_number = channel;
        group_.post(std::move(m));
        m = group_.wait_receive();
        if (!m->from_engine() || m->status() != tofu::status::channel_closed) fail_with(*m);
    }

private:
    /// Opens a channel, and returns the hello_response, which names it.
    tofu::message_ptr say_hello() {
        tofu::message_ptr m = engine_.get();
        if (m->connect_to(server_) != tofu::status::success) throw std::invalid_argument("no server");
        group_.post(std::move(m));
        m = next();
        if (m->op() != op_code::hello_response) fail_with(*m);
        return m;
    }

    /// A pause in reading ends by itself; everything else the engine has to tell is the end of a channel.
    tofu::message_ptr next() {
        for (;;) {
            tofu::message_ptr m = group_.wait_receive();
            if (!m->from_engine()) return m;
            if (m->status() != tofu::status::pool_empty) fail_with(*m);
        }
    }

    tofu::address server_;
    engine engine_;
    engine::group_type group_ = engine_.create_group();
    tofu::message_ptr received_;          ///< the last one, for the next to be sent
    std::vector<std::uint16_t> channels_; ///< of the connections
    std::vector<std::size_t> connection_of_ = std::vector<std::size_t>(tofu::last_channel + 1); ///< by channel
};

void serve(const bench::task& what) { server(what).serve(); }

void flood(const bench::task& what) {
    server sending(what);
    sending.flood(bench::flood_source(what));
    bench::wait_for_the_end();
}

constexpr std::array offers{
    bench::offer{"io_thread", "tcp"},
    bench::offer{driven_by_caller, "tcp"},
    bench::offer{"io_thread", "uds"},
    bench::offer{driven_by_caller, "uds"},
};
constexpr std::size_t offers_of_tcp = 2;

} // namespace

int main(int argc, char** argv) {
    const auto here = std::span(offers).first(tofu::platform::has_unix_sockets() ? offers.size() : offers_of_tcp);
    return bench::peer_main(argc, argv, bench::peer_with<client>(here, serve, flood));
}
