// SPDX-License-Identifier: BSL-1.0
// The poll policy of Linux: epoll(7), which costs what happens, not what there is.

#ifndef TOFU_POLICIES_POLL_LINUX_EPOLL_HPP
#define TOFU_POLICIES_POLL_LINUX_EPOLL_HPP

#include <tofu/config.hpp>

#if __has_include(<sys/epoll.h>)

#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/linux/epoll.hpp>
#include <tofu/platform/linux/wake_event.hpp>
#include <tofu/platform/network.hpp>
#include <tofu/policies/categories.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

// What is in the set. A socket is in the set of epoll while, and only while, there is interest in it:
//
//     none -> some   EPOLL_CTL_ADD           some -> others   EPOLL_CTL_MOD
//     some -> none   EPOLL_CTL_DEL           the same again   nothing
//
// A socket in the set is reported when it fails, whatever was asked for (epoll_ctl(2): EPOLLERR and EPOLLHUP are always
// waited for). So silence is to be out of it: the reset peer of an engine that must not read would end every wait.
//
// Sockets are level-triggered: what was left unread is reported again. What a full batch has no room for comes first in
// the next one: the kernel puts it back before what it has reported (fs/eventpoll.c, ep_send_events, ep_done_scan).
//
// Waking. The eventfd is edge-triggered and never read: a write is an edge, whatever the counter was before. `pending_`
// says that a write was made, or is about to be, whose report has not been taken yet; a wake that finds it up has
// nothing to do. The waiter takes it down when it gets the report, and its caller looks at the inbox after that. A wake
// between the report and the flag writes nothing, which is right: what it is about is in the inbox already. Both sides
// are read-modify-writes of one atomic: the waiter's comes after that waker's in its order, reads what it wrote and so
// synchronises with it.

namespace tofu::inline TOFU_ABI {

/// Waits with epoll_wait(2). All calls but wake: the I/O thread. Level-triggered. Movable only before open. `Network`
/// says what a socket is (see platform::network); its sockets have a native_handle() of int. `Batch` is the most
/// reports of one wait.
template <class Network = platform::network<>, std::size_t Batch = 256>
class basic_linux_epoll {
public:
    static_assert(Batch > 0, "linux_epoll: a wait must be able to report something");

    using category = poll_category;
    static constexpr std::string_view name = "linux_epoll";
    using network_type = Network;
    using socket = typename Network::socket;
    using endpoint = typename Network::endpoint;

    /// The policy's own notes about one socket. The caller keeps it from attach to disarm.
    struct registration {
        std::uintptr_t key = 0;
        int descriptor = -1;
        interest armed = interest::none; ///< other than none: it is in the set
    };

    basic_linux_epoll() noexcept requires(std::is_default_constructible_v<Network>) : network_() {}
    explicit basic_linux_epoll(Network given) noexcept : network_(std::move(given)) {}
    basic_linux_epoll(basic_linux_epoll&& other) noexcept : network_(std::move(other.network_)) {}
    basic_linux_epoll& operator=(basic_linux_epoll&&) = delete;

    /// Takes what it needs from the system; once, before everything below. Errors: no_descriptors, no_memory.
    io_error open() noexcept {
        io_error error = set_.open();
        if (!error) error = waker_.open();
        if (!error) error = set_.add(waker_.descriptor(), EPOLLIN | EPOLLET, wake_mark);
        return error;
    }

    network_type& network() noexcept { return network_; }

    /// The descriptor of the set: readable when a wait would have something to report. It stays the policy's.
    [[nodiscard]] int native_handle() const noexcept { return set_.descriptor(); }

    /// Makes `socket` known, without interest yet; no system call. `key`, which is not 0, comes back with every report.
    io_error attach(registration& entry, const socket& which, std::uintptr_t key) noexcept {
        entry = {.key = key, .descriptor = which.native_handle(), .armed = interest::none};
        return {};
    }

    /// Says what is wanted from now on: one system call, or none when it is the same again. interest::none is silence:
    /// errors and hang-ups are not reported either. Errors: no_memory, only when there was no interest before.
    io_error arm(registration& entry, interest wanted) noexcept {
        if (wanted == entry.armed) return {};
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

    /// Forgets the socket. To be called before its descriptor is closed. Also right for one that is not attached.
    disarmed disarm(registration& entry) noexcept {
        if (entry.armed != interest::none) set_.remove(entry.descriptor);
        entry = {};
        return disarmed::released;
    }

    /// Waits until a socket is ready, wake was called, `timeout` is over or a signal came (no error: the result says
    /// `interrupted`). nanoseconds::max() is for ever, 0 only looks; everything else is rounded up to milliseconds.
    /// Calls sink.ready(key, readiness) at most once for each socket; sink.released is never called, as nothing is ever
    /// owed. The sink must not call attach, arm or disarm: it notes, and acts after the wait. A wait that fails (no
    /// error of epoll_wait(2) is to be expected) has rested for a moment.
    template <class Sink>
    wait_result wait(std::chrono::nanoseconds timeout, Sink& sink) noexcept {
        wait_result result{};
        const std::size_t found = set_.wait(entries_, timeout, result.error);
        result.interrupted = result.error.kind == io_failure::interrupted;
        if (result.interrupted) result.error = {};
        if (result.error) linux_api::rest(std::chrono::milliseconds(10));
        for (const linux_api::epoll_entry& entry : std::span(entries_).first(found)) {
            if (entry.data.u64 == wake_mark)
                pending_.exchange(false);
            else
                sink.ready(static_cast<std::uintptr_t>(entry.data.u64), to_readiness(entry.events));
        }
        result.full = found == Batch;
        return result;
    }

    /// Ends the wait that is on, or the next one. Any thread, also a signal handler; many at once are as good as one,
    /// and while one is pending each more costs one atomic exchange. What the caller did before is visible to the
    /// waiting thread after its wait.
    void wake() noexcept {
        if (!pending_.exchange(true)) waker_.wake();
    }

    /// In a forked child: closes its copies of the poller's own descriptors. Nothing in the set changes, it is the
    /// parent's.
    void close_copies() noexcept {
        set_.close();
        waker_.close();
    }

    /// What it allocates at most for so many sockets, in bytes: nothing; see memory_bound.hpp.
    [[nodiscard]] static constexpr std::size_t most_bytes(std::size_t) noexcept { return 0; }

private:
    static constexpr std::uint64_t wake_mark = 0; // no key is 0

    static constexpr std::uint32_t to_events(interest wanted) noexcept {
        std::uint32_t events = 0;
        events |= any(wanted & interest::read) ? EPOLLIN : 0U;
        events |= any(wanted & interest::write) ? EPOLLOUT : 0U;
        return events;
    }

    /// Failed is readable too: reading tells what happened, after everything that arrived before it.
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
    std::atomic<bool> pending_{false};
    std::array<linux_api::epoll_entry, Batch> entries_{};
};

using linux_epoll = basic_linux_epoll<>;

} // namespace tofu::inline TOFU_ABI

#endif // __has_include(<sys/epoll.h>)

#endif // TOFU_POLICIES_POLL_LINUX_EPOLL_HPP
