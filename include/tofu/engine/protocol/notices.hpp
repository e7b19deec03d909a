// SPDX-License-Identifier: BSL-1.0
// Writes a status, a cause or a goodbye into messages that the engine gives to the application.
#ifndef TOFU_ENGINE_PROTOCOL_NOTICES_HPP
#define TOFU_ENGINE_PROTOCOL_NOTICES_HPP

#include <tofu/binary_header.hpp>
#include <tofu/config.hpp>
#include <tofu/message.hpp>
#include <tofu/reason.hpp>
#include <tofu/status.hpp>

#include <cstdint>

namespace tofu::inline TOFU_ABI::engine {

/// Sets the origin to the engine, and sets the status. `post` removes both.
inline void put_status(message& m, status what) noexcept {
    m.header().origin = origin::engine;
    m.header().status_byte = static_cast<std::uint8_t>(what);
    route_of(m).engine_status = static_cast<std::uint8_t>(what) & 0x1FU;
}

/// Adds the cause to the last message of a channel: in memory for `message::why`, as a text header for people. The text
/// headers have room for it, see reason_room.
inline void explain(message& m, const cause& why) noexcept {
    const status added = m.headers().append(reason_header, to_text(why).view());
    TOFU_ASSERT(added == status::success);
    static_cast<void>(added);
    m.header().text_headers_length = static_cast<std::uint16_t>(m.headers().size_bytes());
    route_of(m).explain(why);
}

/// Makes the goodbye of an opened channel out of the message that was set aside for it.
inline void make_goodbye_signal(message& m, const cause& why) noexcept {
    m.header() = {.op = op_code::signal};
    put_status(m, status::channel_closed);
    explain(m, why);
}

/// A hello_request or welcome_request that failed becomes its own answer. It keeps its id, its text headers, its body
/// and its user pointer.
inline void make_failed_answer(message& request, status what, const cause& why) noexcept {
    binary_header& h = request.header();
    TOFU_ASSERT(h.op == op_code::welcome_request || h.op == op_code::hello_request);
    TOFU_ASSERT(what != status::success);
    h.op = h.op == op_code::welcome_request ? op_code::welcome_response : op_code::hello_response;
    put_status(request, what);
    explain(request, why);
}

} // namespace tofu::inline TOFU_ABI::engine

#endif
