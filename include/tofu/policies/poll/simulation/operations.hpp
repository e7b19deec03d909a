// SPDX-License-Identifier: BSL-1.0
// Operations on simulated sockets that complete once when the socket is ready, like polls of AFD.
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

/// The poller's notes about one socket, in the slot of its channel. The world writes to it while it is attached or
/// owed, as AFD does.
struct registration {
    /// The state of a registration in a poller by completions; see afd_iocp.
    enum class state : std::uint8_t { idle, armed, cancelling, released };

    std::uintptr_t key = 0;
    std::uint64_t ticket = 0; ///< unique for each attach; 0 exactly when neither attached nor owed
    socket_id socket = 0;
    interest wanted = interest::none;
    bool owed = false; ///< disarmed and not released yet

    // For pollers by completions only.
    state is = state::idle;
    interest asked = interest::none;    ///< of the operation in flight
    readiness found = readiness::none;  ///< written when it completes
    std::uint64_t operation_number = 0; ///< of the operation in flight, or the last one
};

/// The part of `all` that is reported: wanted bits, and a failure if the interest is not none.
[[nodiscard]] constexpr readiness wanted_of(readiness all, interest wanted) noexcept {
    if (!any(wanted)) return readiness::none;
    readiness told = all & readiness::failed;
    if (any(wanted & interest::read)) told |= all & readiness::readable;
    if (any(wanted & interest::write)) told |= all & readiness::writable;
    return told;
}

struct completion;
using completion_queue = std::deque<completion>;

/// Completes when its socket has an event that it asks for, when it is cancelled, or when its socket is closed.
struct operation {
    std::uint64_t number = 0; ///< unique in its world
    socket_id socket = 0;
    interest asked = interest::none;
    registration* where = nullptr; ///< written when it completes
    std::uint64_t ticket = 0;      ///< the registration's
    std::uintptr_t key = 0;
    completion_queue* port = nullptr; ///< its completion is queued there
    bool cancelled = false;           ///< a cancel was called
    bool never = false;               ///< it never completes
};

struct completion {
    operation of;
    readiness found = readiness::none; ///< at the time of completion; none if it was cancelled
};

/// The operations in flight in a world. One thread at a time.
class operations {
public:
    /// Starts an operation and returns its number.
    [[nodiscard]] std::uint64_t begin(operation what) noexcept {
        what.number = ++last_number_;
        under_way_.push_back(what);
        return what.number;
    }

    /// Null if it has completed.
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

    /// Completes the operations that wait for this readiness. Returns false if a registration was used again meanwhile.
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

    /// Completes an operation, if it has not completed yet. Returns false as look() does.
    [[nodiscard]] bool complete(std::uint64_t number, readiness found) noexcept {
        for (std::size_t i = 0; i < under_way_.size(); ++i)
            if (under_way_[i].number == number && !under_way_[i].never) return finish(i, found);
        return true;
    }

    /// Completes the operations of a closed socket. Half of the cancelled ones complete later, when their cancel does.
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

    /// Drops the operations of a poller that ended. Writes to their registrations once more: they must still exist.
    void forget(const completion_queue& port) noexcept {
        for (const operation& one : under_way_)
            if (one.port == &port) one.where->found = readiness::failed;
        std::erase_if(under_way_, [&port](const operation& one) { return one.port == &port; });
    }

private:
    [[nodiscard]] bool finish(std::size_t which, readiness found) noexcept {
        TOFU_ASSERT(which < under_way_.size() && under_way_[which].port != nullptr);
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
