// SPDX-License-Identifier: BSL-1.0
// A simulated completion port, modelled on afd_iocp; the picture there shows the states.
//
// An operation reports readiness: it is submitted for a socket and completes once. Each registration has at most one
// operation in flight, whose memory lies in the registration. So the registration is owed until the completion is taken
// from the queue, even if the socket is closed. A cancel makes the completion come at once, or after up to
// faults.most_owed; an event before that time still completes the operation.
#ifndef TOFU_POLICIES_POLL_SIMULATION_COMPLETIONS_HPP
#define TOFU_POLICIES_POLL_SIMULATION_COMPLETIONS_HPP

#include <tofu/config.hpp>
#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/detail/integer_cast.hpp>
#include <tofu/policies/poll/simulation/operations.hpp>
#include <tofu/policies/poll/simulation/system_calls.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tofu::inline TOFU_ABI::simulation {

/// One thread at a time.
class completion_port {
public:
    /// The counters of the poller.
    struct counters {
        std::uint64_t& reports;
        std::uint64_t& inventions;
    };

    completion_port(system_calls& below, counters of_poller) noexcept : system_(below), counted_(of_poller) {}

    std::uint64_t submitted = 0; ///< operations
    std::uint64_t cancelled = 0; ///< operations for which a cancel was called

    [[nodiscard]] std::size_t owed() const noexcept { return owed_; }
    /// An operation with that key is in flight or in the queue.
    [[nodiscard]] bool owes(std::uintptr_t key) const noexcept {
        return std::any_of(queue_.begin(), queue_.end(), [key](const auto& one) { return one.of.key == key; }) ||
               system_.polls.holds(queue_, key);
    }
    /// A wait has something to do now.
    [[nodiscard]] bool has_news() const noexcept { return !queue_.empty() || !again_.empty(); }
    [[nodiscard]] bool empty() const noexcept { return queue_.empty(); }

    /// No call if the operation in flight asks for all of `wanted`. Else submits, which may fail, or cancels.
    [[nodiscard]] io_error arm(registration& entry, interest wanted) noexcept {
        entry.wanted = wanted;
        switch (entry.is) {
        case registration::state::idle: std::erase(again_, &entry); return any(wanted) ? submit(entry) : io_error{};
        case registration::state::armed:
            if ((wanted & entry.asked) == wanted) return {};
            entry.is = registration::state::cancelling;
            cancel(entry);
            return {};
        case registration::state::cancelling:
        case registration::state::released: break;
        }
        return {};
    }

    /// Owed if an operation is in flight or in the queue.
    [[nodiscard]] disarmed disarm(registration& entry) noexcept {
        const bool for_good = system_.chance.chance(system_.faults.owes_for_good);
        std::erase(again_, &entry);
        if (entry.is == registration::state::idle) {
            let_go_.push_back(entry.key);
            entry = {};
            return disarmed::released;
        }
        if (entry.is == registration::state::armed) cancel(entry);
        if (operation* const one = system_.polls.find(entry.operation_number)) one->never = for_good;
        entry.is = registration::state::released;
        entry.owed = true;
        ++owed_;
        return disarmed::owed;
    }

    /// Submits again for each registration whose operation has completed, that has interest, and that arm() did not
    /// renew. Returns true if a socket was reported.
    template <class Sink>
    [[nodiscard]] bool submit_again(Sink& sink) noexcept {
        check_let_go(sink);
        bool reported = false;
        std::vector<registration*> now;
        now.swap(again_);
        for (registration* const entry : now) {
            if (!submit(*entry)) continue;
            ++counted_.reports;
            sink.ready(entry->key, readiness::failed | readiness::readable);
            reported = true;
        }
        return reported;
    }

    /// Completes some operations without a reason; see faults.spurious.
    void invent(const std::vector<registration*>& attached) noexcept {
        for (const registration* entry : attached) {
            const bool spurious = system_.chance.chance(system_.faults.spurious);
            const bool can = entry->is == registration::state::armed || entry->is == registration::state::cancelling;
            if (!spurious || !can || system_.at(entry->socket).kind == socket_kind::connecting) continue;
            if (system_.polls.find(entry->operation_number) == nullptr) continue;
            ++counted_.inventions;
            complete(entry->operation_number, wanted_of(readiness::readable | readiness::writable, entry->asked));
        }
    }

    /// Takes at most `most` completions from the queue (0: no limit), and none that come meanwhile. Returns their
    /// number.
    template <class Sink>
    [[nodiscard]] std::size_t take(std::size_t most, bool& reported, Sink& sink) noexcept {
        const std::size_t count = most == 0 ? queue_.size() : (std::min)(most, queue_.size());
        for (std::size_t i = 0; i < count; ++i) {
            const completion next = queue_.front();
            queue_.pop_front();
            reported = take(next, sink) || reported;
        }
        return count;
    }

    /// Ends the poller. Owed registrations stay known.
    void close() noexcept {
        system_.polls.forget(queue_);
        queue_.clear();
        again_.clear();
        let_go_.clear();
    }

private:
    [[nodiscard]] io_error submit(registration& entry) noexcept {
        TOFU_ASSERT(entry.is == registration::state::idle && entry.ticket != 0 && any(entry.wanted));
        if (const io_error error = system_.memory()) return error;
        ++submitted;
        entry.is = registration::state::armed;
        entry.asked = entry.wanted;
        entry.operation_number = system_.polls.begin({.socket = entry.socket,
                                                      .asked = entry.asked,
                                                      .where = &entry,
                                                      .ticket = entry.ticket,
                                                      .key = entry.key,
                                                      .port = &queue_});
        system_.changed(entry.socket); // an event that is there already completes it
        return {};
    }

    void complete(std::uint64_t number, readiness found) noexcept {
        system_.expect_memory(system_.polls.complete(number, found));
    }

    /// No effect if the operation has completed and waits in the queue.
    void cancel(registration& entry) noexcept {
        ++cancelled;
        const bool at_once = system_.chance.chance(500);
        const duration later = system_.up_to(system_.faults.most_owed);
        operation* const one = system_.polls.find(entry.operation_number);
        if (one == nullptr || std::exchange(one->cancelled, true)) return;
        if (at_once)
            complete(one->number, readiness::none);
        else
            system_.schedule(later, {.what = event::kind::cancelled,
                                     .whom = one->socket,
                                     .amount = tofu::detail::integer_cast<std::size_t>(one->number)});
    }

    /// Handles one completion. Returns true if it was reported.
    template <class Sink>
    [[nodiscard]] bool take(const completion& next, Sink& sink) noexcept {
        registration* const entry = sink.registration_of(next.of.key);
        if (entry != next.of.where) {
            system_.complain("the sink does not know a registration that the poller holds");
            return false;
        }
        if (entry->ticket != next.of.ticket) {
            system_.complain("a registration was used again while the poller still held it");
            return false;
        }
        if (entry->is == registration::state::released) {
            TOFU_ASSERT(entry->owed && owed_ != 0);
            --owed_;
            ++counted_.reports;
            *entry = {};
            sink.released(next.of.key);
            check_forgotten(next.of.key, sink);
            return true;
        }
        TOFU_ASSERT(entry->is != registration::state::idle); // it had an operation in flight
        entry->is = registration::state::idle;
        if (any(entry->wanted)) again_.push_back(entry);
        const readiness told = wanted_of(next.found, entry->wanted); // the interest may have changed since
        if (!any(told)) return false;
        ++counted_.reports;
        sink.ready(entry->key, told);
        return true;
    }

    template <class Sink>
    void check_let_go(Sink& sink) noexcept {
        for (const std::uintptr_t key : let_go_) check_forgotten(key, sink);
        let_go_.clear();
    }

    template <class Sink>
    void check_forgotten(std::uintptr_t key, Sink& sink) noexcept {
        const registration* const entry = sink.registration_of(key);
        if (entry != nullptr && entry->key != key)
            system_.complain("the sink still knows a registration that the poller has released");
    }

    system_calls& system_;
    counters counted_;
    completion_queue queue_;
    std::vector<registration*> again_;   ///< completed, with interest, and not armed since
    std::vector<std::uintptr_t> let_go_; ///< keys that were released since the last wait
    std::size_t owed_ = 0;
};

} // namespace tofu::inline TOFU_ABI::simulation

#endif
