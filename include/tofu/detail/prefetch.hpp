// SPDX-License-Identifier: BSL-1.0
// What will be needed soon is fetched while something else is done: it has often been changed by another processor.
#ifndef TOFU_DETAIL_PREFETCH_HPP
#define TOFU_DETAIL_PREFETCH_HPP

#include <tofu/config.hpp>

#include <cstddef>

namespace tofu::inline TOFU_ABI::detail {

inline constexpr std::size_t cache_line_size = 64;

/// Fetches the cache line at `address`, which is about to be changed. Only a hint: any address will do, also null and
/// one where nothing is any more. No effect where the compiler has no way to say so.
inline void prefetch([[maybe_unused]] const void* address) noexcept {
#if defined(__GNUC__) && defined(__x86_64__)
    // __builtin_prefetch(..., 1) becomes this only where the compiler is told of such processors; else the line is
    // fetched to be read, and asked for once more when it is written. AMD64 has had it from the start, Intel's
    // processors without it take it for a nop, and Windows demands it since 8.1.
    asm volatile("prefetchw %a0" : : "r"(address));
#elif defined(__GNUC__)
    __builtin_prefetch(address, 1);
#endif
}

/// The same for one that will only be read.
inline void prefetch_to_read([[maybe_unused]] const void* address) noexcept {
#if defined(__GNUC__)
    __builtin_prefetch(address);
#endif
}

/// The same for an object that is about to be changed, or null.
inline void prefetch(const void* first, std::size_t size) noexcept {
    if (first == nullptr) return;
    for (std::size_t offset = 0; offset < size; offset += cache_line_size)
        prefetch(static_cast<const unsigned char*>(first) + offset);
}

} // namespace tofu::inline TOFU_ABI::detail

#endif // TOFU_DETAIL_PREFETCH_HPP
