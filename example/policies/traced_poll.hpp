// SPDX-License-Identifier: BSL-1.0
// A poll policy that wraps another one and writes every call and every report to a log.
//
//     using engine = tofu::reactor_with<example::traced<tofu::default_poll, my_log>>;
//
// It inherits from the poller, so it also has the optional members (native_handle, most_bytes, ...). No function is
// virtual: the functions below hide those of the poller.
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

/// One log entry. Fields that a call does not have keep their default.
struct trace_event {
    std::string_view call;              ///< "open", "attach", "arm", "disarm", "wait", "ready", "released" or "wake"
    std::uintptr_t key = 0;             ///< of attach, ready and released
    const void* registration = nullptr; ///< of attach, arm and disarm; attach has its key as well
    std::string_view what{};            ///< interest of arm, readiness of ready, "owed" of disarm, "full" of wait
    std::size_t reports = 0;            ///< of wait: the number of ready sockets
    tofu::io_error error{};
};

/// Receives the entries on the I/O thread, and those of wake on any thread. Must not throw.
template <class L>
concept trace_log = std::is_nothrow_move_constructible_v<L> && requires(L& log, const trace_event& event) {
    { log(event) }
    noexcept;
};

/// No log; see `traced` below.
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

/// Logs each call of `Poll` after it returned, but wake() before it wakes: so its entry comes before that of the wait.
template <class Poll, trace_log Log>
class tracing_poll : public Poll {
public:
    static constexpr std::string_view name = "traced"; ///< hides the name of `Poll`

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
    /// Passes a sink to the poller that logs and forwards each report.
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

/// The type for a set of policies. Without a log it is the poller itself, so it costs nothing with any compiler
/// options. bench/check-instructions measures that.
template <class Poll, trace_log Log = no_trace>
using traced = std::conditional_t<std::is_same_v<Log, no_trace>, Poll, tracing_poll<Poll, Log>>;

/// Makes the object for the engine's constructor, with or without a log.
template <class Poll, trace_log Log>
[[nodiscard]] traced<Poll, Log> trace(Poll poll, [[maybe_unused]] Log log) noexcept {
    if constexpr (std::is_same_v<Log, no_trace>)
        return poll;
    else
        return {std::move(poll), std::move(log)};
}

} // namespace example

#endif
