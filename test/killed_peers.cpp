// SPDX-License-Identifier: BSL-1.0
// A peer killed in the middle of a message, in either direction: what was complete is delivered, what was not sent
// comes back, and the goodbye says why.
#include "harness.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(killed_peers)

namespace {

constexpr std::size_t large = 65'535;

/// Another process, which talks to this one until it is killed.
class victim {
public:
    /// `live(link)` runs in the other process; `link` is its end of a stream to this one.
    template <class Live>
    explicit victim(Live live) {
        int ends[2];
        BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
        process_ = ::fork();
        BOOST_REQUIRE(process_ >= 0);
        if (process_ == 0) {
            ::close(ends[0]);
            live(ends[1]);
            ::_exit(1); // it should have been killed
        }
        ::close(ends[1]);
        link_ = tofu::posix::descriptor(ends[0]);
    }
    victim(const victim&) = delete;
    victim& operator=(const victim&) = delete;
    ~victim() { kill(); }

    template <class Value>
    [[nodiscard]] Value hear() const {
        Value value{};
        BOOST_REQUIRE(::read(link_.get(), &value, sizeof value) == static_cast<ssize_t>(sizeof value));
        return value;
    }
    /// Returns when it is gone.
    void kill() {
        if (process_ < 0) return;
        ::kill(process_, SIGKILL);
        int ended = 0;
        ::waitpid(process_, &ended, 0);
        process_ = -1;
        BOOST_TEST((WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL));
    }

private:
    pid_t process_ = -1;
    tofu::posix::descriptor link_;
};

template <class Value>
void tell(int to, const Value& value) {
    if (::write(to, &value, sizeof value) != static_cast<ssize_t>(sizeof value)) ::_exit(2);
}

/// In the victim, where Boost.Test is not to be used.
void demand(bool right) {
    if (!right) ::_exit(3);
}

constexpr std::uint64_t whole = 10;

std::vector<std::byte> large_message(std::uint64_t number) {
    const std::string text_headers = "x:" + std::string(large - 4, 'v') + "\r\n";
    return raw_socket::wire_of({.op = op_code::signal, .message_id = number}, text_headers, std::string(large, 'x'));
}

void write_all(tofu::posix::socket& to, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const tofu::const_buffer piece{bytes.data(), bytes.size()};
        const tofu::io_result result = to.write({&piece, 1});
        pollfd writable{.fd = to.native_handle(), .events = POLLOUT, .revents = 0};
        if (result.error) demand(::poll(&writable, 1, 20'000) == 1);
        bytes = bytes.subspan(result.bytes);
    }
}

/// Says hello, sends some messages and the first half of another.
[[noreturn]] void send_half(const tofu::address& where, int link) {
    tofu::platform::endpoint target;
    demand(!tofu::platform::to_endpoint(where, false, target));
    tofu::io_error error;
    tofu::posix::socket socket = tofu::posix::socket::connect(target, {}, error);
    pollfd connected{.fd = socket.native_handle(), .events = POLLOUT, .revents = 0};
    demand(::poll(&connected, 1, 20'000) == 1 && !socket.finish_connect());
    write_all(socket, raw_socket::wire_of({.op = op_code::hello_request, .message_id = 1}, "~connect_to:uds|x\r\n"));
    for (std::uint64_t number = 1; number <= whole; ++number) write_all(socket, large_message(number));
    const std::vector<std::byte> next = large_message(whole + 1);
    write_all(socket, std::span(next).first(next.size() / 2));
    tell(link, 'h');
    for (;;) ::pause();
}

/// Accepts, and takes nothing more.
[[noreturn]] void accept_and_stop(setting here, const tofu::address& at, int to) {
    here.who = tofu::driven_by::caller;
    any_reactor engine(here);
    any_group group = engine.create_group();
    tofu::message_ptr m = engine.get();
    demand(m->listen_on(at) == status::success);
    group.post(std::move(m));
    m = group.wait_receive(patience);
    demand(m && m->op() == op_code::welcome_response && m->status() == status::success);
    tell(to, tofu::parse_address(m->headers().find(tofu::listen_on_header)).value);
    m = group.wait_receive(patience);
    demand(m && m->op() == op_code::hello_request);
    group.post(answer(std::move(m), op_code::hello_response));
    demand(engine.drain(patience));
    for (;;) ::pause();
}

} // namespace

TOFU_TEST_CASE(what_a_killed_peer_sent_whole_is_delivered_before_the_goodbye, here) {
    dialogue talk(here);
    const tofu::address where = talk.listen();
    victim peer([&](int link) { send_half(where, link); });
    const std::uint16_t channel = talk.accept();
    for (std::uint64_t number = 1; number <= whole; ++number) {
        const tofu::message_ptr m = talk.expect(talk.server, op_code::signal);
        BOOST_TEST(!m->from_engine());
        BOOST_TEST(m->header().message_id == number);
        BOOST_TEST(m->wire_size() == large_message(number).size());
    }
    BOOST_TEST(peer.hear<char>() == 'h');
    peer.kill();
    // It had been sent a hello_response, which it has not read: a reset then.
    talk.expect_goodbye(talk.server, channel, "peer_reset");
    talk.expect_silence(talk.server);
}

TOFU_TEST_CASE(what_a_killed_peer_did_not_take_comes_back_before_the_goodbye, here) {
    const tofu::address at = here.new_address();
    victim peer([&](int to) { accept_and_stop(here, at, to); }); // forked before there is an engine here
    const auto where = peer.hear<tofu::address>();
    dialogue talk(here);
    const std::uint16_t channel = talk.hello(where).channel_number;
    BOOST_REQUIRE((talk.expect(talk.client, op_code::hello_response)->status() == status::success));
    constexpr std::uint64_t posted = 100;
    const std::string body(large, 'x');
    for (std::uint64_t i = 1; i <= posted; ++i) talk.client.post(make(talk.engine, op_code::request, channel, body, i));
    // Stuck: the kernel has taken what it takes, and that is not everything.
    std::uint64_t before = 0;
    std::uint64_t now = talk.client.stats(channel)->bytes_sent;
    while (now != before) {
        before = now;
        talk.expect_silence(talk.client);
        now = talk.client.stats(channel)->bytes_sent;
    }
    peer.kill();
    const std::uint64_t sent = talk.engine.stats().messages_sent - 1; // without the hello
    BOOST_REQUIRE(sent < posted);
    for (std::uint64_t i = sent + 1; i <= posted; ++i) {
        const tofu::message_ptr m = talk.expect(talk.client, op_code::request);
        BOOST_TEST(m->from_engine());
        BOOST_TEST((m->status() == status::peer_disconnected));
        BOOST_TEST(m->header().message_id == i);
        BOOST_TEST((body_of(*m) == body));
    }
    talk.expect_goodbye(talk.client, channel, "peer_reset"); // there was something it had not read
}

BOOST_AUTO_TEST_SUITE_END()
