// SPDX-License-Identifier: BSL-1.0
// Boost.Asio: run by the application's own thread (`inline`), or by a thread of its own (`io_thread`).
#include "../harness/peer_main.hpp"
#include "asio_connection.hpp"
#include "asio_messengers.hpp"
#include "frame.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using bench::asio_side;
using bench::frame_header;
using bench::frame_kind;

template <class Messenger>
void serve_with(const bench::task& what) {
    Messenger messenger(asio_side::server);
    bench::asio_listener listener(messenger.io(), what);
    listener.accept_all([&](bench::asio_protocol::socket accepted) { messenger.add(std::move(accepted), 0); });
    bench::announce(listener.address());
    for (;;) {
        const auto request = messenger.receive();
        bench::make_reply(request.frame);
        messenger.send(*request.from, bench::header_of(request.frame), bench::body_of(request.frame));
    }
}

template <class Messenger>
void flood_with(const bench::task& what) {
    constexpr std::size_t handed_over = 64 * 1024; // bytes at a time, or one message
    constexpr std::size_t most_unwritten = 4 * handed_over;
    Messenger messenger(asio_side::server);
    bench::asio_listener listener(messenger.io(), what);
    bench::announce(listener.address());
    const auto client = messenger.add(listener.accept(), 0);
    bench::flood_source source(what);
    std::uint64_t sequence = 0;
    while (source.more() && messenger.wait_until_written(most_unwritten))
        for (std::size_t bytes = 0; bytes < handed_over && source.more(); bytes += sizeof(frame_header) + source.size())
            messenger.send(*client, header_for(frame_kind::reply, sequence++, source.size()), source.next());
    static_cast<void>(messenger.wait_until_written(0));
    bench::wait_for_the_end();
}

template <class Messenger>
class client {
public:
    explicit client(const bench::task& what) : address_(what.address), body_(what.body) {}

    void open() {
        auto socket = bench::asio_connect(messenger_.io(), address_);
        lines_.push_back({messenger_.add(std::move(socket), lines_.size()), {}});
    }

    void send(std::size_t which, std::span<const std::byte> body) {
        line& on = lines_[which];
        messenger_.send(*on.connection, on.numbers.next_request(body.size()), body);
    }

    bench::reply receive() {
        const auto got = messenger_.receive();
        const std::size_t which = got.from->number();
        return {which, lines_[which].numbers.take_reply(got.frame)};
    }

    void visit() {
        open();
        send(0, body_);
        if (!std::ranges::equal(receive().body, body_)) throw std::runtime_error("a reply is wrong");
        messenger_.close(*lines_.back().connection);
        lines_.clear();
    }

private:
    struct line {
        std::shared_ptr<typename Messenger::connection> connection;
        bench::request_numbers numbers;
    };

    std::string address_;
    std::vector<std::byte> body_;
    Messenger messenger_{asio_side::client};
    std::vector<line> lines_;
};

constexpr bench::offer offers[]{{"inline", "tcp"}, {"inline", "uds"}, {"io_thread", "tcp"}, {"io_thread", "uds"}};

template <class Messenger>
constexpr bench::peer peer_of = bench::peer_with<client<Messenger>>(offers, serve_with<Messenger>,
                                                                    flood_with<Messenger>);

/// Runs this role of the peer of this variant.
template <void (*bench::peer::*Role)(const bench::task&)>
void run(const bench::task& what) {
    const bench::peer& chosen =
        what.variant == "inline" ? peer_of<bench::inline_messenger> : peer_of<bench::threaded_messenger>;
    (chosen.*Role)(what);
}

} // namespace

int main(int argc, char** argv) {
    using bench::peer;
    return bench::peer_main(
        argc, argv,
        {offers, run<&peer::serve>, run<&peer::flood>, run<&peer::echo>, run<&peer::drain>, run<&peer::visit>});
}
