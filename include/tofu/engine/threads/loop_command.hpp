// SPDX-License-Identifier: BSL-1.0
// A call that the loop runs for another thread, while that thread waits.
#ifndef TOFU_ENGINE_THREADS_LOOP_COMMAND_HPP
#define TOFU_ENGINE_THREADS_LOOP_COMMAND_HPP

#include <tofu/config.hpp>
#include <tofu/detail/queue_node.hpp>

#include <atomic>
#include <utility>

namespace tofu::inline TOFU_ABI::engine {

/// A command lives on the stack of the caller. The caller waits until `done`; after that the loop does not use the
/// command any more. `run` returns true when the call is complete; else the loop runs it again at the end of each turn.
struct loop_command : detail::queue_node {
    using function = bool (*)(void* loop, void* context) noexcept;

    loop_command(function f, void* c) noexcept : run(f), context(c) { kind = detail::node_kind::command; }

    function run;
    void* context;
    std::atomic<bool> done{false};
};

/// The commands that are not complete yet. I/O thread.
class command_list {
public:
    [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }

    /// Runs the command, and keeps it if it is not complete. `loop` is the first argument of the command's function.
    void run(void* loop, loop_command& command) noexcept {
        TOFU_ASSERT(!command.done.load(std::memory_order_relaxed));
        if (!command.run(loop, command.context)) {
            waiting_.push_back(command);
            return;
        }
        completed_ = true;
        command.done.store(true, std::memory_order_seq_cst); // its caller may be gone after this
    }

    /// Runs all commands that are not complete.
    void run_again(void* loop) noexcept {
        detail::node_queue waiting(std::move(waiting_));
        while (detail::queue_node* const node = waiting.pop_front()) run(loop, static_cast<loop_command&>(*node));
    }

    /// True once after a command was completed.
    [[nodiscard]] bool take_completed() noexcept { return std::exchange(completed_, false); }

private:
    detail::node_queue waiting_;
    bool completed_ = false;
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
