// SPDX-License-Identifier: BSL-1.0
// libzmq with its defaults, one I/O thread in each process: a ROUTER answers DEALERs, one for each connection of a
// client; one-way messages are PUSHed and PULLed.
#include "../harness/peer_main.hpp"

#include <zmq.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <deque>
#include <queue>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

void check(int result, const char* what) {
    if (result < 0) throw std::runtime_error(std::string(what) + ": " + zmq_strerror(zmq_errno()));
}

class context {
public:
    /// Of 1,023 sockets, unless it has to have more.
    explicit context(std::size_t sockets = 0) {
        if (sockets <= ZMQ_MAX_SOCKETS_DFLT) return;
        check(zmq_ctx_set(handle_, ZMQ_MAX_SOCKETS, static_cast<int>(sockets)), "ZMQ_MAX_SOCKETS");
    }
    context(const context&) = delete;
    context& operator=(const context&) = delete;
    ~context() { zmq_ctx_term(handle_); }
    [[nodiscard]] void* handle() const { return handle_; }

private:
    void* handle_ = zmq_ctx_new();
};

class frame {
public:
    frame() { zmq_msg_init(&message_); }
    /// With a body that is to be written.
    explicit frame(std::size_t size) { check(zmq_msg_init_size(&message_, size), "zmq_msg_init_size"); }
    explicit frame(std::span<const std::byte> body) : frame(body.size()) {
        std::memcpy(zmq_msg_data(&message_), body.data(), body.size());
    }
    frame(const frame&) = delete;
    frame& operator=(const frame&) = delete;
    ~frame() { zmq_msg_close(&message_); }

    [[nodiscard]] std::span<std::byte> body() {
        return {static_cast<std::byte*>(zmq_msg_data(&message_)), zmq_msg_size(&message_)};
    }
    [[nodiscard]] zmq_msg_t* handle() { return &message_; }

private:
    zmq_msg_t message_;
};

class socket {
public:
    socket(const context& owner, int type) : handle_(zmq_socket(owner.handle(), type)) {
        if (handle_ == nullptr) check(-1, "zmq_socket");
        // A program closes when its work is complete: nothing is left to be sent, and nobody waits for it.
        const int at_once = 0;
        check(zmq_setsockopt(handle_, ZMQ_LINGER, &at_once, sizeof at_once), "ZMQ_LINGER");
    }
    socket(const socket&) = delete;
    socket& operator=(const socket&) = delete;
    ~socket() { zmq_close(handle_); }

    void connect(const std::string& address) const { check(zmq_connect(handle_, address.c_str()), "zmq_connect"); }

    /// Returns the address it got.
    [[nodiscard]] std::string bind(const bench::task& what) const {
        const std::string wanted = what.transport == "uds" ? "ipc://" + what.path : "tcp://127.0.0.1:*";
        check(zmq_bind(handle_, wanted.c_str()), "zmq_bind");
        std::array<char, 256> bound{};
        std::size_t size = bound.size();
        check(zmq_getsockopt(handle_, ZMQ_LAST_ENDPOINT, bound.data(), &size), "ZMQ_LAST_ENDPOINT");
        return bound.data();
    }

    void receive(frame& into) const {
        int result = 0;
        while ((result = zmq_msg_recv(into.handle(), handle_, 0)) < 0 && zmq_errno() == EINTR) {
        }
        check(result, "zmq_msg_recv");
    }
    void send(frame& from, int flags) const {
        int result = 0;
        while ((result = zmq_msg_send(from.handle(), handle_, flags)) < 0 && zmq_errno() == EINTR) {
        }
        check(result, "zmq_msg_send");
    }

private:
    void* handle_;
};

void serve(const bench::task& what) {
    const context own;
    const socket router(own, ZMQ_ROUTER);
    bench::announce(router.bind(what));
    for (;;) {
        frame who;
        frame request;
        router.receive(who);
        router.receive(request);
        router.send(who, ZMQ_SNDMORE);
        router.send(request, 0);
    }
}

/// A PUSH without anybody to push to waits in `send`, which is where it stays when the client has gone.
void flood(const bench::task& what) {
    const context own;
    const socket push(own, ZMQ_PUSH);
    bench::announce(push.bind(what));
    for (bench::flood_source source(what); source.more();) {
        frame next(source.size());
        source.stamp(next.body());
        push.send(next, 0);
    }
    bench::wait_for_the_end();
}

/// One request and its reply. libzmq connects in the background, so this is also how to know that it has.
void greet(const socket& dealer, std::span<const std::byte> hello) {
    frame request(hello);
    dealer.send(request, 0);
    frame reply;
    dealer.receive(reply);
    if (!std::ranges::equal(reply.body(), hello)) throw std::runtime_error("the reply to the greeting is wrong");
}

class asking_client {
public:
    explicit asking_client(const bench::task& what) : address_(what.address), own_(what.connections + what.idle) {}

    void open() {
        const socket& dealer = dealers_.emplace_back(own_, ZMQ_DEALER);
        dealer.connect(address_);
        greet(dealer, std::array<std::byte, 8>{});
    }

    void send(std::size_t which, std::span<const std::byte> body) {
        frame request(body);
        dealers_[which].send(request, 0);
        asked_.push(which);
    }

    /// The server answers in the order it is asked, so the next reply is that to the oldest request, or close to it.
    /// To ask zmq_poll for the first of a thousand sockets would cost a look at each of them.
    bench::reply receive() {
        const std::size_t which = asked_.front();
        asked_.pop();
        dealers_[which].receive(reply_);
        return {which, reply_.body()};
    }

private:
    std::string address_;
    context own_;
    std::deque<socket> dealers_;
    std::queue<std::size_t> asked_; ///< connections, one for each request that was not answered
    frame reply_;
};

class draining_client {
public:
    explicit draining_client(const bench::task& what) : address_(what.address) {}

    void open() { pull_.connect(address_); }

    bench::reply receive() {
        pull_.receive(message_);
        return {0, message_.body()};
    }

private:
    std::string address_;
    context own_;
    socket pull_{own_, ZMQ_PULL};
    frame message_;
};

class visiting_client {
public:
    explicit visiting_client(const bench::task& what) : address_(what.address), hello_(what.body) {}

    void visit() const {
        const socket dealer(own_, ZMQ_DEALER);
        dealer.connect(address_);
        greet(dealer, hello_);
    }

private:
    std::string address_;
    std::vector<std::byte> hello_;
    context own_;
};

constexpr bench::offer offers[]{{"", "tcp"}, {"", "uds"}};

constexpr bench::peer self{offers,
                           serve,
                           flood,
                           bench::run_echo<asking_client>,
                           bench::run_drain<draining_client>,
                           bench::run_visits<visiting_client>};

} // namespace

int main(int argc, char** argv) { return bench::peer_main(argc, argv, self); }
