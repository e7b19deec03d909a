// SPDX-License-Identifier: BSL-1.0
// A forked child of this program, with copies of the test's own objects.
#ifndef TOFU_TEST_SUPPORT_FORKED_CHILD_HPP
#define TOFU_TEST_SUPPORT_FORKED_CHILD_HPP

#include <boost/test/results_collector.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <utility>

namespace tofu_test {

// ThreadSanitizer ends a child of fork that starts a thread. The allocators of both sanitizers are not made for a fork
// while another thread is inside them: the child may then wait for ever for a lock (mended in LLVM 18 for
// AddressSanitizer, pull request 75290, and in LLVM 19 for ThreadSanitizer, 96600). qemu-user 7.2 ends a child that
// starts a thread when its parent had several: its list of processors still has the parent's
// (qemu_plugin_vcpu_init_hook).
#if defined(__SANITIZE_THREAD__)
inline constexpr bool child_may_start_threads = false;
inline constexpr bool child_may_allocate = false;
#elif defined(__SANITIZE_ADDRESS__)
inline constexpr bool child_may_start_threads = true;
inline constexpr bool child_may_allocate = false;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
inline constexpr bool child_may_start_threads = false;
inline constexpr bool child_may_allocate = false;
#else
inline constexpr bool child_may_start_threads = true;
inline constexpr bool child_may_allocate = !__has_feature(address_sanitizer);
#endif
#elif defined(TOFU_TEST_EMULATOR)
inline constexpr bool child_may_start_threads = false;
inline constexpr bool child_may_allocate = true;
#else
inline constexpr bool child_may_start_threads = true;
inline constexpr bool child_may_allocate = true;
#endif

/// One end of a pair of sockets between parent and child. Each `tell` ends one `listen` at the other end. The end of
/// one process ends every `listen` of the other process.
class fork_line {
public:
    explicit fork_line(int descriptor) noexcept : descriptor_(descriptor) {}
    fork_line(const fork_line&) = delete;
    fork_line& operator=(const fork_line&) = delete;
    ~fork_line() { ::close(descriptor_); }

    void tell() const { BOOST_TEST(::send(descriptor_, "", 1, MSG_NOSIGNAL) == 1); }
    void listen() const {
        char byte = 0;
        static_cast<void>(::recv(descriptor_, &byte, 1, 0));
    }

private:
    int descriptor_;
};

/// Runs `body(line)` in a child, which then ends at once, without destroying anything. A failed BOOST_TEST in the child
/// counts; a child that hangs is killed by its alarm.
class forked_child {
public:
    template <class Body>
    explicit forked_child(Body body) {
        int ends[2];
        BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
        flush();
        process_ = ::fork();
        BOOST_REQUIRE(process_ >= 0);
        if (process_ == 0) {
            ::close(ends[0]);
            ::alarm(60);
            ::_exit(run(std::move(body), ends[1]));
        }
        ::close(ends[1]);
        line_ = ends[0];
    }
    forked_child(const forked_child&) = delete;
    forked_child& operator=(const forked_child&) = delete;
    ~forked_child() {
        if (line_ >= 0) wait();
    }

    void tell() const { BOOST_TEST(::send(line_, "", 1, MSG_NOSIGNAL) == 1); }
    void listen() const {
        char byte = 0;
        BOOST_TEST(::recv(line_, &byte, 1, 0) == 1);
    }
    /// Lets the child go on to its end, and waits for that.
    void wait() {
        ::close(std::exchange(line_, -1));
        int ended = -1;
        BOOST_TEST(::waitpid(process_, &ended, 0) == process_);
        BOOST_TEST(WIFEXITED(ended));
        BOOST_TEST(WEXITSTATUS(ended) == 0);
    }

private:
    static void flush() {
        std::cout.flush();
        std::cerr.flush();
        std::fflush(nullptr);
    }
    template <class Body>
    static int run(Body body, int line) noexcept {
        try {
            body(fork_line(line));
        } catch (...) {
            BOOST_TEST(false, "the child of a fork was left by an exception");
        }
        flush();
        const auto id = boost::unit_test::framework::current_test_case_id();
        return boost::unit_test::results_collector.results(id).passed() ? 0 : 1;
    }

    pid_t process_ = -1;
    int line_ = -1;
};

} // namespace tofu_test

#endif
