// SPDX-License-Identifier: BSL-1.0
// kqueue(2) as its manual pages describe it, on top of epoll, to test bsd_kqueue on Linux.
//
// The emulation can show that the policy makes the right changes, reads answers and reports correctly, and loses no
// wake-up. It cannot show that a BSD kernel does what its manual says. In particular, it takes from Linux when a socket
// is ready or has failed; fflags is some error, not the socket's own; and an event whose descriptor was closed is not
// removed.
#ifndef TOFU_TEST_SUPPORT_EMULATED_KQUEUE_HPP
#define TOFU_TEST_SUPPORT_EMULATED_KQUEUE_HPP

#include <tofu/contract/io.hpp>
#include <tofu/platform/bsd/kernel_queue.hpp>
#include <tofu/platform/posix/descriptor.hpp>
#include <tofu/policies/poll/bsd_kqueue.hpp>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <span>
#include <utility>

namespace tofu_test {

/// Replaces tofu::bsd::kernel_queue. exchange: any thread, but only one thread at a time waits.
class emulated_kqueue {
public:
    /// Has the widths of FreeBSD, but other values, so that no code can rely on the values.
    struct event {
        std::uintptr_t ident;
        short filter;
        unsigned short flags;
        unsigned fflags;
        std::int64_t data;
        void* udata;
    };
    static constexpr int read_filter = -11;
    static constexpr int write_filter = -12;
    static constexpr int user_filter = -13;
    static constexpr int add_flag = 1 << 0;
    static constexpr int remove_flag = 1 << 1;
    static constexpr int clear_flag = 1 << 2;
    static constexpr int receipt_flag = 1 << 3;
    static constexpr int error_flag = 1 << 4;
    static constexpr int end_flag = 0x8000; // does not fit a signed short
    static constexpr unsigned trigger_note = 0x01000000;

    /// For tests: the number of calls of exchange, the number of next additions that fail, and their error.
    static inline std::atomic<unsigned> calls{0};
    static inline std::atomic<int> refused_additions{0};
    static inline std::atomic<int> refusal{ENOMEM};

    tofu::io_error open() {
        set_.reset(::epoll_create1(EPOLL_CLOEXEC));
        triggered_.reset(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
        if (!set_.is_open() || !triggered_.is_open()) return tofu::posix::last_error();
        epoll_event entry{};
        entry.events = EPOLLIN;
        entry.data.fd = triggered_.get();
        return ::epoll_ctl(set_.get(), EPOLL_CTL_ADD, triggered_.get(), &entry) == 0 ? tofu::io_error{}
                                                                                     : tofu::posix::last_error();
    }

    [[nodiscard]] int descriptor() const { return set_.get(); }

    int exchange(std::span<const event> changes, std::span<event> events, std::chrono::nanoseconds timeout) {
        std::unique_lock lock(access_);
        std::size_t answers = 0;
        ++calls;
        errno = ENOTTY; // a successful call may also set errno
        for (event change : changes) {
            const int code = make(change);
            if (code == 0 && (change.flags & receipt_flag) == 0) continue;
            if (answers == events.size()) {
                errno = code;
                return code == 0 ? 0 : -1;
            }
            change.flags = error_flag;
            change.data = code;
            events[answers++] = change;
        }
        if (answers != 0 || events.empty()) return static_cast<int>(answers);
        return collect(lock, events, timeout);
    }

private:
    using clock = std::chrono::steady_clock;
    using name = std::pair<std::uintptr_t, short>;

    struct knote {
        void* udata;
        bool clears;
    };

    static constexpr unsigned failures = EPOLLERR | EPOLLHUP;

    static unsigned events_of(short filter) { return filter == read_filter ? EPOLLIN | EPOLLRDHUP : EPOLLOUT; }

    /// Makes one change. Returns 0 or the errno value.
    int make(const event& change) {
        const name who(change.ident, change.filter);
        const bool known = knotes_.contains(who);
        if ((change.flags & remove_flag) != 0) {
            if (!known) return ENOENT;
            knotes_.erase(who);
            std::erase(active_, who);
            return watch(change);
        }
        if ((change.flags & add_flag) != 0) {
            if (refused_additions > 0) {
                --refused_additions;
                return refusal;
            }
            knotes_[who] = {change.udata, (change.flags & clear_flag) != 0};
            if (const int code = watch(change)) {
                knotes_.erase(who);
                return code;
            }
        } else if (!known) {
            return ENOENT;
        }
        if (change.filter == user_filter && (change.fflags & trigger_note) != 0) {
            const std::uint64_t one = 1;
            if (::write(triggered_.get(), &one, sizeof one) < 0) return errno;
        }
        return 0;
    }

    /// Makes epoll wait for the present filters of a descriptor.
    int watch(const event& change) {
        if (change.filter == user_filter) return 0;
        epoll_event entry{};
        entry.data.fd = static_cast<int>(change.ident);
        for (const int filter : {read_filter, write_filter})
            if (knotes_.contains({change.ident, static_cast<short>(filter)}))
                entry.events |= events_of(static_cast<short>(filter));
        const bool had = watched_[change.ident] != 0;
        const bool has = entry.events != 0;
        watched_[change.ident] = entry.events;
        if (!had && !has) return 0;
        const int operation = !had ? EPOLL_CTL_ADD : has ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;
        if (::epoll_ctl(set_.get(), operation, entry.data.fd, &entry) == 0) return 0;
        watched_.erase(change.ident);
        return errno;
    }

    int collect(std::unique_lock<std::mutex>& lock, std::span<event> events, std::chrono::nanoseconds timeout) {
        const bool endless = timeout == (std::chrono::nanoseconds::max)();
        const auto until = clock::now() + tofu::bsd::to_wait_time(timeout);
        for (;;) {
            if (!look()) return -1;
            const int found = hand_out(events);
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now());
            if (found != 0 || (!endless && left.count() <= 0)) return found;
            lock.unlock();
            std::array<epoll_event, 1> unused;
            const int code = ::epoll_wait(set_.get(), unused.data(), 1, endless ? -1 : static_cast<int>(left.count()));
            lock.lock();
            if (code < 0) return -1;
        }
    }

    /// Asks epoll for ready filters. Newly ready filters go to the end of the queue.
    bool look() {
        std::array<epoll_event, 2048> found;
        const int count = ::epoll_wait(set_.get(), found.data(), static_cast<int>(found.size()), 0);
        if (count < 0) return false;
        ready_.clear();
        for (const epoll_event& one : std::span(found).first(static_cast<std::size_t>(count))) {
            if (one.data.fd == triggered_.get()) {
                for (const auto& [who, unused] : knotes_)
                    if (who.second == user_filter) activate(who, one.events);
                continue;
            }
            for (const int filter : {read_filter, write_filter}) {
                const name who(static_cast<std::uintptr_t>(one.data.fd), static_cast<short>(filter));
                if ((one.events & (events_of(who.second) | failures)) != 0 && knotes_.contains(who))
                    activate(who, one.events);
            }
        }
        return true;
    }

    void activate(const name& who, unsigned events) {
        ready_[who] = events;
        if (std::find(active_.begin(), active_.end(), who) == active_.end()) active_.push_back(who);
    }

    int hand_out(std::span<event> events) {
        std::size_t made = 0;
        for (std::size_t left = active_.size(); left != 0 && made != events.size(); --left) {
            const name who = active_.front();
            active_.pop_front();
            const auto found = ready_.find(who);
            if (found == ready_.end()) continue; // not any more
            events[made++] = event_of(who, found->second);
            if (!knotes_[who].clears) {
                active_.push_back(who);
                continue;
            }
            std::uint64_t unused = 0;
            while (::read(triggered_.get(), &unused, sizeof unused) < 0 && errno == EINTR) {
            }
        }
        return static_cast<int>(made);
    }

    event event_of(const name& who, unsigned found) {
        event made{.ident = who.first, .filter = who.second, .flags = 0, .fflags = 0, .data = 1, .udata = nullptr};
        made.udata = knotes_[who].udata;
        const unsigned ends = who.second == read_filter ? EPOLLRDHUP | failures : failures;
        if (who.second != user_filter && (found & ends) != 0) made.flags = end_flag;
        if ((found & EPOLLERR) != 0) made.fflags = ECONNRESET;
        return made;
    }

    std::mutex access_;
    tofu::posix::descriptor set_;
    tofu::posix::descriptor triggered_;
    std::map<name, knote> knotes_;
    std::map<std::uintptr_t, unsigned> watched_; ///< the events that epoll waits for
    std::map<name, unsigned> ready_;             ///< at the last look
    std::deque<name> active_;                    ///< the kernel's queue
};

template <class Network = tofu::platform::network<>, std::size_t Batch = 256>
using kqueue_over_emulation = tofu::basic_bsd_kqueue<Network, Batch, emulated_kqueue>;

} // namespace tofu_test

#endif
