// SPDX-License-Identifier: BSL-1.0
// A poll policy made from another: it does what that one does, and tells a log of every call, and of every report.
//
//     using engine = tofu::reactor_with<example::traced<tofu::default_poll, my_log>>;
//
// It inherits from the poller: what a poller may have beside the calls below (native_handle, most_bytes, ...), and what
// will be added one day, is there without being repeated. Nothing is virtual, so the engine calls what it sees first.
#ifndef TOFU_EXAMPLE_POLICIES_TRACED_POLL_HPP
#define TOFU_EXAMPLE_POLICIES_TRACED_POLL_HPP

#include <tofu/policies/concepts.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace example {

/// One call as the log sees it. What a call does not have is left as it is here.
struct trace_event {
    std::string_view call;              ///< "open", "attach", "arm", "disarm", "wait", "ready", "released" or "wake"
    std::uintptr_t key = 0;             ///< of attach, ready and released
    const void* registration = nullptr; ///< of attach, arm and disarm: attach tells whose it is
    std::string_view what{};            ///< interest of arm, readiness of ready, "owed" of disarm, "full" of wait
    std::size_t reports = 0;            ///< of wait: how many sockets were ready
    tofu::io_error error{};
};

/// Takes events: from the I/O thread, and those of wake from any. It must not throw, as a poller must not.
template <class L>
concept trace_log = std::is_nothrow_move_constructible_v<L> && requires(L& log, const trace_event& event) {
    { log(event) }
    noexcept;
};

/// The log that is none: see `traced` below.
struct no_trace {
    void operator()(const trace_event&) const noexcept {}
};

[[nodiscard]] constexpr std::string_view words_for(tofu::interest wanted) noexcept {
    constexpr std::string_view words[] = {"none", "read", "write", "read+write"};
    return words[static_cast<unsigned>(wanted) & 3U];
}

[[nodiscard]] constexpr std::string_view words_for(tofu::readiness what) noexcept {
    constexpr std::string_view words[] = {"none",   "readable",        "writable",        "readable+writable",
                                          "failed", "readable+failed", "writable+failed", "readable+writable+failed"};
    return words[static_cast<unsigned>(what) & 7U];
}

/// `Poll` with its calls told to `Log`, each when it is over; wake before it wakes, so that the log shows what for.
template <class Poll, trace_log Log>
class tracing_poll : public Poll {
public:
    static constexpr std::string_view name = "traced"; ///< else it would go by the name it inherits

    tracing_poll() = default;
    tracing_poll(Poll poll, Log log) noexcept : Poll(std::move(poll)), log_(std::move(log)) {}

    tofu::io_error open() noexcept {
        const tofu::io_error error = Poll::open();
        log_({.call = "open", .error = error});
        return error;
    }

    template <class Socket>
    tofu::io_error attach(typename Poll::registration& entry, const Socket& which, std::uintptr_t key) noexcept {
        const tofu::io_error error = Poll::attach(entry, which, key);
        log_({.call = "attach", .key = key, .registration = &entry, .error = error});
        return error;
    }

    tofu::io_error arm(typename Poll::registration& entry, tofu::interest wanted) noexcept {
        const tofu::io_error error = Poll::arm(entry, wanted);
        log_({.call = "arm", .registration = &entry, .what = words_for(wanted), .error = error});
        return error;
    }

    tofu::disarmed disarm(typename Poll::registration& entry) noexcept {
        const tofu::disarmed done = Poll::disarm(entry);
        log_({.call = "disarm", .registration = &entry, .what = done == tofu::disarmed::owed ? "owed" : "released"});
        return done;
    }

    //[wait
    /// The poller reports to a sink in between, which passes everything on.
    template <class Sink>
    tofu::wait_result wait(std::chrono::nanoseconds timeout, Sink& sink) noexcept {
        watched_sink<Sink> watched{sink, log_};
        const tofu::wait_result result = Poll::wait(timeout, watched);
        log_({.call = "wait", .what = result.full ? "full" : "", .reports = watched.reports, .error = result.error});
        return result;
    }
    //]

    void wake() noexcept {
        log_({.call = "wake"});
        Poll::wake();
    }

private:
    template <class Sink>
    struct watched_sink {
        Sink& sink;
        Log& log;
        std::size_t reports = 0;

        void ready(std::uintptr_t key, tofu::readiness what) noexcept {
            ++reports;
            log({.call = "ready", .key = key, .what = words_for(what)});
            sink.ready(key, what);
        }
        void released(std::uintptr_t key) noexcept {
            log({.call = "released", .key = key});
            sink.released(key);
        }
        [[nodiscard]] auto* registration_of(std::uintptr_t key) noexcept { return sink.registration_of(key); }
    };

    Log log_;
};

/// What to name in a set of policies. Compiled out, there is no decorator that could cost something: it is the poller
/// itself, whatever the compiler and its options. bench/check-instructions counts it all the same.
template <class Poll, trace_log Log = no_trace>
using traced = std::conditional_t<std::is_same_v<Log, no_trace>, Poll, tracing_poll<Poll, Log>>;

/// An object of it, for the engine's constructor, whether or not there is a log.
template <class Poll, trace_log Log>
[[nodiscard]] traced<Poll, Log> trace(Poll poll, [[maybe_unused]] Log log) noexcept {
    if constexpr (std::is_same_v<Log, no_trace>)
        return poll;
    else
        return {std::move(poll), std::move(log)};
}

} // namespace example

#endif
