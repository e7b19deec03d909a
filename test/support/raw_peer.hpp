// SPDX-License-Identifier: BSL-1.0
// Peers that send and receive bytes. They can send bytes that no engine would send, and see the bytes that an engine
// sends.
#ifndef TOFU_TEST_SUPPORT_RAW_PEER_HPP
#define TOFU_TEST_SUPPORT_RAW_PEER_HPP

#include "any_reactor.hpp"

#include <tofu/binary_header.hpp>
#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/network.hpp>
#include <tofu/policies/defaults.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tofu_test {

/// A non-blocking socket of the platform and a poller of its own to wait with. While it waits it turns the loop of a
/// caller-driven engine.
class raw_socket {
public:
    using network = tofu::platform::network<>;

    raw_socket(any_reactor& engine, const tofu::address& peer);
    raw_socket(const raw_socket&) = delete;
    raw_socket& operator=(const raw_socket&) = delete;
    ~raw_socket() { let_go(); }

    void send(std::span<const std::byte> bytes);
    /// False: the engine has closed the connection before it took everything.
    [[nodiscard]] bool try_send(std::span<const std::byte> bytes);
    /// A whole message, its length fields computed.
    [[nodiscard]] static std::vector<std::byte> wire_of(tofu::binary_header header, std::string_view text_headers = {},
                                                        std::string_view body = {});
    void send(tofu::binary_header header, std::string_view text_headers = {}, std::string_view body = {}) {
        send(wire_of(header, text_headers, body));
    }
    void say_hello() { send({.op = tofu::op_code::hello_request, .message_id = 1}, "~connect_to:tcp|127.0.0.1|1\r\n"); }

    struct received {
        tofu::binary_header header;
        std::string text_headers;
        std::string body;
    };
    /// From now on each read takes all available bytes. Otherwise the rest stays in the kernel, and a close then resets
    /// the connection.
    void read_ahead() { store_.resize(64 * 1024); }
    /// The next whole message; nothing at the end of the stream (or a reset).
    std::optional<received> receive();
    /// The next bytes just as they came; none at the end of the stream (or a reset).
    std::vector<std::byte> receive_bytes(std::size_t count);
    /// Reads to the end of the stream; true when the peer ended it, false when it was reset.
    bool reads_until_end();

    void shutdown_write();
    void close();
    /// On a Unix domain socket this is close.
    void reset();

private:
    friend class raw_listener;

    explicit raw_socket(any_reactor& engine);
    raw_socket(any_reactor& engine, network::socket socket);

    void let_go(); ///< waits until the poller has released the registration
    void wait_for(tofu::interest what);
    tofu::io_result read_from_socket(std::span<std::byte> into);
    tofu::io_result read_some(std::span<std::byte> into);
    bool read_exactly(std::span<std::byte> into);

    any_reactor& engine_;
    network net_;
    network::socket socket_;
    tofu::default_poll poller_;
    tofu::default_poll::registration registration_;
    std::vector<std::byte> store_; ///< empty: it does not read ahead
    std::span<std::byte> ahead_;   ///< read, and not asked for yet
};

/// A listener of bytes, for tests in which the engine connects to a raw peer.
class raw_listener {
public:
    raw_listener(any_reactor& engine, const tofu::address& where, int backlog = 16);

    [[nodiscard]] tofu::address where() { return waiter_.net_.to_address(waiter_.socket_.local_endpoint()); }
    /// The next connection.
    [[nodiscard]] raw_socket accept();
    /// From now on the address refuses connects.
    void close() { waiter_.close(); }

private:
    raw_socket waiter_; // for its poller and its way to wait
};

/// Says hello as a raw peer and is accepted. Returns the server's channel number.
template <class Dialogue>
std::uint16_t be_accepted(Dialogue& talk, raw_socket& peer) {
    peer.say_hello();
    const std::uint16_t number = talk.accept();
    BOOST_REQUIRE(peer.receive());
    return number;
}

} // namespace tofu_test

#endif
