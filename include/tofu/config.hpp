// SPDX-License-Identifier: BSL-1.0
// The library's version and the few facts about the compiler that the other headers ask for.

#ifndef TOFU_CONFIG_HPP
#define TOFU_CONFIG_HPP

// The version as three numbers, and as one for comparisons: major * 10000 + minor * 100 + patch.
#define TOFU_VERSION_MAJOR 0
#define TOFU_VERSION_MINOR 1
#define TOFU_VERSION_PATCH 0
#define TOFU_VERSION (TOFU_VERSION_MAJOR * 10000 + TOFU_VERSION_MINOR * 100 + TOFU_VERSION_PATCH)

// TOFU_ABI names the inline namespace of the whole library, for example v0_1_0. A program may contain parts that were
// built with different versions: their names differ, so the linker never replaces one version's code by the other's.
#define TOFU_DETAIL_PASTE(major, minor, patch) v##major##_##minor##_##patch
#define TOFU_DETAIL_EXPAND(major, minor, patch) TOFU_DETAIL_PASTE(major, minor, patch)
#define TOFU_ABI TOFU_DETAIL_EXPAND(TOFU_VERSION_MAJOR, TOFU_VERSION_MINOR, TOFU_VERSION_PATCH)

// TOFU_HAS_EXCEPTIONS is 1 when the including program is compiled with exceptions, else 0 (-fno-exceptions).
// Without them the throwing calls of the library do not exist; their std::error_code twins work as always. A program
// may contain units of both kinds, which share every type. Code that differs between the two kinds is in the inline
// namespace TOFU_EXCEPTIONS_ABI, so each kind has its own symbol.
#if defined(__cpp_exceptions)
#define TOFU_HAS_EXCEPTIONS 1
#define TOFU_EXCEPTIONS_ABI with_exceptions
#else
#define TOFU_HAS_EXCEPTIONS 0
#define TOFU_EXCEPTIONS_ABI without_exceptions
#endif

// TOFU_RTTI_ABI is the inline namespace of code that differs with and without run-time type information (-fno-rtti).
#if defined(__cpp_rtti) || defined(_CPPRTTI)
#define TOFU_RTTI_ABI with_rtti
#else
#define TOFU_RTTI_ABI without_rtti
#endif

// TOFU_COLD marks a function that runs seldom, so that compilers keep it out of the code that runs for every message.
#if defined(__GNUC__)
#define TOFU_COLD [[gnu::cold, gnu::noinline]]
#elif defined(_MSC_VER)
#define TOFU_COLD __declspec(noinline)
#else
#define TOFU_COLD
#endif

// TOFU_FUNCTION_NAME is the function it stands in, with its template arguments, as the compiler would print it.
#if defined(__GNUC__)
#define TOFU_FUNCTION_NAME __PRETTY_FUNCTION__
#elif defined(_MSC_VER)
#define TOFU_FUNCTION_NAME __FUNCSIG__
#else
#define TOFU_FUNCTION_NAME __func__
#endif

namespace tofu::inline TOFU_ABI::inline TOFU_EXCEPTIONS_ABI {

/// TOFU_HAS_EXCEPTIONS for use in ordinary code.
inline constexpr bool exceptions_enabled = TOFU_HAS_EXCEPTIONS == 1;

} // namespace tofu::inline TOFU_ABI::inline TOFU_EXCEPTIONS_ABI

#endif // TOFU_CONFIG_HPP
