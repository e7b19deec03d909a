// SPDX-License-Identifier: BSL-1.0
// A connection of Boost.Asio's that reads into a buffer of its own, which grows as needed, and writes what has gathered
// meanwhile; and where connections come from.
#ifndef TOFU_BENCH_PEERS_ASIO_CONNECTION_HPP
#define TOFU_BENCH_PEERS_ASIO_CONNECTION_HPP

#include "../harness/task.hpp"
#include "frame.hpp"
#include "stream_socket.hpp"

#include <boost/asio.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace bench {

namespace asio = boost::asio;

/// TCP or a Unix domain socket, which is known when the program runs.
using asio_protocol = asio::generic::stream_protocol;

inline asio_protocol::endpoint endpoint_at(const tofu::address& where) {
    socket_address wanted(where);
    return {wanted.data(), wanted.size()};
}

/// The listener that clients connect to.
class asio_listener {
public:
    asio_listener(asio::io_context& io, const task& what)
        : acceptor_(io, endpoint_at(place_to_listen(what))), is_tcp_(what.transport == "tcp") {
        const auto bound = acceptor_.local_endpoint();
        address_ = to_announce(what, socket_address(bound.data(), bound.size()));
    }

    [[nodiscard]] const std::string& address() const { return address_; }

    /// Waits for one.
    [[nodiscard]] asio_protocol::socket accept() { return prepared(acceptor_.accept()); }

    /// Hands every connection to `take`, on the thread that runs the io_context.
    template <class Take>
    void accept_all(Take take) {
        acceptor_.async_accept([this, take](const boost::system::error_code& error, asio_protocol::socket accepted) {
            if (!error)
                take(prepared(std::move(accepted)));
            else if (error != asio::error::connection_aborted)
                throw boost::system::system_error(error, "accept");
            accept_all(take);
        });
    }

private:
    [[nodiscard]] asio_protocol::socket prepared(asio_protocol::socket accepted) const {
        boost::system::error_code client_has_gone; // reading will report it
        if (is_tcp_) accepted.set_option(asio::ip::tcp::no_delay(true), client_has_gone);
        return accepted;
    }

    asio::basic_socket_acceptor<asio_protocol> acceptor_;
    bool is_tcp_;
    std::string address_;
};

/// Waits until it is connected.
inline asio_protocol::socket asio_connect(asio::io_context& io, const std::string& announced) {
    const auto place = announced_place(announced);
    asio_protocol::socket socket(io);
    socket.connect(endpoint_at(place));
    if (place.kind() == tofu::address_kind::tcp) socket.set_option(asio::ip::tcp::no_delay(true));
    return socket;
}

/// Lives as long as one of its operations, or another holder of a pointer to it. Tells its owner what has happened, on
/// the thread that runs the io_context:
///
///     has_read(connection)   there may be more to cut; read() asks for more
///     has_written(bytes)     the system has taken `bytes` more
///     has_ended()            by the other side
template <class Owner>
class asio_connection : public std::enable_shared_from_this<asio_connection<Owner>> {
public:
    asio_connection(Owner& owner, asio_protocol::socket connected, std::size_t number)
        : owner_(owner), socket_(std::move(connected)), number_(number) {}

    [[nodiscard]] std::size_t number() const { return number_; }

    /// The application's: frames that it has sent and not handed over yet.
    std::vector<std::byte> unsent;

    void read() {
        make_room();
        socket_.async_read_some(
            asio::buffer(in_.data() + end_, in_.size() - end_),
            [self = this->shared_from_this()](const boost::system::error_code& error, std::size_t bytes) {
                self->after_read(error, bytes);
            });
    }

    /// The next frame, which stays where it is until read(); nothing when there is no whole one.
    [[nodiscard]] std::span<std::byte> cut() {
        const auto frame = first_frame(std::span(in_).subspan(begin_, end_ - begin_));
        begin_ += frame.size();
        return frame;
    }

    /// A copy of all whole frames.
    [[nodiscard]] std::vector<std::byte> take_frames() {
        const std::size_t first = begin_;
        while (!cut().empty()) {
        }
        const auto whole = std::span(in_).subspan(first, begin_ - first);
        return {whole.begin(), whole.end()};
    }

    /// Takes the bytes, and leaves room for others. They leave with what else has come when the write under way is
    /// over.
    void write(std::vector<std::byte>& bytes) {
        if (out_.empty())
            out_.swap(bytes);
        else
            out_.insert(out_.end(), bytes.begin(), bytes.end());
        bytes.clear();
        if (writing_.empty()) write_next();
    }

    /// Nothing is heard of it any more.
    void close() {
        closed_ = true;
        boost::system::error_code whatever;
        socket_.close(whatever);
    }

private:
    static constexpr std::size_t smallest = 512; // what Asio's own dynamic buffers begin with
    static constexpr std::size_t largest = 2 * largest_frame;

    /// Twice as much when a read has filled all there was.
    void make_room() {
        const bool was_filled = end_ == in_.size();
        if (begin_ != 0) std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
        end_ -= std::exchange(begin_, 0);
        if (was_filled) in_.resize(std::clamp(2 * in_.size(), smallest, largest));
    }

    void after_read(const boost::system::error_code& error, std::size_t bytes) {
        if (error) {
            if (!closed_) owner_.has_ended();
            return;
        }
        end_ += bytes;
        owner_.has_read(*this);
    }

    void write_next() {
        writing_.swap(out_);
        asio::async_write(socket_, asio::buffer(writing_),
                          [self = this->shared_from_this()](const boost::system::error_code& error, std::size_t bytes) {
                              self->after_write(error, bytes);
                          });
    }

    void after_write(const boost::system::error_code& error, std::size_t bytes) {
        boost::system::error_code whatever;
        if (error) socket_.close(whatever); // reading ends, too, and that is told
        writing_.clear();
        owner_.has_written(bytes);
        if (!error && !out_.empty()) write_next();
    }

    Owner& owner_;
    asio_protocol::socket socket_;
    std::size_t number_;
    std::vector<std::byte> in_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::vector<std::byte> out_;
    std::vector<std::byte> writing_;
    bool closed_ = false;
};

} // namespace bench

#endif
