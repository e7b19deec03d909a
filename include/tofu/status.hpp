// SPDX-License-Identifier: BSL-1.0
// The 32 status codes of the protocol, their names and sentences, and their place in std::error_code.

#ifndef TOFU_STATUS_HPP
#define TOFU_STATUS_HPP

#include <tofu/config.hpp>
#include <tofu/options_problem.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>

namespace tofu::inline TOFU_ABI {

/// The outcome of an operation, and the status byte of a message. The protocol fixes the numbers; they travel on the
/// wire, also to the Zig implementation (g41797/tofu).
enum class status : std::uint8_t {
    success = 0,
    not_implemented_yet = 1,
    wrong_address = 2,
    not_allowed = 3,
    null_message = 4,
    invalid_message = 5,
    invalid_op_code = 6,
    invalid_headers_len = 7,
    invalid_body_len = 8,
    invalid_more_usage = 9,
    invalid_channel_number = 10,
    invalid_channel_group = 11,
    invalid_message_id = 12,
    invalid_address = 13,
    uds_path_not_found = 14,
    notification_disabled = 15,
    notification_failed = 16,
    peer_disconnected = 17,
    communication_failed = 18,
    pool_empty = 19,
    allocation_failed = 20,
    receiver_update = 21,
    channel_closed = 22,
    shutdown_started = 23,
    connect_failed = 24,
    listen_failed = 25,
    accept_failed = 26,
    send_failed = 27,
    recv_failed = 28,
    setsockopt_failed = 29,
    processing_failed = 30,
    unknown_error = 31,
};

} // namespace tofu::inline TOFU_ABI

template <>
struct std::is_error_code_enum<tofu::status> : std::true_type {};

namespace tofu::inline TOFU_ABI {

/// The number of status codes: 0 to status_count - 1.
inline constexpr std::size_t status_count = 32;

/// The status of a byte from the wire. A byte above 31 is unknown_error. Any thread.
[[nodiscard]] constexpr status status_from_byte(std::uint8_t value) noexcept {
    return value < status_count ? static_cast<status>(value) : status::unknown_error;
}

namespace detail {

struct status_words {
    std::string_view name;
    std::string_view sentence;
};

inline constexpr std::array<status_words, status_count> status_table{{
    {"success", "The operation succeeded."},
    {"not_implemented_yet", "This operation is not implemented yet."},
    {"wrong_address", "The address is not of the form tcp|HOST|PORT or uds|PATH."},
    {"not_allowed", "The operation is not allowed in the present state."},
    {"null_message", "There is no message where one is needed."},
    {"invalid_message", "The message breaks a rule of the protocol."},
    {"invalid_op_code", "The operation does not exist or is forbidden here."},
    {"invalid_headers_len", "The text headers are longer than the limit."},
    {"invalid_body_len", "The body is longer than the limit."},
    {"invalid_more_usage", "The more bit is set on an operation that cannot be continued."},
    {"invalid_channel_number", "The channel number names no open channel."},
    {"invalid_channel_group", "The channel belongs to another group, or the group is gone."},
    {"invalid_message_id", "The message id is not usable here."},
    {"invalid_address", "The address is missing or cannot be used here."},
    {"uds_path_not_found", "The path of the Unix domain socket does not exist."},
    {"notification_disabled", "The engine can not be woken any more."},
    {"notification_failed", "Waking the engine failed."},
    {"peer_disconnected", "The peer ended the connection."},
    {"communication_failed", "The communication with the peer failed or took too long."},
    {"pool_empty", "The receive credit is used up; reading pauses until messages are released."},
    {"allocation_failed", "There is no memory or no free channel left."},
    {"receiver_update", "The receiver of this group was woken by its own program."},
    {"channel_closed", "The channel is closed."},
    {"shutdown_started", "The engine is stopping or has stopped."},
    {"connect_failed", "Connecting to the address failed."},
    {"listen_failed", "Listening on the address failed."},
    {"accept_failed", "Accepting a connection failed."},
    {"send_failed", "Sending failed or the send queue is full."},
    {"recv_failed", "Receiving failed."},
    {"setsockopt_failed", "Setting an option of the socket failed."},
    {"processing_failed", "The message could not be processed."},
    {"unknown_error", "The status is not known."},
}};

constexpr const status_words& words_of(status code) noexcept {
    return status_table[static_cast<std::size_t>(status_from_byte(static_cast<std::uint8_t>(code)))];
}

/// The value of a code is the status, plus detail_unit times the options_problem if there is one.
inline constexpr int detail_unit = 256;

} // namespace detail

/// The name of the enumerator, such as "connect_failed". A value that does not exist is "unknown_error". Static
/// storage. Any thread.
[[nodiscard]] constexpr std::string_view to_string(status code) noexcept { return detail::words_of(code).name; }

/// The category of all error codes of this library. Its name is "tofu", and a message is one sentence. Its values are
/// the numbers of `status`; an options_problem has values of 256 and more. The category is never destroyed, so the
/// destructor of a global object may use an error code. Any thread.
[[nodiscard]] TOFU_FUNCTION const std::error_category& status_category() noexcept;

/// The error code of a status. success gives a code that is false. Any thread.
[[nodiscard]] inline std::error_code make_error_code(status code) noexcept {
    return std::error_code(static_cast<int>(code), status_category());
}

/// The error code of an options_problem. `none` gives a code that is false. Any thread.
[[nodiscard]] inline std::error_code make_error_code(options_problem what) noexcept {
    if (what == options_problem::none) return make_error_code(status::success);
    const int detail = static_cast<int>(what) * detail::detail_unit;
    return std::error_code(detail + static_cast<int>(status::not_allowed), status_category());
}

/// Compares by meaning: an options_problem equals not_allowed, and a code without an error equals success. Any thread.
[[nodiscard]] inline bool operator==(const std::error_code& code, status what) noexcept {
    if (!code) return what == status::success;
    return code.category() == status_category() && code.value() % detail::detail_unit == static_cast<int>(what);
}

inline namespace TOFU_EXCEPTIONS_ABI {

/// Throws std::system_error with this code. `what` names the failed call and must end with a zero byte. Without
/// exceptions the program is terminated. Every throw of the library goes through this function. Any thread.
[[noreturn]] inline void throw_status([[maybe_unused]] const std::error_code& code, [[maybe_unused]] const char* what) {
#if TOFU_HAS_EXCEPTIONS
    throw std::system_error(code, what);
#else
    std::terminate();
#endif
}

/// Throws as throw_status does if `code` is an error. Any thread.
inline void throw_if(const std::error_code& code, const char* what) {
    if (code) throw_status(code, what);
}

} // namespace TOFU_EXCEPTIONS_ABI

} // namespace tofu::inline TOFU_ABI

#if !TOFU_COMPILED
#include <tofu/impl/status.hpp>
#endif

#endif // TOFU_STATUS_HPP
