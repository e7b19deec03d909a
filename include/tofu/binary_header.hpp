// SPDX-License-Identifier: BSL-1.0
// The 16 bytes at the start of every message, and their encoding on the wire.

#ifndef TOFU_BINARY_HEADER_HPP
#define TOFU_BINARY_HEADER_HPP

#include <tofu/config.hpp>
#include <tofu/status.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tofu::inline TOFU_ABI {

/// The operation of a message; doc/messages.md describes each. The wire's four bits can also hold 10 to 15, which are
/// invalid.
enum class op_code : std::uint8_t {
    request = 0,
    response = 1,
    signal = 2,
    hello_request = 3,
    hello_response = 4,
    bye_request = 5,
    bye_response = 6,
    bye_signal = 7,
    welcome_request = 8,
    welcome_response = 9,
};

/// The number of valid operations: 0 to op_code_count - 1.
inline constexpr std::size_t op_code_count = 10;

/// True for the ten operations of the protocol. Any thread.
[[nodiscard]] constexpr bool is_valid(op_code op) noexcept { return static_cast<std::size_t>(op) < op_code_count; }

/// True for request, response and signal: the operations that carry data and may have the `more` bit. Any thread.
[[nodiscard]] constexpr bool is_regular(op_code op) noexcept {
    return op == op_code::request || op == op_code::response || op == op_code::signal;
}

namespace detail {

inline constexpr std::array<std::string_view, op_code_count> op_code_names{
    "request",     "response",     "signal",     "hello_request",   "hello_response",
    "bye_request", "bye_response", "bye_signal", "welcome_request", "welcome_response",
};

} // namespace detail

/// The name of the operation, such as "hello_request", or "invalid". Static storage. Any thread.
[[nodiscard]] constexpr std::string_view to_string(op_code op) noexcept {
    return is_valid(op) ? detail::op_code_names[static_cast<std::size_t>(op)] : std::string_view("invalid");
}

/// The maker of a message: an application (this one, or the peer's), or the local engine. Never `engine` on the wire.
enum class origin : std::uint8_t { application = 0, engine = 1 };

/// The name: "application" or "engine". Static storage. Any thread.
[[nodiscard]] constexpr std::string_view to_string(origin from) noexcept {
    return from == origin::engine ? std::string_view("engine") : std::string_view("application");
}

/// The channel number of a message that belongs to no channel.
inline constexpr std::uint16_t no_channel = 0;
/// The highest number of a channel. The lowest is 1.
inline constexpr std::uint16_t last_channel = 65534;
/// The number of the engine itself; no channel has it.
inline constexpr std::uint16_t engine_channel = 65535;
/// This bit is set in every message id that an engine assigns. Applications leave it clear in their own ids; `post`
/// does not check that.
inline constexpr std::uint64_t engine_id_bit = std::uint64_t{1} << 63;
/// The most bytes of text headers, and the most bytes of body, in one message.
inline constexpr std::size_t max_part_length = 65535;

/// The binary header as a plain value, in the machine's own byte order.
struct binary_header {
    /// Bytes on the wire.
    static constexpr std::size_t wire_size = 16;

    /// In a received message, the number of the receiver's channel. On the wire, the number of the sender's channel.
    std::uint16_t channel_number = no_channel;
    op_code op = op_code::request;
    tofu::origin origin = tofu::origin::application;
    /// True: more messages with this id follow. Only on request, response and signal, and not with id 0.
    bool more = false;
    /// The status byte as it travels. An application may send any byte to its peer.
    std::uint8_t status_byte = 0;
    /// The correlation id. An application chooses it with bit 63 clear (see engine_id_bit). With 0 in a posted request,
    /// signal, hello, welcome or bye_request the engine assigns one. An answer keeps the id of its question. Ids
    /// correlate within one channel and one direction, so both peers may use the same ids.
    std::uint64_t message_id = 0;
    /// Bytes of text headers.
    std::uint16_t text_headers_length = 0;
    /// Bytes of body.
    std::uint16_t body_length = 0;

    /// The status byte as a status; above 31 it is unknown_error. Any thread.
    [[nodiscard]] constexpr tofu::status status() const noexcept { return status_from_byte(status_byte); }

    friend constexpr bool operator==(const binary_header&, const binary_header&) noexcept = default;
};

/// The most bytes of one message on the wire.
inline constexpr std::size_t max_message_size = binary_header::wire_size + 2 * max_part_length;

namespace detail {

inline constexpr unsigned proto_op_mask = 0x0f;
inline constexpr unsigned proto_origin_bit = 0x10;
inline constexpr unsigned proto_more_bit = 0x20;

template <class Unsigned, std::size_t Offset>
constexpr void store_big_endian(Unsigned value, std::span<std::byte, binary_header::wire_size> out) noexcept {
    static_assert(Offset + sizeof(Unsigned) <= binary_header::wire_size);
    for (std::size_t index = 0; index < sizeof(Unsigned); ++index) {
        const std::size_t shift = 8 * (sizeof(Unsigned) - 1 - index);
        out[Offset + index] = static_cast<std::byte>((value >> shift) & 0xffU);
    }
}

template <class Unsigned, std::size_t Offset>
constexpr Unsigned load_big_endian(std::span<const std::byte, binary_header::wire_size> in) noexcept {
    static_assert(Offset + sizeof(Unsigned) <= binary_header::wire_size);
    std::uint64_t value = 0;
    for (std::size_t index = 0; index < sizeof(Unsigned); ++index) {
        value = (value << 8) | std::to_integer<std::uint64_t>(in[Offset + index]);
    }
    return static_cast<Unsigned>(value);
}

} // namespace detail

/// Writes the 16 bytes of a header. Bits 6 and 7 of the proto byte are always 0; only the low four bits of an op code
/// are written. Any thread.
constexpr void encode(const binary_header& header, std::span<std::byte, binary_header::wire_size> out) noexcept {
    unsigned proto = static_cast<unsigned>(header.op) & detail::proto_op_mask;
    if (header.origin == origin::engine) proto |= detail::proto_origin_bit;
    if (header.more) proto |= detail::proto_more_bit;
    detail::store_big_endian<std::uint16_t, 0>(header.channel_number, out);
    out[2] = static_cast<std::byte>(proto);
    out[3] = static_cast<std::byte>(header.status_byte);
    detail::store_big_endian<std::uint64_t, 4>(header.message_id, out);
    detail::store_big_endian<std::uint16_t, 12>(header.text_headers_length, out);
    detail::store_big_endian<std::uint16_t, 14>(header.body_length, out);
}

/// Decodes the 16 bytes of a header. Accepts any bytes. Bits 6 and 7 of the proto byte are ignored, because Zig peers
/// set them. The op codes 10 to 15 stay as they are; is_valid finds them. Any thread.
[[nodiscard]] constexpr binary_header decode(std::span<const std::byte, binary_header::wire_size> in) noexcept {
    const auto proto = std::to_integer<unsigned>(in[2]);
    binary_header header;
    header.channel_number = detail::load_big_endian<std::uint16_t, 0>(in);
    header.op = static_cast<op_code>(proto & detail::proto_op_mask);
    header.origin = (proto & detail::proto_origin_bit) != 0 ? origin::engine : origin::application;
    header.more = (proto & detail::proto_more_bit) != 0;
    header.status_byte = std::to_integer<std::uint8_t>(in[3]);
    header.message_id = detail::load_big_endian<std::uint64_t, 4>(in);
    header.text_headers_length = detail::load_big_endian<std::uint16_t, 12>(in);
    header.body_length = detail::load_big_endian<std::uint16_t, 14>(in);
    return header;
}

} // namespace tofu::inline TOFU_ABI

#endif // TOFU_BINARY_HEADER_HPP
