// SPDX-License-Identifier: BSL-1.0
// Sockets, endpoints, error numbers, the wake pipe and the thread of POSIX systems, against the real system.

#include "own_ports.hpp"
#include "posix_sockets.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/platform/network.hpp>
#include <tofu/platform/posix/wake_pipe.hpp>
#include <tofu/platform/thread.hpp>

#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace tofu;
using namespace tofu_test;

namespace {

int option_of(const posix::socket& from, int level, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    BOOST_REQUIRE_EQUAL(::getsockopt(from.native_handle(), level, name, &value, &length), 0);
    return value;
}

bool is_private_and_non_blocking(int descriptor) {
    return (::fcntl(descriptor, F_GETFL) & O_NONBLOCK) != 0 && (::fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0;
}

bool has_v6() {
    io_error error;
    return posix::socket::listen(endpoint_at("::1"), {}, 1, error).is_open();
}

io_result read_into(posix::socket& from, std::span<std::byte> room) {
    const mutable_buffer piece{room.data(), room.size()};
    return from.read({&piece, 1});
}

/// The text of the endpoint `host` stands for.
std::string round_trip(std::string_view host) {
    const address back = platform::to_address(endpoint_at(host, 7099));
    BOOST_TEST(back.port() == 7099);
    return std::string(back.host());
}

io_failure refusal_of(const address& where, bool for_listening) {
    platform::endpoint made;
    const io_error error = platform::to_endpoint(where, for_listening, made);
    BOOST_TEST(made.empty());
    return error.kind;
}

volatile std::sig_atomic_t broken_pipes = 0;

void count_broken_pipe(int) { broken_pipes = broken_pipes + 1; }

} // namespace

BOOST_AUTO_TEST_SUITE(platform_posix)

// ---- error numbers ----

BOOST_AUTO_TEST_CASE(every_error_number_the_engine_acts_on_has_its_kind) {
    const std::vector<std::pair<int, io_failure>> table = {
        {0, io_failure::none},
        {EAGAIN, io_failure::would_block},
        {EWOULDBLOCK, io_failure::would_block},
        {EINPROGRESS, io_failure::would_block},
        {EINTR, io_failure::interrupted},
        {ECONNREFUSED, io_failure::refused},
        {EPIPE, io_failure::reset},
        {ECONNRESET, io_failure::reset},
        {ETIMEDOUT, io_failure::timed_out},
        {ENETUNREACH, io_failure::unreachable},
        {EHOSTUNREACH, io_failure::unreachable},
        {EADDRINUSE, io_failure::address_in_use},
        {EADDRNOTAVAIL, io_failure::address_not_available},
        {EACCES, io_failure::permission_denied},
        {EPERM, io_failure::permission_denied},
        {ENOENT, io_failure::path_not_found},
        {ENOTDIR, io_failure::path_not_found},
        {EMFILE, io_failure::no_descriptors},
        {ENFILE, io_failure::no_descriptors},
        {ENOBUFS, io_failure::no_memory},
        {ENOMEM, io_failure::no_memory},
        {ECONNABORTED, io_failure::aborted},
        {EAFNOSUPPORT, io_failure::unsupported},
        {EPROTONOSUPPORT, io_failure::unsupported},
        {EOPNOTSUPP, io_failure::unsupported},
        {EDOM, io_failure::other},
    };
    for (const auto& [code, kind] : table) {
        BOOST_TEST((posix::from_errno(code) == io_error{kind, code}), "errno " << code);
    }
}

// ---- endpoints ----

BOOST_AUTO_TEST_CASE(a_literal_comes_back_from_its_endpoint) {
    BOOST_TEST(round_trip("127.0.0.1") == "127.0.0.1");
    BOOST_TEST(round_trip("255.255.255.255") == "255.255.255.255");
    BOOST_TEST(round_trip("::1") == "::1");
    BOOST_TEST(round_trip("2001:db8:0:0:0:0:0:1") == "2001:db8::1");
    BOOST_TEST(round_trip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") == "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    BOOST_TEST(round_trip("::ffff:10.1.2.3") == "10.1.2.3");
    BOOST_TEST(round_trip("") == "::");
}

BOOST_AUTO_TEST_CASE(a_scope_is_kept_and_may_be_an_interface) {
    BOOST_TEST(round_trip("fe80::1%7") == "fe80::1%7");
    BOOST_TEST(round_trip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295") ==
               "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295");
    struct if_nameindex* const interfaces = ::if_nameindex();
    BOOST_REQUIRE(interfaces != nullptr && interfaces->if_name != nullptr);
    BOOST_TEST(round_trip(std::string("fe80::1%") + interfaces->if_name) ==
               "fe80::1%" + std::to_string(interfaces->if_index));
    ::if_freenameindex(interfaces);
    BOOST_CHECK(refusal_of(tcp_address{"fe80::1%no-such-card", 1}, false) == io_failure::address_not_available);
    BOOST_CHECK(refusal_of(tcp_address{"fe80::1%", 1}, false) == io_failure::address_not_available);
}

BOOST_AUTO_TEST_CASE(what_is_no_literal_needs_a_name_server) {
    for (const char* host : {"localhost", "127.1", "1.2.3.4.5", "::g", "1.2.3.4%1", "999.1.1.1", "example.org"}) {
        BOOST_TEST((refusal_of(tcp_address{host, 1}, true) == io_failure::name_required), host);
    }
    BOOST_CHECK(refusal_of(tcp_address{std::string(253, 'a'), 1}, false) == io_failure::name_required);
}

BOOST_AUTO_TEST_CASE(addresses_without_an_endpoint_say_why) {
    BOOST_CHECK(refusal_of(tcp_address{"", 1}, false) == io_failure::address_not_available);
    BOOST_CHECK(refusal_of(address(), false) == io_failure::unsupported);
    BOOST_CHECK(platform::to_address(platform::endpoint{}).kind() == address_kind::none);
}

// ---- sockets: options ----

BOOST_AUTO_TEST_CASE(every_socket_is_non_blocking_and_closed_on_exec) {
    posix::socket listener = listen_at(endpoint_at("127.0.0.1"));
    const socket_pair pair = connect_pair(listener);
    BOOST_TEST(is_private_and_non_blocking(listener.native_handle()));
    BOOST_TEST(is_private_and_non_blocking(pair.client.native_handle()));
    BOOST_TEST(is_private_and_non_blocking(pair.server.native_handle()));
}

BOOST_AUTO_TEST_CASE(both_ends_send_small_writes_at_once) {
    const socket_pair pair = connect_pair();
    BOOST_TEST(option_of(pair.client, IPPROTO_TCP, TCP_NODELAY) != 0);
    BOOST_TEST(option_of(pair.server, IPPROTO_TCP, TCP_NODELAY) != 0);
}

BOOST_AUTO_TEST_CASE(connections_are_probed_only_when_asked_for) {
    posix::socket listener = listen_at(endpoint_at("127.0.0.1"));
    const socket_pair plain = connect_pair(listener);
    const socket_pair probed = connect_pair(listener, {.keep_alive = true});
    BOOST_TEST(option_of(plain.client, SOL_SOCKET, SO_KEEPALIVE) == 0);
    BOOST_TEST(option_of(plain.server, SOL_SOCKET, SO_KEEPALIVE) == 0);
    BOOST_TEST(option_of(probed.client, SOL_SOCKET, SO_KEEPALIVE) != 0);
    BOOST_TEST(option_of(probed.server, SOL_SOCKET, SO_KEEPALIVE) != 0);
}

// ---- sockets: listening and connecting ----

BOOST_AUTO_TEST_CASE(a_port_somebody_listens_on_is_in_use) {
    const posix::socket first = listen_at(endpoint_at("127.0.0.1"));
    io_error error;
    const posix::socket second = posix::socket::listen(first.local_endpoint(), {}, 16, error);
    BOOST_CHECK(error.kind == io_failure::address_in_use);
    BOOST_TEST(error.os_code == EADDRINUSE);
    BOOST_TEST(!second.is_open());
#if defined(SO_REUSEPORT)
    BOOST_TEST(option_of(first, SOL_SOCKET, SO_REUSEPORT) == 0);
#endif
}

BOOST_AUTO_TEST_CASE(a_listener_restarts_on_its_port_at_once) {
    posix::socket listener = listen_at(endpoint_at(own_loopback()));
    const platform::endpoint where = listener.local_endpoint();
    {
        socket_pair pair = connect_pair(listener);
        pair.server.close(); // the side that closes first keeps the port in TIME_WAIT
        await(pair.client.native_handle(), POLLIN);
    }
    listener.close();
    BOOST_TEST(port_of(listen_at(where).local_endpoint()) == port_of(where));
}

BOOST_AUTO_TEST_CASE(every_interface_means_both_families) {
    posix::socket listener = listen_at(endpoint_at(""));
    const std::uint16_t port = port_of(listener.local_endpoint());
    BOOST_TEST(port != 0);
    posix::socket over_v4;
    BOOST_TEST(!connect_to(endpoint_at("127.0.0.1", port), over_v4));
    const posix::socket accepted = accept_from(listener);
    BOOST_TEST(platform::to_address(accepted.peer_endpoint()).host() == "127.0.0.1");
    if (!has_v6()) {
        BOOST_TEST(platform::to_address(listener.local_endpoint()).host() == "0.0.0.0");
        return;
    }
    posix::socket over_v6;
    BOOST_TEST(!connect_to(endpoint_at("::1", port), over_v6));
    BOOST_TEST(platform::to_address(accept_from(listener).peer_endpoint()).host() == "::1");
}

BOOST_AUTO_TEST_CASE(an_address_of_the_new_protocol_leaves_the_old_one_alone) {
    if (!has_v6()) {
        BOOST_TEST_MESSAGE("no IPv6 here");
        return;
    }
    const posix::socket listener = listen_at(endpoint_at("::1"));
    BOOST_TEST(option_of(listener, IPPROTO_IPV6, IPV6_V6ONLY) != 0);
}

BOOST_AUTO_TEST_CASE(an_address_of_another_machine_can_not_be_listened_on) {
    io_error error;
    const posix::socket made = posix::socket::listen(endpoint_at("192.0.2.1"), {}, 16, error);
    BOOST_CHECK(error.kind == io_failure::address_not_available);
    BOOST_TEST(!made.is_open());
}

BOOST_AUTO_TEST_CASE(a_port_nobody_listens_on_refuses) {
    const refusing_port refusing;
    posix::socket client;
    const io_error error = connect_to(endpoint_at("127.0.0.1", refusing.where().port()), client);
    BOOST_CHECK(error.kind == io_failure::refused);
    BOOST_TEST(error.os_code == ECONNREFUSED);
}

BOOST_AUTO_TEST_CASE(an_empty_endpoint_gives_an_error_and_no_socket) {
    io_error error;
    BOOST_TEST(!posix::socket::connect(platform::endpoint{}, {}, error).is_open());
    BOOST_TEST(static_cast<bool>(error));
    BOOST_TEST(!posix::socket::listen(platform::endpoint{}, {}, 1, error).is_open());
    BOOST_TEST(static_cast<bool>(error));
}

BOOST_AUTO_TEST_CASE(accepting_with_nobody_waiting_would_block) {
    posix::socket listener = listen_at(endpoint_at("127.0.0.1"));
    io_error error;
    BOOST_TEST(!listener.accept({}, error).is_open());
    BOOST_CHECK(error.kind == io_failure::would_block);
}

BOOST_AUTO_TEST_CASE(a_connection_waits_while_there_are_no_descriptors) {
    posix::socket listener = listen_at(endpoint_at("127.0.0.1"));
    posix::socket client;
    BOOST_REQUIRE(!connect_to(listener.local_endpoint(), client));
    await(listener.native_handle(), POLLIN);

    rlimit before{};
    BOOST_REQUIRE_EQUAL(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const int next = ::dup(listener.native_handle());
    BOOST_REQUIRE(next >= 0);
    ::close(next);
    rlimit tight = before;
    tight.rlim_cur = static_cast<rlim_t>(next);
    BOOST_REQUIRE_EQUAL(::setrlimit(RLIMIT_NOFILE, &tight), 0);
    io_error error;
    const bool accepted = listener.accept({}, error).is_open();
    BOOST_REQUIRE_EQUAL(::setrlimit(RLIMIT_NOFILE, &before), 0);

    BOOST_TEST(!accepted);
    BOOST_CHECK(error.kind == io_failure::no_descriptors);
    BOOST_TEST(accept_from(listener).is_open());
}

BOOST_AUTO_TEST_CASE(both_ends_know_each_other) {
    const socket_pair pair = connect_pair();
    BOOST_CHECK(platform::to_address(pair.client.local_endpoint()) ==
                platform::to_address(pair.server.peer_endpoint()));
    BOOST_CHECK(platform::to_address(pair.server.local_endpoint()) ==
                platform::to_address(pair.client.peer_endpoint()));
    BOOST_TEST(posix::socket().local_endpoint().empty());
    BOOST_TEST(posix::socket().peer_endpoint().empty());
}

// ---- sockets: bytes ----

BOOST_AUTO_TEST_CASE(bytes_are_gathered_and_scattered) {
    socket_pair pair = connect_pair();
    const auto piece = [](std::string_view text) {
        return const_buffer{reinterpret_cast<const std::byte*>(text.data()), text.size()};
    };
    const std::array out = {piece("one"), piece(""), piece("two"), piece("three")};
    BOOST_TEST(pair.client.write(out).bytes == 11U);
    await(pair.server.native_handle(), POLLIN);
    BOOST_TEST(pair.server.available() == 11U);

    std::array<char, 4> first{};
    std::array<char, 20> second{};
    const std::array in = {mutable_buffer{reinterpret_cast<std::byte*>(first.data()), first.size()},
                           mutable_buffer{reinterpret_cast<std::byte*>(second.data()), second.size()}};
    const io_result got = pair.server.read(in);
    BOOST_TEST(!got.error);
    BOOST_REQUIRE_EQUAL(got.bytes, 11U);
    BOOST_TEST(std::string_view(first.data(), 4) == "onet");
    BOOST_TEST(std::string_view(second.data(), 7) == "wothree");
    BOOST_TEST(pair.server.available() == 0U);
    BOOST_CHECK(pair.server.read(in).error.kind == io_failure::would_block);
}

BOOST_AUTO_TEST_CASE(more_buffers_than_one_call_takes_are_left_for_the_next) {
    socket_pair pair = connect_pair();
    const std::byte letter{'x'};
    const std::vector<const_buffer> out(100, const_buffer{&letter, 1});
    BOOST_TEST(pair.client.write(out).bytes == posix::socket::max_buffers);
    await(pair.server.native_handle(), POLLIN);
    std::array<std::byte, 100> room{};
    const std::vector<mutable_buffer> in(100, mutable_buffer{room.data(), 1});
    BOOST_TEST(pair.server.read(in).bytes == posix::socket::max_buffers);
}

BOOST_AUTO_TEST_CASE(a_full_connection_would_block) {
    socket_pair pair = connect_pair();
    const std::vector<std::byte> block(1 << 20);
    const const_buffer piece{block.data(), block.size()};
    io_result sent;
    std::size_t total = 0;
    do {
        sent = pair.client.write({&piece, 1});
        total += sent.bytes;
    } while (!sent.error && total < (std::size_t{1} << 30));
    BOOST_CHECK(sent.error.kind == io_failure::would_block);
    BOOST_TEST(sent.bytes == 0U);
}

BOOST_AUTO_TEST_CASE(the_end_of_one_direction_leaves_the_other) {
    socket_pair pair = connect_pair();
    send_text(pair.client, "last");
    BOOST_TEST(!pair.client.shutdown_write());
    await(pair.server.native_handle(), POLLIN);
    std::array<std::byte, 16> room{};
    BOOST_TEST(read_into(pair.server, room).bytes == 4U);
    await(pair.server.native_handle(), POLLIN);
    const io_result end = read_into(pair.server, room);
    BOOST_TEST(!end.error);
    BOOST_TEST(end.bytes == 0U);
    send_text(pair.server, "answer");
    await(pair.client.native_handle(), POLLIN);
    BOOST_TEST(read_into(pair.client, room).bytes == 6U);
}

BOOST_AUTO_TEST_CASE(an_aborted_connection_is_reset_for_the_peer) {
    socket_pair pair = connect_pair();
    pair.client.abort();
    BOOST_TEST(!pair.client.is_open());
    await(pair.server.native_handle(), POLLIN);
    std::array<std::byte, 16> room{};
    BOOST_CHECK(read_into(pair.server, room).error.kind == io_failure::reset);
    posix::socket().abort();
}

BOOST_AUTO_TEST_CASE(writing_to_a_broken_connection_raises_no_signal) {
    struct sigaction counting {};
    struct sigaction before {};
    counting.sa_handler = count_broken_pipe;
    BOOST_REQUIRE_EQUAL(::sigaction(SIGPIPE, &counting, &before), 0);
    broken_pipes = 0;

    socket_pair pair = connect_pair();
    pair.server.abort();
    await(pair.client.native_handle(), POLLIN);
    const std::byte letter{'x'};
    const const_buffer piece{&letter, 1};
    BOOST_CHECK(pair.client.write({&piece, 1}).error.kind == io_failure::reset); // ECONNRESET, told once
    const io_result again = pair.client.write({&piece, 1});
    BOOST_CHECK(again.error.kind == io_failure::reset);
    BOOST_TEST(again.error.os_code == EPIPE);

    BOOST_REQUIRE_EQUAL(::sigaction(SIGPIPE, &before, nullptr), 0);
    BOOST_TEST(broken_pipes == 0);
}

BOOST_AUTO_TEST_CASE(a_socket_closes_what_it_owns_and_nothing_else) {
    socket_pair pair = connect_pair();
    const int handle = pair.client.native_handle();
    posix::socket moved = std::move(pair.client);
    BOOST_TEST(moved.native_handle() == handle);
    moved = posix::socket();
    BOOST_TEST(::fcntl(handle, F_GETFD) == -1);
    await(pair.server.native_handle(), POLLIN);
    std::array<std::byte, 1> room{};
    const io_result end = read_into(pair.server, room);
    BOOST_TEST((!end.error && end.bytes == 0U));
}

// ---- network ----

namespace {

struct recorded_resolution {
    io_failure* answer;
    std::string_view host() const { return "some.name"; }
    std::uint16_t port() const { return 1; }
    bool for_listening() const { return false; }
    bool still_wanted() const { return true; }
    void complete(std::span<const platform::endpoint> found, io_error error) noexcept {
        *answer = found.empty() ? error.kind : io_failure::none;
    }
};

} // namespace

BOOST_AUTO_TEST_CASE(a_network_of_literals_knows_no_names) {
    platform::network<platform::literals_only> network;
    io_failure answer = io_failure::none;
    network.resolve(recorded_resolution{&answer});
    BOOST_CHECK(answer == io_failure::name_not_found);
}

BOOST_AUTO_TEST_CASE(a_network_makes_listeners_and_connections) {
    platform::network<> network;
    platform::endpoint where;
    BOOST_REQUIRE(!network.to_endpoint(address(tcp_address{"127.0.0.1", 0}), true, where));
    io_error error;
    posix::socket listener = network.listen(where, {}, 4, error);
    BOOST_REQUIRE(!error);
    BOOST_TEST(network.to_address(listener.local_endpoint()).host() == "127.0.0.1");
    const posix::socket client = network.connect(listener.local_endpoint(), {}, error);
    BOOST_TEST(client.is_open());
    BOOST_TEST(accept_from(listener).is_open());
}

// ---- wake pipe ----

BOOST_AUTO_TEST_CASE(a_wake_pipe_never_blocks_and_falls_silent_when_drained) {
    posix::wake_pipe pipe;
    BOOST_REQUIRE(!pipe.open());
    BOOST_TEST(is_private_and_non_blocking(pipe.read_descriptor()));
    errno = EDOM;
    for (int count = 0; count < 100'000; ++count) { // more bytes than a pipe holds
        pipe.wake();
    }
    BOOST_TEST(errno == EDOM);
    pollfd one{.fd = pipe.read_descriptor(), .events = POLLIN, .revents = 0};
    BOOST_TEST(::poll(&one, 1, 0) == 1);
    pipe.drain();
    BOOST_TEST(::poll(&one, 1, 0) == 0);
    pipe.drain();
    pipe.wake();
    BOOST_TEST(::poll(&one, 1, 0) == 1);
}

// ---- threads: signals; the rest is for every system, in threads.cpp ----

namespace {

/// Which signals a thread is deaf to.
struct deaf_notes {
    sigset_t blocked{};
    std::atomic<bool> done = false;

    void take() noexcept {
        ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
        done = true;
        done.notify_one();
    }
    void check() const {
        for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGUSR1, SIGALRM, SIGCHLD, SIGPROF})
            BOOST_TEST(::sigismember(&blocked, signal) == 1);
        sigset_t own;
        ::pthread_sigmask(SIG_SETMASK, nullptr, &own);
        BOOST_TEST(::sigismember(&own, SIGUSR1) == 0); // who started the thread hears them as before
    }
};

struct deaf_job {
    static constexpr const char* thread_name = "tofu-deaf";
    std::shared_ptr<deaf_notes> notes;

    void run() noexcept {
        const std::unique_ptr<deaf_job> mine(this);
        notes->take();
    }
};

} // namespace

BOOST_AUTO_TEST_CASE(the_engines_thread_hears_no_signals) {
    deaf_notes notes;
    platform::io_thread thread;
    const auto take = [](void* context) noexcept { static_cast<deaf_notes*>(context)->take(); };
    BOOST_REQUIRE(platform::io_thread::start(thread, "tofu-deaf", take, &notes));
    thread.join();
    notes.check();
}

BOOST_AUTO_TEST_CASE(a_thread_nobody_waits_for_hears_no_signals) {
    const auto notes = std::make_shared<deaf_notes>();
    const io_error error = platform::detached_threads::start(*new deaf_job{notes});
    BOOST_REQUIRE(!error);
    notes->done.wait(false);
    notes->check();
}

BOOST_AUTO_TEST_SUITE_END()
