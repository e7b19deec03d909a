// SPDX-License-Identifier: BSL-1.0
// Tells a forked child that what it holds was made by its parent, on systems that fork.

#ifndef TOFU_PLATFORM_PROCESS_MARK_HPP
#define TOFU_PLATFORM_PROCESS_MARK_HPP

#include <tofu/config.hpp>

#if defined(_WIN32)
#include <tofu/contract/io.hpp>
#else
#include <tofu/platform/posix/process_mark.hpp>
#endif

namespace tofu::inline TOFU_ABI::platform {

#if defined(_WIN32)
/// Windows does not fork: what a process holds was made there.
struct process_mark {
    static constexpr io_error count_forks() noexcept { return {}; }
    [[nodiscard]] static constexpr bool is_here() noexcept { return true; }
};
#else
using posix::process_mark;
#endif

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_PROCESS_MARK_HPP
