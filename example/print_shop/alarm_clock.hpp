// SPDX-License-Identifier: BSL-1.0
// Alarms: messages that a program sends to itself for later, and that it can postpone.
#ifndef TOFU_EXAMPLE_PRINT_SHOP_ALARM_CLOCK_HPP
#define TOFU_EXAMPLE_PRINT_SHOP_ALARM_CLOCK_HPP

#include <tofu/tofu.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

namespace print_shop {

/// Rings as a message with status receiver_update. If an alarm is postponed too late, its old message is in the receive
/// queue already and will still be received. The message id tells the old message from the valid one.
class alarm {
public:
    [[nodiscard]] bool is_set() const { return id_ != 0; }
    [[nodiscard]] bool rings_in(const tofu::message& m) const { return is_set() && m.header().message_id == id_; }

private:
    friend class alarm_clock;
    std::uint64_t id_ = 0;
    tofu::channel_group::timer_handle timer_;
};

class alarm_clock {
public:
    /// Both must outlive the clock.
    alarm_clock(tofu::reactor& engine, tofu::channel_group& group) : engine_(engine), group_(group) {}

    //[alarm
    /// Lets `which` ring after `delay`, instead of at its earlier time.
    void set(alarm& which, std::chrono::milliseconds delay) {
        tofu::message_ptr m = which.timer_.cancel();
        if (!m) m = engine_.get(); // the alarm was not set, or its message is on its way
        m->reset();
        m->header().message_id = which.id_ = ++last_id_;
        which.timer_ = group_.update_receiver_after(delay, std::move(m));
    }
    //]

    static void put_off(alarm& which) {
        which.id_ = 0;
        static_cast<void>(which.timer_.cancel());
    }

private:
    tofu::reactor& engine_;
    tofu::channel_group& group_;
    std::uint64_t last_id_ = 0;
};

} // namespace print_shop

#endif
