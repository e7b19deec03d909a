// SPDX-License-Identifier: BSL-1.0
// Translates NTSTATUS values to io_failure, without the headers of a driver kit.

#ifndef TOFU_PLATFORM_WINDOWS_NT_STATUS_HPP
#define TOFU_PLATFORM_WINDOWS_NT_STATUS_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>

#include <cstdint>

namespace tofu::inline TOFU_ABI::windows {

/// NTSTATUS: negative values are failures. The values are those of [MS-ERREF] 2.3.1.
using nt_status = long;

namespace nt_code {

/// Converts the hexadecimal form of the documents.
constexpr nt_status of(std::uint32_t shown) noexcept {
    return static_cast<nt_status>(static_cast<std::int32_t>(shown));
}

inline constexpr nt_status success = 0;
inline constexpr nt_status timeout = of(0x0000'0102);
inline constexpr nt_status pending = of(0x0000'0103);
inline constexpr nt_status not_implemented = of(0xC000'0002);
inline constexpr nt_status pagefile_quota = of(0xC000'0007);
inline constexpr nt_status invalid_handle = of(0xC000'0008);
inline constexpr nt_status invalid_parameter = of(0xC000'000D);
inline constexpr nt_status no_such_device = of(0xC000'000E);
inline constexpr nt_status invalid_device_request = of(0xC000'0010);
inline constexpr nt_status no_memory = of(0xC000'0017);
inline constexpr nt_status access_denied = of(0xC000'0022);
inline constexpr nt_status object_type_mismatch = of(0xC000'0024);
inline constexpr nt_status object_name_not_found = of(0xC000'0034);
inline constexpr nt_status object_path_not_found = of(0xC000'003A);
inline constexpr nt_status quota_exceeded = of(0xC000'0044);
inline constexpr nt_status insufficient_resources = of(0xC000'009A);
inline constexpr nt_status working_set_quota = of(0xC000'00A1);
inline constexpr nt_status io_timeout = of(0xC000'00B5);
inline constexpr nt_status not_supported = of(0xC000'00BB);
inline constexpr nt_status remote_not_listening = of(0xC000'00BC);
inline constexpr nt_status too_many_opened_files = of(0xC000'011F);
inline constexpr nt_status cancelled = of(0xC000'0120);
inline constexpr nt_status commitment_limit = of(0xC000'012D);
inline constexpr nt_status local_disconnect = of(0xC000'013B);
inline constexpr nt_status remote_disconnect = of(0xC000'013C);
inline constexpr nt_status connection_disconnected = of(0xC000'020C);
inline constexpr nt_status connection_reset = of(0xC000'020D);
inline constexpr nt_status not_found = of(0xC000'0225);
inline constexpr nt_status connection_refused = of(0xC000'0236);
inline constexpr nt_status network_unreachable = of(0xC000'023C);
inline constexpr nt_status host_unreachable = of(0xC000'023D);
inline constexpr nt_status connection_aborted = of(0xC000'0241);

} // namespace nt_code

/// The kind of failure a status stands for. All forms of success are `none`, with two exceptions: a request that has
/// only begun is would_block, and a request whose time has passed is timed_out. Any thread.
constexpr io_failure failure_of_nt(nt_status code) noexcept {
    switch (code) {
    case nt_code::pending: return io_failure::would_block;
    case nt_code::connection_refused:
    case nt_code::remote_not_listening: return io_failure::refused;
    case nt_code::local_disconnect:
    case nt_code::remote_disconnect:
    case nt_code::connection_disconnected:
    case nt_code::connection_reset:
    case nt_code::connection_aborted: return io_failure::reset;
    case nt_code::timeout:
    case nt_code::io_timeout: return io_failure::timed_out;
    case nt_code::network_unreachable:
    case nt_code::host_unreachable: return io_failure::unreachable;
    case nt_code::access_denied: return io_failure::permission_denied;
    case nt_code::too_many_opened_files: return io_failure::no_descriptors;
    case nt_code::no_memory:
    case nt_code::insufficient_resources:
    case nt_code::quota_exceeded:
    case nt_code::pagefile_quota:
    case nt_code::working_set_quota:
    case nt_code::commitment_limit: return io_failure::no_memory;
    case nt_code::cancelled: return io_failure::aborted;
    case nt_code::not_implemented:
    case nt_code::no_such_device: // here a name is the name of a device, never of a file
    case nt_code::object_name_not_found:
    case nt_code::object_path_not_found:
    case nt_code::invalid_device_request:
    case nt_code::not_supported: return io_failure::unsupported;
    default: return code >= 0 ? io_failure::none : io_failure::other;
    }
}

/// As failure_of_nt, and keeps the value, which is negative for a failure. Any thread.
constexpr io_error from_ntstatus(nt_status code) noexcept {
    return io_error{failure_of_nt(code), static_cast<int>(code)};
}

} // namespace tofu::inline TOFU_ABI::windows

#endif // TOFU_PLATFORM_WINDOWS_NT_STATUS_HPP
