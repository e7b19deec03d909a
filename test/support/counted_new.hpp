// SPDX-License-Identifier: BSL-1.0
// The global allocation functions of a program that measures what tofu allocates: tofu asks for memory with nothrow new
// and nothing else, so what asks that way is counted. For one source file of a program, as it defines them.
#ifndef TOFU_TEST_SUPPORT_COUNTED_NEW_HPP
#define TOFU_TEST_SUPPORT_COUNTED_NEW_HPP

#include "aligned_memory.hpp"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace tofu_test {

/// Bytes that tofu has, as the allocator has rounded them, and the most there were at any one time.
inline std::atomic<std::size_t> bytes_alive{0};
inline std::atomic<std::size_t> most_bytes_alive{0};
/// How often tofu has asked for memory.
inline std::atomic<std::size_t> allocations{0};
/// When tofu asks for so many bytes, there is no memory; 0: there is always some.
inline std::atomic<std::size_t> refused_size{0};

namespace counted_new {

/// In front of every block: what it counts for. As large as the strictest alignment of plain new.
struct alignas(__STDCPP_DEFAULT_NEW_ALIGNMENT__) label {
    std::size_t counted; ///< 0: not tofu's
};

inline std::size_t usable([[maybe_unused]] void* block, [[maybe_unused]] std::size_t asked_for) noexcept {
#if defined(__GLIBC__)
    return ::malloc_usable_size(block);
#else
    return asked_for;
#endif
}

inline std::size_t front_of(std::size_t alignment) noexcept {
    return alignment > sizeof(label) ? alignment : sizeof(label);
}

inline void* obtain(std::size_t size, std::size_t alignment, bool counts) noexcept {
    if (counts && size == refused_size) return nullptr;
    const std::size_t front = front_of(alignment);
    const std::size_t whole = size + front;
    void* const block = alignment <= sizeof(label) ? std::malloc(whole) : obtain_aligned(whole, alignment);
    if (block == nullptr) return nullptr;
    auto* const given = static_cast<unsigned char*>(block) + front;
    auto* const note = ::new (given - sizeof(label)) label{counts ? usable(block, whole) - front : 0};
    if (!counts) return given;
    allocations.fetch_add(1);
    const std::size_t now = bytes_alive.fetch_add(note->counted) + note->counted;
    for (std::size_t most = most_bytes_alive; most < now && !most_bytes_alive.compare_exchange_weak(most, now);) {
    }
    return given;
}

inline void* obtain_or_throw(std::size_t size, std::size_t alignment) {
    if (void* const given = obtain(size, alignment, false)) return given;
    throw std::bad_alloc();
}

inline void give_back(void* given, std::size_t alignment) noexcept {
    if (given == nullptr) return;
    auto* const bytes = static_cast<unsigned char*>(given);
    bytes_alive.fetch_sub(reinterpret_cast<label*>(bytes - sizeof(label))->counted);
    unsigned char* const block = bytes - front_of(alignment);
    alignment <= sizeof(label) ? std::free(block) : give_back_aligned(block);
}

inline constexpr std::size_t plain = alignof(label);

} // namespace counted_new
} // namespace tofu_test

using namespace tofu_test::counted_new;
using std::align_val_t;
using std::nothrow_t;
using std::size_t;

void* operator new(size_t size) { return obtain_or_throw(size, plain); }
void* operator new[](size_t size) { return obtain_or_throw(size, plain); }
void* operator new(size_t size, align_val_t a) { return obtain_or_throw(size, static_cast<size_t>(a)); }
void* operator new[](size_t size, align_val_t a) { return obtain_or_throw(size, static_cast<size_t>(a)); }
void* operator new(size_t size, const nothrow_t&) noexcept { return obtain(size, plain, true); }
void* operator new[](size_t size, const nothrow_t&) noexcept { return obtain(size, plain, true); }
void* operator new(size_t size, align_val_t a, const nothrow_t&) noexcept {
    return obtain(size, static_cast<size_t>(a), true);
}
void* operator new[](size_t size, align_val_t a, const nothrow_t&) noexcept {
    return obtain(size, static_cast<size_t>(a), true);
}
void operator delete(void* given) noexcept { give_back(given, plain); }
void operator delete[](void* given) noexcept { give_back(given, plain); }
void operator delete(void* given, size_t) noexcept { give_back(given, plain); }
void operator delete[](void* given, size_t) noexcept { give_back(given, plain); }
void operator delete(void* given, const nothrow_t&) noexcept { give_back(given, plain); }
void operator delete[](void* given, const nothrow_t&) noexcept { give_back(given, plain); }
void operator delete(void* given, align_val_t a) noexcept { give_back(given, static_cast<size_t>(a)); }
void operator delete[](void* given, align_val_t a) noexcept { give_back(given, static_cast<size_t>(a)); }
void operator delete(void* given, size_t, align_val_t a) noexcept { give_back(given, static_cast<size_t>(a)); }
void operator delete[](void* given, size_t, align_val_t a) noexcept { give_back(given, static_cast<size_t>(a)); }

#endif
