// SPDX-License-Identifier: BSL-1.0
// A poll policy of one's own: select(2), which every POSIX system has had since before there was POSIX.
//
// It shows all that a poller owes the engine and is short, because select is level-triggered by nature: what was not
// read is reported again by the next wait. Its price is that of select: a wait looks at every descriptor up to the
// highest, and there is no room for one that is not below FD_SETSIZE (1024 on most systems), however few there are.
//
// On Windows select is another function of the same name: its sets hold up to FD_SETSIZE sockets of any value, a failed
// connect shows in the third set, and only sockets can wake it. That would be a policy of its own.
#ifndef TOFU_EXAMPLE_POLICIES_SELECT_POLL_HPP
#define TOFU_EXAMPLE_POLICIES_SELECT_POLL_HPP

#include <tofu/platform/network.hpp>
#include <tofu/platform/posix/error.hpp>
#include <tofu/platform/posix/wake_pipe.hpp>
#include <tofu/policies/concepts.hpp>

#include <sys/select.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace example {

/// Waits with select(2). All calls but wake: the I/O thread. Movable only before open.
class select_poll {
public:
    using category = tofu::poll_category;
    using network_type = tofu::platform::network<>; // sockets and names are the system's: nothing to invent here
    using socket = network_type::socket;

    /// What the poller notes about one socket. It lies in the channel's slot, so that nothing is allocated for it.
    struct registration {
        std::uintptr_t key = 0;
        int descriptor = -1;
    };

    select_poll() = default;
    select_poll(select_poll&& other) noexcept : network_(std::move(other.network_)) {} // there is nothing else yet
    select_poll& operator=(select_poll&&) = delete;

    /// Errors: no_descriptors; also when there is one, but too high.
    tofu::io_error open() noexcept {
        if (const tofu::io_error error = pipe_.open()) return error;
        if (!fits(pipe_.read_descriptor())) return too_high;
        highest_ = pipe_.read_descriptor();
        FD_SET(pipe_.read_descriptor(), &readers_);
        return {};
    }

    network_type& network() noexcept { return network_; }

    /// Errors: no_descriptors. FD_SET for a descriptor that is too high would write beside the set: such a socket is
    /// refused here, and the channel's end says why, while all others go on.
    tofu::io_error attach(registration& entry, const socket& which, std::uintptr_t key) noexcept {
        const int descriptor = which.native_handle();
        if (!fits(descriptor)) return too_high;
        entry = {.key = key, .descriptor = descriptor};
        owners_[place(descriptor)] = &entry;
        highest_ = (std::max)(highest_, descriptor);
        return {};
    }

    //[silence
    /// Unchanged interest costs no system call, as none does. In neither set a socket is silent, even when it fails.
    tofu::io_error arm(registration& entry, tofu::interest wanted) noexcept {
        FD_CLR(entry.descriptor, &readers_);
        FD_CLR(entry.descriptor, &writers_);
        if (any(wanted & tofu::interest::read)) FD_SET(entry.descriptor, &readers_);
        if (any(wanted & tofu::interest::write)) FD_SET(entry.descriptor, &writers_);
        return {};
    }
    //]

    //[letting_go
    /// Between two waits the kernel knows nothing of us, so nothing is ever owed. Right also when it is not attached.
    tofu::disarmed disarm(registration& entry) noexcept {
        if (entry.descriptor < 0) return tofu::disarmed::released;
        arm(entry, tofu::interest::none);
        owners_[place(entry.descriptor)] = nullptr;
        entry = {};
        while (highest_ > pipe_.read_descriptor() && owners_[place(highest_)] == nullptr) --highest_;
        return tofu::disarmed::released;
    }
    //]

    /// All that is ready is reported at once: the result is never `full`. A signal is no error, but nothing was looked
    /// at: the loop looks again before it lets a deadline expire.
    template <class Sink>
    tofu::wait_result wait(std::chrono::nanoseconds timeout, Sink& sink) noexcept {
        tofu::wait_result result;
        fd_set readable = readers_; // select writes its answer over the question
        fd_set writable = writers_;
        timeval time = to_timeval(timeout);
        const bool for_ever = timeout == (std::chrono::nanoseconds::max)();
        if (::select(highest_ + 1, &readable, &writable, nullptr, for_ever ? nullptr : &time) < 0) {
            result.interrupted = errno == EINTR;
            if (!result.interrupted) result.error = tofu::posix::last_error();
            readable = writable = empty_set(); // what select leaves in them when it fails means nothing
            if (result.error) rest(readable);
        }
        if (FD_ISSET(pipe_.read_descriptor(), &readable)) take_wake();
        for (int descriptor = 0; descriptor <= highest_; ++descriptor) {
            const registration* const owner = owners_[place(descriptor)];
            if (owner == nullptr) continue;               // the pipe, or no socket of ours
            tofu::readiness what = tofu::readiness::none; // both directions in one report
            if (FD_ISSET(descriptor, &readable)) what |= tofu::readiness::readable;
            if (FD_ISSET(descriptor, &writable)) what |= tofu::readiness::writable;
            // Never `failed`: select reports a failure as whatever was asked for, and the read or write then tells it.
            if (any(what)) sink.ready(owner->key, what);
        }
        return result;
    }

    //[wake
    /// Any thread. The flag says that a byte is in the pipe, or about to be: a thousand wakes are one write.
    void wake() noexcept {
        if (!pending_.exchange(true)) pipe_.wake();
    }
    //]

    /// What it allocates at most for so many sockets; for memory_bound.hpp, no engine needs it.
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

    /// Rounded up, so that a deadline has passed when the wait for it ends. Cut to a day: POSIX lets a system refuse
    /// more than 31, and nobody minds one turn of the loop a day.
    static timeval to_timeval(std::chrono::nanoseconds timeout) noexcept {
        using namespace std::chrono;
        const auto wanted = std::clamp<nanoseconds>(timeout, nanoseconds::zero(), hours(24));
        const auto whole = duration_cast<seconds>(wanted);
        return {static_cast<decltype(timeval::tv_sec)>(whole.count()),
                static_cast<decltype(timeval::tv_usec)>(ceil<microseconds>(wanted - whole).count())};
    }

    /// In place of a wait that has failed, because the loop tries again at once: without it, it would spin. Only what
    /// ends it early is looked at, a wake.
    void rest(fd_set& readable) noexcept {
        timeval moment = to_timeval(std::chrono::milliseconds(10));
        FD_SET(pipe_.read_descriptor(), &readable);
        if (::select(pipe_.read_descriptor() + 1, &readable, nullptr, nullptr, &moment) < 0) readable = empty_set();
    }

    //[take_wake
    /// Drain first: the other way round, a wake between the two would lose its byte to the drain and leave the flag up
    /// for ever. One in between as it is writes nothing, and need not: the loop looks at its inbox after this wait, and
    /// sees what was put there, because both sides exchange the same atomic.
    void take_wake() noexcept {
        pipe_.drain();
        pending_.exchange(false);
    }
    //]

    network_type network_;
    tofu::posix::wake_pipe pipe_;
    std::atomic<bool> pending_{false};
    fd_set readers_ = empty_set();
    fd_set writers_ = empty_set();
    std::array<registration*, FD_SETSIZE> owners_{}; // by descriptor
    int highest_ = -1;
};

static_assert(tofu::poll_policy<select_poll>);

} // namespace example

#endif
