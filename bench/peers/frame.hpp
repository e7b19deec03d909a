// SPDX-License-Identifier: BSL-1.0
// The messages of the peers that have no protocol of their own: 16 bytes of header and a body.
#ifndef TOFU_BENCH_PEERS_FRAME_HPP
#define TOFU_BENCH_PEERS_FRAME_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <vector>

namespace bench {

enum class frame_kind : std::uint32_t { request, reply };

struct frame_header {
    std::uint32_t length = 0; ///< of the body
    frame_kind kind = frame_kind::request;
    std::uint64_t id = 0;
};
static_assert(sizeof(frame_header) == 16);

/// Of a frame with its header. Buffers for whole frames are larger than that.
constexpr std::size_t largest_frame = 128 * 1024;

[[nodiscard]] inline frame_header header_of(std::span<const std::byte> frame) {
    frame_header header;
    std::memcpy(&header, frame.data(), sizeof header);
    return header;
}

[[nodiscard]] inline frame_header header_for(frame_kind kind, std::uint64_t id, std::size_t body) {
    if (body > largest_frame - sizeof(frame_header)) throw std::invalid_argument("a body that is too long");
    return {static_cast<std::uint32_t>(body), kind, id};
}

[[nodiscard]] inline std::span<std::byte> body_of(std::span<std::byte> frame) {
    return frame.subspan(sizeof(frame_header));
}

/// The frame that `bytes` begin with; nothing when it is not whole.
[[nodiscard]] inline std::span<std::byte> first_frame(std::span<std::byte> bytes) {
    if (bytes.size() < sizeof(frame_header)) return {};
    const std::size_t size = sizeof(frame_header) + header_of(bytes).length;
    if (size > largest_frame) throw std::runtime_error("a frame that is too long");
    return bytes.size() < size ? std::span<std::byte>() : bytes.first(size);
}

/// A request becomes its own answer.
inline void make_reply(std::span<std::byte> frame) {
    constexpr auto kind = frame_kind::reply;
    std::memcpy(frame.data() + offsetof(frame_header, kind), &kind, sizeof kind);
}

inline void append_frame(std::vector<std::byte>& to, const frame_header& header, std::span<const std::byte> body) {
    const auto* const bytes = reinterpret_cast<const std::byte*>(&header);
    to.insert(to.end(), bytes, bytes + sizeof header);
    to.insert(to.end(), body.begin(), body.end());
}

/// A client's side of one connection: replies have the numbers of their requests. A flood is replies that nobody has
/// asked for.
class request_numbers {
public:
    [[nodiscard]] frame_header next_request(std::size_t body) {
        return header_for(frame_kind::request, requests_++, body);
    }

    /// The body of the next reply.
    [[nodiscard]] std::span<const std::byte> take_reply(std::span<std::byte> frame) {
        const frame_header header = header_of(frame);
        if (header.kind != frame_kind::reply || header.id != replies_++)
            throw std::runtime_error("a reply to something else");
        return body_of(frame);
    }

private:
    std::uint64_t requests_ = 0;
    std::uint64_t replies_ = 0;
};

} // namespace bench

#endif
