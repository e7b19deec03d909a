// SPDX-License-Identifier: BSL-1.0
// The library's version and the few facts about the compiler that the other headers ask for.

#ifndef TOFU_CONFIG_HPP
#define TOFU_CONFIG_HPP

// The version as three numbers, and as one for comparisons: major * 10000 + minor * 100 + patch.
#define TOFU_VERSION_MAJOR 0
#define TOFU_VERSION_MINOR 1
#define TOFU_VERSION_PATCH 0
#define TOFU_VERSION (TOFU_VERSION_MAJOR * 10000 + TOFU_VERSION_MINOR * 100 + TOFU_VERSION_PATCH)

// TOFU_HAS_EXCEPTIONS is 1 when the including program is compiled with exceptions, else 0 (-fno-exceptions).
// Without them the throwing calls of the library terminate; their std::error_code twins work as always.
#if defined(__cpp_exceptions)
#define TOFU_HAS_EXCEPTIONS 1
#else
#define TOFU_HAS_EXCEPTIONS 0
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

namespace tofu {

/// TOFU_HAS_EXCEPTIONS for use in ordinary code.
inline constexpr bool exceptions_enabled = TOFU_HAS_EXCEPTIONS == 1;

} // namespace tofu

#endif // TOFU_CONFIG_HPP
