// SPDX-License-Identifier: BSL-1.0
// Looks at simulated sockets that are asked for one by one and complete once each, as polls of AFD do.
#ifndef TOFU_POLICIES_POLL_SIMULATION_OPERATIONS_HPP
#define TOFU_POLICIES_POLL_SIMULATION_OPERATIONS_HPP

#include <tofu/config.hpp>
#include <tofu/contract/interest.hpp>
#include <tofu/policies/poll/simulation/random.hpp>
#include <tofu/policies/poll/simulation/traffic.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace tofu::inline TOFU_ABI::simulation {

/// The kernel-facing state of one socket; it lies in its channel's slot. The world writes to it for as long as it holds
/// it, as AFD does.
struct registration {
    /// Of a poller that works by completions.
    enum class state : std::uint8_t { idle, armed, cancelling, released };

    std::uintptr_t key = 0;
    std::uint64_t ticket = 0; ///< of this attachment, no other has it; 0: not attached
    socket_id socket = 0;
    interest wanted = interest::none;
    bool owed = false; ///< disarmed, and not released yet

    // By completions only.
    state is = state::idle;
    interest asked = interest::none;    ///< by the operation under way
    readiness found = readiness::none;  ///< written when it completes
    std::uint64_t operation_number = 0; ///< of the one under way, or the last one
};

/// What is reported of a socket: what is wanted, and failures if anything is.
[[nodiscard]] constexpr readiness wanted_of(readiness all, interest wanted) noexcept {
    if (!any(wanted)) return readiness::none;
    readiness told = all & readiness::failed;
    if (any(wanted & interest::read)) told |= all & readiness::readable;
    if (any(wanted & interest::write)) told |= all & readiness::writable;
    return told;
}

struct completion;
using completion_queue = std::deque<completion>;

/// One look that was asked for. It completes when there is something to see, when it is cancelled, or when its socket
/// is closed, whatever comes first.
struct operation {
    std::uint64_t number = 0; ///< no other of this world has it
    socket_id socket = 0;
    interest asked = interest::none;
    registration* where = nullptr; ///< written to when it completes
    std::uint64_t ticket = 0;      ///< the registration's
    std::uintptr_t key = 0;
    completion_queue* port = nullptr; ///< stands there, once it has completed
    bool cancelled = false;           ///< somebody has asked for that
    bool never = false;               ///< it does not complete any more
};

struct completion {
    operation of;
    readiness found = readiness::none; ///< in the moment of completion; none: it was cancelled
};

/// All that are under way in a world. One thread at a time.
class operations {
public:
    /// Its number.
    [[nodiscard]] std::uint64_t begin(operation what) noexcept {
        what.number = ++last_number_;
        under_way_.push_back(what);
        return what.number;
    }

    /// Null: it has completed.
    [[nodiscard]] operation* find(std::uint64_t number) noexcept {
        for (operation& one : under_way_)
            if (one.number == number) return &one;
        return nullptr;
    }

    [[nodiscard]] bool wait_for(socket_id id) const noexcept {
        for (const operation& one : under_way_)
            if (one.socket == id) return true;
        return false;
    }

    [[nodiscard]] bool holds(const completion_queue& port, std::uintptr_t key) const noexcept {
        for (const operation& one : under_way_)
            if (one.port == &port && one.key == key) return true;
        return false;
    }

    /// Those that wait for something of this complete. False: one of them has found another owner in its memory.
    [[nodiscard]] bool look(socket_id id, readiness state) noexcept {
        bool well = true;
        for (std::size_t i = 0; i < under_way_.size();) {
            const operation& one = under_way_[i];
            const readiness found = one.socket == id ? wanted_of(state, one.asked) : readiness::none;
            if (any(found) && !one.never)
                well = finish(i, found) && well;
            else
                ++i;
        }
        return well;
    }

    /// Completes one that may have completed already. False: as above.
    [[nodiscard]] bool complete(std::uint64_t number, readiness found) noexcept {
        for (std::size_t i = 0; i < under_way_.size(); ++i)
            if (under_way_[i].number == number && !under_way_[i].never) return finish(i, found);
        return true;
    }

    /// Those of a socket that was closed complete; of those that were cancelled, half do so when they would have.
    [[nodiscard]] bool close(socket_id id, random& chance) noexcept {
        bool well = true;
        for (std::size_t i = 0; i < under_way_.size();) {
            const operation& one = under_way_[i];
            if (one.socket == id && !one.never && !(one.cancelled && chance.chance(500)))
                well = finish(i, readiness::failed | readiness::readable) && well;
            else
                ++i;
        }
        return well;
    }

    /// Whoever waited at this queue is gone. Memory that is still lent is written to once more: it must be there.
    void forget(const completion_queue& port) noexcept {
        for (const operation& one : under_way_)
            if (one.port == &port) one.where->found = readiness::failed;
        std::erase_if(under_way_, [&port](const operation& one) { return one.port == &port; });
    }

private:
    [[nodiscard]] bool finish(std::size_t which, readiness found) noexcept {
        const operation one = under_way_[which];
        under_way_.erase(under_way_.begin() + static_cast<std::ptrdiff_t>(which));
        const bool there = one.where->ticket == one.ticket;
        if (there) one.where->found = found;
        one.port->push_back({one, found});
        return there;
    }

    std::vector<operation> under_way_;
    std::uint64_t last_number_ = 0;
};

} // namespace tofu::inline TOFU_ABI::simulation

#endif
