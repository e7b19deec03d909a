// SPDX-License-Identifier: BSL-1.0
// Lets a refused connect to the same machine fail at once; Windows would try again for two seconds.

#ifndef TOFU_PLATFORM_WINDOWS_INITIAL_RTO_HPP
#define TOFU_PLATFORM_WINDOWS_INITIAL_RTO_HPP

#include <tofu/config.hpp>
#include <tofu/platform/endpoint.hpp>
#include <tofu/platform/windows/winsock.hpp>

#include <atomic>
#include <cstdint>

namespace tofu::inline TOFU_ABI::windows::detail {

/// The build number of Windows 10 and 11, which share the version 10.0. 0 if unknown. Asks ntdll, because GetVersion
/// returns Windows 8 to a program without a manifest. Any thread.
inline std::uint32_t windows_build() noexcept {
    static constinit std::atomic<std::uint32_t> known{0};
    std::uint32_t build = known.load(std::memory_order_relaxed);
    if (build != 0) return build;
    using question = LONG(WINAPI*)(OSVERSIONINFOW*);
    const HMODULE ntdll = ::GetModuleHandleW(L"ntdll.dll");
    if (ntdll == nullptr) return 0;
    const auto ask = reinterpret_cast<question>(reinterpret_cast<void (*)()>(::GetProcAddress(ntdll, "RtlGetVersion")));
    OSVERSIONINFOW about{};
    about.dwOSVersionInfoSize = sizeof about; // otherwise it may write a longer structure (libuv#5274)
    if (ask == nullptr || ask(&about) != 0 || about.dwMajorVersion < 10) return 0;
    build = about.dwBuildNumber;
    known.store(build, std::memory_order_relaxed);
    return build;
}

/// After a refusal Windows repeats the SYN to its own machine twice, 0.5 s apart. This option turns that off
/// (libuv#2896). Builds before 16299 take its value for 254 repetitions, so it is not set there. A failure only costs
/// the two seconds.
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
