// SPDX-License-Identifier: BSL-1.0
// The few calls of ntdll that a poll of AFD needs, as winternl.h and the driver kit declare them.

#ifndef TOFU_PLATFORM_WINDOWS_NT_HPP
#define TOFU_PLATFORM_WINDOWS_NT_HPP

#include <tofu/platform/windows/winsock.hpp>

#include <winternl.h>

// Not in winternl.h. Microsoft's page on NtCancelIoFileEx once showed it with two arguments; it has three.
extern "C" __declspec(dllimport) NTSTATUS NTAPI
    NtCancelIoFileEx(HANDLE handle, IO_STATUS_BLOCK* request, IO_STATUS_BLOCK* outcome);

namespace tofu::windows::nt {

// ntstatus.h does not go together with windows.h, so the values that are met here are named again.
inline constexpr NTSTATUS success = 0;
inline constexpr NTSTATUS pending = 0x00000103;
inline constexpr NTSTATUS cancelled = static_cast<NTSTATUS>(0xC0000120U);
inline constexpr NTSTATUS not_found = static_cast<NTSTATUS>(0xC0000225U);

static_assert(sizeof(void*) != 8 || sizeof(IO_STATUS_BLOCK) == 16, "the kernel writes a status and a length");

} // namespace tofu::windows::nt

#endif // TOFU_PLATFORM_WINDOWS_NT_HPP
