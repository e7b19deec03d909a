// SPDX-License-Identifier: BSL-1.0
// Frames over a bare socket, for the peers that are the limit: cut from what was read, gathered into one call.
#ifndef TOFU_BENCH_PEERS_RAW_FRAMES_HPP
#define TOFU_BENCH_PEERS_RAW_FRAMES_HPP

#include "../harness/flood_work.hpp"
#include "../harness/task.hpp"
#include "frame.hpp"
#include "stream_socket.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace bench {

/// Bytes that were read, until they are cut into frames. Frames stay where they are until the next read.
class input_buffer {
public:
    /// Takes as much as there is and has room. False at the end of the stream.
    bool read_from(const descriptor& socket) {
        make_room();
        const auto got = ::recv(socket.number(), bytes_.data() + end_, bytes_.size() - end_, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
        end_ += static_cast<std::size_t>(checked(got, "recv"));
        return got != 0;
    }

    /// The next frame; nothing when there is no whole one.
    [[nodiscard]] std::span<std::byte> cut() {
        const auto frame = first_frame(std::span(bytes_).subspan(begin_, end_ - begin_));
        begin_ += frame.size();
        return frame;
    }

    /// All whole frames, each made the answer to itself.
    [[nodiscard]] std::span<std::byte> cut_replies() {
        const std::size_t first = begin_;
        for (auto frame = cut(); !frame.empty(); frame = cut()) make_reply(frame);
        return std::span(bytes_).subspan(first, begin_ - first);
    }

    /// The beginning of a frame.
    [[nodiscard]] std::span<const std::byte> rest() const { return std::span(bytes_).subspan(begin_, end_ - begin_); }

    /// Goes on with the beginning of another frame.
    void replace_rest(std::span<const std::byte> bytes) {
        begin_ = 0;
        end_ = bytes.size();
        std::copy(bytes.begin(), bytes.end(), bytes_.begin());
    }

private:
    /// Moves the begun frame only when the largest frame would not fit behind it.
    void make_room() {
        if (begin_ != end_ && bytes_.size() - begin_ >= largest_frame) return;
        if (begin_ != end_) std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
        end_ -= std::exchange(begin_, 0);
    }

    std::array<std::byte, 2 * largest_frame> bytes_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

/// The messages of a flood, many with one call. Nothing is copied: a header and a body are sent from where they are.
class flood_batch {
public:
    explicit flood_batch(const task& what) : source_(what), bodies_(most * what.body) {}

    /// Everything was handed over to the system.
    [[nodiscard]] bool over() const { return pending_.empty() && !source_.more(); }

    /// Makes new messages when the system has all of the old ones, and sends. False when the socket has not taken all.
    bool send_to(const descriptor& socket) {
        if (pending_.empty()) fill();
        msghdr what{};
        what.msg_iov = pending_.data();
        what.msg_iovlen = pending_.size();
        const auto sent = ::sendmsg(socket.number(), &what, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return false;
        drop(static_cast<std::size_t>(checked(sent, "sendmsg")));
        return pending_.empty();
    }

private:
    static constexpr std::size_t most = 64;

    void fill() {
        std::size_t count = 0;
        for (; count != most && source_.more(); ++count) {
            const auto body = std::span(bodies_).subspan(count * source_.size(), source_.size());
            headers_[count] = header_for(frame_kind::reply, sequence_++, body.size());
            source_.stamp(body);
            pieces_[2 * count] = {&headers_[count], sizeof(frame_header)};
            pieces_[2 * count + 1] = {body.data(), body.size()};
        }
        pending_ = std::span(pieces_).first(2 * count);
    }

    void drop(std::size_t bytes) {
        while (!pending_.empty() && bytes >= pending_.front().iov_len) {
            bytes -= pending_.front().iov_len;
            pending_ = pending_.subspan(1);
        }
        if (bytes == 0) return;
        iovec& cut = pending_.front();
        cut.iov_base = static_cast<std::byte*>(cut.iov_base) + bytes;
        cut.iov_len -= bytes;
    }

    flood_source source_;
    std::vector<std::byte> bodies_;
    std::array<frame_header, most> headers_{};
    std::array<iovec, 2 * most> pieces_{};
    std::span<iovec> pending_;
    std::uint64_t sequence_ = 0;
};

/// Connects, sends one request, has its reply and closes: for that there is nothing to wait for with epoll.
class raw_visitor {
public:
    explicit raw_visitor(const task& what) : address_(what.address), body_(what.body) {
        append_frame(request_, header_for(frame_kind::request, 0, body_.size()), body_);
    }

    void visit() {
        const descriptor socket = connect_to(address_);
        if (send_some(socket, request_) != request_.size()) throw std::runtime_error("a request was not taken");
        in_.replace_rest({});
        std::span<std::byte> reply;
        while ((reply = in_.cut()).empty())
            if (!in_.read_from(socket)) throw std::runtime_error("the server has gone");
        if (!std::ranges::equal(request_numbers().take_reply(reply), body_))
            throw std::runtime_error("a reply is wrong");
    }

private:
    std::string address_;
    std::vector<std::byte> body_;
    std::vector<std::byte> request_;
    input_buffer in_;
};

} // namespace bench

#endif
