// SPDX-License-Identifier: BSL-1.0
// Tests of the system's answers to a cancel of an AFD poll: the handle, the block, a second cancel, and other polls.

#include "support/socket_pairs.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/platform/network_session.hpp>
#include <tofu/platform/windows/afd.hpp>
#include <tofu/platform/windows/completion_port.hpp>
#include <tofu/platform/windows/nt_status.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

extern "C" __declspec(dllimport) NTSTATUS NTAPI NtCancelIoFile(HANDLE handle, IO_STATUS_BLOCK* outcome);

using namespace tofu_test;
namespace windows = tofu::windows;
namespace afd = tofu::windows::afd;
namespace nt_code = tofu::windows::nt_code;

namespace {

/// A poll whose block is in sight: the library's own keeps it to itself.
struct bare_poll {
    IO_STATUS_BLOCK block{};
    afd::poll_info info{};

    void submit(HANDLE through, SOCKET of, std::uintptr_t context) {
        info.timeout.QuadPart = (std::numeric_limits<LONGLONG>::max)();
        info.count = 1;
        info.handles[0] = {reinterpret_cast<HANDLE>(of), afd::receive, 0};
        block.Status = nt_code::pending;
        const NTSTATUS status =
            ::NtDeviceIoControlFile(through, nullptr, nullptr, reinterpret_cast<void*>(context), &block,
                                    afd::io_control_poll, &info, sizeof info, &info, sizeof info);
        BOOST_REQUIRE_EQUAL(status, nt_code::pending);
    }
    NTSTATUS cancel(HANDLE through) {
        IO_STATUS_BLOCK outcome{};
        return ::NtCancelIoFileEx(through, &block, &outcome);
    }
};

/// Two idle connections, polled through one handle of AFD; there is another one.
struct scene {
    tofu::platform::network_session session;
    windows::completion_port port;
    windows::unique_handle helper;
    windows::unique_handle other_helper;
    std::array<socket_pair, 2> pairs;
    std::array<bare_poll, 2> polls;

    scene() {
        BOOST_REQUIRE(!session.open());
        BOOST_REQUIRE(!port.open());
        for (windows::unique_handle* const each : {&helper, &other_helper}) {
            BOOST_REQUIRE(!afd::open_helper(*each));
            BOOST_REQUIRE(!port.associate(each->get(), 1));
        }
        for (std::size_t i = 0; i < polls.size(); ++i) {
            pairs[i] = connect_pair();
            polls[i].submit(helper.get(), pairs[i].server.native_handle(), i + 1);
        }
    }
    ~scene() { // the kernel writes to what it has not completed
        for (bare_poll& each : polls)
            if (each.block.Status == nt_code::pending) static_cast<void>(each.cancel(helper.get()));
        while (completed(100) != 0) {
        }
    }
    scene(const scene&) = delete;
    scene& operator=(const scene&) = delete;

    /// The context of the next completion; 0: none came in that time.
    std::uintptr_t completed(DWORD milliseconds) {
        std::array<windows::completion, 1> one{};
        tofu::io_error error;
        const std::size_t count = port.wait(one, milliseconds, error);
        BOOST_REQUIRE(!error);
        return count == 0 ? 0 : reinterpret_cast<std::uintptr_t>(one[0].lpOverlapped);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(afd_cancel)

BOOST_AUTO_TEST_CASE(the_handle_and_block_of_the_request_cancel_it_and_nothing_else) {
    scene s;
    BOOST_TEST(s.polls[0].cancel(s.helper.get()) == nt_code::success);
    BOOST_TEST(s.completed(10'000) == 1U);
    BOOST_TEST(s.polls[0].block.Status == nt_code::cancelled);
    BOOST_TEST(s.polls[0].cancel(s.helper.get()) == nt_code::not_found); // once is all
    BOOST_TEST(s.completed(20) == 0U);
    BOOST_TEST(s.polls[1].block.Status == nt_code::pending);
}

BOOST_AUTO_TEST_CASE(a_cancelled_poll_leaves_what_it_was_asked_for_in_its_buffer) {
    scene s;
    BOOST_TEST(s.polls[0].cancel(s.helper.get()) == nt_code::success);
    BOOST_TEST(s.completed(10'000) == 1U);
    BOOST_TEST(s.polls[0].info.handles[0].events == ULONG{afd::receive}); // nothing has arrived
}

BOOST_AUTO_TEST_CASE(another_handle_or_another_block_finds_nothing) {
    scene s;
    bare_poll stranger;
    BOOST_TEST(s.polls[0].cancel(s.other_helper.get()) == nt_code::not_found);
    BOOST_TEST(stranger.cancel(s.helper.get()) == nt_code::not_found);
    BOOST_TEST(s.completed(20) == 0U);
}

BOOST_AUTO_TEST_CASE(what_has_completed_is_not_found_and_its_completion_is_still_there) {
    scene s;
    BOOST_REQUIRE_EQUAL(send_text(s.pairs[0].client, "x"), 1U);
    await(s.pairs[0].server.native_handle(), POLLIN);
    // The poll must have completed and not been dequeued. Only the block tells that, so the test watches the block.
    while (s.polls[0].block.Status == nt_code::pending) ::Sleep(0);
    BOOST_TEST(s.polls[0].cancel(s.helper.get()) == nt_code::not_found);
    BOOST_TEST(s.completed(10'000) == 1U);
    BOOST_TEST(s.polls[0].block.Status == nt_code::success);
}

BOOST_AUTO_TEST_CASE(the_call_without_a_block_succeeds_and_takes_the_neighbours_along) {
    scene s;
    IO_STATUS_BLOCK outcome{};
    BOOST_TEST(::NtCancelIoFile(s.helper.get(), &outcome) == nt_code::success);
    BOOST_TEST(s.completed(10'000) + s.completed(10'000) == 3U);                // both
    BOOST_TEST(::NtCancelIoFile(s.helper.get(), &outcome) == nt_code::success); // nothing is left, and it says the same
}

BOOST_AUTO_TEST_SUITE_END()
