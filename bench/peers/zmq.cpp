// SPDX-License-Identifier: BSL-1.0
// libzmq: a ROUTER answers what a DEALER asks, with the defaults of both and one I/O thread each.
#include "../harness/peer_main.hpp"

#include <zmq.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>

namespace {

void check(int result, const char* what) {
    if (result < 0) throw std::runtime_error(std::string(what) + ": " + zmq_strerror(zmq_errno()));
}

class context {
public:
    context() = default;
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
    explicit frame(std::span<const std::byte> body) {
        check(zmq_msg_init_size(&message_, body.size()), "zmq_msg_init_size");
        std::memcpy(zmq_msg_data(&message_), body.data(), body.size());
    }
    frame(const frame&) = delete;
    frame& operator=(const frame&) = delete;
    ~frame() { zmq_msg_close(&message_); }

    [[nodiscard]] std::span<const std::byte> body() {
        return {static_cast<const std::byte*>(zmq_msg_data(&message_)), zmq_msg_size(&message_)};
    }
    [[nodiscard]] zmq_msg_t* handle() { return &message_; }

private:
    zmq_msg_t message_;
};

class socket {
public:
    socket(const context& owner, int type) : handle_(zmq_socket(owner.handle(), type)) {
        if (handle_ == nullptr) check(-1, "zmq_socket");
    }
    socket(const socket&) = delete;
    socket& operator=(const socket&) = delete;
    ~socket() { zmq_close(handle_); }

    [[nodiscard]] void* handle() const { return handle_; }

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
    const std::string wanted = what.transport == "uds" ? "ipc://" + what.path : "tcp://127.0.0.1:*";
    check(zmq_bind(router.handle(), wanted.c_str()), "zmq_bind");
    std::array<char, 256> bound{};
    std::size_t size = bound.size();
    check(zmq_getsockopt(router.handle(), ZMQ_LAST_ENDPOINT, bound.data(), &size), "ZMQ_LAST_ENDPOINT");
    bench::announce(bound.data());
    for (;;) {
        frame who;
        frame request;
        router.receive(who);
        router.receive(request);
        router.send(who, ZMQ_SNDMORE);
        router.send(request, 0);
    }
}

void send_request(const socket& dealer, bench::echo_work& work) {
    frame request(work.next_request());
    dealer.send(request, 0);
}

void echo(const bench::task& what, bench::echo_work& work) {
    const context own;
    const socket dealer(own, ZMQ_DEALER);
    check(zmq_connect(dealer.handle(), what.address.c_str()), "zmq_connect");
    for (std::size_t i = 0; i < work.window() && work.may_send(); ++i) send_request(dealer, work);
    frame reply;
    while (!work.done()) {
        dealer.receive(reply);
        work.take_reply(reply.body());
        if (work.may_send()) send_request(dealer, work);
    }
}

constexpr bench::offer offers[]{{"", "tcp"}, {"", "uds"}};

} // namespace

int main(int argc, char** argv) { return bench::peer_main(argc, argv, {offers, serve, echo}); }
