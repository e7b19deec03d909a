// SPDX-License-Identifier: BSL-1.0
// A random walk through everything that an application can do with messages, in a simulated world. The walk counts the
// living messages itself, and compares its count with the engine's.
#ifndef TOFU_TEST_BEHAVIOUR_ALIVE_WALK_HPP
#define TOFU_TEST_BEHAVIOUR_ALIVE_WALK_HPP

#include "support/simulated_talk.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <system_error>
#include <utility>
#include <vector>

namespace tofu_test {

inline std::size_t counted(dialogue& talk) { return talk.engine.stats().messages_counted; }

/// All the messages that may be taken now.
inline std::vector<tofu::message_ptr> take_all(any_reactor& engine) {
    std::vector<tofu::message_ptr> taken;
    std::error_code error;
    while (tofu::message_ptr m = engine.get(tofu::allocation::always, error)) {
        taken.push_back(std::move(m));
        BOOST_REQUIRE(taken.size() < 100'000);
    }
    BOOST_TEST((error == tofu::status::allocation_failed));
    return taken;
}

/// Small limits, so that they are met all the time.
class alive_walk {
public:
    explicit alive_walk(unsigned seed)
        : chance_(seed), talk_({.initial_messages = 2, .max_messages = 6, .max_messages_alive = 6 + room}) {
        where_ = talk_.listen();
        connect();
    }

    void step() {
        switch (pick(12)) {
        case 0:
        case 1: get(); break;
        case 2: copy(); break;
        case 3:
        case 4: post(); break;
        case 5: update(); break;
        case 6: update_later(); break;
        case 7: cancel(); break;
        case 8: receive(pick(2) == 0 ? talk_.client : talk_.server); break;
        case 9: held_.clear(); break;
        case 10: talk_.turn_after(std::chrono::microseconds(pick(300))); break;
        case 11:
            if (pick(20) == 0) begin_again();
            break;
        }
    }

    /// Brings everything to its end. Then only messages that the application holds count.
    void come_to_rest() {
        while (!timers_.empty()) cancel();
        for (int i = 0; i < 40; ++i) {
            std::erase_if(held_, [](const kept& one) { return !one.counts; }); // frees the credit
            receive(talk_.client);
            receive(talk_.server);
            talk_.turn_after(a_while);
        }
        std::size_t expected = 0;
        for (const kept& one : held_) expected += one.counts ? 1 : 0;
        BOOST_TEST(counted(talk_) == expected);
    }

    void end() {
        held_.clear();
        come_to_rest();
        BOOST_TEST(counted(talk_) == 0U);
        BOOST_TEST(take_all(talk_.engine).size() == room);
    }

    std::size_t refused = 0; ///< number of times that the limit was met

private:
    static constexpr std::size_t room = 8;
    using talk_type = simulated_talk<6>;
    struct kept {
        tofu::message_ptr m;
        bool counts;
    };

    std::size_t pick(std::size_t below) { return std::uniform_int_distribution<std::size_t>(0, below - 1)(chance_); }

    /// There is exactly one thread: whether there is room is known before.
    void judge(bool got, bool had_room) {
        BOOST_TEST(got == had_room);
        refused += had_room ? 0 : 1;
    }
    [[nodiscard]] bool has_room() { return counted(talk_) < room; }

    void get() {
        std::error_code error;
        const bool had_room = has_room();
        tofu::message_ptr m = talk_.engine.get(tofu::allocation::always, error);
        judge(static_cast<bool>(m), had_room);
        if (m) held_.push_back({std::move(m), true});
    }
    void copy() {
        if (held_.empty()) return;
        std::error_code error;
        const bool had_room = has_room();
        tofu::message_ptr m = tofu::clone(*held_[pick(held_.size())].m, error);
        judge(static_cast<bool>(m), had_room);
        if (m) held_.push_back({std::move(m), true});
    }
    /// Any of those that are held; null: there is none.
    kept take() {
        if (held_.empty()) return {nullptr, false};
        std::swap(held_[pick(held_.size())], held_.back());
        kept one = std::move(held_.back());
        held_.pop_back();
        return one;
    }
    /// Anything anywhere: some are accepted.
    void post() {
        kept one = take();
        if (!one.m) return;
        auto& from = pick(2) == 0 ? talk_.client : talk_.server;
        const auto op = static_cast<tofu::op_code>(pick(8));
        one.m->reset();
        one.m->header().channel_number = static_cast<std::uint16_t>(pick(12));
        if (op == tofu::op_code::hello_request) BOOST_REQUIRE(one.m->connect_to(where_) == tofu::status::success);
        one.m->header().op = op;
        std::error_code error;
        from.post(std::move(one.m), error);
        if (one.m) held_.push_back(std::move(one));
    }
    void update() {
        kept one = take();
        std::error_code error;
        if (one.m && pick(2) == 0) {
            talk_.client.update_receiver(std::move(one.m), error);
            return;
        }
        if (one.m) held_.push_back(std::move(one));
        const bool had_room = has_room();
        talk_.server.update_receiver(error);
        judge(!error, had_room);
    }
    void update_later() {
        if (kept one = take(); one.m) {
            const auto delay = std::chrono::microseconds(pick(2) == 0 ? 0 : pick(1000));
            timers_.push_back(talk_.client.update_receiver_after(delay, std::move(one.m)));
        }
    }
    void cancel() {
        if (timers_.empty()) return;
        std::swap(timers_[pick(timers_.size())], timers_.back());
        if (tofu::message_ptr m = timers_.back().cancel()) held_.push_back({std::move(m), true});
        timers_.pop_back();
    }

    void receive(talk_type::group& from) {
        while (tofu::message_ptr m = from.wait_receive(0ns)) {
            const bool counts = counts_when_received(*m);
            const tofu::op_code op = m->op();
            if (!m->from_engine() && (op == tofu::op_code::hello_request || op == tofu::op_code::bye_request)) {
                answer_it(from, std::move(m), op);
                continue;
            }
            held_.push_back({std::move(m), counts});
        }
    }
    void answer_it(talk_type::group& from, tofu::message_ptr m, tofu::op_code op) {
        std::error_code error;
        from.post(answer(std::move(m), op == tofu::op_code::hello_request ? tofu::op_code::hello_response
                                                                          : tofu::op_code::bye_response),
                  error);
    }
    /// The engine's own notices and messages from a peer do not count. A posted message does, also when it comes back
    /// or is its own answer for lack of a channel.
    static bool counts_when_received(const tofu::message& m) {
        if (!m.from_engine()) return m.status() == tofu::status::receiver_update;
        if (m.status() == tofu::status::pool_empty) return false;
        const auto why = m.why();
        return !why || why->why == tofu::reason::out_of_channels;
    }

    void connect() {
        if (!has_room()) return;
        talk_.hello(where_);
        talk_.turn_after(a_while);
    }
    void begin_again() {
        timers_.clear(); // their messages go with the group
        talk_.client = talk_.engine.create_group();
        connect();
    }

    std::mt19937 chance_;
    talk_type talk_;
    tofu::address where_;
    std::vector<kept> held_;
    std::vector<any_timer> timers_;
};

} // namespace tofu_test

#endif
