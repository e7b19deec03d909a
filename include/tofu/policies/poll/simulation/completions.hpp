// SPDX-License-Identifier: BSL-1.0
// A simulated poller's work by completions, shaped after afd_iocp (see the picture there).
//
// What a socket is ready for is told by an operation that was asked for and completes once; there is one of them under
// way at a time. Its memory lies in the registration, which is owed for as long as its completion was not taken from
// the queue, whatever has become of socket and channel. Cancelling only has the completion come soon: at once, or after
// up to faults.most_owed; and what is there before that is what it finds.
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
    /// Where its poller counts.
    struct counters {
        std::uint64_t& reports;
        std::uint64_t& inventions;
    };

    completion_port(system_calls& below, counters of_poller) noexcept : system_(below), counted_(of_poller) {}

    std::uint64_t submitted = 0; ///< operations
    std::uint64_t cancelled = 0; ///< of these, before anybody knew whether they had completed

    [[nodiscard]] std::size_t owed() const noexcept { return owed_; }
    /// A registration with that key.
    [[nodiscard]] bool owes(std::uintptr_t key) const noexcept {
        return std::any_of(queue_.begin(), queue_.end(), [key](const auto& one) { return one.of.key == key; }) ||
               system_.polls.holds(queue_, key);
    }
    /// Would a wait have something to do now?
    [[nodiscard]] bool has_news() const noexcept { return !queue_.empty() || !again_.empty(); }
    [[nodiscard]] bool empty() const noexcept { return queue_.empty(); }

    /// Costs nothing when all of it was asked for; submits when nothing is under way, which may fail; else cancels.
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

    /// Owed if anything is under way, completed or not.
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

    /// A wait begins, or goes on: what has completed and is still wanted is asked for again, unless arm did that. True:
    /// something was reported.
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

    /// Of those under way, some complete though there is nothing to see.
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

    /// Takes at most `most` (0: all of it) from the queue; what completes meanwhile stays there. How many it has taken.
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

    /// The poller is gone. What is owed stays known.
    void close() noexcept {
        system_.polls.forget(queue_);
        queue_.clear();
        again_.clear();
        let_go_.clear();
    }

private:
    [[nodiscard]] io_error submit(registration& entry) noexcept {
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
        system_.changed(entry.socket); // what is there completes it at once
        return {};
    }

    void complete(std::uint64_t number, readiness found) noexcept {
        system_.expect_memory(system_.polls.complete(number, found));
    }

    /// May find nothing to cancel: then its completion waits in the queue.
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

    /// True: it was reported.
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
            --owed_;
            ++counted_.reports;
            *entry = {};
            sink.released(next.of.key);
            check_forgotten(next.of.key, sink);
            return true;
        }
        entry->is = registration::state::idle;
        if (any(entry->wanted)) again_.push_back(entry);
        const readiness told = wanted_of(next.found, entry->wanted); // it may have changed since it was asked for
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
    std::vector<registration*> again_;   // completed, wanted, and not armed since
    std::vector<std::uintptr_t> let_go_; // since the last wait
    std::size_t owed_ = 0;
};

} // namespace tofu::inline TOFU_ABI::simulation

#endif
