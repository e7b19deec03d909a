// SPDX-License-Identifier: BSL-1.0
// The send queue of a connection, and the gathered write that takes many messages at once. Sans-I/O.
#ifndef TOFU_ENGINE_PROTOCOL_FRAME_WRITER_HPP
#define TOFU_ENGINE_PROTOCOL_FRAME_WRITER_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/message.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>

namespace tofu::inline TOFU_ABI::engine {

/// One gathered write under construction. Small parts are copied side by side into one area: a copy of a few hundred
/// bytes costs less than one more buffer in the system call. A large part gets a buffer of its own in the system call,
/// and is not copied. All connections of a loop share one list, which is filled and written at once.
class gather_list {
public:
    static constexpr std::size_t max_buffers = 1024;
    static constexpr std::size_t copy_limit = 512; ///< parts up to this size are copied
    static constexpr std::size_t copy_area = 64 * 1024;
    static constexpr std::size_t byte_limit = 512 * 1024; ///< a socket takes less than this at once

    void clear() noexcept { count_ = copied_ = bytes_ = 0; }

    /// Appends one part without its first `skip` bytes, and reduces `skip` by what was left out. False: no room.
    [[nodiscard]] bool add(const std::byte* data, std::size_t size, std::size_t& skip) noexcept {
        const std::size_t passed = (std::min)(skip, size);
        skip -= passed;
        data += passed;
        size -= passed;
        if (size == 0) return true;
        return size <= copy_limit ? copy(data, size) : point(data, size);
    }

    /// Appends a whole message. False: a part is too large to be copied, or there is no room. Nothing has changed then.
    [[nodiscard]] bool add_small(const message& m) noexcept {
        const std::span<const std::byte> text = m.headers().buffer().bytes();
        const std::span<const std::byte> body = m.body().bytes();
        const std::size_t size = binary_header::wire_size + text.size() + body.size();
        if (text.size() > copy_limit || body.size() > copy_limit) return false;
        std::byte* const place = claim(size);
        if (place == nullptr) return false;
        encode(m.header(), std::span<std::byte, binary_header::wire_size>(place, binary_header::wire_size));
        if (!text.empty()) std::memcpy(place + binary_header::wire_size, text.data(), text.size());
        if (!body.empty()) std::memcpy(place + size - body.size(), body.data(), body.size());
        return true;
    }

    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::span<const const_buffer> buffers() const noexcept { return {buffers_.data(), count_}; }

private:
    /// Adds the next bytes of the area to the write. Null: no room.
    std::byte* claim(std::size_t size) noexcept {
        if (copied_ + size > area_.size()) return nullptr;
        std::byte* const place = area_.data() + copied_;
        const bool joins = count_ != 0 && buffers_[count_ - 1].data + buffers_[count_ - 1].size == place;
        if (!joins && !append(place, 0)) return nullptr;
        buffers_[count_ - 1].size += size;
        copied_ += size;
        bytes_ += size;
        return place;
    }

    bool copy(const std::byte* data, std::size_t size) noexcept {
        std::byte* const place = claim(size);
        if (place == nullptr) return false;
        std::memcpy(place, data, size);
        return true;
    }

    bool point(const std::byte* data, std::size_t size) noexcept {
        if (!append(data, size)) return false;
        bytes_ += size;
        return true;
    }

    bool append(const std::byte* data, std::size_t size) noexcept {
        if (count_ == max_buffers) return false;
        buffers_[count_++] = {data, size};
        return true;
    }

    std::array<const_buffer, max_buffers> buffers_{};
    std::size_t count_ = 0;
    std::size_t copied_ = 0;
    std::size_t bytes_ = 0;
    std::array<std::byte, copy_area> area_{};
};

/// The writing half of one connection. Sending never changes a message: each attempt encodes the header again, so a
/// half-sent message can come back as it was posted. One thread at a time.
class frame_writer {
public:
    [[nodiscard]] bool empty() const noexcept { return queue_.empty(); }

    /// The oldest message that is not sent completely. Null: the queue is empty.
    [[nodiscard]] const message* first() const noexcept { return empty() ? nullptr : &message_of(*queue_.front()); }

    /// Takes ownership. The length fields of the header must be right.
    void push(message& m) noexcept {
        TOFU_ASSERT(m.header().text_headers_length == m.headers().size_bytes());
        TOFU_ASSERT(m.header().body_length == m.body().size());
        queue_.push_back(node_of(m));
    }

    /// Fills the list from the first unsent byte on, until it has `enough` bytes or no room.
    void gather(gather_list& list, std::size_t enough) const noexcept {
        list.clear();
        enough = (std::min)(enough, gather_list::byte_limit);
        std::size_t skip = sent_of_first_;
        for (detail::queue_node* node = queue_.front(); node != nullptr && list.bytes() < enough; node = node->next)
            if (!(skip == 0 && list.add_small(message_of(*node))) && !add(list, message_of(*node), skip)) return;
    }

    /// Call after the kernel has taken `bytes` bytes. Calls `out(message, size)` for each message that is sent
    /// completely; then the caller owns the message.
    template <class Out>
    void sent(std::size_t bytes, Out out) noexcept {
        sent_of_first_ += bytes;
        TOFU_ASSERT(bytes == 0 || !queue_.empty());
        while (!queue_.empty()) {
            const std::size_t size = message_of(*queue_.front()).wire_size();
            if (sent_of_first_ < size) break;
            sent_of_first_ -= size;
            out(message_of(*queue_.pop_front()), size);
        }
        TOFU_ASSERT(!queue_.empty() || sent_of_first_ == 0);
    }

    /// Gives up all messages that are not sent completely, oldest first.
    [[nodiscard]] detail::node_queue abandon() noexcept {
        sent_of_first_ = 0;
        return std::move(queue_);
    }

private:
    static bool add(gather_list& list, message& m, std::size_t& skip) noexcept {
        std::array<std::byte, binary_header::wire_size> wire{};
        encode(m.header(), wire);
        return list.add(wire.data(), wire.size(), skip) &&
               list.add(m.headers().buffer().data(), m.headers().size_bytes(), skip) &&
               list.add(m.body().data(), m.body().size(), skip);
    }

    detail::node_queue queue_;
    std::size_t sent_of_first_ = 0;
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
