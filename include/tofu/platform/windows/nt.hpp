// SPDX-License-Identifier: BSL-1.0
// The few calls of ntdll that a poll of AFD needs, as winternl.h and the driver kit declare them. What they answer is
// in nt_status.hpp: ntstatus.h does not go together with windows.h.

#ifndef TOFU_PLATFORM_WINDOWS_NT_HPP
#define TOFU_PLATFORM_WINDOWS_NT_HPP

#include <tofu/platform/windows/winsock.hpp>

#include <winternl.h>

// Not in winternl.h. Microsoft's page on NtCancelIoFileEx once showed it with two arguments; it has three.
extern "C" __declspec(dllimport) NTSTATUS NTAPI
    NtCancelIoFileEx(HANDLE handle, IO_STATUS_BLOCK* request, IO_STATUS_BLOCK* outcome);

static_assert(sizeof(void*) != 8 || sizeof(IO_STATUS_BLOCK) == 16, "the kernel writes a status and a length");

#endif // TOFU_PLATFORM_WINDOWS_NT_HPP
