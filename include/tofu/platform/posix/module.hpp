// SPDX-License-Identifier: BSL-1.0
// Keeps the code of a plug-in in memory.

#ifndef TOFU_PLATFORM_POSIX_MODULE_HPP
#define TOFU_PLATFORM_POSIX_MODULE_HPP

#include <tofu/config.hpp>

#include <dlfcn.h>
#if defined(__linux__)
#include <link.h>
#include <sys/auxv.h>
#endif

#include <cstddef>
#include <cstdint>

namespace tofu::inline TOFU_ABI::posix {

namespace detail {

/// True if `code` is in the main program, which is never unloaded. Reads the program's segments (elf(5), getauxval(3)),
/// because dladdr would take the lock of the dynamic loader. Always false on other systems than Linux.
inline bool is_in_program([[maybe_unused]] const void* code) noexcept {
#if defined(__linux__)
    const std::uintptr_t first = ::getauxval(AT_PHDR);
    const auto* const segments = reinterpret_cast<const ElfW(Phdr)*>(first);
    const std::size_t count = ::getauxval(AT_PHNUM);
    std::uintptr_t moved_by = 0;
    for (std::size_t i = 0; first != 0 && i < count; ++i)
        if (segments[i].p_type == PT_PHDR) moved_by = first - segments[i].p_vaddr;
    const std::uintptr_t asked = reinterpret_cast<std::uintptr_t>(code) - moved_by;
    for (std::size_t i = 0; first != 0 && i < count; ++i)
        if (segments[i].p_type == PT_LOAD && asked - segments[i].p_vaddr < segments[i].p_memsz) return true;
#endif
    return false;
}

} // namespace detail

/// Keeps the shared object that contains `code` loaded until the process ends: dlclose(3) has no effect on it any more
/// (RTLD_NODELETE). No effect for code of the program itself, and in a program without shared objects. May be called
/// again. Any thread; for code of a shared object it takes the lock of the dynamic loader, so it waits while
/// another thread is inside dlopen(3).
inline void hold_module(const void* code) noexcept {
    if (detail::is_in_program(code)) return;
    Dl_info module{};
    if (::dladdr(code, &module) == 0 || module.dli_fname == nullptr) return;
    if (void* const held = ::dlopen(module.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE)) ::dlclose(held);
}

} // namespace tofu::inline TOFU_ABI::posix

#endif // TOFU_PLATFORM_POSIX_MODULE_HPP
