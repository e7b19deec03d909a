// SPDX-License-Identifier: BSL-1.0
// A growing block of bytes. A failed allocation is a result, not an exception, and new bytes are not cleared.

#ifndef TOFU_BYTE_BUFFER_HPP
#define TOFU_BYTE_BUFFER_HPP

#include <tofu/config.hpp>
#include <tofu/detail/prefetch.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <utility>

namespace tofu::inline TOFU_ABI {

/// Owns a contiguous block of bytes. Move-only; a moved-from buffer is empty and usable. A call that needs memory
/// returns false, and changes nothing, if memory is short. Growing moves the bytes, so pointers, spans and views into
/// the buffer become invalid; shrinking and clear() move nothing. One thread at a time.
class byte_buffer {
public:
    byte_buffer() noexcept = default;
    byte_buffer(const byte_buffer&) = delete;
    byte_buffer& operator=(const byte_buffer&) = delete;

    byte_buffer(byte_buffer&& other) noexcept : block_(std::move(other.block_)), size_(std::exchange(other.size_, 0)) {}

    byte_buffer& operator=(byte_buffer&& other) noexcept {
        byte_buffer taken(std::move(other));
        swap(taken);
        return *this;
    }

    ~byte_buffer() = default;

    void swap(byte_buffer& other) noexcept {
        block_.swap(other.block_);
        std::swap(size_, other.size_);
    }

    friend void swap(byte_buffer& left, byte_buffer& right) noexcept { left.swap(right); }

    /// The first byte. Null: nothing was ever allocated.
    [[nodiscard]] std::byte* data() noexcept { return block_.first(); }
    [[nodiscard]] const std::byte* data() const noexcept { return block_.first(); }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return block_.capacity(); }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    [[nodiscard]] std::span<std::byte> bytes() noexcept { return {block_.first(), size_}; }
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {block_.first(), size_}; }

    /// The bytes as text.
    [[nodiscard]] std::string_view text() const noexcept {
        return {reinterpret_cast<const char*>(block_.first()), size_};
    }

    /// Makes room for `count` bytes in all. The size stays. Grows at least to twice the capacity, and to 64 bytes.
    [[nodiscard]] bool reserve(std::size_t count) noexcept {
        if (count <= capacity()) return true;
        block fresh = allocate(count);
        if (fresh.capacity() == 0) return false;
        copy(fresh.first(), block_.first(), size_);
        block_.swap(fresh);
        return true;
    }

    /// Changes the size to `count`. Old bytes stay; new bytes have indeterminate values.
    [[nodiscard]] bool resize(std::size_t count) noexcept {
        if (!reserve(count)) return false;
        size_ = count;
        return true;
    }

    /// Adds bytes at the end. `more` may lie inside this buffer.
    [[nodiscard]] bool append(std::span<const std::byte> more) noexcept {
        if (more.size() > max_capacity - size_) return false;
        const std::size_t total = size_ + more.size();
        if (total > capacity()) {
            block fresh = allocate(total);
            if (fresh.capacity() == 0) return false;
            copy(fresh.first(), block_.first(), size_);
            copy(fresh.first() + size_, more.data(), more.size());
            block_.swap(fresh);
        } else {
            copy(block_.first() + size_, more.data(), more.size());
        }
        size_ = total;
        return true;
    }

    /// Adds the bytes of a text at the end.
    [[nodiscard]] bool append(std::string_view more) noexcept {
        return append(std::as_bytes(std::span(more.data(), more.size())));
    }

    /// Replaces the content. `content` may lie inside this buffer.
    [[nodiscard]] bool assign(std::span<const std::byte> content) noexcept {
        if (content.size() > capacity()) {
            block fresh = allocate(content.size());
            if (fresh.capacity() == 0) return false;
            copy(fresh.first(), content.data(), content.size());
            block_.swap(fresh);
        } else {
            copy(block_.first(), content.data(), content.size());
        }
        size_ = content.size();
        return true;
    }

    /// Removes all bytes, and keeps the memory.
    void clear() noexcept { size_ = 0; }

    /// Removes all bytes, and frees the memory.
    void release() noexcept {
        block none;
        block_.swap(none);
        size_ = 0;
    }

    /// The largest capacity of a buffer that began with the capacity `before` and has grown to `size` bytes, in any
    /// steps.
    [[nodiscard]] static constexpr std::size_t most_capacity(std::size_t size, std::size_t before) noexcept {
        const std::size_t last = size < 2 ? 0 : size - 1; // the largest size that still has to grow
        const std::size_t doubled = 2 * (before < last ? before : last);
        return larger(larger(size, before), larger(doubled, first_capacity));
    }

private:
    static constexpr std::size_t first_capacity = 64;
    // A pointer difference cannot be larger, and with some compilers a larger allocation throws.
    static constexpr std::size_t max_capacity = static_cast<std::size_t>(PTRDIFF_MAX);

    /// Replaces std::max, because <algorithm> takes long to compile.
    [[nodiscard]] static constexpr std::size_t larger(std::size_t left, std::size_t right) noexcept {
        return left < right ? right : left;
    }

    /// Owns memory. The smallest block fills one cache line exactly, because one processor writes small messages and
    /// another reads them. Larger blocks are not aligned: aligned memory is more expensive to allocate.
    class block {
    public:
        block() noexcept = default;
        block(block&& other) noexcept { swap(other); }
        block& operator=(block&&) = delete;
        ~block() {
            if (capacity_ <= first_capacity)
                ::operator delete[](first_, cache_line);
            else
                ::operator delete[](first_);
        }

        /// The capacity is 0 if memory is short.
        [[nodiscard]] static block make(std::size_t capacity) noexcept {
            void* const memory = capacity <= first_capacity ? ::operator new[](capacity, cache_line, std::nothrow)
                                                            : ::operator new[](capacity, std::nothrow);
            block made;
            made.first_ = static_cast<std::byte*>(memory);
            made.capacity_ = memory == nullptr ? 0 : capacity;
            return made;
        }

        void swap(block& other) noexcept {
            std::swap(first_, other.first_);
            std::swap(capacity_, other.capacity_);
        }

        [[nodiscard]] std::byte* first() const noexcept { return first_; }
        [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

    private:
        static constexpr std::align_val_t cache_line{detail::cache_line_size};

        std::byte* first_ = nullptr;
        std::size_t capacity_ = 0;
    };

    // If twice the capacity is not available, the necessary size may be.
    [[nodiscard]] block allocate(std::size_t needed) const noexcept {
        if (needed > max_capacity) return {};
        const std::size_t doubled = capacity() <= max_capacity / 2 ? capacity() * 2 : max_capacity;
        block comfortable = block::make(larger(larger(needed, doubled), first_capacity));
        return comfortable.capacity() != 0 ? std::move(comfortable) : block::make(needed);
    }

    // `more` may overlap the destination: it may be a view of bytes that clear() or a shrink removed. memmove allows
    // that, but no null pointer.
    static void copy(std::byte* to, const std::byte* from, std::size_t count) noexcept {
        if (count != 0) std::memmove(to, from, count);
    }

    block block_;
    std::size_t size_ = 0;
};

} // namespace tofu::inline TOFU_ABI

#endif // TOFU_BYTE_BUFFER_HPP
