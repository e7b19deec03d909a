// SPDX-License-Identifier: BSL-1.0
// The poll policy of Windows 10 and later: readiness out of a completion port, by polls of AFD.

#ifndef TOFU_POLICIES_POLL_AFD_IOCP_HPP
#define TOFU_POLICIES_POLL_AFD_IOCP_HPP

#include <tofu/config.hpp>

#if __has_include(<winsock2.h>)

#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/detail/deadline.hpp>
#include <tofu/detail/intrusive_list.hpp>
#include <tofu/platform/network.hpp>
#include <tofu/platform/windows/afd.hpp>
#include <tofu/platform/windows/afd_handles.hpp>
#include <tofu/platform/windows/base_handle.hpp>
#include <tofu/platform/windows/completion_port.hpp>
#include <tofu/platform/windows/session.hpp>
#include <tofu/platform/windows/wait_time.hpp>
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

// A completion port tells what has finished, a reactor wants to know what can begin. A poll of AFD is the bridge: an
// operation that finishes when a socket is ready. It is asked for ("submitted") with a set of events, completes once,
// and is then to be asked for again. It is level-triggered at submission: what is there already completes it at once.
// So nothing is ever lost as long as the next poll is submitted after the reading and writing that the last one called
// for - and that is also when it is cheapest: submitted before, it completes for what is about to be read anyway.
//
// One socket has at most one poll in flight, and this policy keeps for it what is wanted (`wanted`, what arm said last)
// apart from what was asked for (`asked`, the events of the poll in flight):
//
//                      arm: something wanted                     arm: more than was asked for
//        +------+   submit  --------------->   +-------+   cancel  --------------->   +------------+
//   -->  | idle |                              | armed |                              | cancelling |
//        +------+   <---------------  dequeued +-------+                              +------------+
//         |  ^ ^     report what is wanted of it   |                                     |   |
//         |  | |     (and if something still is,   |                                     |   |
//         |  | |     submit before the next wait)  |                                     |   |
//         |  | +-------------------------------------------------------------- dequeued -+   |
//         |  |       the same; mostly there is nothing to report, and the wait goes on       |
//         |  |                                     | disarm: cancel        disarm            |
//         |  |                                     v                                         |
//         |  |  dequeued: released(key)    +----------+                                      |
//         |  +-----------------------------| released | <------------------------------------+
//         |                                +----------+
//         +--> disarm: forgotten at once, nothing is in flight
//
//   arm with no more than was asked for      no call. What was asked for and is not wanted any more is kept from the
//                                            caller when it completes; one completion later it is not asked for.
//   arm with nothing wanted                  no call. The socket is silent: what completes is not reported, and not
//                                            submitted again. That is how an engine whose pool is empty stops reading.
//   arm while cancelling                     no call: the completion will be followed by what is wanted then.
//   arm on one that was reported             submits at once, and says so if that fails. If nobody arms it, the next
//                                            wait submits; a failure there is reported as the socket's, and the next
//                                            arm tells which it is.
//
// The kernel writes to a poll until its completion was dequeued, whatever happens meanwhile: the interest is dropped,
// the socket closed, the channel gone. Therefore polls lie in registrations, registrations in slots, and a slot whose
// registration is owed (disarm said so) is not used again before wait has said released(key). A cancel changes nothing
// in this: it only has the completion come soon. It may find nothing (STATUS_NOT_FOUND), as the poll has completed and
// waits in the port's queue; then that is dequeued, like any other, and read like any other: status first.
//
// The key travels as the operation's context, and is all that comes back with a completion: the sink is asked for the
// registration it belongs to. That a poll has completed at submission makes no difference, the port queues it all the
// same (we do not set FILE_SKIP_COMPLETION_PORT_ON_SUCCESS), and so every poll is dealt with once, in one place.
//
// Waking. A wake posts a completion under a mark of its own. `pending_` says that one is in the queue, or about to be;
// the waiter takes it down when it dequeues it, and its caller looks at the inbox after that. Both sides are
// read-modify-writes of one atomic, as in linux_epoll.hpp. A post can fail for lack of kernel memory: then the flag
// goes down again, and since no wait lasts longer than a second the loop looks at its inbox all the same.
//
// The end. The engine disarms everything and waits until nothing is owed, a second at most. What is still owed then is
// leaked by the pool on purpose; closing the handles ends those polls, and what the kernel writes harms nobody.

namespace tofu::inline TOFU_ABI {

/// Polls are issued through handles of AFD that sockets share. The default.
template <std::size_t SocketsPerHandle = 32>
using afd_through_helpers = windows::afd_helper_handles<SocketsPerHandle>;

/// Polls are issued on the sockets' own handles.
using afd_on_sockets = windows::afd_socket_handles;

/// Waits with GetQueuedCompletionStatusEx. All calls but wake: the I/O thread. Level-triggered. Movable only before
/// open. `Network` says what a socket is (see platform::network); its sockets have a native_handle() of SOCKET.
/// `Places` is afd_through_helpers<N> or afd_on_sockets. `Batch` is the most completions of one wait.
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

    /// One socket's, and the kernel's to write to. The caller keeps it in place from attach to disarm, and when that
    /// says owed, until wait reports its release.
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
        interest wanted = interest::none; ///< what arm said last
        interest asked = interest::none;  ///< by the poll in flight
        state is = state::idle;
        bool attached = false;
        detail::list_hook<registration> again_hook;
    };

    basic_afd_iocp() noexcept requires(std::is_default_constructible_v<Network>) : network_() {}
    explicit basic_afd_iocp(Network given) noexcept : network_(std::move(given)) {}
    basic_afd_iocp(basic_afd_iocp&& other) noexcept : network_(std::move(other.network_)) {}
    basic_afd_iocp& operator=(basic_afd_iocp&&) = delete;

    /// Takes what it needs from the system, Winsock included; once, before everything below. Errors: no_memory,
    /// no_descriptors, unsupported, other.
    io_error open() noexcept {
        const io_error error = session_.open();
        return error ? error : port_.open();
    }

    network_type& network() noexcept { return network_; }

    /// Makes `socket` known, without interest yet. `key`, which is not 0, comes back with every report. Errors:
    /// no_base_handle (a layered service provider hides the socket below it; see doc/windows.md), no_memory,
    /// no_descriptors, other.
    io_error attach(registration& entry, const socket& which, std::uintptr_t key) noexcept {
        SOCKET base = INVALID_SOCKET;
        if (const io_error error = windows::base_handle_of(which.native_handle(), base)) return error;
        entry.base = reinterpret_cast<HANDLE>(base);
        if (const io_error error = places_.take(port_, socket_mark, entry.base, entry.place)) return error;
        entry.key = key;
        entry.attached = true;
        return {};
    }

    /// Says what is wanted from now on; see the picture above for what it costs. interest::none is silence: errors and
    /// hang-ups are not reported either. Errors, which are this socket's only: no_memory, other.
    io_error arm(registration& entry, interest wanted) noexcept {
        entry.wanted = wanted;
        switch (entry.is) {
        case state::idle: again_.erase(entry); return any(wanted) ? submit(entry) : io_error{};
        case state::armed:
            if ((wanted & entry.asked) != wanted) cancel(entry, state::cancelling);
            return {};
        case state::cancelling:
        case state::released: break;
        }
        return {};
    }

    /// Forgets the socket, which may be closed then. Owed: wait will report the release, until then the registration
    /// must stay in place. Also right for one that is not attached.
    disarmed disarm(registration& entry) noexcept {
        if (!entry.attached) return disarmed::released;
        again_.erase(entry);
        if (entry.is == state::idle) {
            let_go(entry);
            return disarmed::released;
        }
        if (entry.is == state::armed) cancel(entry, state::released);
        entry.is = state::released;
        return disarmed::owed;
    }

    /// Waits until a socket is ready, a registration is released, wake was called, `timeout` is over, or a second has
    /// passed (no error: it just returns early). nanoseconds::max() is for ever, 0 only looks; everything else is
    /// rounded up to milliseconds. Calls sink.ready(key, readiness) at most once for each socket, sink.released(key)
    /// for each that was owed, and asks sink.registration_of(key). From released the sink may attach and arm again;
    /// from ready it must not, it notes, and acts after the wait. A wait that fails (GetQueuedCompletionStatusEx has no
    /// error that is to be expected) has rested for a moment.
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
            result.full = found == Batch;
            // Nothing but the completions of cancelled polls is no reason to return: what follows them is submitted.
            if (news || result.error || (found == 0 && (until <= clock::now() || left >= windows::longest_wait)))
                return result;
        }
    }

    /// Ends the wait that is on, or the next one. Any thread; many at once are as good as one, and while one is pending
    /// each more costs one atomic exchange. What the caller did before is visible to the waiting thread after its wait.
    void wake() noexcept {
        if (pending_.exchange(true)) return;
        wakes_posted_.fetch_add(1, std::memory_order_relaxed);
        if (!port_.post(wake_mark)) pending_.exchange(false);
    }

    /// Polls submitted and cancelled, and wakes posted, since it was made. Any thread.
    [[nodiscard]] poll_counts counts() const noexcept {
        return {submitted_.value(), cancelled_.value(), wakes_posted_.load(std::memory_order_relaxed)};
    }

    /// Polls whose completion was not dequeued yet. I/O thread.
    [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }

    /// What it allocates at most for so many sockets, in bytes; see memory_bound.hpp.
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

    /// Failed is readable too: reading tells what happened, after everything that arrived before it.
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

    /// What may be told: a failure if anything is wanted, else only what is.
    static constexpr readiness wanted_of(readiness found, interest wanted) noexcept {
        if (!any(wanted)) return readiness::none;
        if (any(found & readiness::failed)) return found;
        readiness told = readiness::none;
        if (any(wanted & interest::read)) told |= found & readiness::readable;
        if (any(wanted & interest::write)) told |= found & readiness::writable;
        return told;
    }

    io_error submit(registration& entry) noexcept {
        const io_error error =
            entry.operation.submit(entry.place.through, entry.base, to_events(entry.wanted), entry.key);
        if (error) return error;
        submitted_.add();
        ++in_flight_;
        entry.asked = entry.wanted;
        entry.is = state::armed;
        return {};
    }

    void cancel(registration& entry, state next) noexcept {
        entry.operation.cancel(entry.place.through);
        cancelled_.add();
        entry.is = next;
    }

    void let_go(registration& entry) noexcept {
        places_.give_back(entry.place);
        entry.reset();
    }

    /// Whatever has completed, is still wanted, and was not armed since. True: a socket was reported.
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

    /// One completion. True: it is a reason to return.
    template <class Sink>
    bool take(const windows::completion& dequeued, Sink& sink) noexcept {
        if (dequeued.lpCompletionKey == wake_mark) {
            pending_.exchange(false);
            return true;
        }
        const auto key = reinterpret_cast<std::uintptr_t>(dequeued.lpOverlapped);
        --in_flight_;
        registration* const entry = sink.registration_of(key);
        if (entry == nullptr) return false; // it was abandoned
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

    windows::winsock_session session_; ///< before all that has sockets
    Network network_;
    windows::completion_port port_;
    Places places_;
    std::atomic<bool> pending_{false};
    std::atomic<std::uint64_t> wakes_posted_{0};
    engine::counter submitted_;
    engine::counter cancelled_;
    std::size_t in_flight_ = 0;
    detail::intrusive_list<registration, &registration::again_hook> again_; ///< to be submitted by the next wait
    std::array<windows::completion, Batch> entries_{};
};

/// The default on Windows.
using afd_iocp = basic_afd_iocp<>;

/// The same, with polls issued on the sockets themselves.
using afd_iocp_direct = basic_afd_iocp<platform::network<>, afd_on_sockets>;

} // namespace tofu::inline TOFU_ABI

#endif // __has_include(<winsock2.h>)

#endif // TOFU_POLICIES_POLL_AFD_IOCP_HPP
