// SPDX-License-Identifier: BSL-1.0
// One engine with two groups that talk to each other, and helpers that every behaviour test needs. Every wait is for an
// event and has a bound; nothing sleeps.
#ifndef TOFU_TEST_SUPPORT_DIALOGUE_HPP
#define TOFU_TEST_SUPPORT_DIALOGUE_HPP

#include "any_reactor.hpp"
#include "engines.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace tofu_test {

using namespace std::chrono_literals;

/// The bound of every wait for something that must happen.
inline constexpr auto patience = 20s;
/// The time for which a test looks for something that must not happen.
inline constexpr auto moment = 50ms;

inline tofu::address loopback(std::uint16_t port = 0) { return tofu::tcp_address{"127.0.0.1", port}; }

/// An address to which a connect fails at once, without network traffic: a literal whose interface number 0 does not
/// exist.
inline tofu::address nowhere() { return tofu::tcp_address{"fe80::1%0", 1}; }

inline std::string_view body_of(const tofu::message& m) { return m.body().text(); }
inline std::string reason_of(const tofu::message& m) { return std::string(m.headers().find(tofu::reason_header)); }
tofu::status failure(const std::error_code& error);

/// An empty message, filled in.
tofu::message_ptr filled(tofu::message_ptr empty, tofu::op_code op, std::uint16_t channel, std::string_view body,
                         std::uint64_t id);
/// A message of the engine's pool, filled in. `Reactor`: any_reactor or a tofu::basic_reactor.
template <class Reactor>
tofu::message_ptr make(Reactor& engine, tofu::op_code op, std::uint16_t channel, std::string_view body = {},
                       std::uint64_t id = 0) {
    return filled(engine.get(), op, channel, body, id);
}
/// Turns a received message into its answer.
tofu::message_ptr answer(tofu::message_ptr m, tofu::op_code op);
/// A request to connect, and one to listen, ready to be posted.
tofu::message_ptr hello_request(any_reactor& engine, const tofu::address& where);
tofu::message_ptr welcome_request(any_reactor& engine, const tofu::address& where);

/// Waits until `count` channels hold a slot. Ended channels hold their slots until the poller has released them.
void await_channels(any_reactor& engine, std::size_t count);

/// One engine with a listening and a connecting group.
struct dialogue {
    using group = any_group;

    /// Both ends of a connection, by their channel numbers.
    struct link {
        std::uint16_t client = 0;
        std::uint16_t server = 0;
    };

    explicit dialogue(const setting& where, const tofu::options& opts = {});
    dialogue(const setting& where, any_reactor made);

    /// The next message; the test ends when none comes.
    tofu::message_ptr next(group& from);
    /// The next message, which must be of this operation.
    tofu::message_ptr expect(group& from, tofu::op_code op);
    /// Expects the goodbye of an opened channel: a signal of the engine with status channel_closed and this reason.
    void expect_goodbye(group& from, std::uint16_t channel, std::string_view reason);
    /// Expects the engine's answer to a hello_request or welcome_request that failed.
    void expect_failed(group& from, tofu::op_code op, const tofu::binary_header& request, tofu::status why,
                       std::string_view reason);
    /// Nothing is delivered to this group for a moment.
    void expect_silence(group& from);

    /// Makes the loop do everything that is due now. At the return a whole turn has been made and handed over.
    void turn_loop();
    /// Turns the loop until `ready()`.
    template <class Ready>
    void await(Ready ready) {
        const auto until = std::chrono::steady_clock::now() + patience;
        while (!ready()) {
            BOOST_REQUIRE_MESSAGE(std::chrono::steady_clock::now() < until, "waited in vain");
            turn_loop();
        }
    }

    /// See tofu_test::await_channels.
    void await_channels(std::size_t count) { tofu_test::await_channels(engine, count); }

    /// Listens, and returns the address that was bound.
    tofu::address listen() { return listen(here.new_address()); }
    tofu::address listen(const tofu::address& where);
    /// Posts a hello_request, and returns its header as it travels.
    tofu::binary_header hello(const tofu::address& where, std::string_view body = {});
    /// Accepts the next hello_request, and returns the server's channel number.
    std::uint16_t accept();
    /// A connection on which both hellos have been said.
    link connect(const tofu::address& where);
    link connect() { return connect(listen()); }

    /// Uses `count` channel numbers, by channels that end at once. No other message may be on its way to the client.
    void use_up_numbers(std::size_t count);

    setting here;
    any_reactor engine;
    group server;
    group client;
    std::uint16_t listener = 0;
};

/// A dialogue in which names are connected to and listened on.
struct dialogue_with_names : dialogue {
    using dialogue::dialogue;

    /// Posts a hello_request to a name and port 80. The port does not matter, because the resolver's answer has its
    /// own.
    std::uint16_t hello_to_name(std::string_view name = "some.name");
    std::uint16_t listen_on_name(std::string_view name = "some.name");
    /// As expect_failed, for the only request of that channel.
    void expect_failure(group& from, tofu::op_code op, std::uint16_t channel, tofu::status why,
                        std::string_view reason);
};

/// A dialogue in a scripted system.
struct scripted_dialogue : dialogue_with_names {
    scripted_dialogue(const setting& where, script& play, const tofu::options& opts = {});
};

} // namespace tofu_test

#endif
