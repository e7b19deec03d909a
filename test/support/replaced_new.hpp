// SPDX-License-Identifier: BSL-1.0
// The global allocation functions of a program, in terms of two functions of its own. tofu allocates only with nothrow
// new, so every nothrow new counts as tofu's. For one source file of a program, because this header defines the
// functions.
#ifndef TOFU_TEST_SUPPORT_REPLACED_NEW_HPP
#define TOFU_TEST_SUPPORT_REPLACED_NEW_HPP

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#if defined(_WIN32)
#include <malloc.h>
#endif

namespace tofu_test::replaced_new {

/// The program defines these two: obtain memory, or null if the test refuses it, and give memory back. `given` may be
/// null. Not inline: g++ -O3 would see std::free meet a replaced operator new, and warn (-Wmismatched-new-delete).
[[gnu::noinline]] void* obtain(std::size_t size, std::size_t alignment, bool for_tofu) noexcept;
[[gnu::noinline]] void give_back(void* given, std::size_t alignment) noexcept;

inline constexpr std::size_t plain = __STDCPP_DEFAULT_NEW_ALIGNMENT__;

/// The number of bytes for a label in front of a block, such that the block is aligned.
template <class Label>
constexpr std::size_t front_of(std::size_t alignment) noexcept {
    return alignment > sizeof(Label) ? alignment : sizeof(Label);
}

/// Allocates memory below operator new. Null: memory is short. Any `size` is allowed.
[[nodiscard]] inline void* obtain_aligned(std::size_t size, std::size_t alignment) noexcept {
#if defined(_WIN32)
    return ::_aligned_malloc(size, alignment);
#else
    if (size > SIZE_MAX - alignment) return nullptr; // the sum below would wrap
    return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
#endif
}

inline void give_back_aligned(void* block) noexcept {
#if defined(_WIN32)
    ::_aligned_free(block);
#else
    std::free(block);
#endif
}

inline void* obtain_or_throw(std::size_t size, std::size_t alignment) {
    if (void* const given = obtain(size, alignment, false)) return given;
    throw std::bad_alloc();
}

} // namespace tofu_test::replaced_new

using namespace tofu_test::replaced_new;
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
