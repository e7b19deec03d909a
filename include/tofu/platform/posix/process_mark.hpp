// SPDX-License-Identifier: BSL-1.0
// Lets an object recognise that it is in a forked child of the process that made it.

#ifndef TOFU_PLATFORM_POSIX_PROCESS_MARK_HPP
#define TOFU_PLATFORM_POSIX_PROCESS_MARK_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/posix/error.hpp>

#include <pthread.h>

#include <atomic>
#include <cstdint>

namespace tofu::inline TOFU_ABI::posix {

namespace detail {

/// The number of forks from the process that first called count_forks to this process.
inline constinit std::atomic<std::uint32_t> fork_generation{0};

/// Hidden: each shared object has its own flag and registers its own handler, because dlclose(3) removes the handlers
/// of the unloaded object. Several handlers count a fork several times, which is harmless.
[[gnu::visibility("hidden")]] inline constinit std::atomic<bool> forks_are_counted{false};

/// In the child, before fork(2) returns there.
inline void count_fork() noexcept { fork_generation.fetch_add(1, std::memory_order_relaxed); }

} // namespace detail

/// A member of an object; tells whether this process made the object. Any thread; costs one load, no system call. A
/// child of vfork(2) or posix_spawn(3) has its parent's memory and may only call exec; such a child, and one of a bare
/// clone(2), is not counted.
class process_mark {
public:
    process_mark() noexcept : generation_(detail::fork_generation.load(std::memory_order_relaxed)) {}

    /// Starts counting forks; before the first call is_here is always true. May be called again. Errors: no_memory.
    static io_error count_forks() noexcept {
        if (detail::forks_are_counted.load(std::memory_order_acquire)) return {};
        // Two threads may both register the handler. Each fork then counts twice, which is harmless. A lock would not
        // be: a child forked while the lock is held could never take it.
        if (const int refused = ::pthread_atfork(nullptr, nullptr, &detail::count_fork))
            return io_error{io_failure::no_memory, refused};
        detail::forks_are_counted.store(true, std::memory_order_release);
        return {};
    }

    [[nodiscard]] bool is_here() const noexcept {
        return generation_ == detail::fork_generation.load(std::memory_order_relaxed);
    }

private:
    std::uint32_t generation_;
};

} // namespace tofu::inline TOFU_ABI::posix

#endif // TOFU_PLATFORM_POSIX_PROCESS_MARK_HPP
