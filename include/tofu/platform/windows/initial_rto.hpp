// SPDX-License-Identifier: BSL-1.0
// Makes a refused connection to this machine itself known at once, where Windows would try for two seconds.

#ifndef TOFU_PLATFORM_WINDOWS_INITIAL_RTO_HPP
#define TOFU_PLATFORM_WINDOWS_INITIAL_RTO_HPP

#include <tofu/config.hpp>
#include <tofu/platform/endpoint.hpp>
#include <tofu/platform/windows/winsock.hpp>

#include <atomic>
#include <cstdint>

namespace tofu::inline TOFU_ABI::windows::detail {

/// Windows 10 is 10.0, and Windows 11 still is; the build tells them apart. 0 when the system does not say. (GetVersion
/// tells a program without a manifest of Windows 8, so ntdll is asked.) Any thread.
inline std::uint32_t windows_build() noexcept {
    static constinit std::atomic<std::uint32_t> known{0};
    std::uint32_t build = known.load(std::memory_order_relaxed);
    if (build != 0) return build;
    using question = LONG(WINAPI*)(OSVERSIONINFOW*);
    const HMODULE ntdll = ::GetModuleHandleW(L"ntdll.dll");
    if (ntdll == nullptr) return 0;
    const auto ask = reinterpret_cast<question>(reinterpret_cast<void (*)()>(::GetProcAddress(ntdll, "RtlGetVersion")));
    OSVERSIONINFOW about{};
    about.dwOSVersionInfoSize = sizeof about; // else it may write a longer form, over what lies behind (libuv#5274)
    if (ask == nullptr || ask(&about) != 0 || about.dwMajorVersion < 10) return 0;
    build = about.dwBuildNumber;
    known.store(build, std::memory_order_relaxed);
    return build;
}

/// Windows sends a SYN to itself again after the reset that refused it, 0.5 s later and twice. Asked not to, it says
/// refused at once (libuv#2896). Builds before 16299 take the value for 254 repetitions, so they are not asked; that it
/// fails on others only costs these seconds.
inline void fail_loopback_fast(SOCKET handle, const platform::endpoint& to) noexcept {
    constexpr std::uint32_t first_build = 16299;
    constexpr DWORD initial_rto = IOC_IN | IOC_VENDOR | 17; // SIO_TCP_INITIAL_RTO of mstcpip.h
    struct {
        USHORT round_trip = 0xffff; // the system's own
        UCHAR more_syns = 0xfe;     // TCP_INITIAL_RTO_NO_SYN_RETRANSMISSIONS
    } parameters;
    if (!platform::detail::is_loopback(to) || windows_build() < first_build) return;
    DWORD none = 0;
    static_cast<void>(
        ::WSAIoctl(handle, initial_rto, &parameters, sizeof parameters, nullptr, 0, &none, nullptr, nullptr));
}

} // namespace tofu::inline TOFU_ABI::windows::detail

#endif // TOFU_PLATFORM_WINDOWS_INITIAL_RTO_HPP
