// SPDX-License-Identifier: BSL-1.0
// A poll policy outside of the library, by select(2), which every POSIX system has.
//
// It shows all obligations of a poller. It is short because select is level-triggered: the next wait reports unread
// data again. A wait checks every descriptor up to the highest one. A descriptor must be below FD_SETSIZE (1024 on most
// systems), however few are open.
//
// Windows has another function of this name: its sets hold up to FD_SETSIZE sockets of any value, it reports a failed
// connect in the third set, and only a socket can wake it. A poller with that function would be another policy.
#ifndef TOFU_EXAMPLE_POLICIES_SELECT_POLL_HPP
#define TOFU_EXAMPLE_POLICIES_SELECT_POLL_HPP

#include <tofu/platform/network.hpp>
#include <tofu/platform/posix/error.hpp>
#include <tofu/platform/posix/wake_pipe.hpp>
#include <tofu/platform/wake_flag.hpp>
#include <tofu/policies/concepts.hpp>

#include <sys/select.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace example {

/// Meets the contract in tofu/policies/concepts/poll.hpp; the comments here say only how it differs. Movable only
/// before open().
class select_poll {
public:
    using category = tofu::poll_category;
    using network_type = tofu::platform::network<>; // sockets and names of the system
    using socket = network_type::socket;

    /// Lies in the channel's slot, so it costs no allocation.
    struct registration {
        std::uintptr_t key = 0;
        int descriptor = -1;
    };

    select_poll() = default;
    select_poll(select_poll&& other) noexcept : network_(std::move(other.network_)) {} // it is not open yet
    select_poll& operator=(select_poll&&) = delete;

    /// Errors: no_descriptors, also if the pipe's descriptor is too high.
    tofu::io_error open() noexcept {
        if (const tofu::io_error error = pipe_.open()) return error;
        if (!fits(pipe_.read_descriptor())) return too_high;
        highest_ = pipe_.read_descriptor();
        FD_SET(pipe_.read_descriptor(), &readers_);
        return {};
    }

    network_type& network() noexcept { return network_; }

    /// Errors: no_descriptors, for a descriptor that is too high: FD_SET would write outside of the set. The engine
    /// then ends this one channel with that reason.
    tofu::io_error attach(registration& entry, const socket& which, std::uintptr_t key) noexcept {
        const int descriptor = which.native_handle();
        if (!fits(descriptor)) return too_high;
        entry = {.key = key, .descriptor = descriptor};
        owners_[place(descriptor)] = &entry;
        highest_ = (std::max)(highest_, descriptor);
        return {};
    }

    //[silence
    /// No system call. A socket in neither set is silent, even if it fails.
    tofu::io_error arm(registration& entry, tofu::interest wanted) noexcept {
        FD_CLR(entry.descriptor, &readers_);
        FD_CLR(entry.descriptor, &writers_);
        if (any(wanted & tofu::interest::read)) FD_SET(entry.descriptor, &readers_);
        if (any(wanted & tofu::interest::write)) FD_SET(entry.descriptor, &writers_);
        return {};
    }
    //]

    //[letting_go
    /// Always `released`: between two waits the kernel holds nothing of this poller. No effect if it is not attached.
    tofu::disarmed disarm(registration& entry) noexcept {
        if (entry.descriptor < 0) return tofu::disarmed::released;
        arm(entry, tofu::interest::none);
        owners_[place(entry.descriptor)] = nullptr;
        entry = {};
        while (highest_ > pipe_.read_descriptor() && owners_[place(highest_)] == nullptr) --highest_;
        return tofu::disarmed::released;
    }
    //]

    /// Reports everything, so the result is never `full`. Rounds the timeout up to microseconds.
    template <class Sink>
    tofu::wait_result wait(std::chrono::nanoseconds timeout, Sink& sink) noexcept {
        tofu::wait_result result;
        fd_set readable = readers_; // select overwrites its arguments
        fd_set writable = writers_;
        timeval time = to_timeval(timeout);
        const bool for_ever = timeout == (std::chrono::nanoseconds::max)();
        if (::select(highest_ + 1, &readable, &writable, nullptr, for_ever ? nullptr : &time) < 0) {
            result.interrupted = errno == EINTR;
            if (!result.interrupted) result.error = tofu::posix::last_error();
            readable = writable = empty_set(); // undefined after an error
            if (result.error) rest(readable);
        }
        if (FD_ISSET(pipe_.read_descriptor(), &readable)) take_wake();
        for (int descriptor = 0; descriptor <= highest_; ++descriptor) {
            const registration* const owner = owners_[place(descriptor)];
            if (owner == nullptr) continue;               // the pipe, or not attached
            tofu::readiness what = tofu::readiness::none; // one report for both directions
            if (FD_ISSET(descriptor, &readable)) what |= tofu::readiness::readable;
            if (FD_ISSET(descriptor, &writable)) what |= tofu::readiness::writable;
            // Never `failed`: select reports a failed socket as readable and writable; the read or write returns the
            // error.
            if (any(what)) sink.ready(owner->key, what);
        }
        return result;
    }

    //[wake
    /// Only the waker that raises the flag writes a byte: a thousand wake-ups are one system call.
    void wake() noexcept {
        if (wakes_.raise()) pipe_.wake();
    }
    //]

    /// For memory_bound.hpp: it allocates nothing.
    [[nodiscard]] static constexpr std::size_t most_bytes(std::size_t) noexcept { return 0; }

private:
    static constexpr tofu::io_error too_high{tofu::io_failure::no_descriptors, EMFILE};

    static constexpr bool fits(int descriptor) noexcept { return descriptor < FD_SETSIZE; }
    static constexpr std::size_t place(int descriptor) noexcept { return static_cast<std::size_t>(descriptor); }
    static fd_set empty_set() noexcept {
        fd_set set;
        FD_ZERO(&set);
        return set;
    }

    /// Rounds up, so that a deadline has passed when the wait for it ends. Cuts to a day, because POSIX allows a system
    /// to refuse more than 31 days.
    static timeval to_timeval(std::chrono::nanoseconds timeout) noexcept {
        using namespace std::chrono;
        const auto wanted = std::clamp<nanoseconds>(timeout, nanoseconds::zero(), hours(24));
        const auto whole = duration_cast<seconds>(wanted);
        return {static_cast<decltype(timeval::tv_sec)>(whole.count()),
                static_cast<decltype(timeval::tv_usec)>(ceil<microseconds>(wanted - whole).count())};
    }

    /// Sleeps after a wait that failed, until a wake-up or for 10 ms, because the loop waits again at once.
    void rest(fd_set& readable) noexcept {
        timeval moment = to_timeval(std::chrono::milliseconds(10));
        FD_SET(pipe_.read_descriptor(), &readable);
        if (::select(pipe_.read_descriptor() + 1, &readable, nullptr, nullptr, &moment) < 0) readable = empty_set();
    }

    //[take_wake
    /// First drain the pipe, then lower the flag; wake_flag.hpp says why.
    void take_wake() noexcept {
        pipe_.drain();
        wakes_.lower();
    }
    //]

    network_type network_;
    tofu::posix::wake_pipe pipe_;
    tofu::platform::wake_flag wakes_;
    fd_set readers_ = empty_set();
    fd_set writers_ = empty_set();
    std::array<registration*, FD_SETSIZE> owners_{}; ///< by descriptor; null if not attached
    int highest_ = -1;                               ///< the highest descriptor in use
};

static_assert(tofu::poll_policy<select_poll>);

} // namespace example

#endif
