// SPDX-License-Identifier: BSL-1.0
// The poll policy for any POSIX system, by poll(2) on one array of descriptors.

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
#include <tofu/platform/wake_flag.hpp>
#include <tofu/policies/categories.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

// Waking. wake_flag.hpp has the protocol. The signal is a byte in a pipe; to drain the pipe is to take the signal.

namespace tofu::inline TOFU_ABI {

/// Meets the contract in policies/concepts/poll.hpp; the comments here say only how this poller differs. It owes no
/// registration. A wait costs time for each open socket, so use it for at most some hundreds, or on systems without a
/// better call. `Network` makes the sockets (see platform::network); a socket needs native_handle() of type int.
/// Movable only before open().
template <class Network = platform::network<>>
class basic_posix_poll {
public:
    using category = poll_category;
    static constexpr std::string_view name = "posix_poll";
    using network_type = Network;
    using socket = typename Network::socket;
    using endpoint = typename Network::endpoint;

    /// The poller holds its address while it is attached.
    struct registration {
        std::uintptr_t key = 0;
        std::size_t index = unattached; ///< of its place in the array; `unattached` exactly when not attached
        int descriptor = -1;
    };

    basic_posix_poll() noexcept requires(std::is_default_constructible_v<Network>) : network_() {}
    explicit basic_posix_poll(Network given) noexcept : network_(std::move(given)) {}
    basic_posix_poll(basic_posix_poll&& other) noexcept : network_(std::move(other.network_)) {}
    basic_posix_poll& operator=(basic_posix_poll&&) = delete;

    /// Makes the wake-up pipe. Errors: no_descriptors, no_memory.
    io_error open() noexcept {
        TOFU_ASSERT(!pipe_.is_open() && entries_.empty()); // called once
        const io_error error = pipe_.open();
        if (error) {
            return error;
        }
        const posix::poll_entry waker{.fd = pipe_.read_descriptor(), .events = POLLIN, .revents = 0};
        return append(waker, nullptr) ? io_error{} : io_error{io_failure::no_memory, 0};
    }

    network_type& network() noexcept { return network_; }

    /// No system call. Errors: no_memory. Amortised constant time.
    io_error attach(registration& entry, const socket& which, std::uintptr_t key) noexcept {
        const int handle = which.native_handle();
        TOFU_ASSERT(entry.index == unattached && handle >= 0 && key != 0);
        if (!append(posix::poll_entry{.fd = silent(handle), .events = 0, .revents = 0}, &entry)) {
            return io_error{io_failure::no_memory, 0};
        }
        entry.key = key;
        entry.index = owners_.size() - 1;
        entry.descriptor = handle;
        return {};
    }

    /// No system call; never fails. Constant time.
    io_error arm(registration& entry, interest wanted) noexcept {
        TOFU_ASSERT(is_attached(entry));
        posix::poll_entry& slot = entries_[entry.index];
        slot.fd = wanted == interest::none ? silent(entry.descriptor) : entry.descriptor;
        slot.events = to_events(wanted);
        return {};
    }

    /// Always `released`. Constant time: the last entry of the array takes the free place. The descriptor may also be
    /// closed already.
    disarmed disarm(registration& entry) noexcept {
        if (entry.index != unattached) {
            TOFU_ASSERT(is_attached(entry));
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

    /// Rounds the timeout up to milliseconds. Reports everything, so the result is never `full`. Errors: no_memory;
    /// other: EINVAL, if the limit of descriptors was lowered below the number of sockets. After an error, wait() has
    /// slept until wake() or for 10 ms.
    template <class Sink>
    wait_result wait(std::chrono::nanoseconds timeout, Sink& sink) noexcept {
        TOFU_ASSERT(pipe_.is_open() && !entries_.empty() && entries_.size() == owners_.size());
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
        TOFU_ASSERT(left == 0); // poll(2) counts the entries whose revents is not 0
        return result;
    }

    /// Also in a signal handler.
    void wake() noexcept {
        if (wakes_.raise()) pipe_.wake();
    }

    /// In a forked child: closes the child's copies of the poller's own descriptors.
    void close_copies() noexcept { pipe_.close(); }

    /// The most bytes that the poller allocates for this many sockets; see memory_bound.hpp.
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

    static constexpr readiness to_readiness(short events) noexcept {
        readiness result = readiness::none;
        result |= (events & POLLIN) != 0 ? readiness::readable : readiness::none;
        result |= (events & POLLOUT) != 0 ? readiness::writable : readiness::none;
        result |=
            (events & (POLLERR | POLLHUP | POLLNVAL)) != 0 ? readiness::failed | readiness::readable : readiness::none;
        return result;
    }

    /// poll(2) ignores entries with a negative descriptor, also their errors; ~ makes any descriptor negative.
    static constexpr int silent(int descriptor) noexcept { return ~descriptor; }

    [[nodiscard]] bool is_attached(const registration& entry) const noexcept {
        return entry.index != 0 && entry.index < owners_.size() && owners_[entry.index] == &entry;
    }

    /// False: no memory, nothing changed.
    bool append(const posix::poll_entry& entry, registration* owner) noexcept {
        if (!entries_.push_back(entry)) return false;
        if (owners_.push_back(owner)) return true;
        entries_.pop_back();
        return false;
    }

    /// Waits for a wake-up only, after a wait that failed; the caller would use all of a processor otherwise.
    std::size_t rest() noexcept {
        constexpr std::chrono::nanoseconds moment = std::chrono::milliseconds(10);
        for (posix::poll_entry& entry : entries_) entry.revents = 0;
        io_error ignored; // the caller reports the first error
        return posix::poll(std::span(entries_.data(), 1), moment, ignored);
    }

    void take_wake() noexcept {
        pipe_.drain();
        wakes_.lower();
    }

    Network network_;
    posix::wake_pipe pipe_;
    platform::wake_flag wakes_;
    nothrow_vector<posix::poll_entry> entries_; ///< place 0 is the wake-up pipe
    nothrow_vector<registration*> owners_;      ///< owners_[i] owns entries_[i]; null at place 0
};

using posix_poll = basic_posix_poll<>;

} // namespace tofu::inline TOFU_ABI

#endif // __has_include(<poll.h>)

#endif // TOFU_POLICIES_POLL_POSIX_POLL_HPP
