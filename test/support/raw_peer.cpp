// SPDX-License-Identifier: BSL-1.0
// The raw peers: their waits, and the messages that they build.
#include "raw_peer.hpp"

#include "dialogue.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace tofu_test {

namespace {

struct notice {
    tofu::default_poll::registration& only;
    bool ready_now = false;
    bool released_now = false;
    void ready(std::uintptr_t, tofu::readiness) noexcept { ready_now = true; }
    void released(std::uintptr_t) noexcept { released_now = true; }
    tofu::default_poll::registration* registration_of(std::uintptr_t) noexcept { return &only; }
};

} // namespace

raw_socket::raw_socket(any_reactor& engine) : engine_(engine) { BOOST_REQUIRE(!poller_.open()); }

raw_socket::raw_socket(any_reactor& engine, network::socket socket) : raw_socket(engine) {
    socket_ = std::move(socket);
    BOOST_REQUIRE(!poller_.attach(registration_, socket_, 1));
}

raw_socket::raw_socket(any_reactor& engine, const tofu::address& peer) : raw_socket(engine) {
    tofu::io_error error;
    network::endpoint where;
    BOOST_REQUIRE(!net_.to_endpoint(peer, false, where));
    socket_ = net_.connect(where, {}, error);
    BOOST_REQUIRE(socket_.is_open());
    BOOST_REQUIRE(!poller_.attach(registration_, socket_, 1));
    if (error.kind == tofu::io_failure::would_block) wait_for(tofu::interest::write);
    BOOST_REQUIRE(!socket_.finish_connect());
}

void raw_socket::send(std::span<const std::byte> bytes) { BOOST_REQUIRE(try_send(bytes)); }

bool raw_socket::try_send(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const tofu::const_buffer part{bytes.data(), bytes.size()};
        const tofu::io_result sent = socket_.write({&part, 1});
        if (sent.error && sent.error.kind != tofu::io_failure::would_block) return false;
        if (sent.error) wait_for(tofu::interest::write);
        bytes = bytes.subspan(sent.bytes);
    }
    return true;
}

std::vector<std::byte> raw_socket::wire_of(tofu::binary_header header, std::string_view text_headers,
                                           std::string_view body) {
    header.text_headers_length = static_cast<std::uint16_t>(text_headers.size());
    header.body_length = static_cast<std::uint16_t>(body.size());
    std::array<std::byte, tofu::binary_header::wire_size> wire{};
    tofu::encode(header, wire);
    std::vector<std::byte> bytes(wire.begin(), wire.end());
    for (const std::string_view part : {text_headers, body})
        for (const char c : part) bytes.push_back(static_cast<std::byte>(c));
    return bytes;
}

std::optional<raw_socket::received> raw_socket::receive() {
    received result;
    std::array<std::byte, tofu::binary_header::wire_size> wire{};
    if (!read_exactly(wire)) return std::nullopt;
    result.header = tofu::decode(wire);
    result.text_headers.resize(result.header.text_headers_length);
    result.body.resize(result.header.body_length);
    if (!read_exactly(std::as_writable_bytes(std::span(result.text_headers)))) return std::nullopt;
    if (!read_exactly(std::as_writable_bytes(std::span(result.body)))) return std::nullopt;
    return result;
}

std::vector<std::byte> raw_socket::receive_bytes(std::size_t count) {
    std::vector<std::byte> bytes(count);
    if (!read_exactly(bytes)) bytes.clear();
    return bytes;
}

bool raw_socket::reads_until_end() {
    std::array<std::byte, 4096> dropped;
    for (;;) {
        const tofu::io_result result = read_some(dropped);
        if (result.error) return false;
        if (result.bytes == 0) return true;
    }
}

void raw_socket::shutdown_write() { BOOST_REQUIRE(!socket_.shutdown_write()); }

void raw_socket::close() {
    let_go();
    socket_.close();
}

void raw_socket::reset() {
    let_go();
    socket_.abort();
}

void raw_socket::let_go() {
    if (poller_.disarm(registration_) == tofu::disarmed::released) return;
    const auto until = std::chrono::steady_clock::now() + patience;
    notice sink{registration_};
    while (!sink.released_now) {
        poller_.wait(1s, sink);
        // Otherwise the system would write to a registration that is already destroyed.
        if (std::chrono::steady_clock::now() >= until) std::abort();
    }
}

void raw_socket::wait_for(tofu::interest what) {
    const auto until = std::chrono::steady_clock::now() + patience;
    BOOST_REQUIRE(!poller_.arm(registration_, what));
    notice sink{registration_};
    while (!sink.ready_now) {
        std::error_code has_thread; // an engine with a thread needs no turn of ours
        engine_.run_once(0ms, has_thread);
        poller_.wait(1ms, sink);
        BOOST_REQUIRE_MESSAGE(std::chrono::steady_clock::now() < until, "the raw peer waited in vain");
    }
}

tofu::io_result raw_socket::read_from_socket(std::span<std::byte> into) {
    for (;;) {
        const tofu::mutable_buffer place{into.data(), into.size()};
        const tofu::io_result result = socket_.read({&place, 1});
        if (result.error.kind != tofu::io_failure::would_block) return result;
        wait_for(tofu::interest::read);
    }
}

tofu::io_result raw_socket::read_some(std::span<std::byte> into) {
    if (store_.empty()) return read_from_socket(into);
    if (ahead_.empty()) {
        const tofu::io_result result = read_from_socket(store_);
        if (result.error || result.bytes == 0) return result;
        ahead_ = std::span(store_).first(result.bytes);
    }
    const auto some = ahead_.first((std::min)(ahead_.size(), into.size()));
    std::copy(some.begin(), some.end(), into.begin());
    ahead_ = ahead_.subspan(some.size());
    return {.bytes = some.size()};
}

bool raw_socket::read_exactly(std::span<std::byte> into) {
    while (!into.empty()) {
        const tofu::io_result result = read_some(into);
        if (result.error || result.bytes == 0) return false;
        into = into.subspan(result.bytes);
    }
    return true;
}

raw_listener::raw_listener(any_reactor& engine, const tofu::address& where, int backlog) : waiter_(engine) {
    tofu::io_error error;
    raw_socket::network::endpoint at;
    BOOST_REQUIRE(!waiter_.net_.to_endpoint(where, true, at));
    waiter_.socket_ = waiter_.net_.listen(at, {}, backlog, error);
    BOOST_REQUIRE(!error);
    BOOST_REQUIRE(!waiter_.poller_.attach(waiter_.registration_, waiter_.socket_, 1));
}

raw_socket raw_listener::accept() {
    for (;;) {
        tofu::io_error error;
        raw_socket::network::socket made = waiter_.socket_.accept({}, error);
        if (!error) return raw_socket(waiter_.engine_, std::move(made));
        BOOST_REQUIRE(error.kind == tofu::io_failure::would_block);
        waiter_.wait_for(tofu::interest::read);
    }
}

} // namespace tofu_test
