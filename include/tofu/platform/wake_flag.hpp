// SPDX-License-Identifier: BSL-1.0
// The flag by which many wake-ups of a poller become one system call, and the proof that none is lost.
//
// This header is open to policies outside of the library; see doc/writing-policies.md.
#ifndef TOFU_PLATFORM_WAKE_FLAG_HPP
#define TOFU_PLATFORM_WAKE_FLAG_HPP

#include <tofu/config.hpp>

#include <atomic>

// A poller has a signal that ends its wait: a byte in a pipe, an eventfd, a user event of a kernel queue, a completion
// in a port. The flag is raised while a signal is on its way. The protocol:
//
//     wake(), any thread                            wait(), one thread, when it finds the signal
//         if (flag.raise()) send the signal             take the signal: drain, dequeue, or accept the report
//                                                       flag.lower()
//                                                       return; the caller then looks at its inbox
//
// 1. At most one signal is on its way. A waker sends only if it raised the flag. Only the thread that took the signal
//    lowers the flag, except after a failed send: see lower(). So a pipe never fills up, and a thousand wake-ups cost
//    one system call.
// 2. The signal is taken before the flag is lowered. In the other order a waker could raise the flag again and send a
//    second signal, which the waiting thread would take together with the first. The flag would stay raised with no
//    signal on its way, and every later wake-up would do nothing.
// 3. A waker that finds the flag raised sends nothing, and need not. If the signal was not taken yet, the signal ends
//    the present wait or the next one. If the signal was taken and the flag was not lowered yet, the waiting thread is
//    awake and looks at its inbox after lower().
// 4. The inbox then holds what the waker put there. raise() and lower() are read-modify-writes of one atomic, so they
//    have one order. The raise() of point 3 precedes the lower(), and the lower() reads the value that this raise(), or
//    a later one, wrote. So lower() synchronises with that raise(), and with each raise() before it. A plain store
//    would read nothing and synchronise with nothing.
// 5. A wake-up after lower() raises the flag and sends a signal, which ends the next wait at once.

namespace tofu::inline TOFU_ABI::platform {

/// Says whether a wake-up signal is on its way. Not raised at first; not movable.
class wake_flag {
public:
    /// True: the caller must send the signal now. False: a signal is on its way. Any thread, also in a signal handler;
    /// one atomic exchange.
    [[nodiscard]] bool raise() noexcept { return raised_.exchange(1, std::memory_order_seq_cst) == 0; }

    /// To be called by the waiting thread after it took the signal. A waker calls it too if its signal could not be
    /// sent; then wake-ups in between are lost, so the poller must bound the time of its waits.
    void lower() noexcept { raised_.exchange(0, std::memory_order_seq_cst); }

private:
    std::atomic<unsigned> raised_{0}; ///< 0 or 1; a word, because riscv64 has no atomic exchange of a byte
    static_assert(std::atomic<unsigned>::is_always_lock_free, "tofu: a signal handler must be able to wake a poller");
};

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_WAKE_FLAG_HPP
