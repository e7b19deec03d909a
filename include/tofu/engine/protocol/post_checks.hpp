// SPDX-License-Identifier: BSL-1.0
// The checks of `post` that need no channel.
#ifndef TOFU_ENGINE_PROTOCOL_POST_CHECKS_HPP
#define TOFU_ENGINE_PROTOCOL_POST_CHECKS_HPP

#include <tofu/address.hpp>
#include <tofu/config.hpp>
#include <tofu/message.hpp>
#include <tofu/reason.hpp>

#include <cstdint>

namespace tofu::inline TOFU_ABI::engine {

[[nodiscard]] constexpr bool opens_channel(op_code op) noexcept {
    return op == op_code::hello_request || op == op_code::welcome_request;
}

/// False: the operation opens, answers or ends a conversation. There is always room in the queue for these, as a
/// channel has at most one of each.
[[nodiscard]] constexpr bool needs_room(op_code op) noexcept { return is_regular(op); }

/// Checks that a hello_request or welcome_request has an address that is well formed and usable.
[[nodiscard]] inline status check_address(const message& m) noexcept {
    const bool connects = m.header().op == op_code::hello_request;
    const std::string_view text = m.headers().find(connects ? connect_to_header : listen_on_header);
    if (text.data() == nullptr) return status::invalid_address;
    const parsed_address where = parse_address(text);
    if (where.status != status::success) return where.status;
    return connects && !connect_problem(where.value).empty() ? status::wrong_address : status::success;
}

/// Bytes of text header memory that a message needs to be able to carry any reason. `post` reserves them in a
/// hello_request and in a welcome_request, because these come back with a reason if they fail.
inline constexpr std::size_t reason_room = 64;

/// Most bytes of text headers in a message with this operation.
[[nodiscard]] constexpr std::size_t most_text_headers(op_code op) noexcept {
    return opens_channel(op) ? max_part_length - reason_room : max_part_length;
}

/// Runs all checks, in the order of the protocol's list. Any thread.
[[nodiscard]] inline status check_message(const message& m) noexcept {
    const binary_header& h = m.header();
    if (!is_valid(h.op) || h.op == op_code::welcome_response)
        return status::invalid_op_code; // only the engine makes a welcome_response
    if (h.more && !is_regular(h.op)) return status::invalid_more_usage;
    if (opens_channel(h.op) != (h.channel_number == no_channel)) return status::invalid_channel_number;
    if (h.channel_number == engine_channel) return status::invalid_channel_number;
    if (m.headers().size_bytes() > most_text_headers(h.op)) return status::invalid_headers_len;
    if (m.body().size() > max_part_length) return status::invalid_body_len;
    if (h.more && h.message_id == 0) return status::invalid_message_id; // the receiver could not put its parts together
    return opens_channel(h.op) ? check_address(m) : status::success;
}

/// Completes the header of an accepted message for sending. A message without an id gets the result of `next_id()`,
/// unless it is a response. The id of a response belongs to the peer, and may be 0.
template <class NextId>
void prepare(message& m, NextId next_id) noexcept {
    binary_header& h = m.header();
    h.origin = origin::application;
    h.text_headers_length = static_cast<std::uint16_t>(m.headers().size_bytes());
    h.body_length = static_cast<std::uint16_t>(m.body().size());
    const bool answers = h.op == op_code::response || h.op == op_code::hello_response || h.op == op_code::bye_response;
    if (h.message_id == 0 && !answers) h.message_id = next_id();
}

} // namespace tofu::inline TOFU_ABI::engine

#endif
