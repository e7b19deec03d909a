// SPDX-License-Identifier: BSL-1.0
// The global allocation functions of a program that measures what tofu allocates. For one source file of a program.
#ifndef TOFU_TEST_SUPPORT_COUNTED_NEW_HPP
#define TOFU_TEST_SUPPORT_COUNTED_NEW_HPP

#include "replaced_new.hpp"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace tofu_test {

/// The bytes that tofu has allocated, rounded as the allocator rounds them, and their maximum so far.
inline std::atomic<std::size_t> bytes_alive{0};
inline std::atomic<std::size_t> most_bytes_alive{0};
/// The number of tofu's allocations so far.
inline std::atomic<std::size_t> allocations{0};
/// If tofu asks for exactly this many bytes, there is no memory. 0: there is always memory.
inline std::atomic<std::size_t> refused_size{0};

} // namespace tofu_test

namespace tofu_test::replaced_new {

/// Lies in front of every block, with its share of the count. As large as the strictest alignment of plain new.
struct alignas(plain) label {
    std::size_t counted; ///< 0: not tofu's
};

inline std::size_t usable([[maybe_unused]] void* block, [[maybe_unused]] std::size_t asked_for) noexcept {
#if defined(__GLIBC__)
    return ::malloc_usable_size(block);
#else
    return asked_for;
#endif
}

void* obtain(std::size_t size, std::size_t alignment, bool for_tofu) noexcept {
    if (for_tofu && size == refused_size) return nullptr;
    const std::size_t front = front_of<label>(alignment);
    const std::size_t whole = size + front;
    void* const block = alignment <= sizeof(label) ? std::malloc(whole) : obtain_aligned(whole, alignment);
    if (block == nullptr) return nullptr;
    auto* const given = static_cast<unsigned char*>(block) + front;
    auto* const note = ::new (given - sizeof(label)) label{for_tofu ? usable(block, whole) - front : 0};
    if (!for_tofu) return given;
    allocations.fetch_add(1);
    const std::size_t now = bytes_alive.fetch_add(note->counted) + note->counted;
    for (std::size_t most = most_bytes_alive; most < now && !most_bytes_alive.compare_exchange_weak(most, now);) {
    }
    return given;
}

void give_back(void* given, std::size_t alignment) noexcept {
    if (given == nullptr) return;
    auto* const bytes = static_cast<unsigned char*>(given);
    bytes_alive.fetch_sub(reinterpret_cast<label*>(bytes - sizeof(label))->counted);
    unsigned char* const block = bytes - front_of<label>(alignment);
    alignment <= sizeof(label) ? std::free(block) : give_back_aligned(block);
}

} // namespace tofu_test::replaced_new

#endif
