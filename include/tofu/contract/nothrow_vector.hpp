// SPDX-License-Identifier: BSL-1.0
// A growable array of plain values that returns false when memory is short, instead of throwing.

#ifndef TOFU_CONTRACT_NOTHROW_VECTOR_HPP
#define TOFU_CONTRACT_NOTHROW_VECTOR_HPP

#include <tofu/config.hpp>

#include <cstddef>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace tofu::inline TOFU_ABI {

/// Contiguous and move-only; owns its elements. One thread at a time. Where std::vector throws, a call returns false
/// and changes nothing. T is trivially copyable, so growing copies bytes and destroys nothing. Growing invalidates
/// pointers and references to elements, as with std::vector.
template <class T>
class nothrow_vector {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>,
                  "tofu::nothrow_vector<T>: T must be trivially copyable, growing copies its bytes");
    static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__,
                  "tofu::nothrow_vector<T>: T must not be over-aligned, plain operator new is used");

public:
    using value_type = T;
    using size_type = std::size_t;
    using iterator = T*;
    using const_iterator = const T*;

    nothrow_vector() noexcept = default;
    nothrow_vector(nothrow_vector&& other) noexcept
        : data_(std::exchange(other.data_, nullptr))
        , size_(std::exchange(other.size_, 0))
        , capacity_(std::exchange(other.capacity_, 0)) {}
    nothrow_vector& operator=(nothrow_vector&& other) noexcept {
        nothrow_vector taken(std::move(other));
        swap(taken);
        return *this;
    }
    nothrow_vector(const nothrow_vector&) = delete;
    nothrow_vector& operator=(const nothrow_vector&) = delete;
    ~nothrow_vector() { ::operator delete(static_cast<void*>(data_)); }

    T* data() noexcept { return data_; }
    const T* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    std::size_t capacity() const noexcept { return capacity_; }
    bool empty() const noexcept { return size_ == 0; }
    static constexpr std::size_t max_size() noexcept {
        return static_cast<std::size_t>((std::numeric_limits<std::ptrdiff_t>::max)()) / sizeof(T);
    }

    /// The element must exist; only TOFU_ASSERT checks that.
    T& operator[](std::size_t index) noexcept { return element(data_, index); }
    const T& operator[](std::size_t index) const noexcept { return element(data_, index); }
    T& back() noexcept { return element(data_, size_ - 1); }
    const T& back() const noexcept { return element(data_, size_ - 1); }

    T* begin() noexcept { return data_; }
    T* end() noexcept { return data_ + size_; }
    const T* begin() const noexcept { return data_; }
    const T* end() const noexcept { return data_ + size_; }

    /// Makes room for `wanted` elements in total. False: no memory, nothing changed.
    [[nodiscard]] bool reserve(std::size_t wanted) noexcept { return wanted <= capacity_ || reallocate(wanted); }

    /// Amortised constant time. `value` may be an element of this array. False: no memory, nothing changed.
    [[nodiscard]] bool push_back(const T& value) noexcept {
        const T kept = value;
        if (size_ == capacity_ && !reallocate(grown(size_ + 1))) {
            return false;
        }
        std::construct_at(data_ + size_, kept);
        ++size_;
        return true;
    }

    /// Value-initialises new elements. False: no memory, nothing changed.
    [[nodiscard]] bool resize(std::size_t wanted) noexcept {
        if (wanted > capacity_ && !reallocate(grown(wanted))) {
            return false;
        }
        for (std::size_t index = size_; index < wanted; ++index) {
            std::construct_at(data_ + index);
        }
        size_ = wanted;
        return true;
    }

    /// Must not be empty.
    void pop_back() noexcept {
        TOFU_ASSERT(size_ != 0);
        --size_;
    }

    /// Keeps the memory.
    void clear() noexcept { size_ = 0; }

    void swap(nothrow_vector& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
    }

    /// The most bytes that an array holds at one time while push_back grows it to `count` elements. During a copy it
    /// holds two blocks.
    [[nodiscard]] static constexpr std::size_t most_bytes(std::size_t count) noexcept {
        const std::size_t grown = count + count / 2;
        return ((grown < first_capacity ? first_capacity : grown) + count) * sizeof(T);
    }

private:
    static constexpr std::size_t first_capacity = 16;

    template <class Element>
    Element& element(Element* data, std::size_t index) const noexcept {
        TOFU_ASSERT(index < size_);
        return data[index];
    }

    std::size_t grown(std::size_t needed) const noexcept {
        const std::size_t half_more = capacity_ > max_size() / 2 ? max_size() : capacity_ + capacity_ / 2;
        const std::size_t wanted = half_more < first_capacity ? first_capacity : half_more;
        return wanted < needed ? needed : wanted;
    }

    bool reallocate(std::size_t wanted) noexcept {
        TOFU_ASSERT(wanted >= size_);
        if (wanted > max_size()) {
            return false;
        }
        void* const fresh = ::operator new(wanted * sizeof(T), std::nothrow);
        if (fresh == nullptr) {
            return false;
        }
        if (size_ != 0) {
            std::memcpy(fresh, static_cast<const void*>(data_), size_ * sizeof(T));
        }
        ::operator delete(static_cast<void*>(data_));
        data_ = static_cast<T*>(fresh);
        capacity_ = wanted;
        return true;
    }

    T* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

} // namespace tofu::inline TOFU_ABI

#endif // TOFU_CONTRACT_NOTHROW_VECTOR_HPP
