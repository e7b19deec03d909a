// SPDX-License-Identifier: BSL-1.0
// The wait with a deadline on both system calls of a 32-bit system, and on the one of a 64-bit system.
#include "support/eight_threads.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/platform/linux/futex.hpp>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>

BOOST_AUTO_TEST_SUITE(futex)

namespace {

using namespace std::chrono_literals;

#if defined(SYS_futex_time64)
constexpr bool has_two_calls = true;
constexpr unsigned young_call = SYS_futex_time64;
#else
constexpr bool has_two_calls = false;
constexpr unsigned young_call = SYS_futex;
#endif

boost::test_tools::assertion_result two_calls_there(boost::unit_test::test_unit_id) {
    boost::test_tools::assertion_result result(has_two_calls);
    if (!has_two_calls) result.message() << "the system has one futex call";
    return result;
}

/// From now on the kernel does not know this operation of this system call, in the calling thread alone. (The C library
/// needs the others.)
bool forget(unsigned call, int operation) {
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[1])), // little-endian: the low half
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(operation), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter{sizeof(program) / sizeof(program[0]), program};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

std::chrono::nanoseconds now() { return std::chrono::steady_clock::now().time_since_epoch(); }

/// Waits for a while, several times. True when each wait told that its deadline had come, and was right.
bool waits_are_long_enough() {
    bool all = true;
    for (int i = 0; i < 8 && all; ++i) { // the deadlines lie anywhere in a second
        std::uint32_t word = 1;
        const std::chrono::nanoseconds until = now() + 70ms;
        bool late = false;
        while (!late && now() < until + 10s) late = tofu::linux_api::futex_wait(&word, 1, until);
        all = late && now() >= until;
    }
    return all;
}

/// True when a wait lasted until another thread, which looks whether this one sleeps, had woken it.
bool is_woken_before(std::chrono::nanoseconds until) {
    std::uint32_t word = 1;
    std::atomic<bool> over{false}, woken{false};
    tofu_test::side_thread waker([&] {
        while (!over && !woken) woken = ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0) == 1;
    });
    const bool late = tofu::linux_api::futex_wait(&word, 1, until);
    over = true;
    waker.join();
    return woken && !late;
}

/// A thread that may not wake by `call` wakes one that sleeps. False: it slept until its deadline.
bool wakes_without(unsigned call) {
    std::uint32_t word = 1;
    std::atomic<bool> over{false};
    bool forgot = false, late = true;
    tofu_test::side_thread sleeper([&] {
        late = tofu::linux_api::futex_wait(&word, 1, now() + 10s);
        over = true;
    });
    tofu_test::side_thread waker([&] {
        forgot = forget(call, FUTEX_WAKE_PRIVATE);
        while (!over) tofu::linux_api::futex_wake_one(&word); // the sleeper may not sleep yet
    });
    sleeper.join();
    waker.join();
    return forgot && !late;
}

constexpr std::chrono::nanoseconds beyond_31_bits = std::chrono::seconds(2'147'483'648 + 5);
constexpr std::chrono::nanoseconds beyond_32_bits = std::chrono::seconds(4'294'967'296 + 5);

/// With a kernel that lacks one of the calls.
void expect_right_waits_without(unsigned call) {
    bool forgot = false, long_enough = false, woken = false;
    tofu_test::side_thread waiter([&] {
        forgot = forget(call, FUTEX_WAIT_BITSET_PRIVATE);
        long_enough = waits_are_long_enough();
        woken = is_woken_before(beyond_31_bits) && is_woken_before(beyond_32_bits);
    });
    waiter.join();
    BOOST_TEST_REQUIRE(forgot);
    BOOST_TEST(long_enough);
    BOOST_TEST(woken);
    BOOST_TEST(wakes_without(call));
}

} // namespace

BOOST_AUTO_TEST_CASE(a_wait_is_over_at_its_deadline_and_not_before) {
    BOOST_TEST(waits_are_long_enough());
    std::uint32_t word = 1;
    for (const std::chrono::nanoseconds past : {0ns, -1ns, std::chrono::nanoseconds::min()})
        BOOST_TEST(tofu::linux_api::futex_wait(&word, 1, past));
}

BOOST_AUTO_TEST_CASE(a_deadline_beyond_32_bits_of_seconds_is_in_the_future) {
    for (const std::chrono::nanoseconds until :
         {beyond_31_bits, beyond_32_bits, std::chrono::nanoseconds::max() - 1ns, std::chrono::nanoseconds::max()})
        BOOST_TEST(is_woken_before(until));
}

BOOST_AUTO_TEST_CASE(a_kernel_before_futex_time64_waits_with_the_old_call,
                     *boost::unit_test::precondition(two_calls_there)) {
    expect_right_waits_without(young_call);
}

BOOST_AUTO_TEST_CASE(a_kernel_without_32_bit_times_waits_with_futex_time64,
                     *boost::unit_test::precondition(two_calls_there)) {
    expect_right_waits_without(SYS_futex);
}

BOOST_AUTO_TEST_SUITE_END()
