// SPDX-License-Identifier: BSL-1.0
// The wire format once more, written down from the protocol and not from the library.
#ifndef TOFU_TEST_SIMULATION_FRAMES_HPP
#define TOFU_TEST_SIMULATION_FRAMES_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tofu_simulation {

using bytes = std::vector<std::byte>;

/// The length of the binary header, in bytes.
inline constexpr std::size_t header_size = 16;

struct frame_header {
    unsigned number = 0;
    unsigned op = 0; ///< 0 to 15
    bool engine = false;
    bool more = false;
    unsigned internal = 0; ///< bits 6 and 7
    unsigned status = 0;
    std::uint64_t id = 0;
    std::size_t text = 0;
    std::size_t body = 0;

    [[nodiscard]] std::size_t size() const { return header_size + text + body; }
};

inline void put(bytes& into, std::uint64_t value, int size) {
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8)
        into.push_back(static_cast<std::byte>(value >> shift & 0xFF));
}

inline void put(bytes& into, const frame_header& h) {
    put(into, h.number, 2);
    put(into, h.op | (h.engine ? 16U : 0U) | (h.more ? 32U : 0U) | h.internal << 6, 1);
    put(into, h.status, 1);
    put(into, h.id, 8);
    put(into, h.text, 2);
    put(into, h.body, 2);
}

[[nodiscard]] inline std::uint64_t get(std::span<const std::byte> from, std::size_t at, std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | std::to_integer<unsigned>(from[at + i]);
    return value;
}

/// `from` holds at least the 16 bytes.
[[nodiscard]] inline frame_header get_header(std::span<const std::byte> from) {
    const auto proto = static_cast<unsigned>(get(from, 2, 1));
    return {.number = static_cast<unsigned>(get(from, 0, 2)),
            .op = proto & 15,
            .engine = (proto & 16) != 0,
            .more = (proto & 32) != 0,
            .internal = proto >> 6,
            .status = static_cast<unsigned>(get(from, 3, 1)),
            .id = get(from, 4, 8),
            .text = static_cast<std::size_t>(get(from, 12, 2)),
            .body = static_cast<std::size_t>(get(from, 14, 2))};
}

} // namespace tofu_simulation

#endif
