// SPDX-License-Identifier: BSL-1.0
// Fetches memory into the cache before it is needed. Another processor has often changed it, so the load would be slow.
#ifndef TOFU_DETAIL_PREFETCH_HPP
#define TOFU_DETAIL_PREFETCH_HPP

#include <tofu/config.hpp>

#include <cstddef>

namespace tofu::inline TOFU_ABI::detail {

inline constexpr std::size_t cache_line_size = 64;

/// Fetches the cache line at `address` in order to write to it. A hint: any address is allowed, also null and the
/// address of freed memory. No effect with compilers that have no prefetch. Any thread.
inline void prefetch([[maybe_unused]] const void* address) noexcept {
#if defined(__GNUC__) && defined(__x86_64__)
    // __builtin_prefetch(..., 1) becomes prefetchw only with compiler options for newer processors. Otherwise it
    // fetches the line for reading, and the write has to request the line again. AMD64 has always had prefetchw,
    // Intel's processors without it treat it as a nop, and Windows requires it since 8.1.
    asm volatile("prefetchw %a0" : : "r"(address));
#elif defined(__GNUC__)
    __builtin_prefetch(address, 1);
#endif
}

/// The same, in order to read.
inline void prefetch_to_read([[maybe_unused]] const void* address) noexcept {
#if defined(__GNUC__)
    __builtin_prefetch(address);
#endif
}

/// Prefetches `size` bytes in order to write to them, one cache line a step from `first`. No effect if `first` is null.
inline void prefetch(const void* first, std::size_t size) noexcept {
    if (first == nullptr) return;
    for (std::size_t offset = 0; offset < size; offset += cache_line_size)
        prefetch(static_cast<const unsigned char*>(first) + offset);
}

} // namespace tofu::inline TOFU_ABI::detail

#endif // TOFU_DETAIL_PREFETCH_HPP
