// SPDX-License-Identifier: BSL-1.0
// The name that the system reports for a thread.
#ifndef TOFU_TEST_PLATFORM_THREAD_NAME_HPP
#define TOFU_TEST_PLATFORM_THREAD_NAME_HPP

#if defined(_WIN32)
#include <tofu/platform/windows/winsock.hpp>

#include <bit>
#elif defined(__linux__)
#include <pthread.h>
#endif

#include <optional>
#include <string>

namespace tofu_test {

/// Nothing when the system does not say: a Windows before 10 1607, a Wine that has not got that far, or some other
/// system than those and Linux.
inline std::optional<std::string> name_of_this_thread() {
#if defined(_WIN32)
    using get_description = HRESULT(WINAPI*)(HANDLE, wchar_t**);
    const HMODULE library = ::GetModuleHandleW(L"KernelBase.dll");
    const FARPROC found = library != nullptr ? ::GetProcAddress(library, "GetThreadDescription") : nullptr;
    wchar_t* wide = nullptr;
    if (found == nullptr || std::bit_cast<get_description>(found)(::GetCurrentThread(), &wide) < 0) return {};
    std::string name;
    for (const wchar_t* each = wide; *each != L'\0'; ++each) name += static_cast<char>(*each); // the tests' are ASCII
    ::LocalFree(wide);
    return name;
#elif defined(__linux__)
    char name[32] = {};
    ::pthread_getname_np(::pthread_self(), name, sizeof name);
    return name;
#else
    return {};
#endif
}

} // namespace tofu_test

#endif
