// SPDX-License-Identifier: BSL-1.0
// The limit: both sides with nothing but epoll, read and write. A frame is 16 bytes of header and a body; a side reads
// as much as there is, and everything that follows from it leaves with one write.
#include "../harness/peer_main.hpp"
#include "stream_socket.hpp"

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using bench::checked;
using bench::descriptor;

enum class frame_kind : std::uint32_t { request, reply };

struct frame_header {
    std::uint32_t length; ///< of the body
    frame_kind kind;
    std::uint64_t id;
};
static_assert(sizeof(frame_header) == 16);

constexpr std::size_t buffer_size = 128 * 1024; // a window of 64 and 1 KiB fits

class poller {
public:
    void watch(const descriptor& which, void* owner, std::uint32_t events, int how = EPOLL_CTL_ADD) const {
        epoll_event wanted{.events = events, .data = {.ptr = owner}};
        checked(::epoll_ctl(epoll_.number(), how, which.number(), &wanted), "epoll_ctl");
    }

    [[nodiscard]] std::span<epoll_event> wait() {
        const int count = ::epoll_wait(epoll_.number(), ready_.data(), static_cast<int>(ready_.size()), -1);
        if (count < 0 && errno == EINTR) return {};
        return std::span(ready_).first(static_cast<std::size_t>(checked(count, "epoll_wait")));
    }

private:
    descriptor epoll_{checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")};
    std::array<epoll_event, 64> ready_{};
};

/// Bytes in, cut into frames.
class incoming {
public:
    /// False at the end of the stream. A read that was not filled has taken all there was.
    bool read_from(const descriptor& socket) {
        const auto got = ::read(socket.number(), bytes_.data() + size_, bytes_.size() - size_);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
        size_ += static_cast<std::size_t>(checked(got, "read"));
        return got != 0;
    }

    /// Hands each whole frame's header and body to `take`; they stay where they are until drop().
    template <class Take>
    std::span<std::byte> cut(Take take) {
        std::size_t at = 0;
        while (size_ - at >= sizeof(frame_header)) {
            frame_header header;
            std::memcpy(&header, bytes_.data() + at, sizeof header);
            if (header.length > buffer_size - sizeof header) throw std::runtime_error("a frame that is too long");
            if (size_ - at < sizeof header + header.length) break;
            take(header, std::span(bytes_).subspan(at + sizeof header, header.length));
            std::memcpy(bytes_.data() + at, &header, sizeof header);
            at += sizeof header + header.length;
        }
        return std::span(bytes_).first(at);
    }

    /// Forgets the first `count` bytes.
    void drop(std::size_t count) {
        size_ -= count;
        if (size_ != 0) std::memmove(bytes_.data(), bytes_.data() + count, size_);
    }

private:
    std::vector<std::byte> bytes_ = std::vector<std::byte>(buffer_size);
    std::size_t size_ = 0;
};

/// How many of the bytes the socket has taken; none when it is full.
std::size_t write_some(const descriptor& socket, std::span<const std::byte> bytes) {
    const auto sent = ::send(socket.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    return static_cast<std::size_t>(checked(sent, "send"));
}

/// Answers in place: what was read is what is written. While something is left to write it does not read.
class served_connection {
public:
    explicit served_connection(descriptor socket) : socket_(std::move(socket)) {}

    [[nodiscard]] const descriptor& socket() const { return socket_; }

    /// False when the client has gone.
    bool turn(const poller& poll) {
        if (left_.empty()) {
            if (!in_.read_from(socket_)) return false;
            left_ = in_.cut([](frame_header& header, std::span<const std::byte>) { header.kind = frame_kind::reply; });
            answered_ = left_.size();
        }
        if (!left_.empty()) left_ = left_.subspan(write_some(socket_, left_));
        if (left_.empty()) in_.drop(std::exchange(answered_, 0));
        if (waits_to_write_ != !left_.empty()) {
            waits_to_write_ = !left_.empty();
            poll.watch(socket_, this, waits_to_write_ ? EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
        }
        return true;
    }

private:
    descriptor socket_;
    incoming in_;
    std::span<std::byte> left_;
    std::size_t answered_ = 0;
    bool waits_to_write_ = false;
};

void serve(const bench::task& what) {
    std::string address;
    const descriptor listener = bench::listen_on(what.transport, what.path, address);
    poller poll;
    poll.watch(listener, nullptr, EPOLLIN);
    bench::announce(address);
    for (;;) {
        for (const epoll_event& event : poll.wait()) {
            if (event.data.ptr == nullptr) {
                auto fresh = std::make_unique<served_connection>(bench::accept_from(listener));
                poll.watch(fresh->socket(), fresh.get(), EPOLLIN);
                static_cast<void>(fresh.release()); // from here on the poller knows it
                continue;
            }
            std::unique_ptr<served_connection> connection(static_cast<served_connection*>(event.data.ptr));
            if (connection->turn(poll)) static_cast<void>(connection.release());
        }
    }
}

class echo_client {
public:
    echo_client(const std::string& address, bench::echo_work& work) : work_(work), socket_(bench::connect_to(address)) {
        poll_.watch(socket_, nullptr, EPOLLIN);
    }

    void run() {
        for (std::size_t i = 0; i < work_.window() && work_.may_send(); ++i) add_request();
        write();
        while (!work_.done()) {
            for (const epoll_event& event : poll_.wait()) {
                if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read();
                write();
            }
        }
    }

private:
    void add_request() {
        const auto body = work_.next_request();
        const frame_header header{static_cast<std::uint32_t>(body.size()), frame_kind::request, next_id_++};
        const auto* const bytes = reinterpret_cast<const std::byte*>(&header);
        out_.insert(out_.end(), bytes, bytes + sizeof header);
        out_.insert(out_.end(), body.begin(), body.end());
    }

    void read() {
        if (!in_.read_from(socket_)) throw std::runtime_error("the server has gone");
        const auto taken = in_.cut([this](const frame_header& header, std::span<const std::byte> body) {
            if (header.kind != frame_kind::reply || header.id != next_reply_++)
                throw std::runtime_error("a reply to something else");
            work_.take_reply(body);
            if (work_.may_send()) add_request();
        });
        in_.drop(taken.size());
    }

    void write() {
        if (written_ != out_.size()) written_ += write_some(socket_, std::span(out_).subspan(written_));
        const bool all = written_ == out_.size();
        if (all) {
            out_.clear();
            written_ = 0;
        }
        if (waits_to_write_ == !all) return;
        waits_to_write_ = !all;
        poll_.watch(socket_, nullptr, all ? EPOLLIN : EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
    }

    bench::echo_work& work_;
    descriptor socket_;
    poller poll_;
    incoming in_;
    std::vector<std::byte> out_;
    std::size_t written_ = 0;
    bool waits_to_write_ = false;
    std::uint64_t next_id_ = 0;
    std::uint64_t next_reply_ = 0;
};

void echo(const bench::task& what, bench::echo_work& work) { echo_client(what.address, work).run(); }

constexpr bench::offer offers[]{{"", "tcp"}, {"", "uds"}};

} // namespace

int main(int argc, char** argv) { return bench::peer_main(argc, argv, {offers, serve, echo}); }
