// SPDX-License-Identifier: BSL-1.0
// The poll policy of Linux, by epoll(7): a wait costs what is ready, however many sockets are open.

#ifndef TOFU_POLICIES_POLL_LINUX_EPOLL_HPP
#define TOFU_POLICIES_POLL_LINUX_EPOLL_HPP

#include <tofu/config.hpp>

#if __has_include(<sys/epoll.h>)

#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/linux/epoll.hpp>
#include <tofu/platform/linux/wake_event.hpp>
#include <tofu/platform/network.hpp>
#include <tofu/platform/posix/poll.hpp>
#include <tofu/platform/wake_flag.hpp>
#include <tofu/policies/categories.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

// The set. A socket is in the epoll set exactly while its interest is not none:
//
//     none -> some   EPOLL_CTL_ADD           some -> others   EPOLL_CTL_MOD
//     some -> none   EPOLL_CTL_DEL           unchanged        no call
//
// For a socket in the set, epoll always reports EPOLLERR and EPOLLHUP (epoll_ctl(2)). So interest::none must take the
// socket out of the set. Otherwise a reset peer would end every wait of an engine that must not read.
//
// Full batches. Sockets are level-triggered. The kernel puts reports that did not fit into a batch before those that it
// has delivered (fs/eventpoll.c, ep_send_events, ep_done_scan), so the next batch begins with them.
//
// Waking. wake_flag.hpp has the protocol. The signal is an eventfd, edge-triggered and never read: each write is an
// edge, whatever the counter was before, so to get the report is to take the signal.

namespace tofu::inline TOFU_ABI {

/// Meets the contract in policies/concepts/poll.hpp; the comments here say only how this poller differs. It owes no
/// registration. `Network` makes the sockets (see platform::network); a socket needs native_handle() of type int.
/// `Batch` is the most reports of one wait. Movable only before open().
template <class Network = platform::network<>, std::size_t Batch = 256>
class basic_linux_epoll {
public:
    static_assert(Batch > 0, "linux_epoll: a wait must be able to report something");

    using category = poll_category;
    static constexpr std::string_view name = "linux_epoll";
    using network_type = Network;
    using socket = typename Network::socket;
    using endpoint = typename Network::endpoint;

    /// 16 bytes on 64-bit systems.
    struct registration {
        std::uintptr_t key = 0;          ///< 0 exactly when not attached
        int descriptor = -1;             ///< -1 exactly when not attached
        interest armed = interest::none; ///< not none exactly when the socket is in the set
    };

    basic_linux_epoll() noexcept requires(std::is_default_constructible_v<Network>) : network_() {}
    explicit basic_linux_epoll(Network given) noexcept : network_(std::move(given)) {}
    basic_linux_epoll(basic_linux_epoll&& other) noexcept : network_(std::move(other.network_)) {}
    basic_linux_epoll& operator=(basic_linux_epoll&&) = delete;

    /// Makes the epoll set and the eventfd. Errors: no_descriptors, no_memory.
    io_error open() noexcept {
        io_error error = set_.open();
        if (!error) error = waker_.open();
        if (!error) error = set_.add(waker_.descriptor(), EPOLLIN | EPOLLET, wake_mark);
        return error;
    }

    network_type& network() noexcept { return network_; }

    /// The descriptor of the epoll set.
    [[nodiscard]] int native_handle() const noexcept { return set_.descriptor(); }

    /// No system call; never fails.
    io_error attach(registration& entry, const socket& which, std::uintptr_t key) noexcept {
        TOFU_ASSERT(entry.armed == interest::none); // it is not attached, or attached and silent
        TOFU_ASSERT(key != wake_mark && which.native_handle() >= 0);
        entry = {.key = key, .descriptor = which.native_handle(), .armed = interest::none};
        return {};
    }

    /// One system call. Errors: no_memory, only if the interest was none before.
    io_error arm(registration& entry, interest wanted) noexcept {
        TOFU_ASSERT(entry.key != wake_mark && entry.descriptor >= 0); // attached
        return wanted == entry.armed ? io_error{} : change(entry, wanted);
    }

    /// One system call if the socket is in the set. Always `released`.
    disarmed disarm(registration& entry) noexcept {
        TOFU_ASSERT(entry.armed == interest::none || entry.descriptor >= 0);
        if (entry.armed != interest::none) set_.remove(entry.descriptor);
        entry = {};
        return disarmed::released;
    }

    /// Rounds the timeout up to milliseconds. No error of epoll_wait(2) is expected; after one, wait() has slept 10 ms.
    template <class Sink>
    wait_result wait(std::chrono::nanoseconds timeout, Sink& sink) noexcept {
        TOFU_ASSERT(set_.descriptor() >= 0 && waker_.descriptor() >= 0); // open
        wait_result result{};
        const std::size_t found = set_.wait(entries_, timeout, result.error);
        TOFU_ASSERT(found <= Batch && (found == 0 || !result.error));
        result.interrupted = result.error.kind == io_failure::interrupted;
        if (result.interrupted) result.error = {};
        if (result.error) posix::rest();
        for (const linux_api::epoll_entry& entry : std::span(entries_).first(found)) {
            if (entry.data.u64 == wake_mark)
                wakes_.lower();
            else
                sink.ready(static_cast<std::uintptr_t>(entry.data.u64), to_readiness(entry.events));
        }
        result.full = found == Batch;
        return result;
    }

    /// Also in a signal handler.
    void wake() noexcept {
        if (wakes_.raise()) waker_.wake();
    }

    /// In a forked child: closes the child's copies of the poller's own descriptors. Leaves the set as it is, because
    /// the parent uses it.
    void close_copies() noexcept {
        set_.close();
        waker_.close();
    }

    /// The most bytes that the poller allocates for this many sockets: none. See memory_bound.hpp.
    [[nodiscard]] static constexpr std::size_t most_bytes(std::size_t) noexcept { return 0; }

private:
    static constexpr std::uint64_t wake_mark = 0; // no key is 0

    static constexpr std::uint32_t to_events(interest wanted) noexcept {
        std::uint32_t events = 0;
        events |= any(wanted & interest::read) ? EPOLLIN : 0U;
        events |= any(wanted & interest::write) ? EPOLLOUT : 0U;
        return events;
    }

    /// Not inline, so that arm() without a change costs a comparison.
    TOFU_NOINLINE io_error change(registration& entry, interest wanted) noexcept {
        io_error error;
        if (wanted == interest::none)
            set_.remove(entry.descriptor);
        else if (entry.armed == interest::none)
            error = set_.add(entry.descriptor, to_events(wanted), entry.key);
        else
            error = set_.change(entry.descriptor, to_events(wanted), entry.key);
        if (!error) entry.armed = wanted;
        return error;
    }

    static constexpr readiness to_readiness(std::uint32_t events) noexcept {
        readiness result = readiness::none;
        result |= (events & EPOLLIN) != 0 ? readiness::readable : readiness::none;
        result |= (events & EPOLLOUT) != 0 ? readiness::writable : readiness::none;
        result |= (events & (EPOLLERR | EPOLLHUP)) != 0 ? readiness::failed | readiness::readable : readiness::none;
        return result;
    }

    Network network_;
    linux_api::epoll_set set_;
    linux_api::wake_event waker_;
    platform::wake_flag wakes_;
    std::array<linux_api::epoll_entry, Batch> entries_{};
};

using linux_epoll = basic_linux_epoll<>;

} // namespace tofu::inline TOFU_ABI

#endif // __has_include(<sys/epoll.h>)

#endif // TOFU_POLICIES_POLL_LINUX_EPOLL_HPP
