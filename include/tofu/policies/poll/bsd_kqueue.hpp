// SPDX-License-Identifier: BSL-1.0
// The poll policy of macOS and the BSDs, by kqueue(2): a wait costs what is ready, however many sockets are open.

#ifndef TOFU_POLICIES_POLL_BSD_KQUEUE_HPP
#define TOFU_POLICIES_POLL_BSD_KQUEUE_HPP

#include <tofu/config.hpp>
#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/bsd/kernel_queue.hpp>
#include <tofu/platform/network.hpp>
#include <tofu/platform/posix/error.hpp>
#include <tofu/platform/wake_flag.hpp>
#include <tofu/policies/categories.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

// Sources: kqueue(2) of FreeBSD 14 and of macOS; for details, kqueue_scan in sys/kern/kern_event.c of FreeBSD and in
// bsd/kern/kern_event.c of macOS.
//
// Two filters. A socket has up to two events in the queue: EVFILT_READ exactly while interest::read is armed,
// EVFILT_WRITE exactly while interest::write is armed. Without an event the kernel reports nothing, also no failure.
// The two filters report separately, so one socket can get two reports (reports_per_socket). Two events of one batch
// become one report.
//
// Changes. arm() makes its changes at once, in one call of kevent. The changes could also go along with the next wait
// and save this call. But then a descriptor could be closed and belong to another socket by that time, and the caller
// of arm() could not get an error such as ENOMEM. With EV_RECEIPT the kernel answers each change by an event with
// EV_ERROR (0 is success) and reports nothing else in that call.
//
// Full batches. Events are level-triggered, because EV_CLEAR is not set. The kernel puts a delivered event that is
// still ready at the end of its queue, so the next batch begins with the events that did not fit.
//
// Failures. EV_EOF on the read filter is the end of the stream; it is a failure only if fflags holds an error. Data may
// still be unread. EV_EOF on the write filter means that no byte can be sent any more.
//
// Waking. wake_flag.hpp has the protocol. The signal is EVFILT_USER with EV_CLEAR, sent by NOTE_TRIGGER. The report of
// a trigger resets it, so to get the report is to take the signal.

namespace tofu::inline TOFU_ABI {

namespace bsd {
class kernel_queue; // defined in platform/bsd/kernel_queue.hpp on systems that have kqueue
}

/// Meets the contract in policies/concepts/poll.hpp; the comments here say only how this poller differs. It owes no
/// registration. `Network` makes the sockets (see platform::network); a socket needs native_handle() of type int.
/// `Batch` is the most events of one wait. `Queue` makes the system calls; it has the members of bsd::kernel_queue.
/// Movable only before open().
template <class Network = platform::network<>, std::size_t Batch = 256, class Queue = bsd::kernel_queue>
class basic_bsd_kqueue {
public:
    static_assert(Batch > 0, "bsd_kqueue: a wait must be able to report something");

    using category = poll_category;
    using network_type = Network;
    using socket = typename Network::socket;
    using endpoint = typename Network::endpoint;

    static constexpr std::string_view name = "bsd_kqueue";

    /// One report for each filter, if the two events come in different batches.
    static constexpr std::size_t reports_per_socket = 2;

    /// 16 bytes on 64-bit systems.
    struct registration {
        std::uintptr_t key = 0;          ///< 0 exactly when not attached
        int descriptor = -1;             ///< -1 exactly when not attached
        interest armed = interest::none; ///< the queue holds one event for each bit
    };

    basic_bsd_kqueue() noexcept requires(std::is_default_constructible_v<Network>) : network_() {}
    explicit basic_bsd_kqueue(Network given) noexcept : network_(std::move(given)) {}
    basic_bsd_kqueue(basic_bsd_kqueue&& other) noexcept : network_(std::move(other.network_)) {}
    basic_bsd_kqueue& operator=(basic_bsd_kqueue&&) = delete;

    /// Makes the kernel queue and its wake-up event. Errors: no_descriptors, no_memory.
    io_error open() noexcept {
        if (const io_error error = queue_.open()) return error;
        const event wakes = change(0, Queue::user_filter, Queue::add_flag | Queue::clear_flag, 0);
        std::array<event, 2> answers;
        const int answered = apply({&wakes, 1}, answers);
        TOFU_ASSERT(answered < 0 || answered == 1); // EV_RECEIPT: one answer for each change
        return answered < 0 ? posix::last_error() : posix::from_errno(static_cast<int>(answers[0].data));
    }

    network_type& network() noexcept { return network_; }

    /// The descriptor of the kernel queue.
    [[nodiscard]] int native_handle() const noexcept { return queue_.descriptor(); }

    /// No system call; never fails.
    io_error attach(registration& entry, const socket& which, std::uintptr_t key) noexcept {
        TOFU_ASSERT(entry.armed == interest::none); // it is not attached, or attached and silent
        TOFU_ASSERT(key != 0 && which.native_handle() >= 0);
        entry = {.key = key, .descriptor = which.native_handle(), .armed = interest::none};
        return {};
    }

    /// One system call. Errors: no_memory, only if more is wanted than before. After an error a part of `wanted` may be
    /// armed; the same call again asks for the rest.
    io_error arm(registration& entry, interest wanted) noexcept {
        if (wanted == entry.armed) return {};
        TOFU_ASSERT(entry.key != 0 && entry.descriptor >= 0); // attached
        std::array<event, 2> changes;
        std::array<event, 2> answers;
        std::size_t count = 0;
        for (const interest one : {interest::read, interest::write}) {
            if (any(wanted & one) == any(entry.armed & one)) continue;
            changes[count++] = change(static_cast<std::uintptr_t>(entry.descriptor), filter_of(one),
                                      any(wanted & one) ? Queue::add_flag : Queue::remove_flag, entry.key);
        }
        TOFU_ASSERT(count == 1 || count == 2); // the interest differs in one or both bits
        const int answered = apply(std::span(changes).first(count), answers);
        if (answered < 0) return posix::last_error();
        io_error refused;
        interest kept = entry.armed & wanted;
        for (const event& answer : std::span(answers).first(static_cast<std::size_t>(answered))) {
            const interest one = answer.filter == Queue::read_filter ? interest::read : interest::write;
            if (!any(wanted & one)) continue; // a removal fails only if the event is not in the queue
            if (answer.data == 0)
                kept |= one;
            else
                refused = posix::from_errno(static_cast<int>(answer.data));
        }
        entry.armed = kept;
        return refused;
    }

    /// One system call if the interest is not none. Always `released`.
    disarmed disarm(registration& entry) noexcept {
        static_cast<void>(arm(entry, interest::none));
        entry = {};
        return disarmed::released;
    }

    /// Rounds the timeout up to microseconds. Reports a socket twice if two sockets of a batch share a place in the
    /// table of gather(). No error of kevent(2) is expected; after one, wait() has slept 10 ms.
    template <class Sink>
    wait_result wait(std::chrono::nanoseconds timeout, Sink& sink) noexcept {
        wait_result result{};
        const int found = queue_.exchange({}, events_, timeout);
        result.interrupted = found < 0 && errno == EINTR;
        if (found < 0 && !result.interrupted) {
            result.error = posix::last_error();
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        if (found <= 0) return result;
        const auto count = static_cast<std::size_t>(found);
        TOFU_ASSERT(count <= Batch);
        for (const report& one : std::span(reports_).first(gather(count))) sink.ready(one.key, one.what);
        result.full = count == Batch;
        return result;
    }

    /// Leaves errno as it was.
    void wake() noexcept {
        if (!wakes_.raise()) return;
        const int kept = errno;
        event trigger = change(0, Queue::user_filter, 0, 0);
        trigger.fflags = static_cast<decltype(trigger.fflags)>(Queue::trigger_note);
        std::array<event, 1> answer;
        apply({&trigger, 1}, answer);
        errno = kept;
    }

    /// The most bytes that the poller allocates for this many sockets: none. See memory_bound.hpp.
    [[nodiscard]] static constexpr std::size_t most_bytes(std::size_t) noexcept { return 0; }

private:
    using event = typename Queue::event;

    struct report {
        std::uintptr_t ident = 0;
        std::uintptr_t key = 0;
        readiness what = readiness::none;
    };

    static constexpr auto filter_of(interest one) noexcept {
        return one == interest::read ? Queue::read_filter : Queue::write_filter;
    }

    static constexpr readiness to_readiness(const event& one) noexcept {
        const bool reads = one.filter == Queue::read_filter;
        const bool ended = (one.flags & Queue::end_flag) != 0;
        const bool failed = ended && (!reads || one.fflags != 0);
        return (reads ? readiness::readable : readiness::writable) |
               (failed ? readiness::failed | readiness::readable : readiness::none);
    }

    /// The type of udata: a pointer on most systems, an integer in NetBSD before 10.
    template <class Mark>
    static Mark to_mark(std::uintptr_t key) noexcept {
        if constexpr (std::is_pointer_v<Mark>)
            return reinterpret_cast<Mark>(key);
        else
            return static_cast<Mark>(key);
    }
    template <class Mark>
    static std::uintptr_t to_key(Mark mark) noexcept {
        if constexpr (std::is_pointer_v<Mark>)
            return reinterpret_cast<std::uintptr_t>(mark);
        else
            return static_cast<std::uintptr_t>(mark);
    }

    template <class Filter, class Flags>
    static event change(std::uintptr_t ident, Filter filter, Flags flags, std::uintptr_t key) noexcept {
        event made{};
        made.ident = static_cast<decltype(made.ident)>(ident);
        made.filter = static_cast<decltype(made.filter)>(filter);
        made.flags = static_cast<decltype(made.flags)>(flags | Queue::receipt_flag);
        made.udata = to_mark<decltype(made.udata)>(key);
        return made;
    }

    /// Makes the changes. Returns the number of answers, or -1 with errno; then nothing was changed. Does not block,
    /// because the kernel answers each change. If a signal interrupts the call, the changes may be made twice, without
    /// harm.
    int apply(std::span<const event> changes, std::span<event> answers) noexcept {
        int answered = -1;
        do {
            answered = queue_.exchange(changes, answers.first(changes.size()), std::chrono::nanoseconds::zero());
        } while (answered < 0 && errno == EINTR);
        return answered;
    }

    /// Makes reports of the first `count` events and returns their number. `places_` maps a descriptor, modulo its
    /// size, to the socket's last report. If two sockets share a place, one of them can get a second report.
    std::size_t gather(std::size_t count) noexcept {
        std::size_t made = 0;
        for (const event& one : std::span(events_).first(count)) {
            if (one.filter == Queue::user_filter) {
                wakes_.lower();
                continue;
            }
            const auto ident = static_cast<std::uintptr_t>(one.ident);
            std::size_t& place = places_[ident % places_.size()];
            if (place >= made || reports_[place].ident != ident) {
                place = made++;
                reports_[place] = {.ident = ident, .key = to_key(one.udata), .what = readiness::none};
            }
            reports_[place].what |= to_readiness(one);
        }
        TOFU_ASSERT(made <= count);
        return made;
    }

    Network network_;
    Queue queue_;
    platform::wake_flag wakes_;
    std::array<event, Batch> events_{};
    std::array<report, Batch> reports_{};
    std::array<std::size_t, 2 * Batch> places_{}; ///< see gather(); entries may be left from an older wait
};

#if __has_include(<sys/event.h>) && defined(EVFILT_USER) && defined(EV_RECEIPT)
using bsd_kqueue = basic_bsd_kqueue<>;
#endif

} // namespace tofu::inline TOFU_ABI

#endif // TOFU_POLICIES_POLL_BSD_KQUEUE_HPP
