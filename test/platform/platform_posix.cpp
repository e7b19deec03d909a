// SPDX-License-Identifier: BSL-1.0
// Tests for POSIX systems only: error numbers, signals, limits and the wake pipe. The rest is in platform_sockets.cpp.

#include "support/socket_pairs.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/platform/posix/error.hpp>
#include <tofu/platform/posix/socket.hpp>
#include <tofu/platform/posix/wake_pipe.hpp>
#include <tofu/platform/thread.hpp>

#include <fcntl.h>
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

bool is_private_and_non_blocking(int descriptor) {
    return (::fcntl(descriptor, F_GETFL) & O_NONBLOCK) != 0 && (::fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0;
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
        {EHOSTDOWN, io_failure::unreachable},
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

// ---- sockets ----

BOOST_AUTO_TEST_CASE(every_socket_is_non_blocking_and_closed_on_exec) {
    posix::socket listener = listen_at(endpoint_at("127.0.0.1"));
    const socket_pair pair = connect_pair(listener);
    BOOST_TEST(is_private_and_non_blocking(listener.native_handle()));
    BOOST_TEST(is_private_and_non_blocking(pair.client.native_handle()));
    BOOST_TEST(is_private_and_non_blocking(pair.server.native_handle()));
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

#if defined(SO_REUSEPORT)
BOOST_AUTO_TEST_CASE(a_listener_shares_its_port_with_nobody) {
    const posix::socket listener = listen_at(endpoint_at("127.0.0.1"));
    BOOST_TEST(option_of(listener, SOL_SOCKET, SO_REUSEPORT) == 0);
}
#endif

#if defined(__linux__)
namespace {

int backlog_of(int listener) {
    tcp_info known{};
    socklen_t length = sizeof known;
    if (::getsockopt(listener, IPPROTO_TCP, TCP_INFO, &known, &length) != 0) return -1;
    return static_cast<int>(known.tcpi_sacked); // of a listener (tcp_get_info of Linux)
}

/// With bare calls: were the library asked, a defect of its own would skip the case that finds it.
boost::test_tools::assertion_result backlog_told(boost::unit_test::test_unit_id) {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    const bool told = ::listen(listener, 5) == 0 && backlog_of(listener) == 5;
    ::close(listener);
    boost::test_tools::assertion_result result(told);
    if (!told) result.message() << "the system does not tell a listener's backlog by TCP_INFO";
    return result;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_listener_has_the_backlog_that_was_asked_for, *boost::unit_test::precondition(backlog_told)) {
    for (const int backlog : {1, 7}) {
        io_error error;
        const posix::socket listener = posix::socket::listen(endpoint_at("127.0.0.1"), {}, backlog, error);
        BOOST_REQUIRE(!error);
        BOOST_TEST(backlog_of(listener.native_handle()) == backlog);
    }
}
#endif

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

/// The signals that a thread blocks.
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
            BOOST_TEST(sigismember(&blocked, signal) == 1);
        sigset_t own;
        ::pthread_sigmask(SIG_SETMASK, nullptr, &own);
        BOOST_TEST(sigismember(&own, SIGUSR1) == 0); // the starting thread hears them as before
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
    BOOST_REQUIRE(!platform::io_thread::start(thread, "tofu-deaf", take, &notes));
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
