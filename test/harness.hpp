// SPDX-License-Identifier: BSL-1.0
// What the behaviour tests share: an engine in either mode with two groups that talk to each other over TCP, and raw
// peers that send and expect bytes. Every wait is for an event and has a bound; nothing sleeps.
#ifndef TOFU_TEST_HARNESS_HPP
#define TOFU_TEST_HARNESS_HPP

#include <tofu/tofu.hpp>

#include <boost/mp11/list.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tofu_test {

using namespace std::chrono_literals;

/// The bound of every wait for something that must happen.
inline constexpr auto patience = 20s;
/// How long a test looks for something that must not happen.
inline constexpr auto moment = 50ms;

/// The two ways an engine can be driven; behaviour tests run in both: BOOST_AUTO_TEST_CASE_TEMPLATE(name, Mode, modes).
struct by_io_thread {
    static constexpr tofu::driven_by who = tofu::driven_by::io_thread;
};
struct by_caller {
    static constexpr tofu::driven_by who = tofu::driven_by::caller;
};
using modes = boost::mp11::mp_list<by_io_thread, by_caller>;

inline tofu::address loopback(std::uint16_t port = 0) { return tofu::tcp_address{"127.0.0.1", port}; }

/// Where connecting fails at once, without asking anybody: a literal, and no interface has the number 0.
inline tofu::address nowhere() { return tofu::tcp_address{"fe80::1%0", 1}; }

inline std::string_view body_of(const tofu::message& m) { return m.body().text(); }
inline std::string reason_of(const tofu::message& m) { return std::string(m.headers().find(tofu::reason_header)); }
inline tofu::status failure(const std::error_code& error) {
    return error.category() == tofu::status_category() ? static_cast<tofu::status>(error.value())
                                                       : tofu::status::unknown_error;
}

/// A message of the engine's pool, filled in.
template <class Reactor>
tofu::message_ptr make(Reactor& engine, tofu::op_code op, std::uint16_t channel, std::string_view body = {},
                       std::uint64_t id = 0) {
    tofu::message_ptr m = engine.get();
    m->header().op = op;
    m->header().channel_number = channel;
    m->header().message_id = id;
    BOOST_REQUIRE(m->body().append(body));
    return m;
}

/// Turns a received message into its answer.
inline tofu::message_ptr answer(tofu::message_ptr m, tofu::op_code op) {
    m->header().op = op;
    m->header().status_byte = 0;
    return m;
}

/// One engine with a listening and a connecting group.
template <class Reactor = tofu::reactor>
struct dialogue {
    using group = typename Reactor::group_type;

    /// Both ends of a connection, by their channel numbers.
    struct link {
        std::uint16_t client = 0;
        std::uint16_t server = 0;
    };

    template <class... Policies>
    explicit dialogue(tofu::driven_by who, const tofu::options& opts = {}, Policies... policies)
        : engine(opts, who, std::move(policies)...), server(engine.create_group()), client(engine.create_group()) {}

    /// The next message; the test ends when none comes.
    tofu::message_ptr next(group& from) {
        tofu::message_ptr m = from.wait_receive(patience);
        BOOST_REQUIRE_MESSAGE(m, "no message came in time");
        return m;
    }
    /// The next message, which must be of this operation.
    tofu::message_ptr expect(group& from, tofu::op_code op) {
        tofu::message_ptr m = next(from);
        BOOST_REQUIRE_MESSAGE(m->op() == op, "expected " << to_string(op) << ", got " << to_string(m->op())
                                                         << " status " << to_string(m->status()) << " "
                                                         << m->headers().wire());
        return m;
    }
    /// The goodbye of an opened channel: a signal of the engine with status channel_closed and this reason.
    void expect_goodbye(group& from, std::uint16_t channel, std::string_view reason) {
        const tofu::message_ptr m = expect(from, tofu::op_code::signal);
        BOOST_TEST(m->from_engine());
        BOOST_TEST(to_string(m->status()) == to_string(tofu::status::channel_closed));
        BOOST_TEST(m->header().channel_number == channel);
        BOOST_TEST(reason_of(*m) == reason);
    }
    /// Nothing is delivered to this group for a moment.
    void expect_silence(group& from) {
        const tofu::message_ptr m = from.wait_receive(moment);
        BOOST_TEST(!m, "expected nothing, got " << (m ? to_string(m->op()) : ""));
    }

    /// Has the loop do everything that is due now: when this returns, a whole turn has been made and handed over.
    void turn_loop() {
        static_cast<void>(client.stats(tofu::no_channel)); // done by the loop, in the middle of a turn: so, twice
        static_cast<void>(client.stats(tofu::no_channel));
    }
    /// Turns the loop until `ready()`.
    template <class Ready>
    void await(Ready ready) {
        const auto until = std::chrono::steady_clock::now() + patience;
        while (!ready()) {
            BOOST_REQUIRE_MESSAGE(std::chrono::steady_clock::now() < until, "waited in vain");
            turn_loop();
        }
    }

    /// Listens on a port of the system's choice; the address really bound.
    tofu::address listen(const tofu::address& where = loopback()) {
        tofu::message_ptr m = engine.get();
        BOOST_REQUIRE(m->listen_on(where) == tofu::status::success);
        listener = server.post(std::move(m)).channel_number;
        const tofu::message_ptr ready = expect(server, tofu::op_code::welcome_response);
        BOOST_REQUIRE(ready->status() == tofu::status::success);
        return tofu::parse_address(ready->headers().find(tofu::listen_on_header)).value;
    }
    /// Posts a hello_request; its header as it travels.
    tofu::binary_header hello(const tofu::address& where, std::string_view body = {}) {
        tofu::message_ptr m = engine.get();
        BOOST_REQUIRE(m->connect_to(where) == tofu::status::success);
        BOOST_REQUIRE(m->body().append(body));
        return client.post(std::move(m));
    }
    /// Accepts the next hello_request; the server's channel number.
    std::uint16_t accept() {
        tofu::message_ptr m = expect(server, tofu::op_code::hello_request);
        const std::uint16_t number = m->header().channel_number;
        server.post(answer(std::move(m), tofu::op_code::hello_response));
        return number;
    }
    /// A connection on which both hellos have been said.
    link connect(const tofu::address& where) {
        link result;
        result.client = hello(where).channel_number;
        result.server = accept();
        const tofu::message_ptr m = expect(client, tofu::op_code::hello_response);
        BOOST_REQUIRE(m->status() == tofu::status::success);
        BOOST_REQUIRE(m->header().channel_number == result.client);
        return result;
    }
    link connect() { return connect(listen()); }

    /// Gives so many channel numbers out and gets them back: channels that end at once. Nothing else may be on its way
    /// to the client.
    void use_up_numbers(std::size_t count) {
        constexpr std::size_t at_once = 500;
        for (std::size_t left = count; left != 0;) {
            const std::size_t some = left < at_once ? left : at_once;
            for (std::size_t i = 0; i < some; ++i) hello(nowhere());
            for (std::size_t i = 0; i < some; ++i) expect(client, tofu::op_code::hello_response);
            left -= some;
        }
    }

    Reactor engine;
    group server;
    group client;
    std::uint16_t listener = 0;
};

/// A peer of bytes: a non-blocking socket of the platform and a poller of its own to wait with. While it waits it turns
/// the loop of a caller-driven engine.
class raw_socket {
public:
    using network = tofu::platform::network<>;

    template <class Engine>
    raw_socket(Engine& engine, const tofu::address& peer) : raw_socket(driver_of(engine)) {
        tofu::io_error error;
        network::endpoint where;
        BOOST_REQUIRE(!net_.to_endpoint(peer, false, where));
        socket_ = net_.connect(where, {}, error);
        BOOST_REQUIRE(socket_.is_open());
        BOOST_REQUIRE(!poller_.attach(registration_, socket_, 1));
        if (error.kind == tofu::io_failure::would_block) wait_for(tofu::interest::write);
        BOOST_REQUIRE(!socket_.finish_connect());
    }
    raw_socket(const raw_socket&) = delete;
    raw_socket& operator=(const raw_socket&) = delete;
    ~raw_socket() { poller_.disarm(registration_); }

    void send(std::span<const std::byte> bytes) { BOOST_REQUIRE(try_send(bytes)); }
    /// False: the engine has closed the connection before it took everything.
    [[nodiscard]] bool try_send(std::span<const std::byte> bytes) {
        while (!bytes.empty()) {
            const tofu::const_buffer part{bytes.data(), bytes.size()};
            const tofu::io_result sent = socket_.write({&part, 1});
            if (sent.error && sent.error.kind != tofu::io_failure::would_block) return false;
            if (sent.error) wait_for(tofu::interest::write);
            bytes = bytes.subspan(sent.bytes);
        }
        return true;
    }
    /// A whole message, its length fields computed.
    [[nodiscard]] static std::vector<std::byte> wire_of(tofu::binary_header header, std::string_view text_headers = {},
                                                        std::string_view body = {}) {
        header.text_headers_length = static_cast<std::uint16_t>(text_headers.size());
        header.body_length = static_cast<std::uint16_t>(body.size());
        std::array<std::byte, tofu::binary_header::wire_size> wire{};
        tofu::encode(header, wire);
        std::vector<std::byte> bytes(wire.begin(), wire.end());
        for (const std::string_view part : {text_headers, body})
            for (const char c : part) bytes.push_back(static_cast<std::byte>(c));
        return bytes;
    }
    void send(tofu::binary_header header, std::string_view text_headers = {}, std::string_view body = {}) {
        send(wire_of(header, text_headers, body));
    }
    void say_hello() { send({.op = tofu::op_code::hello_request, .message_id = 1}, "~connect_to:tcp|127.0.0.1|1\r\n"); }

    struct received {
        tofu::binary_header header;
        std::string text_headers;
        std::string body;
    };
    /// The next whole message; nothing at the end of the stream (or a reset).
    std::optional<received> receive() {
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
    /// The next bytes just as they came; none at the end of the stream (or a reset).
    std::vector<std::byte> receive_bytes(std::size_t count) {
        std::vector<std::byte> bytes(count);
        if (!read_exactly(bytes)) bytes.clear();
        return bytes;
    }
    /// Reads to the end of the stream; true when the peer ended it, false when it was reset.
    bool reads_until_end() {
        std::array<std::byte, 4096> dropped;
        for (;;) {
            const tofu::io_result result = read_some(dropped);
            if (result.error) return false;
            if (result.bytes == 0) return true;
        }
    }

    void shutdown_write() { BOOST_REQUIRE(!socket_.shutdown_write()); }
    void close() {
        leave([this] { socket_.close(); });
    }
    void reset() {
        leave([this] { socket_.abort(); });
    }
    [[nodiscard]] network::socket& socket() { return socket_; }

private:
    friend class raw_listener;
    using turn_function = void (*)(void*);

    struct driver {
        void* engine;
        turn_function turn;
    };
    template <class Engine>
    static driver driver_of(Engine& engine) {
        return {&engine, [](void* e) {
                    std::error_code ignored; // an engine with a thread needs no turn of ours
                    static_cast<Engine*>(e)->run_once(0ms, ignored);
                }};
    }
    explicit raw_socket(driver who) : driver_(who) { BOOST_REQUIRE(!poller_.open()); }
    raw_socket(driver who, network::socket socket) : raw_socket(who) {
        socket_ = std::move(socket);
        BOOST_REQUIRE(!poller_.attach(registration_, socket_, 1));
    }

    struct notice {
        bool ready_now = false;
        void ready(std::uintptr_t, tofu::readiness) noexcept { ready_now = true; }
        void released(std::uintptr_t) noexcept {}
    };
    void wait_for(tofu::interest what) {
        const auto until = std::chrono::steady_clock::now() + patience;
        BOOST_REQUIRE(!poller_.arm(registration_, what));
        notice sink;
        while (!sink.ready_now) {
            driver_.turn(driver_.engine);
            poller_.wait(1ms, sink);
            BOOST_REQUIRE_MESSAGE(std::chrono::steady_clock::now() < until, "the raw peer waited in vain");
        }
    }
    tofu::io_result read_some(std::span<std::byte> into) {
        for (;;) {
            const tofu::mutable_buffer place{into.data(), into.size()};
            const tofu::io_result result = socket_.read({&place, 1});
            if (result.error.kind != tofu::io_failure::would_block) return result;
            wait_for(tofu::interest::read);
        }
    }
    bool read_exactly(std::span<std::byte> into) {
        while (!into.empty()) {
            const tofu::io_result result = read_some(into);
            if (result.error || result.bytes == 0) return false;
            into = into.subspan(result.bytes);
        }
        return true;
    }
    template <class Leave>
    void leave(Leave how) {
        poller_.disarm(registration_);
        how();
    }

    driver driver_;
    network net_;
    network::socket socket_;
    tofu::default_poll poller_;
    tofu::default_poll::registration registration_;
};

/// A listener of bytes, for tests in which the engine connects to a raw peer.
class raw_listener {
public:
    template <class Engine>
    explicit raw_listener(Engine& engine, const tofu::address& where = loopback(), int backlog = 16)
        : waiter_(raw_socket::driver_of(engine)) {
        tofu::io_error error;
        raw_socket::network::endpoint at;
        BOOST_REQUIRE(!waiter_.net_.to_endpoint(where, true, at));
        waiter_.socket_ = waiter_.net_.listen(at, {}, backlog, error);
        BOOST_REQUIRE(!error);
        BOOST_REQUIRE(!waiter_.poller_.attach(waiter_.registration_, waiter_.socket_, 1));
    }

    [[nodiscard]] tofu::address where() { return waiter_.net_.to_address(waiter_.socket_.local_endpoint()); }
    /// The next connection.
    [[nodiscard]] raw_socket accept() {
        for (;;) {
            tofu::io_error error;
            raw_socket::network::socket made = waiter_.socket_.accept({}, error);
            if (!error) return raw_socket(waiter_.driver_, std::move(made));
            BOOST_REQUIRE(error.kind == tofu::io_failure::would_block);
            waiter_.wait_for(tofu::interest::read);
        }
    }
    /// From now on its address refuses.
    void close() { waiter_.close(); }

private:
    raw_socket waiter_; // for its poller and its way to wait
};

} // namespace tofu_test

#endif
