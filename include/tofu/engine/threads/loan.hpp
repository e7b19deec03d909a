// SPDX-License-Identifier: BSL-1.0
// The one exception to the rule that only the driver touches the loop's state: while the I/O thread sleeps in the
// poller, another thread may borrow the state to send one message.
//
// Benefit: a request and its answer cost no wake-up of the I/O thread on the answering side. Users: loop::turn_lending
// lends and reclaims, loop::send_now borrows. The poller's sink reclaims before it touches anything.
#ifndef TOFU_ENGINE_THREADS_LOAN_HPP
#define TOFU_ENGINE_THREADS_LOAN_HPP

#include <tofu/config.hpp>
#include <tofu/platform/sleeper.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace tofu::inline TOFU_ABI::engine {

/// A lock that its owner holds all the time it is awake. One thread at a time borrows, and no thread waits to borrow.
/// The owner may have to wait before it can reclaim, but only while a borrower sends one message.
class loan {
public:
    /// The owner, before it sleeps. Until `reclaim`, the owner must not touch the loop's state.
    void lend() noexcept {
        TOFU_ASSERT(!is_lent_ && state_.load(std::memory_order_relaxed) == state::kept);
        is_lent_ = true;
        state_.store(state::lent, std::memory_order_seq_cst);
    }

    /// The owner, before it touches the state again. No effect if nothing is lent.
    void reclaim() noexcept {
        if (!is_lent_) return;
        is_lent_ = false;
        if (take(state::kept)) return;
        for (owner_.prepare(); !take(state::kept); owner_.prepare())
            static_cast<void>(owner_.sleep((platform::sleeper::time_point::max)()));
        owner_.rise();
    }

    /// Any other thread. True: the loop's state is the caller's until `end_borrowing`.
    [[nodiscard]] bool try_borrow() noexcept {
        return state_.load(std::memory_order_relaxed) == state::lent && take(state::borrowed);
    }

    /// The borrower. Wakes an owner that waits to reclaim.
    void end_borrowing() noexcept {
        TOFU_ASSERT(state_.load(std::memory_order_relaxed) == state::borrowed);
        state_.store(state::lent, std::memory_order_seq_cst);
        owner_.wake();
    }

private:
    enum class state : std::uint8_t { kept, lent, borrowed };

    [[nodiscard]] bool take(state as) noexcept {
        state expected = state::lent;
        return state_.compare_exchange_strong(expected, as, std::memory_order_seq_cst);
    }

    std::atomic<state> state_{state::kept};
    bool is_lent_ = false; ///< used by the owner only: true exactly from `lend` to `reclaim`
    platform::sleeper owner_;
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
