// SPDX-License-Identifier: BSL-1.0
// Functions that the example programs share: end on signals, read an address, print errors.
#ifndef TOFU_EXAMPLE_SUPPORT_HPP
#define TOFU_EXAMPLE_SUPPORT_HPP

#include <tofu/tofu.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

namespace example {

// [stop_signal A signal handler may do very little. It must not wake a receiver, because that takes a lock. So the
// handler sets a note, and the thread that waits for messages checks the note from time to time. A busy program sees
// the note with its next message; an idle program wakes five times a second to check it. This is standard C++ and the
// same on every system.
inline std::atomic<int> stop_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "else a signal handler must not touch it");

inline constexpr std::chrono::milliseconds stop_interval{200};

extern "C" inline void example_note_signal(int number) {
    stop_signal.store(number);
    std::signal(number, example_note_signal); // some systems remove the handler when they call it
}

inline void end_on_signals() {
    std::signal(SIGINT, example_note_signal);
    std::signal(SIGTERM, example_note_signal);
#if defined(SIGBREAK)
    std::signal(SIGBREAK, example_note_signal); // Windows: Ctrl-Break; Ctrl-C is SIGINT there, too
#endif
}
//]

[[nodiscard]] inline bool stop_requested() { return stop_signal.load() != 0; }

/// The address in a command line argument; if it is none, says why on `complaints`.
[[nodiscard]] inline std::optional<tofu::address> read_address(std::string_view text, std::ostream& complaints) {
    const tofu::parsed_address parsed = tofu::parse_address(text);
    if (parsed.status == tofu::status::success) return parsed.value;
    complaints << '"' << text << "\": " << parsed.problem << '\n';
    return std::nullopt;
}

/// "connect_failed (connect_refused)": the status and the reason of an engine's message.
[[nodiscard]] inline std::string explain(const tofu::message& m) {
    std::string text(to_string(m.status()));
    if (const std::string_view reason = m.headers().find(tofu::reason_header); !reason.empty())
        text.append(" (").append(reason).append(")");
    return text;
}

/// Throws if `done` is no success. Setting a valid address in a message fails only for lack of memory.
inline void require(tofu::status done, const char* what) {
    if (done != tofu::status::success) tofu::throw_status(done, what);
}

} // namespace example

#endif
