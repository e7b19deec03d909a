// SPDX-License-Identifier: BSL-1.0
// Why a channel ended: the cause that the engine keeps, its text in the header `~reason`, and the status that it
// implies.

#ifndef TOFU_REASON_HPP
#define TOFU_REASON_HPP

#include <tofu/config.hpp>
#include <tofu/status.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tofu::inline TOFU_ABI {

/// The names of the text headers that the engine reads and writes.
inline constexpr std::string_view reason_header = "~reason";
inline constexpr std::string_view connect_to_header = "~connect_to";
inline constexpr std::string_view listen_on_header = "~listen_on";

/// The kinds of cause with which a channel can end. `none`: it has not ended; this value never travels.
enum class reason : std::uint8_t {
    none,
    bye,
    aborted,      // by a bye_signal that was posted here
    peer_aborted, // by a bye_signal of the peer
    group_destroyed,
    engine_stopped,
    peer_disconnected,
    peer_reset,
    connect_refused,
    connect_timeout,
    hello_timeout,
    message_timeout,
    idle_timeout,
    bye_timeout,
    name_not_found,
    address_in_use,
    address_not_available,
    permission_denied,
    path_not_found,
    no_base_handle, // Windows: a layered service provider hides the socket below it
    out_of_channels,
    out_of_memory,
    violation, // by the peer; the text names the violated rule
    os_error,  // any other error of the system; the text carries its code
};

/// The number of reasons, `none` included.
inline constexpr std::size_t reason_count = 24;

namespace detail {

struct reason_words {
    std::string_view name;
    std::string_view description;
};

inline constexpr std::array<reason_words, reason_count> reason_table{{
    {"none", "It has not ended."},
    {"bye", "Both sides agreed to end."},
    {"aborted", "A bye_signal was posted here."},
    {"peer_aborted", "The peer sent a bye_signal."},
    {"group_destroyed", "Its channel group is gone."},
    {"engine_stopped", "The engine has stopped."},
    {"peer_disconnected", "The peer ended the stream without a bye."},
    {"peer_reset", "The peer, or the way to it, broke the connection."},
    {"connect_refused", "Nobody listens there."},
    {"connect_timeout", "Nobody answered within the connect time."},
    {"hello_timeout", "No hello came within the hello time."},
    {"message_timeout", "A message began and did not end within the message time."},
    {"idle_timeout", "Not a byte came or went for the idle time."},
    {"bye_timeout", "A bye took longer than the bye time."},
    {"name_not_found", "The host is no literal, and the system knows no address of that name."},
    {"address_in_use", "Somebody else listens there."},
    {"address_not_available", "It is not an address of this machine, or there is no way to it."},
    {"permission_denied", "The system does not allow it."},
    {"path_not_found", "The path of the Unix domain socket does not exist."},
    {"no_base_handle", "A layered service provider (of a firewall, proxy or filter) hides the socket below it; `netsh "
                       "winsock show catalog` lists them."},
    {"out_of_channels", "All channels the engine has room for are in use."},
    {"out_of_memory", "There is no memory."},
    {"violation", "The peer broke the protocol; the status names the rule."},
    {"os_error", "The system failed; its own number tells how."},
}};

[[nodiscard]] constexpr const reason_words& words_of(reason why) noexcept {
    const auto index = static_cast<std::size_t>(why);
    return reason_table[index < reason_count ? index : 0];
}

} // namespace detail

/// The name of the reason as in `~reason`; for violation and os_error the part before the colon. A value that does not
/// exist is "none". Static storage. Any thread.
[[nodiscard]] constexpr std::string_view to_string(reason why) noexcept { return detail::words_of(why).name; }

/// A sentence for people: what happened, and where to look if neither the peer nor the application caused it. Static
/// storage. Any thread.
[[nodiscard]] constexpr std::string_view describe(reason why) noexcept { return detail::words_of(why).description; }

/// The progress of a channel at the time of its cause. An accepted connection is `opened` from the start.
enum class channel_step : std::uint8_t { connecting, listening, opened };

/// Why a channel ended, with all details. A plain value.
struct cause {
    reason why = reason::none;
    /// For violation: the status of the violated rule. For os_error and no_base_handle: the status of the failed step,
    /// for example setsockopt_failed. Else success.
    status code = status::success;
    /// The system's own error code (errno, WSAGetLastError, getaddrinfo); 0: none.
    int os_code = 0;

    /// A cause without details.
    [[nodiscard]] static constexpr cause of(reason why) noexcept { return cause{why, status::success, 0}; }

    /// The peer broke a rule; `rule` is the status that names it.
    [[nodiscard]] static constexpr cause violation(status rule) noexcept { return cause{reason::violation, rule, 0}; }

    /// The step with the status `failed_step` failed with the system's error code `code`.
    [[nodiscard]] static constexpr cause os(int code, status failed_step) noexcept {
        return cause{reason::os_error, failed_step, code};
    }

    friend constexpr bool operator==(const cause&, const cause&) noexcept = default;
};

class reason_text;

/// The value of the `~reason` header: "bye", "violation:invalid_op_code", "os_error:110". Any thread.
[[nodiscard]] TOFU_FUNCTION reason_text to_text(const cause& why) noexcept;

/// The text of a cause, stored in this object. Views of it live as long as the object.
class reason_text {
public:
    [[nodiscard]] std::string_view view() const noexcept { return {buffer_.data(), size_}; }

private:
    friend reason_text to_text(const cause&) noexcept;

    void append(std::string_view part) noexcept { size_ += part.copy(buffer_.data() + size_, buffer_.size() - size_); }

    void append(int number) noexcept;

    // The longest text is "violation:" with the longest status name, 32 bytes.
    std::array<char, 48> buffer_{};
    std::size_t size_ = 0;
};

namespace detail {

constexpr status failed_step_status(channel_step step) noexcept {
    switch (step) {
    case channel_step::connecting: return status::connect_failed;
    case channel_step::listening: return status::listen_failed;
    case channel_step::opened: break;
    }
    return status::communication_failed;
}

} // namespace detail

/// The status for messages that come back, and for a failed hello_response or welcome_response. The goodbye of an
/// opened channel always has channel_closed. A cause without a reason gives success. Any thread.
[[nodiscard]] constexpr status status_of(const cause& why, channel_step step) noexcept {
    switch (why.why) {
    case reason::none: return status::success;
    case reason::bye:
    case reason::aborted:
    case reason::peer_aborted:
    case reason::group_destroyed: return status::channel_closed;
    case reason::engine_stopped: return status::shutdown_started;
    case reason::peer_disconnected:
    case reason::peer_reset: return status::peer_disconnected;
    case reason::connect_refused:
    case reason::connect_timeout: return status::connect_failed;
    case reason::hello_timeout:
    case reason::message_timeout:
    case reason::idle_timeout:
    case reason::bye_timeout: return status::communication_failed;
    case reason::name_not_found:
    case reason::address_in_use:
    case reason::address_not_available:
    case reason::permission_denied: return detail::failed_step_status(step);
    case reason::path_not_found: return status::uds_path_not_found;
    case reason::out_of_channels:
    case reason::out_of_memory: return status::allocation_failed;
    case reason::violation: return why.code != status::success ? why.code : status::invalid_message;
    case reason::no_base_handle:
    case reason::os_error: return why.code != status::success ? why.code : detail::failed_step_status(step);
    }
    return status::unknown_error;
}

/// Parses the value of a `~reason` header. No value: it is not exactly a text that to_text writes for a channel that
/// ended. An os_error has its code, and unknown_error as the status of the failed step, which does not travel. Any
/// thread.
[[nodiscard]] TOFU_FUNCTION std::optional<cause> parse_reason(std::string_view text) noexcept;

} // namespace tofu::inline TOFU_ABI

#if !TOFU_COMPILED
#include <tofu/impl/reason.hpp>
#endif

#endif // TOFU_REASON_HPP
