// SPDX-License-Identifier: BSL-1.0
// The poll policy of macOS and the BSDs: kqueue(2), which costs what happens, not what there is.

#ifndef TOFU_POLICIES_POLL_BSD_KQUEUE_HPP
#define TOFU_POLICIES_POLL_BSD_KQUEUE_HPP

#include <tofu/config.hpp>
#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/bsd/kernel_queue.hpp>
#include <tofu/platform/network.hpp>
#include <tofu/platform/posix/error.hpp>
#include <tofu/policies/categories.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

// Sources: kqueue(2) of FreeBSD 14 and of macOS; where one of them is silent, sys/kern/kern_event.c, kqueue_scan of
// FreeBSD, and bsd/kern/kern_event.c of macOS.
//
// Two filters. The queue knows a socket as up to two events, EVFILT_READ and EVFILT_WRITE, and an event is in the queue
// while, and only while, there is that interest. Without interest there is no event, and nothing is reported, not even
// a failure. Each says on its own when it is ready, so what is ready of a socket may come in two reports
// (reports_per_socket); two that come in one batch are made one.
//
// Changes are made at once, those of one call of arm in one call of kevent. They could wait for the next wait and save
// that call, but then a descriptor that is closed and given to another socket meanwhile would be changed, and what an
// addition may be refused with (ENOMEM above all) would come when nobody asks any more. EV_RECEIPT lets each change
// answer for itself in an event marked EV_ERROR, 0 for success, and keeps that call from reporting anything else.
//
// Level-triggered, as EV_CLEAR is not set: what was left unread is reported again. The kernel asks the filter again
// when it hands an event out, and puts those that stay to the end of its queue: what a full batch has no room for comes
// first in the next one.
//
// Failures. EV_EOF on the read filter is the end of the stream, and a failure only if fflags has an error; data may
// still be there. EV_EOF on the write filter is that nothing can be sent any more, for whatever reason.
//
// Waking is EVFILT_USER with EV_CLEAR, triggered by NOTE_TRIGGER: the trigger is gone when it has been reported.
// `pending_` is as in linux_epoll.hpp, for the same reasons.

namespace tofu::inline TOFU_ABI {

namespace bsd {
class kernel_queue; // see platform/bsd/kernel_queue.hpp; only where there is one
}

/// Waits with kevent(2). All calls but wake: the I/O thread. Level-triggered. Movable only before open. `Network` says
/// what a socket is (see platform::network); its sockets have a native_handle() of int. `Batch` is the most events of
/// one wait. `Queue` makes the system calls; it has the members of bsd::kernel_queue.
template <class Network = platform::network<>, std::size_t Batch = 256, class Queue = bsd::kernel_queue>
class basic_bsd_kqueue {
public:
    static_assert(Batch > 0, "bsd_kqueue: a wait must be able to report something");

    using category = poll_category;
    using network_type = Network;
    using socket = typename Network::socket;
    using endpoint = typename Network::endpoint;

    static constexpr std::string_view name = "bsd_kqueue";

    /// Readable and writable may be told in different waits.
    static constexpr std::size_t reports_per_socket = 2;

    /// The policy's own notes about one socket. The caller keeps it from attach to disarm.
    struct registration {
        std::uintptr_t key = 0;
        int descriptor = -1;
        interest armed = interest::none; ///< for each of it there is an event in the queue
    };

    basic_bsd_kqueue() noexcept requires(std::is_default_constructible_v<Network>) : network_() {}
    explicit basic_bsd_kqueue(Network given) noexcept : network_(std::move(given)) {}
    basic_bsd_kqueue(basic_bsd_kqueue&& other) noexcept : network_(std::move(other.network_)) {}
    basic_bsd_kqueue& operator=(basic_bsd_kqueue&&) = delete;

    /// Takes what it needs from the system; once, before everything below. Errors: no_descriptors, no_memory.
    io_error open() noexcept {
        if (const io_error error = queue_.open()) return error;
        const event wakes = change(0, Queue::user_filter, Queue::add_flag | Queue::clear_flag, 0);
        std::array<event, 2> answers;
        const int answered = apply({&wakes, 1}, answers);
        return answered < 0 ? posix::last_error() : posix::from_errno(static_cast<int>(answers[0].data));
    }

    network_type& network() noexcept { return network_; }

    /// The descriptor of the queue: readable when a wait would have something to report. It stays the policy's.
    [[nodiscard]] int native_handle() const noexcept { return queue_.descriptor(); }

    /// Makes `socket` known, without interest yet; no system call. `key`, which is not 0, comes back with every report.
    io_error attach(registration& entry, const socket& which, std::uintptr_t key) noexcept {
        entry = {.key = key, .descriptor = which.native_handle(), .armed = interest::none};
        return {};
    }

    /// Says what is wanted from now on: one system call, or none when it is the same again. interest::none is silence:
    /// errors and hang-ups are not reported either. Errors: no_memory, only when more is wanted than before; then what
    /// there was memory for is armed, and the same call again asks for the rest.
    io_error arm(registration& entry, interest wanted) noexcept {
        if (wanted == entry.armed) return {};
        std::array<event, 2> changes;
        std::array<event, 2> answers;
        std::size_t count = 0;
        for (const interest one : {interest::read, interest::write}) {
            if (any(wanted & one) == any(entry.armed & one)) continue;
            changes[count++] = change(static_cast<std::uintptr_t>(entry.descriptor), filter_of(one),
                                      any(wanted & one) ? Queue::add_flag : Queue::remove_flag, entry.key);
        }
        const int answered = apply(std::span(changes).first(count), answers);
        if (answered < 0) return posix::last_error();
        io_error refused;
        interest kept = entry.armed & wanted;
        for (const event& answer : std::span(answers).first(static_cast<std::size_t>(answered))) {
            const interest one = answer.filter == Queue::read_filter ? interest::read : interest::write;
            if (!any(wanted & one)) continue; // what could not be removed was not there
            if (answer.data == 0)
                kept |= one;
            else
                refused = posix::from_errno(static_cast<int>(answer.data));
        }
        entry.armed = kept;
        return refused;
    }

    /// Forgets the socket. To be called before its descriptor is closed. Also right for one that is not attached.
    disarmed disarm(registration& entry) noexcept {
        static_cast<void>(arm(entry, interest::none));
        entry = {};
        return disarmed::released;
    }

    /// Waits until a socket is ready, wake was called, `timeout` is over or a signal came (no error: the result says
    /// `interrupted`). nanoseconds::max() is for ever, 0 only looks; everything else is rounded up to microseconds.
    /// Calls sink.ready(key, readiness) once for each socket, or, rarely, twice, for its two directions; sink.released
    /// is never called, as nothing is ever owed. The sink must not call attach, arm or disarm: it notes, and acts after
    /// the wait. A wait that fails (no error of kevent(2) is to be expected) has rested for a moment.
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
        for (const report& one : std::span(reports_).first(gather(count))) sink.ready(one.key, one.what);
        result.full = count == Batch;
        return result;
    }

    /// Ends the wait that is on, or the next one. Any thread; many at once are as good as one, and while one is pending
    /// each more costs one atomic exchange. What the caller did before is visible to the waiting thread after its wait.
    void wake() noexcept {
        if (pending_.exchange(true)) return;
        const int kept = errno;
        event trigger = change(0, Queue::user_filter, 0, 0);
        trigger.fflags = static_cast<decltype(trigger.fflags)>(Queue::trigger_note);
        std::array<event, 1> answer;
        apply({&trigger, 1}, answer);
        errno = kept;
    }

    /// What it allocates at most for so many sockets, in bytes: nothing; see memory_bound.hpp.
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

    /// Failed is readable too: reading tells what happened, after everything that arrived before it.
    static constexpr readiness to_readiness(const event& one) noexcept {
        const bool reads = one.filter == Queue::read_filter;
        const bool ended = (one.flags & Queue::end_flag) != 0;
        const bool failed = ended && (!reads || one.fflags != 0);
        return (reads ? readiness::readable : readiness::writable) |
               (failed ? readiness::failed | readiness::readable : readiness::none);
    }

    /// A pointer on most systems; an integer in NetBSD before 10.
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

    /// How many have answered, or -1 and errno: then nothing was changed. There is an answer to each change, so this
    /// does not wait; should a signal interrupt it all the same, the changes can be made twice.
    int apply(std::span<const event> changes, std::span<event> answers) noexcept {
        int answered = -1;
        do {
            answered = queue_.exchange(changes, answers.first(changes.size()), std::chrono::nanoseconds::zero());
        } while (answered < 0 && errno == EINTR);
        return answered;
    }

    /// Makes reports of the first `count` events. Where a socket's report is, is noted under its descriptor; when two
    /// sockets share that place, the worst is a second report.
    std::size_t gather(std::size_t count) noexcept {
        std::size_t made = 0;
        for (const event& one : std::span(events_).first(count)) {
            if (one.filter == Queue::user_filter) {
                pending_.exchange(false);
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
        return made;
    }

    Network network_;
    Queue queue_;
    std::atomic<bool> pending_{false};
    std::array<event, Batch> events_{};
    std::array<report, Batch> reports_{};
    std::array<std::size_t, 2 * Batch> places_{}; // of the last report of a descriptor, which may be from an older wait
};

#if __has_include(<sys/event.h>) && defined(EVFILT_USER) && defined(EV_RECEIPT)
using bsd_kqueue = basic_bsd_kqueue<>;
#endif

} // namespace tofu::inline TOFU_ABI

#endif // TOFU_POLICIES_POLL_BSD_KQUEUE_HPP
