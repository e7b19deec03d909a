// SPDX-License-Identifier: BSL-1.0
// Includes Winsock 2 with as few Windows headers as possible, without the macros min and max.

#ifndef TOFU_PLATFORM_WINDOWS_WINSOCK_HPP
#define TOFU_PLATFORM_WINDOWS_WINSOCK_HPP

#if defined(_WINSOCKAPI_) && !defined(_WINSOCK2API_)
#error "tofu: winsock.h came first: put <winsock2.h> before <windows.h>, or define WIN32_LEAN_AND_MEAN"
#endif

#if !defined(WIN32_LEAN_AND_MEAN)
#define WIN32_LEAN_AND_MEAN
#define TOFU_DEFINED_WIN32_LEAN_AND_MEAN
#endif
#if !defined(NOMINMAX)
#define NOMINMAX
#define TOFU_DEFINED_NOMINMAX
#endif

#include <winsock2.h>
// The order matters: everything below needs winsock2.h.
#include <afunix.h>
#include <mswsock.h>
#include <ws2tcpip.h>
// The numbers of interfaces; this one needs ws2tcpip.h.
#include <iphlpapi.h>

#if defined(TOFU_DEFINED_WIN32_LEAN_AND_MEAN)
#undef WIN32_LEAN_AND_MEAN
#undef TOFU_DEFINED_WIN32_LEAN_AND_MEAN
#endif
#if defined(TOFU_DEFINED_NOMINMAX)
#undef NOMINMAX
#undef TOFU_DEFINED_NOMINMAX
#endif

#endif // TOFU_PLATFORM_WINDOWS_WINSOCK_HPP
