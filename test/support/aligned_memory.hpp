// SPDX-License-Identifier: BSL-1.0
// Aligned memory from below operator new, which programs that count allocations replace.
#ifndef TOFU_TEST_SUPPORT_ALIGNED_MEMORY_HPP
#define TOFU_TEST_SUPPORT_ALIGNED_MEMORY_HPP

#include <cstddef>
#include <cstdlib>

#if defined(_WIN32)
#include <malloc.h>
#endif

namespace tofu_test {

/// Null: there is none. `size` may be anything.
[[nodiscard]] inline void* obtain_aligned(std::size_t size, std::size_t alignment) noexcept {
#if defined(_WIN32)
    return ::_aligned_malloc(size, alignment);
#else
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

} // namespace tofu_test

#endif
