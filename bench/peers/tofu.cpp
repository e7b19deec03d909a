// SPDX-License-Identifier: BSL-1.0
// tofu as a program would use it: default options, requests answered in place. One variant for each poll policy, with
// an I/O thread of the engine's own and driven by the caller.
#include "../harness/peer_main.hpp"

#include <tofu/policies/poll/linux_epoll.hpp>
#include <tofu/policies/poll/posix_poll.hpp>
#include <tofu/tofu.hpp>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace {

using tofu::op_code;

tofu::driven_by driver_of(const bench::task& what) {
    return what.variant.ends_with("/caller") ? tofu::driven_by::caller : tofu::driven_by::io_thread;
}

[[noreturn]] void fail_with(const tofu::message& m) {
    const std::string_view reason = m.headers().find(tofu::reason_header);
    throw std::runtime_error(std::string(to_string(m.status())) + " (" + std::string(reason) + ")");
}

template <class Poll>
class server {
public:
    explicit server(const bench::task& what) : engine_({}, driver_of(what)) {
        tofu::message_ptr m = engine_.get();
        const tofu::address where = what.transport == "uds" ? tofu::address(tofu::uds_address{what.path})
                                                            : tofu::address(tofu::tcp_address{"127.0.0.1", 0});
        if (m->listen_on(where) != tofu::status::success) throw std::invalid_argument("nowhere to listen");
        group_.post(std::move(m));
    }

    void serve() {
        for (;;) {
            tofu::message_ptr m = group_.wait_receive();
            if (m->from_engine()) {
                take_notice(*m);
                continue;
            }
            switch (m->op()) {
            case op_code::hello_request: m->header().op = op_code::hello_response; break;
            case op_code::request: m->header().op = op_code::response; break;
            default: throw std::runtime_error("an operation this server does not expect");
            }
            std::error_code refused; // by a channel that has ended meanwhile; its goodbye is on its way
            group_.post(std::move(m), refused);
            if (refused && refused != tofu::status::invalid_channel_number) throw std::system_error(refused, "post");
        }
    }

private:
    static void take_notice(const tofu::message& m) {
        if (m.op() != op_code::welcome_response) return; // a client has left
        if (m.status() != tofu::status::success) fail_with(m);
        bench::announce(m.headers().find(tofu::listen_on_header));
    }

    tofu::basic_reactor<Poll> engine_;
    typename tofu::basic_reactor<Poll>::group_type group_ = engine_.create_group();
};

template <class Poll>
class echo_client {
public:
    echo_client(const bench::task& what, bench::echo_work& work) : work_(work), engine_({}, driver_of(what)) {
        tofu::message_ptr hello = engine_.get();
        const tofu::parsed_address server = tofu::parse_address(what.address);
        if (hello->connect_to(server.value) != tofu::status::success) throw std::invalid_argument("no server");
        channel_ = group_.post(std::move(hello)).channel_number;
        next(op_code::hello_response);
    }

    void run() {
        for (std::size_t i = 0; i < work_.window() && work_.may_send(); ++i) send(engine_.get());
        while (!work_.done()) {
            tofu::message_ptr m = next(op_code::response);
            work_.take_reply(std::as_const(*m).body().bytes());
            if (work_.may_send()) send(std::move(m));
        }
    }

private:
    void send(tofu::message_ptr m) {
        m->reset();
        m->header().channel_number = channel_;
        if (!m->body().assign(work_.next_request())) throw std::runtime_error("no memory");
        group_.post(std::move(m));
    }

    tofu::message_ptr next(op_code expected) {
        tofu::message_ptr m = group_.wait_receive();
        if (m->from_engine() || m->op() != expected) fail_with(*m);
        return m;
    }

    bench::echo_work& work_;
    tofu::basic_reactor<Poll> engine_;
    typename tofu::basic_reactor<Poll>::group_type group_ = engine_.create_group();
    std::uint16_t channel_ = tofu::no_channel;
};

bool uses_epoll(const bench::task& what) { return what.variant.starts_with("linux_epoll/"); }

void serve(const bench::task& what) {
    if (uses_epoll(what))
        server<tofu::linux_epoll>(what).serve();
    else
        server<tofu::posix_poll>(what).serve();
}

void echo(const bench::task& what, bench::echo_work& work) {
    if (uses_epoll(what))
        echo_client<tofu::linux_epoll>(what, work).run();
    else
        echo_client<tofu::posix_poll>(what, work).run();
}

constexpr bench::offer offers[]{
    {"linux_epoll/io_thread", "tcp"}, {"linux_epoll/caller", "tcp"},    {"posix_poll/io_thread", "tcp"},
    {"posix_poll/caller", "tcp"},     {"linux_epoll/io_thread", "uds"}, {"linux_epoll/caller", "uds"},
    {"posix_poll/io_thread", "uds"},  {"posix_poll/caller", "uds"},
};

} // namespace

int main(int argc, char** argv) { return bench::peer_main(argc, argv, {offers, serve, echo}); }
