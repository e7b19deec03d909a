// SPDX-License-Identifier: BSL-1.0
// A user's policies in a namespace that has a greedy function for the name of every free function of tofu: tofu's own
// calls must not find them. `greedy` writes the functions from the headers, so a new function of tofu is covered.
#include <tofu/memory_bound.hpp>
#include <tofu/policies/timer/deadline_heap.hpp>
#include <tofu/tofu.hpp>

#include <pollers.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace shop {

#include "greedy.hpp"

/// Makes the types below templates, so that this namespace is also the namespace of a template argument.
struct brand {};

class own_socket : public tofu::platform::socket {
public:
    own_socket() = default;
    explicit(false) own_socket(tofu::platform::socket made) noexcept : tofu::platform::socket(std::move(made)) {}

    own_socket accept(const tofu::socket_options& options, tofu::io_error& error) noexcept {
        return tofu::platform::socket::accept(options, error);
    }
};

template <class Brand>
class own_network : public tofu::platform::network<> {
public:
    using socket = own_socket;

    socket connect(const endpoint& to, const tofu::socket_options& options, tofu::io_error& error) noexcept {
        return tofu::platform::network<>::connect(to, options, error);
    }
    socket listen(const endpoint& at, const tofu::socket_options& options, int backlog,
                  tofu::io_error& error) noexcept {
        return tofu::platform::network<>::listen(at, options, backlog, error);
    }
};

/// A shipped poller, with a sink of this namespace.
template <class Brand>
class own_poll : public tofu_test::default_poll_over<own_network<Brand>> {
public:
    template <class Sink>
    tofu::wait_result wait(std::chrono::nanoseconds timeout, Sink& sink) noexcept {
        own_sink<Sink> between{sink};
        return tofu_test::default_poll_over<own_network<Brand>>::wait(timeout, between);
    }

private:
    template <class Sink>
    struct own_sink {
        Sink& sink;

        void ready(std::uintptr_t key, tofu::readiness what) noexcept { sink.ready(key, what); }
        void released(std::uintptr_t key) noexcept { sink.released(key); }
        [[nodiscard]] auto* registration_of(std::uintptr_t key) noexcept { return sink.registration_of(key); }
    };
};

template <class Brand>
class own_pool : public tofu::growing_channel_pool<4> {};

template <class Brand>
class own_key : public tofu::slot_index_key {};

struct own_clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<own_clock>;
    static constexpr bool is_steady = true;

    [[nodiscard]] static time_point now() noexcept {
        return time_point(std::chrono::steady_clock::now().time_since_epoch());
    }
};

template <class Brand>
class own_timer : public tofu::deadline_heap<own_clock::time_point> {
public:
    using category = tofu::timer_category;
    using clock = own_clock;
    static constexpr bool has_timers = true;

    [[nodiscard]] static time_point now() noexcept { return own_clock::now(); }
};

} // namespace shop

namespace {

void require(bool right, const char* what) {
    if (right) return;
    std::printf("not so: %s\n", what);
    std::exit(EXIT_FAILURE);
}

/// An engine of the user's policies that talks to itself.
template <class Engine>
class conversation {
public:
    explicit conversation(tofu::driven_by who) : engine_({}, who) {}

    void run() {
        tofu::message_ptr m = engine_.get();
        require(m->listen_on(tofu::tcp_address{"127.0.0.1", 0}) == tofu::status::success, "room for an address");
        server_.post(std::move(m));
        m = next(server_, tofu::op_code::welcome_response);
        const tofu::address where = tofu::parse_address(m->headers().find(tofu::listen_on_header)).value;
        const std::uint16_t listener = m->header().channel_number;
        require(m->connect_to(where) == tofu::status::success, "room for another");
        const std::uint16_t channel = client_.post(std::move(m)).channel_number;
        answer(next(server_, tofu::op_code::hello_request), tofu::op_code::hello_response);
        next(client_, tofu::op_code::hello_response);
        for (int i = 0; i < 10; ++i) {
            ask(tofu::op_code::request, channel, "echo");
            answer(next(server_, tofu::op_code::request), tofu::op_code::response);
            require(next(client_, tofu::op_code::response)->body().text() == "echo", "the echo");
        }
        if constexpr (requires { server_.update_receiver_after(std::chrono::nanoseconds(1)); }) {
            const auto later = server_.update_receiver_after(std::chrono::milliseconds(1));
            next(server_, tofu::op_code::signal);
        }
        ask(tofu::op_code::bye_request, channel, {});
        answer(next(server_, tofu::op_code::bye_request), tofu::op_code::bye_response);
        next(client_, tofu::op_code::bye_response);
        for (group* const each : {&client_, &server_}) next(*each, tofu::op_code::signal);
        m = engine_.get();
        m->header().op = tofu::op_code::bye_signal;
        m->header().channel_number = listener;
        server_.post(std::move(m));
        next(server_, tofu::op_code::signal);
        require(engine_.drain(std::chrono::seconds(20)), "nothing is queued");
        require(engine_.stats().channels == 0, "no channel is left");
    }

private:
    using group = typename Engine::group_type;

    tofu::message_ptr next(group& from, tofu::op_code op) {
        tofu::message_ptr m = from.wait_receive(std::chrono::seconds(20));
        require(m && m->op() == op, "the message that is due");
        return m;
    }
    void answer(tofu::message_ptr m, tofu::op_code op) {
        m->header().op = op;
        server_.post(std::move(m));
    }
    void ask(tofu::op_code op, std::uint16_t channel, std::string_view body) {
        tofu::message_ptr m = engine_.get();
        m->header().op = op;
        m->header().channel_number = channel;
        require(m->body().append(body), "room for a body");
        client_.post(std::move(m));
    }

    Engine engine_;
    group server_ = engine_.create_group();
    group client_ = engine_.create_group();
};

template <class... Policies>
void talk() {
    for (const tofu::driven_by who : {tofu::driven_by::io_thread, tofu::driven_by::caller})
        conversation<tofu::reactor_with<Policies...>>(who).run();
}

using shop::brand;

} // namespace

int main() {
    talk<shop::own_poll<brand>, shop::own_pool<brand>, shop::own_key<brand>, shop::own_timer<brand>>();
    talk<shop::own_poll<brand>>();
    talk<shop::own_pool<brand>>();
    talk<shop::own_key<brand>>();
    talk<shop::own_timer<brand>>();
    constexpr tofu::options frugal{.max_messages = 64, .max_messages_alive = 192, .retained_capacity = 4096};
    using all = tofu::reactor_with<shop::own_poll<brand>, shop::own_pool<brand>, shop::own_key<brand>>;
    require(tofu::memory_bound<all>(frugal, {.channels = 4, .groups = 2}).total() != 0, "memory has a bound");
}
