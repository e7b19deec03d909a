// SPDX-License-Identifier: BSL-1.0
// The limit: both sides with nothing but epoll, recv and send, any number of connections. A side reads as much as there
// is, and everything that follows from it leaves with one call for each connection.
#include "../harness/peer_main.hpp"
#include "frame.hpp"
#include "raw_frames.hpp"
#include "stream_socket.hpp"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using bench::checked;
using bench::descriptor;

class poller {
public:
    void watch(const descriptor& which, void* owner, std::uint32_t events, int how = EPOLL_CTL_ADD) const {
        epoll_event wanted{.events = events, .data = {.ptr = owner}};
        checked(::epoll_ctl(epoll_.number(), how, which.number(), &wanted), "epoll_ctl");
    }

    [[nodiscard]] std::span<const epoll_event> wait() {
        const int count = ::epoll_wait(epoll_.number(), ready_.data(), static_cast<int>(ready_.size()), -1);
        if (count < 0 && errno == EINTR) return {};
        return std::span(ready_).first(static_cast<std::size_t>(checked(count, "epoll_wait")));
    }

private:
    descriptor epoll_{checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")};
    std::array<epoll_event, 64> ready_{};
};

/// Assigning {} would keep the memory.
void release(std::vector<std::byte>& bytes) { std::vector<std::byte>().swap(bytes); }

/// Has no memory but this while nothing is under way on it.
struct connection {
    explicit connection(descriptor connected) : socket(std::move(connected)) {}

    descriptor socket;
    std::vector<std::byte> begun; ///< of a frame, while another connection uses the buffer
    std::vector<std::byte> out;   ///< to be sent, without the first `sent`
    std::size_t sent = 0;
    bool waits_to_write = false;

    [[nodiscard]] bool has_output() const { return sent != out.size(); }

    void flush() {
        if (has_output()) sent += send_some(socket, std::span(out).subspan(sent));
        if (sent < out.size() - sent) return; // to move more than was sent would add up
        out.erase(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(sent));
        sent = 0;
    }

    /// Has the poller look at what is of interest now.
    void watch_output(const poller& poll, std::uint32_t with_output) {
        if (waits_to_write == has_output()) return;
        waits_to_write = has_output();
        poll.watch(socket, this, waits_to_write ? with_output : EPOLLIN, EPOLL_CTL_MOD);
    }
};

/// One buffer for the input of all connections. It is left to another one only with what has begun put away.
class shared_input {
public:
    /// False at the end of the connection's stream.
    bool read_from(connection& source) {
        if (owner_ != &source) change_to(source);
        return bytes_.read_from(source.socket);
    }

    [[nodiscard]] bench::input_buffer& bytes() { return bytes_; }

    void forget(const connection& gone) {
        if (owner_ == &gone) owner_ = nullptr;
    }

private:
    void change_to(connection& next) {
        if (owner_ != nullptr) owner_->begun.assign(bytes_.rest().begin(), bytes_.rest().end());
        owner_ = &next;
        bytes_.replace_rest(next.begun);
        release(next.begun);
    }

    bench::input_buffer bytes_;
    connection* owner_ = nullptr;
};

/// Answers in place: sends the bytes that it has read. Does not read from a connection that has not taken its replies.
class server {
public:
    explicit server(const bench::task& what) : listener_(bench::listen_on(what, SOCK_NONBLOCK)) {
        poll_.watch(listener_.socket, nullptr, EPOLLIN);
    }

    void run() {
        bench::announce(listener_.address);
        for (;;)
            for (const epoll_event& event : poll_.wait()) {
                if (event.data.ptr == nullptr)
                    accept_all();
                else
                    take_turn(std::unique_ptr<connection>(static_cast<connection*>(event.data.ptr)));
            }
    }

private:
    void accept_all() {
        for (;;) {
            descriptor accepted = bench::accept_from(listener_, SOCK_NONBLOCK);
            if (accepted.number() < 0) return;
            auto fresh = std::make_unique<connection>(std::move(accepted));
            poll_.watch(fresh->socket, fresh.get(), EPOLLIN);
            static_cast<void>(fresh.release()); // from here on the poller knows it
        }
    }

    void take_turn(std::unique_ptr<connection> which) {
        try {
            if (which->has_output())
                send_late(*which);
            else if (!answer(*which))
                return input_.forget(*which);
            static_cast<void>(which.release());
        } catch (const std::system_error&) {
            input_.forget(*which); // the client has gone in the middle of something
        }
    }

    /// False when the client has gone.
    bool answer(connection& to) {
        if (!input_.read_from(to)) return false;
        const auto replies = input_.bytes().cut_replies();
        if (replies.empty()) return true;
        const auto late = replies.subspan(send_some(to.socket, replies));
        to.out.assign(late.begin(), late.end());
        to.watch_output(poll_, EPOLLOUT);
        return true;
    }

    void send_late(connection& to) {
        to.flush();
        if (!to.has_output()) release(to.out);
        to.watch_output(poll_, EPOLLOUT);
    }

    bench::listening_socket listener_;
    poller poll_;
    shared_input input_;
};

class client {
public:
    explicit client(const bench::task& what) : address_(what.address) {}

    void open() {
        lines_.emplace_back(bench::connect_to(address_), lines_.size());
        bench::never_wait(lines_.back().socket);
        poll_.watch(lines_.back().socket, &lines_.back(), EPOLLIN);
    }

    void send(std::size_t which, std::span<const std::byte> body) {
        line& on = lines_[which];
        if (!on.has_output()) unsent_.push_back(&on);
        append_frame(on.out, on.numbers.next_request(body.size()), body);
    }

    bench::reply receive() {
        for (;;) {
            if (const auto frame = input_.bytes().cut(); !frame.empty())
                return {current_->number, current_->numbers.take_reply(frame)};
            read_next();
        }
    }

private:
    struct line : connection {
        line(descriptor connected, std::size_t counted) : connection(std::move(connected)), number(counted) {}
        std::size_t number;
        bench::request_numbers numbers;
    };

    /// Reads from the next connection that is ready. When none is left, sends the requests that gathered meanwhile.
    void read_next() {
        while (ready_.empty()) {
            for (line* each : unsent_) flush(*each);
            unsent_.clear();
            ready_ = poll_.wait();
        }
        const epoll_event event = ready_.front();
        ready_ = ready_.subspan(1);
        line& from = *static_cast<line*>(static_cast<connection*>(event.data.ptr));
        if ((event.events & EPOLLOUT) != 0) flush(from);
        if ((event.events & ~std::uint32_t{EPOLLOUT}) == 0) return;
        current_ = &from;
        if (!input_.read_from(from)) throw std::runtime_error("the server has gone");
    }

    void flush(line& to) {
        to.flush();
        to.watch_output(poll_, EPOLLIN | EPOLLOUT);
    }

    std::string address_;
    poller poll_;
    std::deque<line> lines_;
    std::vector<line*> unsent_;
    std::span<const epoll_event> ready_;
    shared_input input_;
    line* current_ = nullptr;
};

void serve(const bench::task& what) { server(what).run(); }

void flood(const bench::task& what) {
    const auto listener = bench::listen_on(what, 0);
    bench::announce(listener.address);
    const descriptor socket = bench::accept_from(listener, SOCK_NONBLOCK);
    poller poll;
    poll.watch(socket, nullptr, EPOLLOUT);
    bench::flood_batch batch(what);
    try {
        while (!batch.over())
            if (!batch.send_to(socket)) static_cast<void>(poll.wait());
    } catch (const std::system_error&) {
        // The client has gone.
    }
    bench::wait_for_the_end();
}

constexpr bench::offer offers[]{{"", "tcp"}, {"", "uds"}};

} // namespace

int main(int argc, char** argv) {
    bench::peer self = bench::peer_with<client>(offers, serve, flood);
    self.visit = bench::run_visits<bench::raw_visitor>;
    return bench::peer_main(argc, argv, self);
}
