// SPDX-License-Identifier: BSL-1.0
// The poll policy for any POSIX system: one array of descriptors, handed to poll(2).

#ifndef TOFU_POLICIES_POLL_POSIX_POLL_HPP
#define TOFU_POLICIES_POLL_POSIX_POLL_HPP

#include <tofu/config.hpp>

#if __has_include(<poll.h>)

#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/contract/nothrow_vector.hpp>
#include <tofu/platform/network.hpp>
#include <tofu/platform/posix/poll.hpp>
#include <tofu/platform/posix/wake_pipe.hpp>
#include <tofu/policies/categories.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

// Waking, exactly. `pending_` says: a byte is in the pipe, or its writer is about to put it there.
//
//     wake()                                     wait(), when the pipe is readable
//         if (!pending_.exchange(true))              drain the pipe
//             write one byte                         pending_.exchange(false)
//                                                    return, and the caller looks at its inbox
//
// Only a wake that finds the flag down writes, and only the waiter that has read the byte takes the flag down, so the
// pipe never holds more than one byte. Drain comes before the flag: the other way round, a wake between the two would
// raise the flag and lose its byte to the drain, and with the flag up and the pipe empty every later wake would be
// silent for ever. A wake between drain and flag writes nothing, which is right: the waiter is awake and looks at its
// inbox after the flag. It finds there what was put in before that wake, because both sides are read-modify-writes of
// one atomic: the waiter's comes after the waker's in its order, reads what it wrote and so synchronises with it (a
// plain store would not). A wake after the flag finds it down, writes, and ends the next wait at once.

namespace tofu::inline TOFU_ABI {

/// Waits with poll(2): cost per wait grows with the number of sockets, so it is for hundreds, or for systems that have
/// nothing better. `Network` says what a socket is (see platform::network); its sockets have a native_handle() of int.
/// All calls but wake: the I/O thread. Level-triggered. Movable only before open.
template <class Network = platform::network<>>
class basic_posix_poll {
public:
    using category = poll_category;
    static constexpr std::string_view name = "posix_poll";
    using network_type = Network;
    using socket = typename Network::socket;
    using endpoint = typename Network::endpoint;

    /// The policy's own notes about one socket. The caller keeps it, and keeps it in place, from attach to disarm.
    struct registration {
        std::uintptr_t key = 0;
        std::size_t index = unattached;
        int descriptor = -1;
    };

    basic_posix_poll() noexcept requires(std::is_default_constructible_v<Network>) : network_() {}
    explicit basic_posix_poll(Network given) noexcept : network_(std::move(given)) {}
    basic_posix_poll(basic_posix_poll&& other) noexcept : network_(std::move(other.network_)) {}
    basic_posix_poll& operator=(basic_posix_poll&&) = delete;

    /// Takes what it needs from the system; once, before everything below. Errors: no_descriptors, no_memory.
    io_error open() noexcept {
        const io_error error = pipe_.open();
        if (error) {
            return error;
        }
        const posix::poll_entry waker{.fd = pipe_.read_descriptor(), .events = POLLIN, .revents = 0};
        return append(waker, nullptr) ? io_error{} : io_error{io_failure::no_memory, 0};
    }

    network_type& network() noexcept { return network_; }

    /// Makes `socket` known, without interest yet. `key` comes back with every report. Errors: no_memory, and then
    /// nothing has changed. Amortised constant.
    io_error attach(registration& entry, const socket& which, std::uintptr_t key) noexcept {
        const int handle = which.native_handle();
        if (!append(posix::poll_entry{.fd = silent(handle), .events = 0, .revents = 0}, &entry)) {
            return io_error{io_failure::no_memory, 0};
        }
        entry.key = key;
        entry.index = owners_.size() - 1;
        entry.descriptor = handle;
        return {};
    }

    /// Says what is wanted from now on; the same again changes nothing. interest::none is silence: errors and hang-ups
    /// are not reported either. Never fails here. Constant; no system call.
    io_error arm(registration& entry, interest wanted) noexcept {
        posix::poll_entry& slot = entries_[entry.index];
        slot.fd = wanted == interest::none ? silent(entry.descriptor) : entry.descriptor;
        slot.events = to_events(wanted);
        return {};
    }

    /// Forgets the socket; the registration may go, the descriptor may be closed before or after. Also right for one
    /// that is not attached. Constant; the last entry takes the free place.
    disarmed disarm(registration& entry) noexcept {
        if (entry.index != unattached) {
            const std::size_t hole = std::exchange(entry.index, unattached);
            entries_[hole] = entries_.back();
            owners_[hole] = owners_.back();
            if (owners_[hole] != &entry) {
                owners_[hole]->index = hole;
            }
            entries_.pop_back();
            owners_.pop_back();
        }
        return disarmed::released;
    }

    /// Waits until a socket is ready, wake was called, `timeout` is over or a signal came (no error: the result says
    /// `interrupted`). nanoseconds::max() is for ever, 0 only looks; everything else is rounded up to milliseconds.
    /// Calls sink.ready(key, readiness) at most once for each socket; sink.released is never called, as nothing is ever
    /// owed. The sink must not call attach, arm or disarm: it notes, and acts after the wait. Errors: no_memory; other
    /// (poll says EINVAL when there are more sockets than the process may now have descriptors). A wait that fails has
    /// rested until wake was called or a moment was over.
    template <class Sink>
    wait_result wait(std::chrono::nanoseconds timeout, Sink& sink) noexcept {
        wait_result result{};
        std::size_t left = posix::poll(std::span(entries_.data(), entries_.size()), timeout, result.error);
        result.interrupted = result.error.kind == io_failure::interrupted;
        if (result.interrupted) result.error = {};
        if (result.error) left = rest();
        if (left != 0 && entries_[0].revents != 0) {
            take_wake();
            --left;
        }
        for (std::size_t index = 1; left != 0 && index < entries_.size(); ++index) {
            if (entries_[index].revents != 0) {
                sink.ready(owners_[index]->key, to_readiness(entries_[index].revents));
                --left;
            }
        }
        return result;
    }

    /// Ends the wait that is on, or the next one. Any thread, also a signal handler; many at once are as good as one,
    /// and while one is pending each more costs one atomic exchange. What the caller did before is visible to the
    /// waiting thread after its wait.
    void wake() noexcept {
        if (!pending_.exchange(true)) {
            pipe_.wake();
        }
    }

    /// In a forked child: closes its copies of the poller's own descriptors.
    void close_copies() noexcept { pipe_.close(); }

    /// What it allocates at most for so many sockets, in bytes; see memory_bound.hpp.
    [[nodiscard]] static constexpr std::size_t most_bytes(std::size_t sockets) noexcept {
        return nothrow_vector<posix::poll_entry>::most_bytes(sockets + 1) +
               nothrow_vector<registration*>::most_bytes(sockets + 1);
    }

private:
    static constexpr std::size_t unattached = (std::numeric_limits<std::size_t>::max)();

    static constexpr short to_events(interest wanted) noexcept {
        int events = 0;
        events |= any(wanted & interest::read) ? POLLIN : 0;
        events |= any(wanted & interest::write) ? POLLOUT : 0;
        return static_cast<short>(events);
    }

    /// Failed is readable too: reading tells what happened, after everything that arrived before it.
    static constexpr readiness to_readiness(short events) noexcept {
        readiness result = readiness::none;
        result |= (events & POLLIN) != 0 ? readiness::readable : readiness::none;
        result |= (events & POLLOUT) != 0 ? readiness::writable : readiness::none;
        result |=
            (events & (POLLERR | POLLHUP | POLLNVAL)) != 0 ? readiness::failed | readiness::readable : readiness::none;
        return result;
    }

    /// poll(2) skips negative descriptors and reports nothing for them, not even errors; ~ makes one of any.
    static constexpr int silent(int descriptor) noexcept { return ~descriptor; }

    /// entries_[i] belongs to owners_[i]; place 0 is the wake pipe's, which has no owner.
    bool append(const posix::poll_entry& entry, registration* owner) noexcept {
        if (!entries_.push_back(entry)) return false;
        if (owners_.push_back(owner)) return true;
        entries_.pop_back();
        return false;
    }

    /// In place of a wait that has failed, whatever its timeout was, so that whoever tries again does not spin.
    std::size_t rest() noexcept {
        constexpr std::chrono::nanoseconds moment = std::chrono::milliseconds(10);
        for (posix::poll_entry& entry : entries_) entry.revents = 0;
        io_error ignored; // it is the same trouble again
        return posix::poll(std::span(entries_.data(), 1), moment, ignored);
    }

    void take_wake() noexcept {
        pipe_.drain();
        pending_.exchange(false);
    }

    Network network_;
    posix::wake_pipe pipe_;
    std::atomic<bool> pending_{false};
    nothrow_vector<posix::poll_entry> entries_;
    nothrow_vector<registration*> owners_;
};

using posix_poll = basic_posix_poll<>;

} // namespace tofu::inline TOFU_ABI

#endif // __has_include(<poll.h>)

#endif // TOFU_POLICIES_POLL_POSIX_POLL_HPP
