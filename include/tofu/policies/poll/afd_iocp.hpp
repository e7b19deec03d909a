// SPDX-License-Identifier: BSL-1.0
// The poll policy of Windows 10 and later: readiness from an I/O completion port, by polls of the driver AFD.

#ifndef TOFU_POLICIES_POLL_AFD_IOCP_HPP
#define TOFU_POLICIES_POLL_AFD_IOCP_HPP

#include <tofu/config.hpp>

#if __has_include(<winsock2.h>)

#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/detail/deadline.hpp>
#include <tofu/detail/intrusive_list.hpp>
#include <tofu/platform/network.hpp>
#include <tofu/platform/wake_flag.hpp>
#include <tofu/platform/windows/afd.hpp>
#include <tofu/platform/windows/afd_handles.hpp>
#include <tofu/platform/windows/base_handle.hpp>
#include <tofu/platform/windows/completion_port.hpp>
#include <tofu/platform/windows/session.hpp>
#include <tofu/policies/categories.hpp>
#include <tofu/stats.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

// A completion port reports what has finished, and a reactor asks what can begin. A poll of AFD connects the two: it is
// an operation on a socket that completes when the socket is ready. The policy submits a poll with a set of events. The
// poll completes once and must then be submitted again. It is level-triggered at its submission: an event that is there
// already completes it at once. So no event is lost if the next poll is submitted after the reads and writes that the
// last one caused. That order is also the cheapest: a poll submitted earlier would complete for data that is about to
// be read.
//
// A socket has at most one poll in flight. The registration holds the interest of the last arm() (`wanted`) and the
// interest of the poll in flight (`asked`):
//
//                      arm: any interest                         arm: more than was asked for
//        +------+   submit  --------------->   +-------+   cancel  --------------->   +------------+
//   -->  | idle |                              | armed |                              | cancelling |
//        +------+   <---------------  dequeued +-------+                              +------------+
//         |  ^ ^     report the wanted events      |                                     |   |
//         |  | |     (with interest left,          |                                     |   |
//         |  | |     submit in the next wait)      |                                     |   |
//         |  | +-------------------------------------------------------------- dequeued -+   |
//         |  |       the same; mostly without events, and the wait goes on                   |
//         |  |                                     | disarm: cancel        disarm            |
//         |  |                                     v                                         |
//         |  |  dequeued: released(key)    +----------+                                      |
//         |  +-----------------------------| released | <------------------------------------+
//         |                                +----------+
//         +--> disarm: released at once, nothing is in flight
//
// - arm() with no more than `asked`: no call. The completion may hold events that are not wanted any more; wait() does
//   not report them, and the next poll does not ask for them.
// - arm() with interest::none: no call. wait() does not report the completion and submits no poll after it. In this way
//   an engine without memory stops reading.
// - arm() while cancelling: no call. After the completion a poll for `wanted` is submitted.
// - arm() after a report: submits at once, and returns an error if that fails. Without this arm() the next wait
//   submits; if that fails, wait() reports the socket as failed, and the next arm() returns the error.
//
// Memory. The kernel writes to a poll until its completion is dequeued, even if the socket is closed meanwhile. A poll
// lies in a registration, and a registration in a slot. If disarm() returned `owed`, the slot is not used again before
// wait() has called released(key). A cancel only makes the completion come soon. A cancel may find nothing
// (STATUS_NOT_FOUND) because the poll has completed already and waits in the port's queue. Each completion is dequeued
// and read in the same way: its status first.
//
// Keys. A completion brings back one word, the operation's context. The policy passes the key there and asks the sink
// for the registration. A poll that completes at its submission queues a completion as well, because the policy does
// not set FILE_SKIP_COMPLETION_PORT_ON_SUCCESS. So each poll is handled once, in one place.
//
// Waking. wake_flag.hpp has the protocol. The signal is a completion with a mark of its own; to dequeue it is to take
// it. The kernel can refuse the post for lack of memory. Then the waker lowers the flag. No wait lasts longer than a
// second, so the loop looks at its inbox at least once a second.
//
// The end. The engine disarms all registrations and waits until none is owed, at most a second. The pool leaks the
// slots of the others on purpose. The closed handles end their polls, and the kernel writes to leaked memory only.

namespace tofu::inline TOFU_ABI {

/// Submits polls through handles of AFD that sockets share. The default.
template <std::size_t SocketsPerHandle = 32>
using afd_through_helpers = windows::afd_helper_handles<SocketsPerHandle>;

/// Submits polls on the sockets' own handles.
using afd_on_sockets = windows::afd_socket_handles;

/// Meets the contract in policies/concepts/poll.hpp; the comments here say only how this poller differs. It owes a
/// registration while a poll is in flight. `Network` makes the sockets (see platform::network); a socket needs
/// native_handle() of type SOCKET. `Places` is afd_through_helpers<N> or afd_on_sockets. `Batch` is the most
/// completions of one wait. Movable only before open().
template <class Network = platform::network<>, class Places = afd_through_helpers<>, std::size_t Batch = 256>
class basic_afd_iocp {
    enum class state : std::uint8_t { idle, armed, cancelling, released };

public:
    static_assert(Batch > 0, "afd_iocp: a wait must be able to report something");

    using category = poll_category;
    static constexpr std::string_view name = std::is_same_v<Places, afd_on_sockets> ? "afd_iocp_direct" : "afd_iocp";
    using network_type = Network;
    using socket = typename Network::socket;
    using endpoint = typename Network::endpoint;

    /// The kernel writes to it while a poll is in flight.
    class registration {
    public:
        registration() noexcept = default;

    private:
        friend basic_afd_iocp;

        void reset() noexcept {
            key = 0;
            base = nullptr;
            wanted = asked = interest::none;
            is = state::idle;
            attached = false;
        }

        windows::afd::poll operation;
        windows::afd_place place;
        HANDLE base = nullptr;
        std::uintptr_t key = 0;
        interest wanted = interest::none; ///< of the last arm()
        interest asked = interest::none;  ///< of the poll in flight; none exactly when no poll was submitted yet
        state is = state::idle;           ///< idle exactly when no poll is in flight
        bool attached = false;            ///< true from attach() until the registration is released
        detail::list_hook<registration> again_hook;
    };

    basic_afd_iocp() noexcept requires(std::is_default_constructible_v<Network>) : network_() {}
    explicit basic_afd_iocp(Network given) noexcept : network_(std::move(given)) {}
    basic_afd_iocp(basic_afd_iocp&& other) noexcept : network_(std::move(other.network_)) {}
    basic_afd_iocp& operator=(basic_afd_iocp&&) = delete;

    /// Starts Winsock and makes the completion port. Errors: no_memory, no_descriptors, unsupported, other.
    io_error open() noexcept {
        const io_error error = session_.open();
        return error ? error : port_.open();
    }

    network_type& network() noexcept { return network_; }

    /// Errors: no_base_handle (a layered service provider hides the socket below it; see doc/windows.md), no_memory,
    /// no_descriptors, other.
    io_error attach(registration& entry, const socket& which, std::uintptr_t key) noexcept {
        TOFU_ASSERT(!entry.attached && entry.is == state::idle && key != 0);
        SOCKET base = INVALID_SOCKET;
        if (const io_error error = windows::base_handle_of(which.native_handle(), base)) return error;
        entry.base = reinterpret_cast<HANDLE>(base);
        if (const io_error error = places_.take(port_, socket_mark, entry.base, entry.place)) return error;
        entry.key = key;
        entry.attached = true;
        return {};
    }

    /// At most one system call; the picture above says when. Errors: no_memory, other.
    io_error arm(registration& entry, interest wanted) noexcept {
        TOFU_ASSERT(entry.attached && entry.is != state::released);
        entry.wanted = wanted;
        switch (entry.is) {
        case state::idle: entry.again_hook.unlink(); return any(wanted) ? submit(entry) : io_error{};
        case state::armed:
            if ((wanted & entry.asked) != wanted) cancel(entry, state::cancelling);
            return {};
        case state::cancelling:
        case state::released: break;
        }
        return {};
    }

    /// Returns `owed` if a poll is in flight. The socket may be closed at once.
    disarmed disarm(registration& entry) noexcept {
        if (!entry.attached) return disarmed::released;
        TOFU_ASSERT(entry.is == state::idle || !entry.again_hook.linked());
        entry.again_hook.unlink();
        if (entry.is == state::idle) {
            let_go(entry);
            return disarmed::released;
        }
        if (entry.is == state::armed) cancel(entry, state::released);
        entry.is = state::released;
        return disarmed::owed;
    }

    /// Rounds the timeout up to milliseconds and cuts it to a second; then it returns early without a report. Calls
    /// sink.registration_of(key) for each completion. No error of GetQueuedCompletionStatusEx is expected; after one,
    /// wait() has slept 10 ms.
    template <class Sink>
    wait_result wait(std::chrono::nanoseconds timeout, Sink& sink) noexcept {
        using clock = std::chrono::steady_clock;
        const auto until = detail::deadline_from(clock::now(), timeout);
        for (;;) {
            bool news = submit_again(sink);
            const std::chrono::nanoseconds left = news ? std::chrono::nanoseconds{} : until - clock::now();
            wait_result result{};
            const std::size_t found = port_.wait(entries_, windows::to_wait_time(left), result.error);
            if (result.error) ::Sleep(10);
            for (const windows::completion& entry : std::span(entries_).first(found)) news |= take(entry, sink);
            TOFU_ASSERT(found <= Batch);
            result.full = found == Batch;
            // Completions of cancelled polls alone do not end the wait: the polls after them must be submitted first.
            if (news || result.error || (found == 0 && (until <= clock::now() || left >= windows::longest_wait)))
                return result;
        }
    }

    /// If the kernel has no memory for a completion, the present wait ends within a second all the same.
    void wake() noexcept {
        if (!wakes_.raise()) return;
        wakes_posted_.fetch_add(1, std::memory_order_relaxed);
        if (!port_.post(wake_mark)) wakes_.lower();
    }

    /// Polls submitted, polls cancelled and wake-ups posted since the poller was made. Any thread.
    [[nodiscard]] poll_counts counts() const noexcept {
        return {submitted_.load(std::memory_order_relaxed), cancelled_.load(std::memory_order_relaxed),
                wakes_posted_.load(std::memory_order_relaxed)};
    }

    /// Polls that were submitted and whose completion was not dequeued yet. I/O thread.
    [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }

    /// The most bytes that the poller allocates for this many sockets; see memory_bound.hpp.
    [[nodiscard]] static constexpr std::size_t most_bytes(std::size_t sockets) noexcept {
        return Places::most_bytes(sockets);
    }

private:
    static constexpr std::uintptr_t socket_mark = 1;
    static constexpr std::uintptr_t wake_mark = 2;

    static constexpr ULONG to_events(interest wanted) noexcept {
        namespace afd = windows::afd;
        ULONG events = any(wanted) ? ULONG{afd::abort | afd::local_close} : 0;
        events |= any(wanted & interest::read) ? ULONG{afd::receive | afd::accept | afd::disconnect} : 0;
        events |= any(wanted & interest::write) ? ULONG{afd::send | afd::connect_fail} : 0;
        return events;
    }

    static constexpr readiness to_readiness(ULONG events) noexcept {
        namespace afd = windows::afd;
        readiness result = readiness::none;
        result |=
            (events & (afd::receive | afd::accept | afd::disconnect)) != 0 ? readiness::readable : readiness::none;
        result |= (events & afd::send) != 0 ? readiness::writable : readiness::none;
        result |= (events & (afd::abort | afd::local_close | afd::connect_fail)) != 0 ? failure : readiness::none;
        return result;
    }

    static constexpr readiness failure = readiness::failed | readiness::readable;

    /// The part of `found` that may be reported: a failure if the interest is not none, else only wanted bits.
    static constexpr readiness wanted_of(readiness found, interest wanted) noexcept {
        if (!any(wanted)) return readiness::none;
        if (any(found & readiness::failed)) return found;
        readiness told = readiness::none;
        if (any(wanted & interest::read)) told |= found & readiness::readable;
        if (any(wanted & interest::write)) told |= found & readiness::writable;
        return told;
    }

    io_error submit(registration& entry) noexcept {
        TOFU_ASSERT(entry.attached && entry.is == state::idle && any(entry.wanted)); // at most one poll in flight
        const io_error error =
            entry.operation.submit(entry.place.through, entry.base, to_events(entry.wanted), entry.key);
        if (error) return error;
        submitted_.fetch_add(1, std::memory_order_relaxed);
        ++in_flight_;
        entry.asked = entry.wanted;
        entry.is = state::armed;
        return {};
    }

    void cancel(registration& entry, state next) noexcept {
        TOFU_ASSERT(entry.is == state::armed && in_flight_ != 0); // at most one cancel for a poll
        entry.operation.cancel(entry.place.through);
        cancelled_.fetch_add(1, std::memory_order_relaxed);
        entry.is = next;
    }

    void let_go(registration& entry) noexcept {
        TOFU_ASSERT(entry.attached && !entry.again_hook.linked());
        places_.give_back(entry.place);
        entry.reset();
    }

    /// Submits a poll for each registration whose poll has completed, that has interest, and that arm() did not renew.
    /// Returns true if a socket was reported.
    template <class Sink>
    bool submit_again(Sink& sink) noexcept {
        bool reported = false;
        while (registration* const entry = again_.pop_front()) {
            if (!submit(*entry)) continue;
            sink.ready(entry->key, failure);
            reported = true;
        }
        return reported;
    }

    /// Handles one completion. Returns true if the wait must return.
    template <class Sink>
    bool take(const windows::completion& dequeued, Sink& sink) noexcept {
        if (dequeued.lpCompletionKey == wake_mark) {
            wakes_.lower();
            return true;
        }
        const auto key = reinterpret_cast<std::uintptr_t>(dequeued.lpOverlapped);
        TOFU_ASSERT(in_flight_ != 0);
        --in_flight_;
        registration* const entry = sink.registration_of(key);
        if (entry == nullptr) return false; // the pool has abandoned it
        TOFU_ASSERT(entry->key == key && entry->is != state::idle);
        if (entry->is == state::released) {
            let_go(*entry);
            sink.released(key);
            return true;
        }
        entry->is = state::idle;
        const readiness found = entry->operation.failed() ? failure : to_readiness(entry->operation.events());
        const readiness told = wanted_of(found, entry->wanted);
        if (any(entry->wanted)) again_.push_back(*entry);
        if (any(told)) sink.ready(key, told);
        return any(told);
    }

    windows::winsock_session session_; ///< first, so that it outlives every socket
    Network network_;
    windows::completion_port port_;
    Places places_;
    platform::wake_flag wakes_;
    std::atomic<std::uint64_t> wakes_posted_{0};
    std::atomic<std::uint64_t> submitted_{0};
    std::atomic<std::uint64_t> cancelled_{0};
    std::size_t in_flight_ = 0;
    detail::intrusive_list<registration, &registration::again_hook> again_; ///< the next wait submits a poll for each
    std::array<windows::completion, Batch> entries_{};
};

/// The default on Windows.
using afd_iocp = basic_afd_iocp<>;

/// The same, with polls issued on the sockets themselves.
using afd_iocp_direct = basic_afd_iocp<platform::network<>, afd_on_sockets>;

} // namespace tofu::inline TOFU_ABI

#endif // __has_include(<winsock2.h>)

#endif // TOFU_POLICIES_POLL_AFD_IOCP_HPP
