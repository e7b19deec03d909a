// SPDX-License-Identifier: BSL-1.0
// How fast tofu is meant to be, compared with libzmq doing the same work in the same run.
#ifndef TOFU_BENCH_RUNNER_TARGETS_HPP
#define TOFU_BENCH_RUNNER_TARGETS_HPP

#include "plan.hpp"

#include <array>
#include <string_view>

namespace bench {

struct target {
    std::string_view work;
    std::string_view where; ///< empty: everywhere
    std::string_view peer;
    double ratio;
    bool at_most; ///< a time, else a rate
};

/// They are set for the default poll policy. With many requests under way the engine's own thread is what the
/// documentation recommends; driven by the caller, each answer is a write of its own.
inline constexpr std::array targets{
    target{"W1", "one_core", "tofu/linux_epoll/io_thread", 0.83, true},
    target{"W1", "one_core", "tofu/linux_epoll/caller", 0.45, true},
    target{"W3-64", "", "tofu/linux_epoll/io_thread", 1.5, false},
    target{"W3-1024", "", "tofu/linux_epoll/io_thread", 1.5, false},
};

/// Null when none is set for it.
inline const target* target_of(const cell& what) {
    for (const target& each : targets) {
        if (each.work == what.work->name && each.peer == what.who->peer &&
            (each.where.empty() || each.where == what.where->name))
            return &each;
    }
    return nullptr;
}

} // namespace bench

#endif
