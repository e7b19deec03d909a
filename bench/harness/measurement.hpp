// SPDX-License-Identifier: BSL-1.0
// The measured part of a run: its begin and end, and the resources that it used for each item.
#ifndef TOFU_BENCH_HARNESS_MEASUREMENT_HPP
#define TOFU_BENCH_HARNESS_MEASUREMENT_HPP

#include "process.hpp"
#include "task.hpp"

#include <chrono>
#include <cstdint>
#include <ostream>

namespace bench {

/// The program calls `start`, then `reached` with its progress. The measured part lies between a warm-up and the end,
/// in the middle of the work. With a task's `count` it is all of the work, to the very last item.
class measurement {
public:
    using clock = std::chrono::steady_clock;

    explicit measurement(const task& what) : task_(what) {}

    void start() {
        if (task_.count != 0) return begin(0);
        phase_ = phase::warm_up;
        until_ = clock::now() + task_.warm_up;
    }

    /// Notes that `items` items are done. The caller reads the time, and need not call this for every item; `wants`
    /// says when there is a reason to.
    void reached(std::uint64_t items, clock::time_point now) {
        if (phase_ == phase::warm_up && now >= until_) return begin(items);
        if (phase_ == phase::measured && (task_.count == 0 ? now >= until_ : items >= task_.count)) end(items, now);
    }

    /// True if the time must be read after `items` items: this is so every `look_every` items, and after the last item.
    [[nodiscard]] bool wants(std::uint64_t items) const { return items % look_every == 0 || items == task_.count; }

    [[nodiscard]] bool running() const { return phase_ == phase::measured; }
    [[nodiscard]] bool over() const { return phase_ == phase::over; }

    /// True if one more item may be begun after `begun` items. Once the measurement is over, the items under way are
    /// only finished.
    [[nodiscard]] bool may_begin(std::uint64_t begun) const {
        return task_.count == 0 ? phase_ != phase::over : begun < task_.count;
    }

    /// One `metric value` a line: everything for one item.
    void report(std::ostream& out) const {
        const auto items = static_cast<double>(items_);
        const std::chrono::duration<double> seconds = ended_ - began_;
        out << "rate_per_s " << items / seconds.count() << '\n';
        out << "client_cpu_us " << client_.cpu_us / items << '\n';
        out << "server_cpu_us " << server_.cpu_us / items << '\n';
        out << "client_sleeps " << client_.sleeps / items << '\n';
        out << "server_sleeps " << server_.sleeps / items << '\n';
    }

private:
    enum class phase { idle, warm_up, measured, over };
    static constexpr std::uint64_t look_every = 64;

    /// Reads the slowest figure first, so that no reading disturbs a figure: sleeps, then processor time, then time.
    void begin(std::uint64_t items) {
        phase_ = phase::measured;
        items_ = items;
        client_.sleeps = sleeps_of(own_process());
        server_.sleeps = sleeps_of(task_.server);
        client_.cpu_us = cpu_us_of(own_process());
        server_.cpu_us = cpu_us_of(task_.server);
        began_ = clock::now();
        until_ = began_ + task_.time;
    }

    void end(std::uint64_t items, clock::time_point now) {
        phase_ = phase::over;
        ended_ = now;
        items_ = items - items_;
        server_.cpu_us = cpu_us_of(task_.server) - server_.cpu_us;
        client_.cpu_us = cpu_us_of(own_process()) - client_.cpu_us;
        server_.sleeps = sleeps_of(task_.server) - server_.sleeps;
        client_.sleeps = sleeps_of(own_process()) - client_.sleeps;
    }

    task task_;
    phase phase_ = phase::idle;
    std::uint64_t items_ = 0; ///< measured; before the end, those before the beginning
    usage client_;
    usage server_;
    clock::time_point began_{};
    clock::time_point ended_{};
    clock::time_point until_{};
};

} // namespace bench

#endif
