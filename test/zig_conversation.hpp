// SPDX-License-Identifier: BSL-1.0
// The bytes of one real conversation between two programs of the Zig implementation, for tests of compatibility.

#ifndef TOFU_TEST_ZIG_CONVERSATION_HPP
#define TOFU_TEST_ZIG_CONVERSATION_HPP

#include <tofu/binary_header.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zig_conversation {

/// The channel numbers the two sides used; each writes its own.
inline constexpr std::uint16_t client_channel = 0x7d31;
inline constexpr std::uint16_t server_channel = 0x5ae6;

/// The address both the hello_request and its answer carry.
inline constexpr std::string_view address = "tcp|127.0.0.1|17111";

/// One message as it was captured. The bytes are written as hex digits, as a capture shows them.
struct line {
    bool from_client;
    std::string_view header;       // 16 bytes
    std::string_view text_headers; // may be empty
    std::string_view body;         // may be empty
    tofu::binary_header meaning;   // what the header says, read by hand
};

namespace detail {

constexpr tofu::binary_header header_of(std::uint16_t channel, tofu::op_code op, bool more, std::uint64_t id,
                                        std::uint16_t headers_length, std::uint16_t body_length) {
    tofu::binary_header header;
    header.channel_number = channel;
    header.op = op;
    header.more = more;
    header.message_id = id;
    header.text_headers_length = headers_length;
    header.body_length = body_length;
    return header;
}

inline constexpr std::string_view hello_headers = "7e636f6e6e6563745f746f3a7463707c3132372e302e302e317c31373131310d0a";

} // namespace detail

/// The whole conversation over TCP loopback, in the order of time. Lines 3 and 4 are a request and its response, lines
/// 5 and 6 both again with the `more` bit set.
inline constexpr std::array<line, 8> lines{{
    {true, "7d310300000000000000000100210000", detail::hello_headers, "",
     detail::header_of(client_channel, tofu::op_code::hello_request, false, 1, 33, 0)},
    {false, "5ae60400000000000000000100210000", detail::hello_headers, "",
     detail::header_of(server_channel, tofu::op_code::hello_response, false, 1, 33, 0)},
    {true, "7d310000000000000000000100070005", "7365713a310d0a", "01080f161d",
     detail::header_of(client_channel, tofu::op_code::request, false, 1, 7, 5)},
    {false, "5ae60100000000000000000100070005", "7365713a310d0a", "01080f161d",
     detail::header_of(server_channel, tofu::op_code::response, false, 1, 7, 5)},
    {true, "7d312000000000000000000200070005", "7365713a320d0a", "020910171e",
     detail::header_of(client_channel, tofu::op_code::request, true, 2, 7, 5)},
    {false, "5ae62100000000000000000200070005", "7365713a320d0a", "020910171e",
     detail::header_of(server_channel, tofu::op_code::response, true, 2, 7, 5)},
    {true, "7d310500000000000000000200000000", "", "",
     detail::header_of(client_channel, tofu::op_code::bye_request, false, 2, 0, 0)},
    {false, "5ae60600000000000000000200000000", "", "",
     detail::header_of(server_channel, tofu::op_code::bye_response, false, 2, 0, 0)},
}};

/// The bytes of a hex text.
inline std::vector<std::byte> bytes_of(std::string_view hex) {
    const auto digit = [](char character) {
        return static_cast<unsigned>(character <= '9' ? character - '0' : character - 'a' + 10);
    };
    std::vector<std::byte> bytes;
    for (std::size_t index = 0; index + 1 < hex.size(); index += 2) {
        bytes.push_back(static_cast<std::byte>(digit(hex[index]) * 16 + digit(hex[index + 1])));
    }
    return bytes;
}

/// The same as text.
inline std::string text_of(std::string_view hex) {
    std::string text;
    for (const std::byte byte : bytes_of(hex)) text.push_back(static_cast<char>(byte));
    return text;
}

/// A whole message as it travelled: header, text headers, body.
inline std::vector<std::byte> wire_of(const line& captured) {
    std::vector<std::byte> wire;
    for (const std::string_view part : {captured.header, captured.text_headers, captured.body}) {
        const std::vector<std::byte> bytes = bytes_of(part);
        wire.insert(wire.end(), bytes.begin(), bytes.end());
    }
    return wire;
}

/// Everything one side sent, in order.
inline std::vector<std::byte> stream_of(bool from_client) {
    std::vector<std::byte> stream;
    for (const line& captured : lines) {
        if (captured.from_client != from_client) continue;
        const std::vector<std::byte> wire = wire_of(captured);
        stream.insert(stream.end(), wire.begin(), wire.end());
    }
    return stream;
}

} // namespace zig_conversation

#endif // TOFU_TEST_ZIG_CONVERSATION_HPP
