// SPDX-License-Identifier: BSL-1.0
// Selects how an object recognises that it is in a forked child of the process that made it.

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
/// Windows does not fork, so the mark is always right.
struct process_mark {
    static constexpr io_error count_forks() noexcept { return {}; }
    [[nodiscard]] static constexpr bool is_here() noexcept { return true; }
};
#else
using posix::process_mark;
#endif

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_PROCESS_MARK_HPP
