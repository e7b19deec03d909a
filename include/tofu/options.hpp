// SPDX-License-Identifier: BSL-1.0
// The settings of an engine, and the check of their values.

#ifndef TOFU_OPTIONS_HPP
#define TOFU_OPTIONS_HPP

#include <tofu/binary_header.hpp>
#include <tofu/config.hpp>
#include <tofu/options_problem.hpp>
#include <tofu/status.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tofu::inline TOFU_ABI {

/// The settings of one engine. They do not change while it lives. Use designated initialisers, in this order:
/// options{.max_messages = 1024, .keep_alive = true}. A time is at most 366 days. validate() checks every rule.
struct options {
    /// Messages that are allocated when the engine starts. More than max_messages counts as max_messages. Default 64.
    std::size_t initial_messages = 64;

    /// Receive credit, in messages: how many received messages the application may hold. At the limit the engine stops
    /// reading until some are released or posted. The pool keeps at most this many free messages and a sixteenth more,
    /// but never more than 65,536. At least 4. Default 1024.
    std::size_t max_messages = 1024;

    /// Limit on living messages: above max_messages, or 0 for no limit. The limit covers the whole receive credit plus
    /// every message that is not part of it: from `get` and `clone`, and received messages that were posted or given to
    /// update_receiver. At the limit `get` and `clone` fail until messages come back. `post`, reading and the engine's
    /// own notices never fail because of this limit. Default 0.
    std::size_t max_messages_alive = 0;

    /// The largest buffer that a message keeps when it returns to the pool, in bytes. A larger buffer is freed. 0:
    /// every buffer is freed. Default 8 KiB.
    std::size_t retained_capacity = 8 * 1024;

    /// Most messages in the send queue of one channel; beyond, `post` refuses with send_failed. At least 1. Default
    /// 1024.
    std::size_t max_queued_messages = 1024;

    /// Most bytes in the send queue of one channel; beyond, `post` refuses with send_failed. At least 131,086, the
    /// largest message. Default 8 MiB.
    std::size_t max_queued_bytes = 8 * 1024 * 1024;

    /// Most bytes of text headers that a peer may send; a longer message is a violation. 0: no text headers at all;
    /// then no hello can be accepted, because a hello carries its address there. Default 65,535, the protocol's
    /// maximum.
    std::uint16_t max_text_headers = 65535;

    /// Most bytes of body that a peer may send; a longer message is a violation. 0: no bodies at all. Default 65,535,
    /// the protocol's maximum.
    std::uint16_t max_body = 65535;

    /// Most accepted connections whose hello_request is not complete. At least 1. Default 128.
    std::size_t max_awaiting_hello = 128;

    /// After this many bytes, a channel begins no further read in the same turn of the loop, so that other channels get
    /// their turn. The last read may exceed it. At least 1. Default 256 KiB.
    std::size_t read_budget = 256 * 1024;

    /// Most bytes written to one channel in one turn of the loop. At least 1. Default 1 MiB.
    std::size_t write_budget = 1024 * 1024;

    /// Most connections accepted from one listener in one turn of the loop. At least 1. Default 64.
    std::size_t accept_budget = 64;

    /// Longest time to connect: for the look-up of a name and all its addresses together. Each address has an equal
    /// share of the time that is left. A listener's name is looked up within this time as well. The time begins when
    /// the loop takes the request; the wait for a free look-up thread counts. A look-up that takes longer goes on, but
    /// no channel waits for it. 0: only the system's own limit. Default 30 s.
    std::chrono::milliseconds connect_time{30'000};

    /// Longest wait for a hello: on the accepting side for the complete hello_request, on the connecting side for the
    /// first answer (a hello_response, a regular message or a bye_request). 0: no limit. Default 10 s.
    std::chrono::milliseconds hello_time{10'000};

    /// Longest time from the first byte of a message to its last. 0: no limit; then messages that never end keep their
    /// share of the receive credit, and other channels may never be read. Default 30 s.
    std::chrono::milliseconds message_time{30'000};

    /// Longest time without a byte in either direction on an open channel. 0: no limit. Default 0.
    std::chrono::milliseconds idle_time{0};

    /// Longest time from the first bye_request, or from the peer's half-close, to the end of the channel. 0: no limit.
    /// Default 10 s.
    std::chrono::milliseconds bye_time{10'000};

    /// Longest time that a channel waits for the peer's end of stream after both byes, and that it still reads after a
    /// failed write. 0: not at all. Default 1 s.
    std::chrono::milliseconds grace_time{1'000};

    /// Pause before the engine repeats an operation that the system refused for lack of descriptors or memory, and
    /// before it connects again to a Unix domain socket whose backlog was full. At least 1 ms. Default 100 ms.
    std::chrono::milliseconds retry_time{100};

    /// Lets the system probe silent TCP peers (SO_KEEPALIVE, with the system's own times). Default off.
    bool keep_alive = false;

    /// Lets the accepting side post requests, responses and signals before its hello_response; the first of them
    /// accepts the connection. Servers of the Zig implementation do that, and the connecting side always understands
    /// it. Without this option `post` refuses them (not_allowed), so that a broadcast cannot reach a client that is not
    /// accepted yet. Default off.
    bool implicit_hello = false;

    /// Permission bits of the file of a listening Unix domain socket (chmod(2)); the umask has no effect. A user who
    /// may write to the file may connect. An abstract name has no file, and anybody may connect. At most 0777. Default
    /// 0600: the owner only.
    std::uint16_t uds_permissions = 0600;

    /// The treatment of a connection for which no channel is free. True: closes it at once. False: leaves it in the
    /// system's backlog until a channel is free. Default true.
    bool close_when_full = true;

    /// Length of a listener's backlog, as listen(2) takes it. Systems limit it to their own maximum. At least 1.
    /// Default 1024.
    int backlog = 1024;
};

namespace detail {

/// Longer times are refused as mistakes. Up to this time, no sum with a clock's value can overflow.
inline constexpr std::chrono::milliseconds longest_time = std::chrono::hours(24 * 366);

constexpr bool is_possible_time(std::chrono::milliseconds time) noexcept {
    return time.count() >= 0 && time <= longest_time;
}

constexpr options_problem size_problem(const options& given) noexcept {
    using enum options_problem;
    if (given.max_messages < 4) return max_messages;
    if (given.max_messages_alive != 0 && given.max_messages_alive <= given.max_messages) return max_messages_alive;
    if (given.max_queued_messages < 1) return max_queued_messages;
    if (given.max_queued_bytes < max_message_size) return max_queued_bytes;
    if (given.max_awaiting_hello < 1) return max_awaiting_hello;
    if (given.read_budget < 1) return read_budget;
    if (given.write_budget < 1) return write_budget;
    if (given.accept_budget < 1) return accept_budget;
    if (given.backlog < 1) return backlog;
    if (given.uds_permissions > 0777) return uds_permissions;
    return none;
}

constexpr options_problem time_problem(const options& given) noexcept {
    using enum options_problem;
    if (!is_possible_time(given.connect_time)) return connect_time;
    if (!is_possible_time(given.hello_time)) return hello_time;
    if (!is_possible_time(given.message_time)) return message_time;
    if (!is_possible_time(given.idle_time)) return idle_time;
    if (!is_possible_time(given.bye_time)) return bye_time;
    if (!is_possible_time(given.grace_time)) return grace_time;
    if (given.retry_time.count() < 1 || !is_possible_time(given.retry_time)) return retry_time;
    return none;
}

} // namespace detail

/// Outcome of validate.
struct options_check {
    tofu::status status = tofu::status::success;   ///< success, or not_allowed
    std::string_view problem{};                    ///< one sentence, or empty; static storage
    options_problem which = options_problem::none; ///< the wrong option; none with success
};

/// Checks the options: success, or the first problem. Any thread.
[[nodiscard]] constexpr options_check validate(const options& given) noexcept {
    options_problem which = detail::size_problem(given);
    if (which == options_problem::none) which = detail::time_problem(given);
    if (which == options_problem::none) return {};
    return {status::not_allowed, to_string(which), which};
}

} // namespace tofu::inline TOFU_ABI

#endif // TOFU_OPTIONS_HPP
