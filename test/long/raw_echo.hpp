// SPDX-License-Identifier: BSL-1.0
// The limit: the same work with bare poll, read and writev, between two processes.
#ifndef TOFU_TEST_LONG_RAW_ECHO_HPP
#define TOFU_TEST_LONG_RAW_ECHO_HPP

#include "raw_peer.hpp"
#include "two_processes.hpp"

namespace long_run {

/// One connection's worth of echo: bytes as they come, until the end of the stream.
inline void serve_raw_echo(int to_parent) {
    std::uint16_t port = 0;
    const raw_peer listener = raw_peer::listen(port);
    other_process::tell(to_parent, port);
    const raw_peer peer = listener.accept();
    std::vector<std::byte> buffer(64 * 1024);
    while (const std::size_t got = peer.poll_and_read(buffer))
        if (!peer.send_all(std::span<const std::byte>(buffer).first(got))) return;
}

/// Counts bytes up to `wanted`, then says so with one byte.
inline void serve_raw_sink(int to_parent, std::size_t wanted) {
    std::uint16_t port = 0;
    const raw_peer listener = raw_peer::listen(port);
    other_process::tell(to_parent, port);
    const raw_peer peer = listener.accept();
    std::vector<std::byte> buffer(64 * 1024);
    while (wanted != 0) {
        const std::size_t got = peer.poll_and_read(buffer);
        if (got == 0) return;
        wanted -= std::min(wanted, got);
    }
    peer.send_all(std::span<const std::byte>(buffer).first(1));
}

/// Figures of an echo.
struct echo_result {
    double rate = 0; ///< round trips a second
    double p50 = 0;  ///< microseconds; at window 1 only
    double p99 = 0;  ///< microseconds; at window 1 only
    usage here;      ///< during the measured part
    usage there;     ///< the serving process's
};

/// `window` frames under way, each answered by the next.
inline echo_result raw_echo(std::size_t window, std::size_t body, std::size_t count) {
    other_process server(serve_raw_echo);
    const raw_peer peer = raw_peer::connect(server.hear<std::uint16_t>());
    const std::vector<std::byte> one = frame(op_code::request, {}, body);
    std::vector<std::byte> many;
    for (std::size_t i = 0; i < window; ++i) many.insert(many.end(), one.begin(), one.end());
    std::vector<std::byte> buffer(64 * 1024);
    std::vector<double> times;
    times.reserve(window == 1 ? count : 0);
    const std::size_t all = count * one.size();
    const auto start = clock::now();
    auto sent_at = start;
    std::size_t received = 0;
    std::size_t sent = many.size();
    peer.send_all(many);
    while (received < all) {
        const std::size_t got = peer.poll_and_read(buffer);
        demand(got != 0, "a raw echo");
        received += got;
        if (window == 1) times.push_back(microseconds(clock::now() - sent_at));
        const std::size_t whole = received / one.size() * one.size() + window * one.size();
        const std::size_t more = std::min(whole, all) - std::min(sent, std::min(whole, all));
        sent_at = clock::now();
        peer.send_all(std::span<const std::byte>(many).first(more));
        sent += more;
    }
    echo_result result;
    result.rate = static_cast<double>(count) / seconds_since(start);
    result.p50 = quantile(times, 0.5);
    result.p99 = quantile(times, 0.99);
    return result;
}

/// Messages a second, one way, 32 of them to a gathered write.
inline double raw_one_way(std::size_t body, std::size_t count) {
    const std::vector<std::byte> one = frame(op_code::signal, {}, body);
    other_process server([&](int to) { serve_raw_sink(to, count * one.size()); });
    const raw_peer peer = raw_peer::connect(server.hear<std::uint16_t>());
    const auto start = clock::now();
    for (std::size_t sent = 0; sent < count;) {
        const std::size_t batch = std::min<std::size_t>(32, count - sent);
        std::vector<iovec> parts;
        for (std::size_t i = 0; i < batch; ++i) {
            auto* const data = const_cast<std::byte*>(one.data());
            parts.push_back({data, tofu::binary_header::wire_size});
            if (body != 0) parts.push_back({data + tofu::binary_header::wire_size, body});
        }
        demand(peer.writev_all(std::move(parts)), "a raw write");
        sent += batch;
    }
    std::array<std::byte, 1> done;
    demand(peer.read_exactly(done), "the sink's word");
    return static_cast<double>(count) / seconds_since(start);
}

} // namespace long_run

#endif
