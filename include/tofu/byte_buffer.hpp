// SPDX-License-Identifier: BSL-1.0
// A growing block of bytes that reports a failed allocation instead of throwing and never clears what it grows by.

#ifndef TOFU_BYTE_BUFFER_HPP
#define TOFU_BYTE_BUFFER_HPP

#include <tofu/config.hpp>
#include <tofu/detail/prefetch.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <utility>

namespace tofu::inline TOFU_ABI {

/// Owner of a contiguous block of bytes. Move-only; a moved-from buffer is empty and usable. Every call that may need
/// memory returns false, and changes nothing, when there is none. Growing moves the bytes: pointers, spans and views
/// into the buffer become invalid; shrinking and clear() do not move them. One thread at a time.
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

    /// The first byte; null while nothing was ever allocated.
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

    /// Makes room for `count` bytes in all; size() stays. Grows at least to the double, and to 64 bytes.
    [[nodiscard]] bool reserve(std::size_t count) noexcept {
        if (count <= capacity()) return true;
        block fresh = allocate(count);
        if (fresh.capacity() == 0) return false;
        copy(fresh.first(), block_.first(), size_);
        block_.swap(fresh);
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

    /// The same with the bytes of a text.
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

    /// Forgets the bytes, keeps the memory.
    void clear() noexcept { size_ = 0; }

    /// Forgets the bytes and gives the memory back.
    void release() noexcept {
        block none;
        block_.swap(none);
        size_ = 0;
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

    /// Owns memory. The smallest there is lies in a cache line of its own, not in parts of two, because small messages
    /// are written by one processor and read by another. For more it would not pay: aligned memory is dearer to get.
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

        /// Without capacity when memory is short.
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

    // Where the comfortable size is not to be had, the necessary one may be.
    [[nodiscard]] block allocate(std::size_t needed) const noexcept {
        if (needed > max_capacity) return {};
        const std::size_t doubled = capacity() <= max_capacity / 2 ? capacity() * 2 : max_capacity;
        block comfortable = block::make((std::max)({needed, doubled, first_capacity}));
        return comfortable.capacity() != 0 ? std::move(comfortable) : block::make(needed);
    }

    // A view into memory that clear() or a shrink gave up may overlap its destination; memmove allows it, but no null.
    static void copy(std::byte* to, const std::byte* from, std::size_t count) noexcept {
        if (count != 0) std::memmove(to, from, count);
    }

    block block_;
    std::size_t size_ = 0;
};

} // namespace tofu::inline TOFU_ABI

#endif // TOFU_BYTE_BUFFER_HPP
