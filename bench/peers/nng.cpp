// SPDX-License-Identifier: BSL-1.0
// nng with its defaults: REQ asks and REP answers; one-way messages are PUSHed and PULLed. If nng has several ways, the
// program takes the fastest way for that work:
//
// - The server has 128 contexts, driven by callbacks on nng's own threads, like nng's own example of a server with many
//   clients. A thread that receives and sends takes as long for one round trip, and longer for many at a time.
// - A client has a context for each request under way. That is the manual's way, and several times as fast as raw mode,
//   where each message goes through one more queue of nng's and one more of its threads before the next one can.
// - A client with many connections and one request on each has raw sockets, at about half the cost for both sides. Raw
//   sockets do not match replies to requests, which one request does not need, and do not ask again after a minute.
#include "../harness/peer_main.hpp"
#include "nng_objects.hpp"

#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <queue>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using bench::nng::body_of;
using bench::nng::check;
using bench::nng::context;
using bench::nng::make_message;
using bench::nng::message;
using bench::nng::operation;
using bench::nng::socket;

/// A request and its reply, again and again: one of those that share the server's socket.
class answering_flow {
public:
    explicit answering_flow(const socket& server) : context_(server) {}

    void receive() {
        receiving_ = true;
        nng_ctx_recv(context_.handle(), operation_.handle());
    }

private:
    static void go_on(void* self) { static_cast<answering_flow*>(self)->go_on(); }

    /// A reply to a client that has left counts as sent, so nothing here is expected to fail.
    void go_on() {
        if (operation_.result() != 0) {
            std::fprintf(stderr, "the server has failed: %s\n", nng_strerror(operation_.result()));
            std::_Exit(1);
        }
        if (!receiving_) return receive();
        receiving_ = false;
        operation_.put(operation_.take());
        nng_ctx_send(context_.handle(), operation_.handle());
    }

    context context_;
    operation operation_{go_on, this};
    bool receiving_ = false;
};

void serve(const bench::task& what) {
    constexpr std::size_t flow_count = 128;
    const socket rep(nng_rep0_open);
    std::deque<answering_flow> flows;
    while (flows.size() != flow_count) flows.emplace_back(rep);
    const std::string address = rep.listen(what);
    for (answering_flow& each : flows) each.receive();
    bench::announce(address);
    bench::wait_for_the_end();
}

/// A PUSH without anybody to push to waits in `send`, which is where it stays when the client has gone.
void flood(const bench::task& what) {
    const socket push(nng_push0_open);
    bench::announce(push.listen(what));
    for (bench::flood_source source(what); source.more();) {
        message next = make_message(source.size());
        source.stamp(body_of(next));
        push.send(std::move(next));
    }
    bench::wait_for_the_end();
}

/// A context of a client, for one request at a time.
class exchange {
public:
    explicit exchange(const socket& client) : context_(client) {}

    void begin(message request) const {
        sending_.put(std::move(request));
        nng_ctx_send(context_.handle(), sending_.handle());
        nng_ctx_recv(context_.handle(), receiving_.handle());
    }

    /// Waits for the reply. It may be there before nng is done with sending.
    [[nodiscard]] message end() const {
        sending_.wait("nng_ctx_send");
        receiving_.wait("nng_ctx_recv");
        return receiving_.take();
    }

private:
    operation sending_;
    operation receiving_;
    context context_; ///< when it is closed, both operations end
};

/// A socket, and as many exchanges as there were requests under way at a time.
class connection {
public:
    explicit connection(const std::string& address) { socket_.dial(address); }

    /// One that is not under way. It is to be put back.
    [[nodiscard]] exchange& get() {
        if (free_.empty()) return all_.emplace_back(socket_);
        exchange& found = *free_.back();
        free_.pop_back();
        return found;
    }

    void put_back(exchange& which) { free_.push_back(&which); }

private:
    socket socket_{nng_req0_open};
    std::deque<exchange> all_;
    std::vector<exchange*> free_;
};

class context_client {
public:
    explicit context_client(const bench::task& what) : address_(what.address) {}

    void open() { connections_.emplace_back(address_); }

    void send(std::size_t which, std::span<const std::byte> body) {
        exchange& fresh = connections_[which].get();
        fresh.begin(make_message(body));
        under_way_.push({which, &fresh});
    }

    /// Replies are to be taken in the order of their requests, though they may come in another.
    bench::reply receive() {
        const auto [which, oldest] = under_way_.front();
        under_way_.pop();
        reply_ = oldest->end();
        connections_[which].put_back(*oldest);
        return {which, body_of(reply_)};
    }

private:
    struct request {
        std::size_t connection;
        exchange* of;
    };

    std::string address_;
    std::deque<connection> connections_;
    std::queue<request> under_way_;
    message reply_;
};

class raw_client {
public:
    explicit raw_client(const bench::task& what) : address_(what.address) {}

    void open() { sockets_.emplace_back(nng_req0_open_raw).dial(address_); }

    /// In raw mode the header is the program's: the number of the request, marked as the last one of the header.
    void send(std::size_t which, std::span<const std::byte> body) {
        constexpr std::uint32_t last = 0x8000'0000;
        message request = make_message(body);
        check(nng_msg_header_append_u32(request.get(), last | next_++ % last), "nng_msg_header_append");
        sockets_[which].send(std::move(request));
        asked_.push(which);
    }

    /// From the connection that has waited longest. To poll for the first would cost a look at each of them.
    bench::reply receive() {
        const std::size_t which = asked_.front();
        asked_.pop();
        reply_ = sockets_[which].receive();
        return {which, body_of(reply_)};
    }

private:
    std::string address_;
    std::deque<socket> sockets_;
    std::queue<std::size_t> asked_;
    std::uint32_t next_ = 0;
    message reply_;
};

void echo(const bench::task& what) {
    if (what.connections > 1 && what.window == 1)
        bench::run_echo<raw_client>(what);
    else
        bench::run_echo<context_client>(what);
}

class draining_client {
public:
    explicit draining_client(const bench::task& what) : address_(what.address) {}

    void open() { pull_.dial(address_); }

    bench::reply receive() {
        message_ = pull_.receive();
        return {0, body_of(message_)};
    }

private:
    std::string address_;
    socket pull_{nng_pull0_open};
    message message_;
};

class visiting_client {
public:
    explicit visiting_client(const bench::task& what) : address_(what.address), hello_(what.body) {}

    void visit() const {
        const socket req(nng_req0_open);
        req.dial(address_);
        req.send(make_message(hello_));
        const message reply = req.receive();
        if (!std::ranges::equal(body_of(reply), hello_)) throw std::runtime_error("the reply to the greeting is wrong");
    }

private:
    std::string address_;
    std::vector<std::byte> hello_;
};

constexpr bench::offer offers[]{{"", "tcp"}, {"", "uds"}};

constexpr bench::peer self{
    offers, serve, flood, echo, bench::run_drain<draining_client>, bench::run_visits<visiting_client>};

} // namespace

int main(int argc, char** argv) { return bench::peer_main(argc, argv, self); }
