// SPDX-License-Identifier: BSL-1.0
// Owners of nng's objects: sockets, contexts, operations and messages. Each destructor releases its object.
#ifndef TOFU_BENCH_PEERS_NNG_OBJECTS_HPP
#define TOFU_BENCH_PEERS_NNG_OBJECTS_HPP

#include "../harness/task.hpp"

#include <nng/nng.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>

namespace bench::nng {

inline void check(int result, const char* what) {
    if (result != 0) throw std::runtime_error(std::string(what) + ": " + nng_strerror(result));
}

struct free_message {
    void operator()(nng_msg* m) const { nng_msg_free(m); }
};
using message = std::unique_ptr<nng_msg, free_message>;

/// With a body that is to be written.
[[nodiscard]] inline message make_message(std::size_t size) {
    nng_msg* made = nullptr;
    check(nng_msg_alloc(&made, size), "nng_msg_alloc");
    return message(made);
}

[[nodiscard]] inline message make_message(std::span<const std::byte> body) {
    message made = make_message(body.size());
    std::memcpy(nng_msg_body(made.get()), body.data(), body.size());
    return made;
}

[[nodiscard]] inline std::span<std::byte> body_of(const message& m) {
    return {static_cast<std::byte*>(nng_msg_body(m.get())), nng_msg_len(m.get())};
}

class socket {
public:
    explicit socket(int (*open)(nng_socket*)) { check(open(&handle_), "no socket"); }
    socket(const socket&) = delete;
    socket& operator=(const socket&) = delete;
    ~socket() { nng_close(handle_); }

    [[nodiscard]] nng_socket handle() const { return handle_; }

    /// Returns when there is a connection and both sides know each other's protocol.
    void dial(const std::string& address) const { check(nng_dial(handle_, address.c_str(), nullptr, 0), "nng_dial"); }

    /// Returns the address it got.
    [[nodiscard]] std::string listen(const task& what) const {
        const bool local = what.transport == "uds";
        const std::string wanted = local ? "ipc://" + what.path : "tcp://127.0.0.1:0";
        nng_listener listener{};
        check(nng_listen(handle_, wanted.c_str(), &listener, 0), "nng_listen");
        if (local) return wanted;
        int port = 0;
        check(nng_listener_get_int(listener, NNG_OPT_TCP_BOUND_PORT, &port), "NNG_OPT_TCP_BOUND_PORT");
        return "tcp://127.0.0.1:" + std::to_string(port);
    }

    void send(message m) const {
        check(nng_sendmsg(handle_, m.get(), 0), "nng_sendmsg");
        static_cast<void>(m.release()); // it is nng's now
    }

    [[nodiscard]] message receive() const {
        nng_msg* got = nullptr;
        check(nng_recvmsg(handle_, &got, 0), "nng_recvmsg");
        return message(got);
    }

private:
    nng_socket handle_ = NNG_SOCKET_INITIALIZER;
};

class context {
public:
    explicit context(const socket& owner) { check(nng_ctx_open(&handle_, owner.handle()), "nng_ctx_open"); }
    context(const context&) = delete;
    context& operator=(const context&) = delete;
    ~context() { nng_ctx_close(handle_); }

    [[nodiscard]] nng_ctx handle() const { return handle_; }

private:
    nng_ctx handle_ = NNG_CTX_INITIALIZER;
};

/// One asynchronous operation at a time. nng calls its callback, if there is one, on a thread of nng's own.
class operation {
public:
    explicit operation(void (*done)(void*) = nullptr, void* argument = nullptr) {
        check(nng_aio_alloc(&handle_, done, argument), "nng_aio_alloc");
    }
    operation(const operation&) = delete;
    operation& operator=(const operation&) = delete;
    ~operation() {
        nng_aio_stop(handle_);
        static_cast<void>(take());
        nng_aio_free(handle_);
    }

    [[nodiscard]] nng_aio* handle() const { return handle_; }
    [[nodiscard]] int result() const { return nng_aio_result(handle_); }

    /// Throws when it ends with an error.
    void wait(const char* what) const {
        nng_aio_wait(handle_);
        check(result(), what);
    }

    /// Sets the message to be sent.
    void put(message m) const { nng_aio_set_msg(handle_, m.release()); }

    /// Takes the message that was received, or could not be sent.
    [[nodiscard]] message take() const {
        message taken(nng_aio_get_msg(handle_));
        nng_aio_set_msg(handle_, nullptr);
        return taken;
    }

private:
    nng_aio* handle_ = nullptr;
};

} // namespace bench::nng

#endif
