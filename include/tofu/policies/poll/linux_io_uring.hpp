// SPDX-License-Identifier: BSL-1.0
// The poll policy of Linux by io_uring(7): one system call submits all changes of interest, and waits.

#ifndef TOFU_POLICIES_POLL_LINUX_IO_URING_HPP
#define TOFU_POLICIES_POLL_LINUX_IO_URING_HPP

#include <tofu/config.hpp>

#if __has_include(<linux/io_uring.h>)

#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/detail/deadline.hpp>
#include <tofu/detail/intrusive_list.hpp>
#include <tofu/platform/linux/io_uring.hpp>
#include <tofu/platform/linux/wake_event.hpp>
#include <tofu/platform/network.hpp>
#include <tofu/platform/posix/error.hpp>
#include <tofu/platform/posix/poll.hpp>
#include <tofu/platform/wake_flag.hpp>
#include <tofu/policies/categories.hpp>
#include <tofu/stats.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#if defined(IORING_FEAT_RSRC_TAGS) // see platform/linux/io_uring.hpp

// A poll is an operation that completes once, when its socket is ready. If the socket is ready at the submission, the
// poll completes at once. So polls that are submitted again after each report are level-triggered: unread data
// completes the next poll.
//
// arm() makes no system call. It lists the registration if its poll has to change. The next wait submits all changes
// and waits, in one call of io_uring_enter(2). A socket has at most one poll in flight. `wanted` is the interest of the
// last arm, `asked` the interest of the poll in flight:
//
//                    wait: something wanted                  wait: more is wanted than was asked for
//        +------+   submit a poll  -------->   +-------+   submit a cancel  -------->   +------------+
//   -->  | idle |                              | armed |                                | cancelling |
//        +------+   <-------------  completed  +-------+                                +------------+
//         |  ^ ^     report what is wanted of it   |                                       |   |
//         |  | |     and list it again             |                                       |   |
//         |  | +---------------------------------------------------------  completed  ----+   |
//         |  |       the same; mostly there is nothing to report, and the wait goes on         |
//         |  |                                     | disarm: submit a cancel    disarm         |
//         |  |  completed: unattached       +----------+                                       |
//         |  +------------------------------| released | <-------------------------------------+
//         |                                 +----------+
//         +--> disarm: forgotten at once, nothing is in flight
//
// If less is wanted than was asked for, the poller submits nothing: it does not report unwanted events. In `leaving` a
// registration is disarmed, and the submission queue does not hold its cancel yet.
//
// The end of a socket. A poll in flight keeps its file open in the kernel, also when the descriptor is closed: the peer
// sees no end of the stream before the kernel has the cancel. The engine closes a socket right after disarm, and in a
// caller-driven engine the next wait may come much later. So disarm does not leave the cancel to the next wait: it
// makes a system call of its own, and in that call the kernel drops the file.
//
// A half-closed peer. The kernel also completes a poll for errors, hang-ups and the end of the peer's stream, even if
// the poll did not ask for them (io_uring/poll.c, IO_POLL_UNMASK). A poll for writing alone would then complete at
// once, again and again. So such a socket gets a multishot poll (IORING_POLL_ADD_MULTI), here called a poll that stays:
// it completes at once, and again when something happens. After a report it is cancelled and submitted anew.
//
// A poll carries the key as its user_data, and the completion returns the key. The sink finds the registration by the
// key. The kernel writes to no registration. It is owed nevertheless: the completion must find no later owner.
//
// Threads. The kernel makes a completion in the thread that submitted the poll. The kernel wakes a sleeping thread for
// that, and some system calls of the thread then end with EINTR. This also happens shortly after the ring has ended
// (io_uring/io_uring.c, io_ring_exit_work). If the thread has ended, the poll completes with -ECANCELED, and the next
// wait submits it again.
//
// Waking. wake_flag.hpp has the protocol. The signal is an eventfd that is never read, with a poll that stays: each
// write completes it, whatever the counter was before. The kernel may end that poll with any completion. The next wait
// submits it again; the new poll completes at once if the eventfd was ever written, so no write is missed. A completion
// can come between a waker's raise() and its write. The wait lowers the flag early, and the write completes the poll.
//
// There is no native_handle(). The ring's descriptor is readable when completions are there, but a program that sleeps
// elsewhere would leave the changes of the last turn unsubmitted.

namespace tofu::inline TOFU_ABI {

/// Meets the contract in policies/concepts/poll.hpp; the comments here say only how this poller differs. Needs Linux
/// 5.13, and a system that permits io_uring. It owes a registration while a poll is in flight. Movable only before
/// open(). `Network` makes the sockets (see platform::network); a socket needs native_handle() of type int. `Batch` is
/// the most completions of one wait. `Ring` makes the system calls; it has the members of linux_api::io_ring.
template <class Network = platform::network<>, std::size_t Batch = 256, class Ring = linux_api::io_ring<>>
class basic_linux_io_uring {
    enum class state : std::uint8_t { unattached, idle, armed, cancelling, leaving, released };

public:
    static_assert(Batch > 0, "linux_io_uring: a wait must be able to report something");

    using category = poll_category;
    static constexpr std::string_view name = "linux_io_uring";
    using network_type = Network;

    /// The poller's notes about one socket.
    class registration {
        friend basic_linux_io_uring;
        std::uintptr_t key = 0;
        int descriptor = -1;
        int refusal = 0;                  ///< errno value of a poll that was refused; the next arm returns it
        interest wanted = interest::none; ///< of the last arm
        interest asked = interest::none;  ///< of the poll in flight
        state is = state::unattached;
        bool half_closed = false;                     ///< the peer has ended its stream
        bool reported = false;                        ///< of the latest completion, while a poll is in flight
        detail::list_hook<registration> changed_hook; ///< linked exactly when the next wait has something to submit
    };

    basic_linux_io_uring() noexcept requires(std::is_default_constructible_v<Network>) : network_() {}
    explicit basic_linux_io_uring(Network given) noexcept : network_(std::move(given)) {}
    basic_linux_io_uring(basic_linux_io_uring&& other) noexcept : network_(std::move(other.network_)) {}
    basic_linux_io_uring& operator=(basic_linux_io_uring&&) = delete;
    /// `changed_` can still hold registrations whose cancel the kernel has refused. The engine never frees their slots:
    /// see loop::await_zombies.
    ~basic_linux_io_uring() {
        while (changed_.pop_front() != nullptr) continue;
    }

    /// Makes the ring and the eventfd. Errors: unsupported (the kernel is too old, or the system forbids io_uring),
    /// no_descriptors, no_memory.
    io_error open() noexcept {
        const io_error error = ring_.open();
        return error ? error : waker_.open();
    }

    network_type& network() noexcept { return network_; }

    /// No system call; never fails.
    io_error attach(registration& entry, const typename Network::socket& which, std::uintptr_t key) noexcept {
        TOFU_ASSERT(entry.is == state::unattached && !entry.changed_hook.linked());
        TOFU_ASSERT(key != wake_mark && key != cancel_mark);
        entry.key = key;
        entry.descriptor = which.native_handle();
        entry.is = state::idle;
        return {};
    }

    /// No system call: the next wait submits the change. Errors, only after a report of `failed`: no_memory, other.
    io_error arm(registration& entry, interest wanted) noexcept {
        TOFU_ASSERT(entry.is == state::idle || entry.is == state::armed || entry.is == state::cancelling);
        const int refusal = std::exchange(entry.refusal, 0);
        TOFU_ASSERT(refusal == 0 || entry.is == state::idle);
        const bool refused = refusal != 0 && any(wanted);
        entry.wanted = refused ? interest::none : wanted;
        list(entry);
        return refused ? posix::from_errno(refusal) : io_error{};
    }

    /// Returns `owed` if a poll is in flight. Cancels the poll by a system call at once, unless that has begun already.
    /// The socket may be closed at once.
    disarmed disarm(registration& entry) noexcept {
        switch (entry.is) {
        case state::unattached: return disarmed::released;
        case state::idle: let_go(entry); return disarmed::released;
        case state::armed:
            entry.is = state::leaving;
            changed_.push_back(entry);
            if (!submit_changes()) static_cast<void>(ring_.submit()); // a later wait submits the rest
            break;
        case state::cancelling: entry.is = state::released; break;
        case state::leaving:
        case state::released: break;
        }
        return disarmed::owed;
    }

    /// Does not round the timeout. Calls sink.registration_of(key) for each completion. Errors: no_memory, other;
    /// wait() has slept 10 ms then. A poll whose completion the kernel drops for lack of memory never completes.
    template <class Sink>
    wait_result wait(std::chrono::nanoseconds timeout, Sink& sink) noexcept {
        const bool has_end = timeout > timeout.zero() && timeout != (std::chrono::nanoseconds::max)();
        const auto until = has_end ? detail::deadline_from(clock::now(), timeout) : (clock::time_point::max)();
        for (std::chrono::nanoseconds left = timeout;;) {
            wait_result result{};
            if (ring_.take_drops()) wake_is_watched_ = false; // a wake's completion may be among them
            result.error = submit_changes();
            const bool sleeps = left > left.zero() && !result.error && changed_.empty() && ring_.completions() == 0;
            const bool submits = ring_.unsubmitted() != 0;
            if (!result.error) result.error = sleeps ? ring_.wait(left) : ring_.look();
            const taken found = take_completions(sink);
            if (found.news) return {.full = found.count == Batch}; // a refused submission will fail again
            if (result.error.kind == io_failure::interrupted) return {.interrupted = true};
            if (!result.error) result.error = std::exchange(wake_refusal_, {});
            if (result.error) {
                posix::rest();
                return result;
            }
            if (has_end) left = until - clock::now();
            if (found.count == 0) {
                // io_uring_enter does not return EINTR once it has submitted something. Then only a signal ends it
                // early without a completion.
                result.interrupted = sleeps && submits && left > left.zero();
                return result;
            }
            // If the only completions are of cancelled polls, the wait goes on: it must submit the polls that replace
            // them.
        }
    }

    /// Also in a signal handler.
    void wake() noexcept {
        if (!wakes_.raise()) return;
        wakes_sent_.fetch_add(1, std::memory_order_relaxed);
        waker_.wake();
    }

    /// Polls submitted, polls cancelled and wake-ups sent since the poller was made. Any thread.
    [[nodiscard]] poll_counts counts() const noexcept {
        return {submitted_.load(std::memory_order_relaxed), cancelled_.load(std::memory_order_relaxed),
                wakes_sent_.load(std::memory_order_relaxed)};
    }

    /// Polls of sockets that were submitted and whose completion was not taken yet. I/O thread.
    [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }

    /// In a forked child: closes the child's copies of the poller's own descriptors. The parent keeps the ring.
    void close_copies() noexcept {
        ring_.close_copy();
        waker_.close();
    }

    /// The bytes that the poller allocates: none, because the kernel owns the queues. See memory_bound.hpp.
    [[nodiscard]] static constexpr std::size_t most_bytes(std::size_t) noexcept { return 0; }

private:
    using clock = std::chrono::steady_clock;

    static constexpr std::uint64_t wake_mark = 0; // no key is 0, nor all ones
    static constexpr std::uint64_t cancel_mark = ~std::uint64_t{0};
    static constexpr readiness failure = readiness::failed | readiness::readable;

    struct taken {
        std::size_t count = 0; ///< completions
        bool news = false;     ///< one of them is a reason to return
    };

    static constexpr unsigned to_events(interest wanted) noexcept {
        return (any(wanted & interest::read) ? POLLIN : 0U) | (any(wanted & interest::write) ? POLLOUT : 0U);
    }

    /// The part of the found events that may be reported: a failure, and wanted events. A failure is also readable,
    /// because a read returns the error after all data before it.
    static constexpr readiness to_readiness(int events, interest wanted) noexcept {
        readiness told = readiness::none;
        if (!any(wanted)) return told;
        told |= (events & POLLIN) != 0 && any(wanted & interest::read) ? readiness::readable : readiness::none;
        told |= (events & POLLOUT) != 0 && any(wanted & interest::write) ? readiness::writable : readiness::none;
        told |= (events & (POLLERR | POLLHUP | POLLNVAL)) != 0 ? failure : readiness::none;
        return told;
    }

    /// The loop writes, any thread reads.
    static void count(std::atomic<std::uint64_t>& counter) noexcept {
        counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }

    /// Puts the registration on the list exactly when the next wait has something to submit for it.
    void list(registration& entry) noexcept {
        const bool widens = (entry.wanted & entry.asked) != entry.wanted;
        if (entry.is == state::idle ? any(entry.wanted) && entry.refusal == 0
                                    : entry.is == state::armed && (widens || entry.reported))
            changed_.push_back(entry);
        else
            changed_.erase(entry);
    }

    /// Puts all changes into the submission queue, and lets the kernel take them when the queue is full. Leaves the
    /// rest for later if there is a whole batch to report.
    io_error submit_changes() noexcept {
        while (!wake_is_watched_ || !changed_.empty()) {
            if (!ring_.has_room()) {
                if (ring_.completions() >= Batch) return {};
                if (const io_error error = ring_.look()) return error;
                if (!ring_.has_room()) return {}; // completions have to be taken first
            }
            if (std::exchange(wake_is_watched_, true))
                submit(*changed_.pop_front());
            else
                ring_.poll(waker_.descriptor(), POLLIN, wake_mark, true);
        }
        return {};
    }

    void submit(registration& entry) noexcept {
        if (entry.is == state::armed) {
            cancel(entry, state::cancelling);
        } else if (entry.is == state::leaving) {
            cancel(entry, state::released);
        } else {
            TOFU_ASSERT(entry.is == state::idle && any(entry.wanted));
            const bool stays = entry.half_closed && entry.wanted == interest::write;
            ring_.poll(entry.descriptor, to_events(entry.wanted), entry.key, stays);
            count(submitted_);
            ++in_flight_;
            entry.asked = entry.wanted;
            entry.reported = false;
            entry.is = state::armed;
        }
    }

    void cancel(registration& entry, state next) noexcept {
        TOFU_ASSERT(in_flight_ != 0);
        ring_.cancel(entry.key, cancel_mark);
        count(cancelled_);
        entry.is = next;
    }

    void let_go(registration& entry) noexcept {
        changed_.erase(entry);
        entry.key = 0;
        entry.descriptor = -1;
        entry.refusal = 0;
        entry.wanted = entry.asked = interest::none;
        entry.half_closed = false;
        entry.is = state::unattached;
    }

    template <class Sink>
    taken take_completions(Sink& sink) noexcept {
        taken found;
        bool woken = false;
        for (linux_api::io_completion one; found.count < Batch && ring_.pop(one); ++found.count) {
            if (one.mark == wake_mark)
                woken |= take_wake(one);
            else if (one.mark != cancel_mark)
                found.news |= take(one, sink);
        }
        if (woken) wakes_.lower(); // after all completions, so that no second signal comes in this wait
        found.news |= woken;
        return found;
    }

    /// False: the kernel refuses to watch the waker.
    bool take_wake(const linux_api::io_completion& one) noexcept {
        wake_is_watched_ = one.stays;
        const bool refused = one.result < 0 && one.result != -ECANCELED;
        wake_refusal_ = refused ? posix::from_errno(-one.result) : io_error{};
        return !refused;
    }

    /// Handles one completion of a socket's poll. True: the wait must return.
    template <class Sink>
    bool take(const linux_api::io_completion& one, Sink& sink) noexcept {
        const auto key = static_cast<std::uintptr_t>(one.mark);
        TOFU_ASSERT(in_flight_ != 0);
        if (!one.stays) --in_flight_;
        registration* const entry = sink.registration_of(key);
        if (entry == nullptr) return false; // the pool has abandoned it
        TOFU_ASSERT(entry->key == key && entry->is != state::unattached && entry->is != state::idle);
        if (entry->is == state::leaving || entry->is == state::released) {
            if (one.stays) return false;
            let_go(*entry);
            sink.released(key);
            return true;
        }
        if (!one.stays) entry->is = state::idle;
        readiness told = readiness::none;
        if (one.result >= 0) {
            entry->half_closed |= (one.result & POLLRDHUP) != 0;
            told = to_readiness(one.result, entry->wanted);
        } else if (one.result != -ECANCELED && any(entry->wanted)) {
            entry->refusal = -one.result;
            told = failure;
        }
        entry->reported = any(told);
        list(*entry); // level-triggered: the next wait asks again
        if (any(told)) sink.ready(key, told);
        return any(told);
    }

    Network network_;
    Ring ring_;
    linux_api::wake_event waker_;
    platform::wake_flag wakes_;
    std::atomic<std::uint64_t> wakes_sent_{0};
    std::atomic<std::uint64_t> submitted_{0};
    std::atomic<std::uint64_t> cancelled_{0};
    std::size_t in_flight_ = 0;
    bool wake_is_watched_ = false;
    io_error wake_refusal_{};
    detail::intrusive_list<registration, &registration::changed_hook> changed_; ///< the next wait submits for them
};

using linux_io_uring = basic_linux_io_uring<>;

} // namespace tofu::inline TOFU_ABI

#endif // IORING_FEAT_RSRC_TAGS

#endif // __has_include(<linux/io_uring.h>)

#endif // TOFU_POLICIES_POLL_LINUX_IO_URING_HPP
