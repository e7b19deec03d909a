// SPDX-License-Identifier: BSL-1.0
// The state of a simulated poller: attached registrations, owed registrations, and stale reports.
#ifndef TOFU_POLICIES_POLL_SIMULATION_WATCH_HPP
#define TOFU_POLICIES_POLL_SIMULATION_WATCH_HPP

#include <tofu/config.hpp>
#include <tofu/contract/interest.hpp>
#include <tofu/policies/poll/simulation/completions.hpp>
#include <tofu/policies/poll/simulation/system_calls.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tofu::inline TOFU_ABI::simulation {

/// One thread at a time, except for `woken` and `wakes`.
class watch {
public:
    explicit watch(system_calls& below, unsigned number) noexcept
        : kernel_(below)
        , number_(number)
        , by_completions_(below.faults.completions)
        , port_(below, {reports, inventions}) {}
    watch(const watch&) = delete;
    watch& operator=(const watch&) = delete;

    std::atomic<bool> woken{false};
    std::atomic<std::uint64_t> wakes{0};
    std::uint64_t reports = 0;    ///< calls of ready() and released()
    std::uint64_t inventions = 0; ///< spurious and stale reports among them

    [[nodiscard]] bool by_completions() const noexcept { return by_completions_; }
    [[nodiscard]] std::size_t owed() const noexcept { return owed_.size() + port_.owed(); }
    [[nodiscard]] unsigned number() const noexcept { return number_; }

    void attach(registration& entry, socket_id which, std::uintptr_t key) noexcept {
        if (entry.ticket != 0) kernel_.complain("a registration was attached that was attached already");
        if (key == 0 || key == ~std::uintptr_t{0}) kernel_.complain("a key is 0 or all ones");
        if (is_known(key)) kernel_.complain("two registrations have the same key");
        entry = {.key = key, .ticket = ++last_ticket_, .socket = which};
        kernel_.at(which).holder = number_;
        kernel_.at(which).watched = true;
        attached_.push_back(&entry);
    }

    [[nodiscard]] io_error arm(registration& entry, interest wanted) noexcept {
        if (entry.ticket == 0 || entry.owed) kernel_.complain("a registration was armed that was not attached");
        if (by_completions_) return entry.ticket == 0 ? io_error{} : port_.arm(entry, wanted);
        const bool more = (wanted & entry.wanted) != wanted;
        const io_error error = more ? kernel_.memory() : io_error{};
        entry.wanted = error ? wanted & entry.wanted : wanted;
        return error;
    }

    [[nodiscard]] disarmed disarm(registration& entry) noexcept {
        if (entry.owed) return disarmed::owed;
        if (entry.ticket == 0) return disarmed::released;
        std::erase(attached_, &entry);
        kernel_.at(entry.socket).watched = false;
        kernel_.at(entry.socket).left_unread = kernel_.at(entry.socket).in.unread();
        kernel_.at(entry.socket).shown_until = shown_until_;
        kernel_.at(entry.socket).left_unseen = was_interrupted_;
        return by_completions_ ? port_.disarm(entry) : forget(entry);
    }

    /// There is a report now, apart from those that faults may invent.
    [[nodiscard]] bool has_news() const noexcept {
        if (by_completions_) return port_.has_news();
        for (const owed_one& one : owed_)
            if (one.due <= kernel_.now()) return true;
        for (const stale_one& one : stale_)
            if (one.due <= kernel_.now()) return true;
        for (const registration* entry : attached_)
            if (any(wanted_of(*entry))) return true;
        return false;
    }

    /// Makes at most `most` reports (0: no limit); sockets take turns. Returns true if there may be more.
    template <class Sink>
    [[nodiscard]] bool report(std::size_t most, Sink& sink) noexcept {
        collect();
        const bool full = most != 0 && news_.size() >= most;
        shown(full);
        if (full) {
            news_.resize(most);
            rotate();
        }
        if (kernel_.faults.shuffles)
            for (std::size_t left = news_.size(); left > 1; --left)
                std::swap(news_[left - 1], news_[kernel_.chance.size_below(left)]);
        // The sink may attach and disarm, so the loop uses no member that this changes.
        std::vector<one_report> now;
        now.swap(news_);
        for (const one_report& one : now) {
            ++reports;
            if (one.released)
                let_go(one, sink);
            else
                sink.ready(one.key, one.what);
            if (one.stale) forget_stale(one.key, sink);
        }
        news_.swap(now);
        news_.clear();
        return full;
    }

    /// The completion port, for a poller by completions.
    [[nodiscard]] completion_port& port() noexcept { return port_; }
    /// Notes the end of a wait that checked the sockets.
    void shown(bool full) noexcept {
        was_interrupted_ = false;
        if (!full || !was_full_) shown_until_ = kernel_.now();
        was_full_ = full;
    }
    /// Notes a wait that was interrupted before it checked the sockets.
    void interrupted() noexcept { was_interrupted_ = true; }
    /// Queues completions without a reason.
    void invent() noexcept { port_.invent(attached_); }

    /// Ends the poller. Writes to each owed registration once more: it must still exist. Owed registrations stay known.
    void close() noexcept {
        for (const owed_one& one : owed_) one.where->wanted = interest::read;
        port_.close();
        attached_.clear();
        stale_.clear();
    }

private:
    struct owed_one {
        registration* where;
        std::uintptr_t key;
        std::uint64_t ticket;
        time_point due;
    };
    struct stale_one {
        std::uintptr_t key;
        std::uint64_t ticket;
        time_point due;
    };
    struct one_report {
        std::uintptr_t key;
        readiness what;
        bool released;
        bool stale;
    };

    /// A registration with this key is attached or owed.
    [[nodiscard]] bool is_known(std::uintptr_t key) const noexcept {
        const auto same = [key](const auto& one) { return one.key == key; };
        return std::any_of(attached_.begin(), attached_.end(), [key](const auto* one) { return one->key == key; }) ||
               std::any_of(owed_.begin(), owed_.end(), same) || port_.owes(key);
    }

    [[nodiscard]] disarmed forget(registration& entry) noexcept {
        const bool stale = kernel_.chance.chance(kernel_.faults.stale);
        const duration stale_delay = kernel_.up_to(kernel_.faults.most_owed);
        const bool owes = kernel_.chance.chance(kernel_.faults.owes);
        const bool for_good = kernel_.chance.chance(kernel_.faults.owes_for_good);
        const duration owed_delay = kernel_.up_to(kernel_.faults.most_owed);
        if (stale) {
            stale_.push_back({entry.key, entry.ticket, kernel_.now() + stale_delay});
            kernel_.schedule(stale_delay, {.what = event::kind::nothing, .whom = 0});
        }
        if (!owes) {
            entry = {};
            return disarmed::released;
        }
        entry.owed = true;
        owed_.push_back({&entry, entry.key, entry.ticket, for_good ? (time_point::max)() : kernel_.now() + owed_delay});
        if (!for_good) kernel_.schedule(owed_delay, {.what = event::kind::nothing, .whom = 0});
        return disarmed::owed;
    }

    [[nodiscard]] readiness wanted_of(const registration& entry) const noexcept {
        return simulation::wanted_of(kernel_.state_of(entry.socket), entry.wanted);
    }

    void collect() noexcept {
        for (const owed_one& one : owed_)
            if (one.due <= kernel_.now()) news_.push_back({one.key, readiness::none, true, false});
        for (const stale_one& one : stale_)
            if (one.due <= kernel_.now()) {
                ++inventions;
                news_.push_back({one.key, readiness::readable | readiness::writable | readiness::failed, false, true});
            }
        for (const registration* entry : attached_) {
            const readiness told = wanted_of(*entry);
            const bool spurious = kernel_.chance.chance(kernel_.faults.spurious);
            if (any(told)) {
                news_.push_back({entry->key, told, false, false});
            } else if (spurious && any(entry->wanted) && kernel_.at(entry->socket).kind != socket_kind::connecting) {
                ++inventions;
                readiness wrong = readiness::none;
                if (any(entry->wanted & interest::read)) wrong |= readiness::readable;
                if (any(entry->wanted & interest::write)) wrong |= readiness::writable;
                news_.push_back({entry->key, wrong, false, false});
            }
        }
    }

    /// Moves the registration that was reported last to the end of the order.
    void rotate() noexcept {
        for (std::size_t i = attached_.size(); i > 0; --i)
            if (attached_[i - 1]->key == news_.back().key) {
                std::rotate(attached_.begin(), attached_.begin() + static_cast<std::ptrdiff_t>(i), attached_.end());
                return;
            }
    }

    template <class Sink>
    void let_go(const one_report& one, Sink& sink) noexcept {
        for (std::size_t i = 0; i < owed_.size(); ++i) {
            if (owed_[i].key != one.key || owed_[i].due > kernel_.now()) continue;
            registration& entry = *owed_[i].where;
            if (entry.ticket != owed_[i].ticket || entry.key != one.key)
                kernel_.complain("a registration was used again while the poller still held it");
            else
                entry = {};
            owed_.erase(owed_.begin() + static_cast<std::ptrdiff_t>(i));
            sink.released(one.key);
            return;
        }
    }

    template <class Sink>
    void forget_stale(std::uintptr_t key, Sink& sink) noexcept {
        for (std::size_t i = 0; i < stale_.size(); ++i)
            if (stale_[i].key == key && stale_[i].due <= kernel_.now()) {
                const registration* const found = sink.registration_of(key);
                if (found != nullptr && found->ticket != 0 && found->ticket != stale_[i].ticket)
                    kernel_.complain("a stale key names another registration");
                stale_.erase(stale_.begin() + static_cast<std::ptrdiff_t>(i));
                return;
            }
    }

    system_calls& kernel_;
    unsigned number_;
    bool by_completions_;
    completion_port port_;
    std::uint64_t last_ticket_ = 0;
    bool was_interrupted_ = false;
    time_point shown_until_{}; ///< time of the last report, or of the first one in a row of full batches
    bool was_full_ = false;    ///< the last batch was full
    std::vector<registration*> attached_;
    std::vector<owed_one> owed_;
    std::vector<stale_one> stale_;
    std::vector<one_report> news_;
};

} // namespace tofu::inline TOFU_ABI::simulation

#endif
