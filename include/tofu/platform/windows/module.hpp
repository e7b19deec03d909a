// SPDX-License-Identifier: BSL-1.0
// Keeps the code of a DLL in memory.

#ifndef TOFU_PLATFORM_WINDOWS_MODULE_HPP
#define TOFU_PLATFORM_WINDOWS_MODULE_HPP

#include <tofu/config.hpp>
#include <tofu/platform/windows/winsock.hpp>

namespace tofu::inline TOFU_ABI::windows {

/// Keeps the DLL that contains `code` loaded until the process ends: FreeLibrary has no effect on it any more
/// (GetModuleHandleExW, GET_MODULE_HANDLE_EX_FLAG_PIN). Nothing happens for code of the program itself. May be called
/// again. Any thread; takes the loader's lock for a moment.
inline void hold_module(const void* code) noexcept {
    HMODULE held = nullptr;
    ::GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                         static_cast<const wchar_t*>(code), &held);
}

} // namespace tofu::inline TOFU_ABI::windows

#endif // TOFU_PLATFORM_WINDOWS_MODULE_HPP
