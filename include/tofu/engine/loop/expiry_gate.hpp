// SPDX-License-Identifier: BSL-1.0
// Decides when a deadline may expire: only after a look at the sockets that began no earlier than the deadline.
#ifndef TOFU_ENGINE_LOOP_EXPIRY_GATE_HPP
#define TOFU_ENGINE_LOOP_EXPIRY_GATE_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>

#include <cstddef>
#include <cstdint>

namespace tofu::inline TOFU_ABI::engine {

/// Data that is already there comes before deadlines. So a deadline must not expire because the process was stopped
/// (SIGSTOP, a debugger), because a signal cut a wait short, or because a batch had no room for every report.
///
/// A look is one wait, or several waits in a row, after which every socket that was ready when the look began was
/// reported. A wait that did not fill its batch is a whole look. Several full batches together are a look, as soon as
/// they hold as many reports as all channels can make. A wait that failed or was interrupted has reported nothing: it
/// neither completes nor restarts a look. After `most_unseen` of them in a row, deadlines expire without a look.
///
/// I/O thread. The class uses no sockets, threads or clock, so that a test controls every input.
template <class TimePoint>
class expiry_gate {
public:
    static constexpr std::size_t most_unseen = 8;

    /// Call before a wait. `now` is the time at which the wait begins.
    void begin_wait(TimePoint now) noexcept {
        wait_began_ = now;
        reports_ = 0;
    }

    /// Call during the wait, for each report of a channel.
    void reported() noexcept { ++reports_; }

    /// True: wait once more with timeout 0, so that the deadline can expire in the same turn. This is so after an
    /// interrupted wait, and after a wait that reported nothing and lasted until `deadline`.
    [[nodiscard]] bool wants_another_wait(const wait_result& result, TimePoint deadline, TimePoint now) const noexcept {
        if (result.interrupted) return true;
        return deadline <= now && wait_began_ < deadline && reports_ == 0 && !result.error && !result.full;
    }

    /// Call after the wait. Returns the moment up to which deadlines may expire now; (TimePoint::min)(): none may.
    /// `deadline` is the nearest deadline, `all_reports` the number of reports that all channels can make, `turn` the
    /// number of the loop's turn.
    [[nodiscard]] TimePoint end_wait(const wait_result& result, TimePoint deadline, std::size_t all_reports,
                                     std::uint64_t turn) noexcept {
        constexpr TimePoint none = (TimePoint::min)();
        const bool unseen = result.error || result.interrupted;
        unseen_ = unseen ? unseen_ + 1 : 0;
        if (deadline > wait_began_) { // nothing was due when the wait began
            looking_ = false;
            return none;
        }
        if (unseen && unseen_ < most_unseen) return none;
        if (!looking_) begin_look(all_reports, turn);
        reports_in_look_ += reports_;
        if (result.full && reports_in_look_ < reports_to_see_) return none;
        looking_ = false;
        return result.full ? look_began_ : wait_began_;
    }

    /// The turn in which the current look began, or the latest one if none is under way. That look does not cover a
    /// channel whose reading was resumed in that turn or later.
    [[nodiscard]] std::uint64_t look_began_in() const noexcept { return look_turn_; }

private:
    void begin_look(std::size_t all_reports, std::uint64_t turn) noexcept {
        looking_ = true;
        look_began_ = wait_began_;
        look_turn_ = turn;
        reports_in_look_ = 0;
        reports_to_see_ = all_reports; // channels that end during the look have also been reported
    }

    TimePoint wait_began_{};
    TimePoint look_began_{};
    std::uint64_t look_turn_ = 0;
    std::size_t reports_ = 0;         // of the present wait
    std::size_t reports_in_look_ = 0; // of the waits of the present look
    std::size_t reports_to_see_ = 0;  // until the present look is complete
    std::size_t unseen_ = 0;          // waits in a row that failed or were interrupted
    bool looking_ = false;            // true exactly when full batches have begun a look that is not complete
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
