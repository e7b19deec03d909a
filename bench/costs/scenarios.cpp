// SPDX-License-Identifier: BSL-1.0
// The scenarios: two engines that talk, and an application on either side that copies nothing itself.
#include "scenario.hpp"

#include "../../example/policies/talk.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace costs {
namespace {

using tofu::op_code;

constexpr std::size_t max_window = 64;
constexpr std::size_t most_kept = tofu::engine::message_pool::most_retained(tofu::options{}.max_messages);

/// More messages than an engine has in use at a time: in an echo one for each request under way, and what its loop has
/// in hand, to receive into and to return; else as many as the pool keeps.
constexpr std::size_t warm_messages(const scenario& what) {
    constexpr std::size_t of_an_echo = 3 * max_window;
    static_assert(of_an_echo >= max_window + 2 * tofu::engine::message_cache::batch + 1 && of_an_echo <= most_kept);
    return what.what == work::echo ? of_an_echo : most_kept;
}

tofu::reactor start(const scenario& what, side whose) {
    const counting_for starter(whose);
    return tofu::reactor({.retained_capacity = what.retained_capacity, .max_queued_messages = what.max_queued_messages},
                         what.who);
}

/// An engine whose pool has all messages it will need, each with the memory of its body (unless that is given back).
/// Chance decides which messages are used at the same time. Without this preparation, a message might get its memory
/// only while costs are counted.
struct party {
    party(const scenario& what, side whose) : engine(start(what, whose)), group(engine.create_group()) {
        std::vector<tofu::message_ptr> all(warm_messages(what));
        for (tofu::message_ptr& m : all) {
            m = engine.get();
            if (!m->body().resize(what.body)) throw std::bad_alloc();
        }
    }

    tofu::reactor engine;
    tofu::channel_group group;
};

class server {
public:
    explicit server(const scenario& what)
        : own_(what, side::server), where_(listen(what)), thread_([this] { serve(); }) {}
    server(const server&) = delete;
    server& operator=(const server&) = delete;
    ~server() {
        own_.group.update_receiver();
        thread_.join();
    }

    [[nodiscard]] const tofu::address& where() const { return where_; }
    [[nodiscard]] std::uint64_t wakes() const { return own_.engine.stats().wakes; }

private:
    tofu::address listen(const scenario& what) {
        if (!what.uds) return example::listen(own_.engine, own_.group);
        const std::string name = "@tofu_bench_costs_" + std::to_string(::getpid()); // has no file
        tofu::message_ptr welcome = own_.engine.get();
        const tofu::address where = tofu::uds_address{name};
        if (welcome->listen_on(where) != tofu::status::success) throw std::bad_alloc();
        own_.group.post(std::move(welcome));
        if (example::expect(own_.group, op_code::welcome_response)->status() != tofu::status::success)
            throw std::runtime_error("cannot listen");
        return where;
    }

    void serve() {
        const counting_for mine(side::server);
        for (;;) {
            tofu::message_ptr m = own_.group.wait_receive();
            if (m->status() == tofu::status::receiver_update) return;
            if (m->from_engine() || m->op() == op_code::signal) continue;
            m->header().op = m->op() == op_code::request ? op_code::response : op_code::hello_response;
            std::error_code refused; // because the client has left
            own_.group.post(std::move(m), refused);
            if (refused && refused != tofu::status::invalid_channel_number) throw std::system_error(refused, "post");
        }
    }

    party own_;
    tofu::address where_;
    std::thread thread_;
};

class client {
public:
    client(const scenario& what, const server& peer) : what_(what), peer_(peer), own_(what, side::client) {
        channel_ = example::call(own_.engine, own_.group, peer.where());
        next(op_code::hello_response);
    }

    trip_costs run() {
        if (what_.what == work::echo)
            for (std::size_t i = 0; i < what_.window; ++i) own_.group.post(make(op_code::request));
        go_on(what_.trips / 5 + what_.window); // warm
        const trip_costs before = spent();
        {
            const counting_for mine(side::client); // here and nowhere else: `spent` takes locks, too
            go_on(what_.trips);
        }
        const trip_costs after = spent();
        return {less(after.client, before.client), less(after.server, before.server)};
    }

private:
    [[nodiscard]] trip_costs spent() const {
        return {{counted(side::client), own_.engine.stats().wakes}, {counted(side::server), peer_.wakes()}};
    }

    static side_costs less(side_costs all, const side_costs& before) {
        all.counted -= before.counted;
        all.wakes -= before.wakes;
        return all;
    }

    void go_on(std::uint64_t trips) {
        for (; trips != 0; --trips) {
            if (what_.what == work::one_way) {
                own_.group.wait_post(make(op_code::signal), tofu::infinite_duration);
                continue;
            }
            tofu::message_ptr m = next(op_code::response);
            if (m->body().size() != what_.body || m->body().data()[what_.body - 1] != std::byte{'b'})
                throw std::runtime_error("the echo is not what was said");
            m->header().op = op_code::request;
            own_.group.post(std::move(m));
        }
    }

    /// Filled, not copied into, so that every copy is the library's.
    tofu::message_ptr make(op_code op) {
        tofu::message_ptr m = own_.engine.get();
        m->header().op = op;
        m->header().channel_number = channel_;
        if (!m->body().resize(what_.body)) throw std::bad_alloc();
        std::ranges::fill(m->body().bytes(), std::byte{'b'});
        return m;
    }

    tofu::message_ptr next(op_code expected) {
        tofu::message_ptr m = own_.group.wait_receive();
        if (m->from_engine() || m->op() != expected) throw std::runtime_error("the conversation went wrong");
        return m;
    }

    const scenario& what_;
    const server& peer_;
    party own_;
    std::uint16_t channel_ = tofu::no_channel;
};

} // namespace

std::string scenario::name() const {
    std::string text(title);
    text += uds ? ", uds" : ", tcp";
    text += who == tofu::driven_by::caller ? ", caller" : ", I/O thread";
    if (retained_capacity != tofu::options{}.retained_capacity) text += ", retained";
    return text;
}

std::vector<scenario> scenarios() {
    using enum tofu::driven_by;
    std::vector<scenario> all;
    for (const bool uds : {false, true}) {
        for (const tofu::driven_by who : {caller, io_thread})
            all.push_back({.title = "W1, 64 B", .trips = 5'000, .who = who, .uds = uds});
        all.push_back({.title = "W3, 64 B", .window = max_window, .trips = 20'000, .uds = uds});
        all.push_back({.title = "W3, 1 KiB", .window = max_window, .body = 1024, .trips = 20'000, .uds = uds});
        all.push_back({.title = "W2, 64 B", .what = work::one_way, .trips = 200'000, .uds = uds});
        all.push_back({.title = "W2, 64 B, queue of 128",
                       .what = work::one_way,
                       .trips = 200'000,
                       .max_queued_messages = 128,
                       .uds = uds});
        for (const std::size_t window : {std::size_t{1}, std::size_t{16}})
            for (const tofu::driven_by who : {caller, io_thread})
                for (const std::size_t retained : {tofu::options{}.retained_capacity, std::size_t{65535}})
                    all.push_back({.title = window == 1 ? "echo, 65,535 B x 1" : "echo, 65,535 B x 16",
                                   .window = window,
                                   .body = 65535,
                                   .trips = window * 300 + 1'000,
                                   .who = who,
                                   .retained_capacity = retained,
                                   .uds = uds});
    }
    return all;
}

trip_costs run(const scenario& what) {
    const server peer(what);
    return client(what, peer).run();
}

} // namespace costs
