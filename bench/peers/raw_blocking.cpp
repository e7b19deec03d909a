// SPDX-License-Identifier: BSL-1.0
// The limit for one connection: sockets that wait, and a thread for each connection of a server. Nothing but send and
// recv, of as much as there is.
#include "../harness/peer_main.hpp"
#include "frame.hpp"
#include "raw_frames.hpp"
#include "stream_socket.hpp"

#include <atomic>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace {

using bench::descriptor;

/// A socket that waits takes everything, unless a signal comes between.
void send_all(const descriptor& socket, std::span<const std::byte> bytes) {
    while (!bytes.empty()) bytes = bytes.subspan(send_some(socket, bytes));
}

/// A thread waits for a connection, answers until it ends, and waits for another one. One of them is always waiting: to
/// start a thread takes longer than all of a visit.
class server {
public:
    explicit server(const bench::task& what) : listener_(bench::listen_on(what, 0)) {}

    void run() {
        bench::announce(listener_.address);
        run_thread();
    }

private:
    [[noreturn]] void run_thread() {
        for (;;) {
            const descriptor socket = bench::accept_from(listener_, 0);
            if (waiting_.fetch_sub(1) == 1) {
                waiting_.fetch_add(1);
                std::thread([this] { run_thread(); }).detach();
            }
            answer(socket);
            waiting_.fetch_add(1);
        }
    }

    static void answer(const descriptor& socket) {
        bench::input_buffer in;
        try {
            while (in.read_from(socket)) send_all(socket, in.cut_replies());
        } catch (const std::system_error&) {
            // The client has gone in the middle of something: for a server that is the same.
        }
    }

    bench::listening_socket listener_;
    std::atomic<int> waiting_{1}; ///< threads without a connection, the one being started included
};

class client {
public:
    explicit client(const bench::task& what) : address_(what.address) {
        // Both sides would wait for the other to read.
        if (what.window * (sizeof(bench::frame_header) + what.body) > most_under_way)
            throw std::invalid_argument("more under way than the buffers of a socket are sure to hold");
    }

    void open() { socket_ = bench::connect_to(address_); }

    void send(std::size_t, std::span<const std::byte> body) {
        append_frame(out_, numbers_.next_request(body.size()), body);
    }

    bench::reply receive() {
        for (;;) {
            if (const auto frame = in_.cut(); !frame.empty()) return {0, numbers_.take_reply(frame)};
            send_all(socket_, out_);
            out_.clear();
            if (!in_.read_from(socket_)) throw std::runtime_error("the server has gone");
        }
    }

private:
    static constexpr std::size_t most_under_way = 128 * 1024;

    std::string address_;
    descriptor socket_;
    bench::input_buffer in_;
    std::vector<std::byte> out_;
    bench::request_numbers numbers_;
};

void serve(const bench::task& what) { server(what).run(); }

void flood(const bench::task& what) {
    const auto listener = bench::listen_on(what, 0);
    bench::announce(listener.address);
    const descriptor socket = bench::accept_from(listener, 0);
    bench::flood_batch batch(what);
    try {
        while (!batch.over()) batch.send_to(socket);
    } catch (const std::system_error&) {
        // The client has gone.
    }
    bench::wait_for_the_end();
}

constexpr bench::offer offers[]{{"", "tcp", "echo flood visit"}, {"", "uds", "echo flood visit"}};

} // namespace

int main(int argc, char** argv) {
    bench::peer self = bench::peer_with<client>(offers, serve, flood);
    self.visit = bench::run_visits<bench::raw_visitor>;
    return bench::peer_main(argc, argv, self);
}
