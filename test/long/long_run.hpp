// SPDX-License-Identifier: BSL-1.0
// Shared by the long runs: expectations that count, figures of the process, counted allocations, and a serving thread.
#ifndef TOFU_TEST_LONG_LONG_RUN_HPP
#define TOFU_TEST_LONG_LONG_RUN_HPP

#include "process_figures.hpp"

#include <tofu/tofu.hpp>

#include <pollers.hpp>

#include <boost/mp11.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace long_run {

using namespace std::chrono_literals;
using tofu::op_code;

/// The bound of every wait for something that must happen.
inline constexpr auto patience = 30s;

// Expectations: main returns result(). A program says what went wrong and goes on where that makes sense.

inline std::atomic<int> failures{0};

inline void expect(bool right, std::string_view what) {
    if (right) return;
    ++failures;
    std::printf("FAILED: %.*s\n", static_cast<int>(what.size()), what.data());
}
/// Nothing after this could make sense.
inline void demand(bool right, std::string_view what) {
    expect(right, what);
    if (right) return;
    std::fflush(stdout);
    std::_Exit(EXIT_FAILURE);
}
inline int result() {
    std::printf("%s\n", failures == 0 ? "all right" : "not all right");
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

// Figures of this process.

using clock = std::chrono::steady_clock;

inline double seconds_since(clock::time_point start) {
    return std::chrono::duration<double>(clock::now() - start).count();
}
inline double microseconds(clock::duration time) { return std::chrono::duration<double, std::micro>(time).count(); }

/// The value below which this share of the values lies; sorts them.
inline double quantile(std::vector<double>& values, double share) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}
inline double median(std::vector<double> values) { return quantile(values, 0.5); }

/// Calls of operator new in this process, the nothrow forms included.
inline std::atomic<std::uint64_t> allocations{0};

inline const char* name_of(tofu::driven_by who) { return who == tofu::driven_by::caller ? "caller" : "I/O thread"; }

/// Runs `work.template operator()<Poll>(name)` with every poll policy of this system, the default one first.
template <class Work>
void with_each_poll(Work work) {
    using all = tofu_test::system_pollers_over<tofu::platform::network<>>;
    boost::mp11::mp_for_each<boost::mp11::mp_transform<boost::mp11::mp_identity, all>>(
        [&work]<class Poll>(boost::mp11::mp_identity<Poll>) {
            work.template operator()<Poll>(std::string(tofu::policy_name<Poll>).c_str());
        });
}

/// The same with the default poll policy, and with every mode of it.
template <class Work>
void with_default_polls(Work work) {
#if defined(_WIN32)
    with_each_poll(work);
#else
    work.template operator()<tofu::default_poll>("default");
#endif
}

// Conversations.

inline tofu::address loopback(std::uint16_t port = 0) { return tofu::tcp_address{"127.0.0.1", port}; }

template <class Engine>
tofu::message_ptr make(Engine& engine, op_code op, std::uint16_t channel, std::string_view body = {}) {
    tofu::message_ptr m = engine.get();
    m->header().op = op;
    m->header().channel_number = channel;
    demand(m->body().append(body), "memory for a body");
    return m;
}
inline tofu::message_ptr answer(tofu::message_ptr m, op_code op) {
    m->header().op = op;
    m->header().status_byte = 0;
    return m;
}

inline std::string describe(const tofu::message& m) {
    return std::string(to_string(m.op())) + " " + std::string(to_string(m.status())) + " " +
           std::string(m.headers().wire());
}
/// The next message of a group, which must be of this operation.
template <class Group>
tofu::message_ptr next(Group& group, op_code op) {
    tofu::message_ptr m = group.wait_receive(patience);
    // The words are made only when they are needed: allocations are counted.
    if (!m) demand(false, std::string("waited in vain for ") + std::string(to_string(op)));
    if (m->op() != op) demand(false, "expected " + std::string(to_string(op)) + ", got " + describe(*m));
    return m;
}
template <class Group>
void next_goodbye(Group& group, std::uint16_t channel, std::string_view reason) {
    const tofu::message_ptr m = next(group, op_code::signal);
    const bool right = m->from_engine() && m->status() == tofu::status::channel_closed &&
                       m->header().channel_number == channel && m->headers().find(tofu::reason_header) == reason;
    expect(right, "expected a goodbye, got " + describe(*m));
}

/// Listens; the address really bound.
template <class Engine, class Group>
tofu::address listen(Engine& engine, Group& group, const tofu::address& where = loopback()) {
    tofu::message_ptr m = engine.get();
    demand(m->listen_on(where) == tofu::status::success, "an address to listen on");
    group.post(std::move(m));
    const tofu::message_ptr ready = next(group, op_code::welcome_response);
    demand(ready->status() == tofu::status::success, "listening: " + describe(*ready));
    return tofu::parse_address(ready->headers().find(tofu::listen_on_header)).value;
}
template <class Engine, class Group>
std::uint16_t say_hello(Engine& engine, Group& group, const tofu::address& where) {
    tofu::message_ptr m = engine.get();
    demand(m->connect_to(where) == tofu::status::success, "an address to connect to");
    return group.post(std::move(m)).channel_number;
}
/// Connects to somebody else who serves; the channel's number.
template <class Engine, class Group>
std::uint16_t connect(Engine& engine, Group& group, const tofu::address& where) {
    const std::uint16_t number = say_hello(engine, group, where);
    const tofu::message_ptr m = next(group, op_code::hello_response);
    demand(m->status() == tofu::status::success, "connecting: " + describe(*m));
    return number;
}

/// A thread that answers everything a group receives, until the group is told to update its receiver.
template <class Group>
class serving_thread {
public:
    explicit serving_thread(Group& group) : group_(group), thread_([this] { serve(); }) {}
    serving_thread(const serving_thread&) = delete;
    serving_thread& operator=(const serving_thread&) = delete;
    ~serving_thread() {
        group_.update_receiver();
        thread_.join();
    }

    /// Answers the engine refused because the peer's send queue was full.
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }
    [[nodiscard]] std::uint64_t answered() const noexcept { return answered_; }
    [[nodiscard]] std::uint64_t goodbyes() const noexcept { return goodbyes_; }

private:
    void serve() {
        for (;;) {
            std::error_code error;
            tofu::message_ptr m = group_.wait_receive(error);
            if (error || m->status() == tofu::status::receiver_update) return;
            if (m->from_engine()) {
                if (m->status() == tofu::status::channel_closed) ++goodbyes_;
                continue;
            }
            if (m->op() == op_code::hello_request)
                reply(std::move(m), op_code::hello_response);
            else if (m->op() == op_code::request)
                reply(std::move(m), op_code::response);
            else if (m->op() == op_code::bye_request)
                reply(std::move(m), op_code::bye_response);
        }
    }
    void reply(tofu::message_ptr m, op_code op) {
        std::error_code error;
        group_.post(answer(std::move(m), op), error);
        ++(error ? refused_ : answered_);
    }

    Group& group_;
    std::atomic<std::uint64_t> refused_{0};
    std::atomic<std::uint64_t> answered_{0};
    std::atomic<std::uint64_t> goodbyes_{0};
    std::thread thread_;
};

} // namespace long_run

// The standard's other forms all end in these.
[[gnu::noinline]] void* operator new(std::size_t size) {
    long_run::allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

#endif
