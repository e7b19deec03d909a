// SPDX-License-Identifier: BSL-1.0
// The library's settings, and the few facts about the compiler that the other headers ask for.

#ifndef TOFU_CONFIG_HPP
#define TOFU_CONFIG_HPP

#include <tofu/version.hpp>

// TOFU_ENABLE_ASSERTIONS switches the library's assertions on (1) or off (0, the default). Every unit that shares
// objects of tofu with another unit must use the same value; otherwise the program does not link.
#ifndef TOFU_ENABLE_ASSERTIONS
#define TOFU_ENABLE_ASSERTIONS 0
#endif

// TOFU_COMPILED is 1 in a unit that uses the compiled library (target tofu::compiled), else 0: header-only. As for
// assertions, units that share objects must use the same value. TOFU_FUNCTION marks a function that is no template:
// inline if header-only, else compiled once, in the library.
#ifndef TOFU_COMPILED
#define TOFU_COMPILED 0
#endif
#if TOFU_COMPILED
#define TOFU_FUNCTION
#else
#define TOFU_FUNCTION inline
#endif

// TOFU_ABI names the inline namespace of the whole library: the version, then `_compiled` and `_asserting` if they
// apply, for example v0_1_0_compiled_asserting. Parts of a program that pass no objects of tofu to each other may have
// different versions or settings: their names differ, so the linker never replaces the code of one part by the code of
// another.
#if TOFU_ENABLE_ASSERTIONS && TOFU_COMPILED
#define TOFU_DETAIL_PASTE(major, minor, patch) v##major##_##minor##_##patch##_compiled_asserting
#elif TOFU_ENABLE_ASSERTIONS
#define TOFU_DETAIL_PASTE(major, minor, patch) v##major##_##minor##_##patch##_asserting
#elif TOFU_COMPILED
#define TOFU_DETAIL_PASTE(major, minor, patch) v##major##_##minor##_##patch##_compiled
#else
#define TOFU_DETAIL_PASTE(major, minor, patch) v##major##_##minor##_##patch
#endif
#define TOFU_DETAIL_EXPAND(major, minor, patch) TOFU_DETAIL_PASTE(major, minor, patch)
#define TOFU_ABI TOFU_DETAIL_EXPAND(TOFU_VERSION_MAJOR, TOFU_VERSION_MINOR, TOFU_VERSION_PATCH)

// TOFU_DEFAULT_POLL is the default poller of this system, with all its template arguments.
#if defined(_WIN32)
#define TOFU_DEFAULT_POLL basic_afd_iocp<platform::network<>, windows::afd_helper_handles<32>, 256>
#elif defined(__linux__)
#define TOFU_DEFAULT_POLL basic_linux_epoll<platform::network<>, 256>
#elif defined(__APPLE__) || defined(__FreeBSD__) || defined(__DragonFly__)
#define TOFU_DEFAULT_POLL basic_bsd_kqueue<platform::network<>, 256, bsd::kernel_queue>
#else
#define TOFU_DEFAULT_POLL basic_posix_poll<platform::network<>>
#endif

// TOFU_HAS_EXCEPTIONS is 1 if this unit is compiled with exceptions, else 0 (-fno-exceptions). Without exceptions the
// throwing calls of the library do not exist; use the overloads with a std::error_code. A program
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

// TOFU_NOINLINE marks a function that is not inlined, so that its caller stays small enough to be inlined.
#if defined(__GNUC__)
#define TOFU_NOINLINE [[gnu::noinline]]
#elif defined(_MSC_VER)
#define TOFU_NOINLINE __declspec(noinline)
#else
#define TOFU_NOINLINE
#endif

// TOFU_FUNCTION_NAME is the name of the enclosing function with its template arguments, as the compiler prints it.
#if defined(__GNUC__)
#define TOFU_FUNCTION_NAME __PRETTY_FUNCTION__
#elif defined(_MSC_VER)
#define TOFU_FUNCTION_NAME __FUNCSIG__
#else
#define TOFU_FUNCTION_NAME __func__
#endif

// TOFU_ASSERT(condition) states an invariant of the library. Off, the condition is compiled and not evaluated. On, a
// false condition calls TOFU_ASSERTION_FAILED(text, file, line), which must not return. A program may define that macro
// itself, for all units alike. The default prints one line to stderr and aborts.
#if TOFU_ENABLE_ASSERTIONS
#ifndef TOFU_ASSERTION_FAILED
#include <cstdio>
#include <cstdlib>
#define TOFU_ASSERTION_FAILED(text, file, line) ::tofu::detail::assertion_failed(text, file, line)
namespace tofu::inline TOFU_ABI::detail {
TOFU_COLD [[noreturn]] inline void assertion_failed(const char* text, const char* file, int line) noexcept {
    std::fprintf(stderr, "%s:%d: tofu: assertion failed: %s\n", file, line, text);
    std::abort();
}
} // namespace tofu::inline TOFU_ABI::detail
#endif
#define TOFU_ASSERT(...)                                                                                               \
    ((__VA_ARGS__) ? static_cast<void>(0) : TOFU_ASSERTION_FAILED(#__VA_ARGS__, __FILE__, __LINE__))
#else
#define TOFU_ASSERT(...) static_cast<void>(sizeof((__VA_ARGS__) ? 1 : 0))
#endif

namespace tofu::inline TOFU_ABI::inline TOFU_EXCEPTIONS_ABI {

/// TOFU_HAS_EXCEPTIONS for use in ordinary code.
inline constexpr bool exceptions_enabled = TOFU_HAS_EXCEPTIONS == 1;

} // namespace tofu::inline TOFU_ABI::inline TOFU_EXCEPTIONS_ABI

#endif // TOFU_CONFIG_HPP
