// SPDX-License-Identifier: BSL-1.0
// A call that another thread wants run by the loop, and waits for.
#ifndef TOFU_ENGINE_THREADS_LOOP_COMMAND_HPP
#define TOFU_ENGINE_THREADS_LOOP_COMMAND_HPP

#include <tofu/config.hpp>
#include <tofu/detail/queue_node.hpp>

#include <atomic>

namespace tofu::inline TOFU_ABI::engine {

/// Lives on the stack of the caller, who waits until `done`; the loop does not touch it after that. `run` returns true
/// when the call is complete, else the loop asks again at the end of each turn.
struct loop_command : detail::queue_node {
    using function = bool (*)(void* loop, void* context) noexcept;

    loop_command(function f, void* c) noexcept : run(f), context(c) { kind = detail::node_kind::command; }

    function run;
    void* context;
    std::atomic<bool> done{false};
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
