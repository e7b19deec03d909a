// SPDX-License-Identifier: BSL-1.0
// The name of a thread, in a buffer that the thread reads when it starts.

#ifndef TOFU_PLATFORM_THREAD_NAME_HPP
#define TOFU_PLATFORM_THREAD_NAME_HPP

#include <tofu/config.hpp>

#include <cstddef>

namespace tofu::inline TOFU_ABI::platform {

/// Cut to 15 characters, the limit of Linux, so that names are equal on all systems. Null becomes the empty name.
class thread_name {
public:
    /// Bytes, with the terminator.
    static constexpr std::size_t room = 16;

    thread_name() noexcept = default;
    explicit thread_name(const char* name) noexcept {
        for (std::size_t at = 0; name != nullptr && at + 1 < room && name[at] != '\0'; ++at) {
            text_[at] = name[at];
        }
    }

    [[nodiscard]] const char* c_str() const noexcept { return static_cast<const char*>(text_); }

private:
    char text_[room] = {};
};

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_THREAD_NAME_HPP
