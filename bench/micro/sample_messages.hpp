// SPDX-License-Identifier: BSL-1.0
// Messages to be cut and gathered, and the bytes they are on the wire.
#ifndef TOFU_BENCH_MICRO_SAMPLE_MESSAGES_HPP
#define TOFU_BENCH_MICRO_SAMPLE_MESSAGES_HPP

#include <tofu/message.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <new>
#include <string>
#include <vector>

namespace bench {

using wire_bytes = std::vector<std::byte>;

/// A signal with a content that no other number has.
inline void fill(tofu::message& m, std::size_t number, std::size_t headers, std::size_t body) {
    for (std::size_t i = 0; i < headers; ++i) {
        const std::string index = std::to_string(i);
        if (m.headers().append("header-" + index, "value " + index) != tofu::status::success) throw std::bad_alloc();
    }
    if (!m.body().resize(body)) throw std::bad_alloc();
    for (std::size_t i = 0; i < body; ++i) m.body().data()[i] = static_cast<std::byte>(number * 31 + i * 7);
    m.header() = {.channel_number = 1,
                  .op = tofu::op_code::signal,
                  .message_id = number + 1,
                  .text_headers_length = static_cast<std::uint16_t>(m.headers().size_bytes()),
                  .body_length = static_cast<std::uint16_t>(body)};
}

inline std::deque<tofu::message> sample_messages(std::size_t count, std::size_t headers, std::size_t body) {
    std::deque<tofu::message> messages(count);
    for (std::size_t i = 0; i < count; ++i) fill(messages[i], i, headers, body);
    return messages;
}

inline void append_wire(wire_bytes& wire, const tofu::message& m) {
    std::array<std::byte, tofu::binary_header::wire_size> header{};
    tofu::encode(m.header(), header);
    wire.insert(wire.end(), header.begin(), header.end());
    const auto headers = m.headers().buffer().bytes();
    wire.insert(wire.end(), headers.begin(), headers.end());
    const auto body = m.body().bytes();
    wire.insert(wire.end(), body.begin(), body.end());
}

inline wire_bytes wire_of(const std::deque<tofu::message>& messages) {
    wire_bytes wire;
    for (const tofu::message& m : messages) append_wire(wire, m);
    return wire;
}

} // namespace bench

#endif
