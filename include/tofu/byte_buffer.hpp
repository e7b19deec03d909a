// SPDX-License-Identifier: BSL-1.0
// A growing block of bytes that reports a failed allocation instead of throwing and never clears what it grows by.

#ifndef TOFU_BYTE_BUFFER_HPP
#define TOFU_BYTE_BUFFER_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <utility>

namespace tofu {

/// Owner of a contiguous block of bytes. Move-only; a moved-from buffer is empty and usable. Every call that may need
/// memory returns false, and changes nothing, when there is none. Growing moves the bytes: pointers, spans and views
/// into the buffer become invalid; shrinking and clear() do not move them. One thread at a time.
class byte_buffer {
public:
    byte_buffer() noexcept = default;
    byte_buffer(const byte_buffer&) = delete;
    byte_buffer& operator=(const byte_buffer&) = delete;

    byte_buffer(byte_buffer&& other) noexcept
        : block_(std::move(other.block_))
        , size_(std::exchange(other.size_, 0))
        , capacity_(std::exchange(other.capacity_, 0)) {}

    byte_buffer& operator=(byte_buffer&& other) noexcept {
        byte_buffer taken(std::move(other));
        swap(taken);
        return *this;
    }

    ~byte_buffer() = default;

    void swap(byte_buffer& other) noexcept {
        block_.swap(other.block_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
    }

    friend void swap(byte_buffer& left, byte_buffer& right) noexcept { left.swap(right); }

    /// The first byte; null while nothing was ever allocated.
    [[nodiscard]] std::byte* data() noexcept { return block_.get(); }
    [[nodiscard]] const std::byte* data() const noexcept { return block_.get(); }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    [[nodiscard]] std::span<std::byte> bytes() noexcept { return {block_.get(), size_}; }
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {block_.get(), size_}; }

    /// The bytes as text.
    [[nodiscard]] std::string_view text() const noexcept {
        return {reinterpret_cast<const char*>(block_.get()), size_};
    }

    /// Makes room for `count` bytes in all; size() stays. Grows at least to the double, and to 64 bytes.
    [[nodiscard]] bool reserve(std::size_t count) noexcept {
        if (count <= capacity_) return true;
        fresh_block fresh = allocate(count);
        if (!fresh.memory) return false;
        copy(fresh.memory.get(), block_.get(), size_);
        adopt(std::move(fresh));
        return true;
    }

    /// Changes the size to `count`. Bytes that were there stay; new ones have indeterminate values.
    [[nodiscard]] bool resize(std::size_t count) noexcept {
        if (!reserve(count)) return false;
        size_ = count;
        return true;
    }

    /// Adds bytes at the end. `more` may lie inside this buffer.
    [[nodiscard]] bool append(std::span<const std::byte> more) noexcept {
        if (more.size() > max_capacity - size_) return false;
        const std::size_t total = size_ + more.size();
        if (total > capacity_) {
            fresh_block fresh = allocate(total);
            if (!fresh.memory) return false;
            copy(fresh.memory.get(), block_.get(), size_);
            copy(fresh.memory.get() + size_, more.data(), more.size());
            adopt(std::move(fresh));
        } else {
            copy(block_.get() + size_, more.data(), more.size());
        }
        size_ = total;
        return true;
    }

    /// The same with the bytes of a text.
    [[nodiscard]] bool append(std::string_view more) noexcept {
        return append(std::as_bytes(std::span(more.data(), more.size())));
    }

    /// Replaces the content. `content` may lie inside this buffer.
    [[nodiscard]] bool assign(std::span<const std::byte> content) noexcept {
        if (content.size() > capacity_) {
            fresh_block fresh = allocate(content.size());
            if (!fresh.memory) return false;
            copy(fresh.memory.get(), content.data(), content.size());
            adopt(std::move(fresh));
        } else {
            copy(block_.get(), content.data(), content.size());
        }
        size_ = content.size();
        return true;
    }

    /// Forgets the bytes, keeps the memory.
    void clear() noexcept { size_ = 0; }

    /// Forgets the bytes and gives the memory back.
    void release() noexcept {
        block_.reset();
        size_ = 0;
        capacity_ = 0;
    }

    /// The largest capacity of a buffer that has grown to `size` bytes in whatever steps, and had `before` at first.
    [[nodiscard]] static constexpr std::size_t most_capacity(std::size_t size, std::size_t before) noexcept {
        const std::size_t last = size < 2 ? 0 : size - 1; // the largest that still has to grow
        return (std::max)({size, before, 2 * (std::min)(before, last), first_capacity});
    }

private:
    static constexpr std::size_t first_capacity = 64;
    // More can not be addressed by pointer differences, and some compilers raise an exception for it all the same.
    static constexpr std::size_t max_capacity = static_cast<std::size_t>(PTRDIFF_MAX);

    struct fresh_block {
        std::unique_ptr<std::byte[]> memory;
        std::size_t capacity = 0;
    };

    // Where the comfortable size is not to be had, the necessary one may be.
    [[nodiscard]] fresh_block allocate(std::size_t needed) const noexcept {
        if (needed > max_capacity) return {};
        const std::size_t doubled = capacity_ <= max_capacity / 2 ? capacity_ * 2 : max_capacity;
        for (const std::size_t count : {(std::max)({needed, doubled, first_capacity}), needed}) {
            if (std::byte* const memory = new (std::nothrow) std::byte[count]) {
                return {std::unique_ptr<std::byte[]>(memory), count};
            }
        }
        return {};
    }

    void adopt(fresh_block fresh) noexcept {
        block_ = std::move(fresh.memory);
        capacity_ = fresh.capacity;
    }

    // A view into memory that clear() or a shrink gave up may overlap its destination; memmove allows it, but no null.
    static void copy(std::byte* to, const std::byte* from, std::size_t count) noexcept {
        if (count != 0) std::memmove(to, from, count);
    }

    std::unique_ptr<std::byte[]> block_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

} // namespace tofu

#endif // TOFU_BYTE_BUFFER_HPP
