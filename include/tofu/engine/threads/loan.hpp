// SPDX-License-Identifier: BSL-1.0
// The loop's state on loan: while the I/O thread sleeps in the poller, another thread may use what is the loop's alone.
#ifndef TOFU_ENGINE_THREADS_LOAN_HPP
#define TOFU_ENGINE_THREADS_LOAN_HPP

#include <tofu/config.hpp>
#include <tofu/platform/sleeper.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace tofu::inline TOFU_ABI::engine {

/// One borrower at a time, and the owner only when there is none: a lock that its owner holds all the time it is awake.
/// Nobody waits to borrow. The owner may have to wait to reclaim, as long as a borrower takes to send one message.
class loan {
public:
    /// The owner, before it sleeps. From now on nothing is its own.
    void lend() noexcept {
        is_lent_ = true;
        state_.store(state::lent, std::memory_order_seq_cst);
    }

    /// The owner, before it touches anything again; without effect when nothing is lent.
    void reclaim() noexcept {
        if (!is_lent_) return;
        is_lent_ = false;
        if (take(state::kept)) return;
        for (owner_.prepare(); !take(state::kept); owner_.prepare())
            static_cast<void>(owner_.sleep((platform::sleeper::time_point::max)()));
        owner_.rise();
    }

    /// Any other thread. True: everything is the caller's until `end_borrowing`.
    [[nodiscard]] bool try_borrow() noexcept {
        return state_.load(std::memory_order_relaxed) == state::lent && take(state::borrowed);
    }

    void end_borrowing() noexcept {
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
    bool is_lent_ = false; ///< the owner's
    platform::sleeper owner_;
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
