// SPDX-License-Identifier: BSL-1.0
// The messages that two groups exchange in every test.
#include "dialogue.hpp"

#include <thread>
#include <utility>

namespace tofu_test {

using tofu::op_code;
using tofu::status;

status failure(const std::error_code& error) {
    return error.category() == tofu::status_category() ? static_cast<status>(error.value()) : status::unknown_error;
}

tofu::message_ptr filled(tofu::message_ptr empty, op_code op, std::uint16_t channel, std::string_view body,
                         std::uint64_t id) {
    empty->header().op = op;
    empty->header().channel_number = channel;
    empty->header().message_id = id;
    BOOST_REQUIRE(empty->body().append(body));
    return empty;
}

tofu::message_ptr answer(tofu::message_ptr m, op_code op) {
    m->header().op = op;
    m->header().status_byte = 0;
    return m;
}

tofu::message_ptr hello_request(any_reactor& engine, const tofu::address& where) {
    tofu::message_ptr m = engine.get();
    BOOST_REQUIRE(m->connect_to(where) == status::success);
    return m;
}

tofu::message_ptr welcome_request(any_reactor& engine, const tofu::address& where) {
    tofu::message_ptr m = engine.get();
    BOOST_REQUIRE(m->listen_on(where) == status::success);
    return m;
}

dialogue::dialogue(const setting& where, const tofu::options& opts) : dialogue(where, any_reactor(where, opts)) {}

dialogue::dialogue(const setting& where, any_reactor made)
    : here(where), engine(std::move(made)), server(engine.create_group()), client(engine.create_group()) {}

void await_channels(any_reactor& engine, std::size_t count) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (engine.stats().zombies != 0 && std::chrono::steady_clock::now() < until) {
        std::error_code has_thread; // an engine with a thread needs no turn of ours
        engine.run_once(1ms, has_thread);
        if (has_thread) std::this_thread::yield();
    }
    BOOST_TEST(engine.stats().channels == count);
}

tofu::message_ptr dialogue::next(group& from) {
    tofu::message_ptr m = from.wait_receive(patience);
    BOOST_REQUIRE_MESSAGE(m, "no message came in time");
    return m;
}

tofu::message_ptr dialogue::expect(group& from, op_code op) {
    tofu::message_ptr m = next(from);
    BOOST_REQUIRE_MESSAGE(m->op() == op, "expected " << to_string(op) << ", got " << to_string(m->op()) << " status "
                                                     << to_string(m->status()) << " " << m->headers().wire());
    return m;
}

void dialogue::expect_goodbye(group& from, std::uint16_t channel, std::string_view reason) {
    const tofu::message_ptr m = expect(from, op_code::signal);
    BOOST_TEST(m->from_engine());
    BOOST_TEST(to_string(m->status()) == to_string(status::channel_closed));
    BOOST_TEST(m->header().channel_number == channel);
    BOOST_TEST(reason_of(*m) == reason);
}

void dialogue::expect_failed(group& from, op_code op, const tofu::binary_header& request, status why,
                             std::string_view reason) {
    const tofu::message_ptr m = expect(from, op);
    BOOST_TEST(m->from_engine());
    BOOST_TEST(to_string(m->status()) == to_string(why));
    BOOST_TEST(m->header().channel_number == request.channel_number);
    BOOST_TEST(m->header().message_id == request.message_id);
    BOOST_TEST(reason_of(*m) == reason);
}

void dialogue::expect_silence(group& from) {
    const tofu::message_ptr m = from.wait_receive(moment);
    BOOST_TEST(!m, "expected nothing, got " << (m ? to_string(m->op()) : ""));
}

void dialogue::turn_loop() {
    static_cast<void>(client.stats(tofu::no_channel)); // the loop runs this in the middle of a turn, so do it twice
    static_cast<void>(client.stats(tofu::no_channel));
}

tofu::address dialogue::listen(const tofu::address& where) {
    listener = server.post(welcome_request(engine, where)).channel_number;
    const tofu::message_ptr ready = expect(server, op_code::welcome_response);
    BOOST_REQUIRE_MESSAGE(ready->status() == status::success, ready->headers().wire());
    return tofu::parse_address(ready->headers().find(tofu::listen_on_header)).value;
}

tofu::binary_header dialogue::hello(const tofu::address& where, std::string_view body) {
    tofu::message_ptr m = hello_request(engine, where);
    BOOST_REQUIRE(m->body().append(body));
    return client.post(std::move(m));
}

std::uint16_t dialogue::accept() {
    tofu::message_ptr m = expect(server, op_code::hello_request);
    const std::uint16_t number = m->header().channel_number;
    server.post(answer(std::move(m), op_code::hello_response));
    return number;
}

dialogue::link dialogue::connect(const tofu::address& where) {
    link result;
    result.client = hello(where).channel_number;
    result.server = accept();
    const tofu::message_ptr m = expect(client, op_code::hello_response);
    BOOST_REQUIRE(m->status() == status::success);
    BOOST_REQUIRE(m->header().channel_number == result.client);
    return result;
}

void dialogue::use_up_numbers(std::size_t count) {
    constexpr std::size_t at_once = 500;
    for (std::size_t left = count; left != 0;) {
        const std::size_t some = left < at_once ? left : at_once;
        for (std::size_t i = 0; i < some; ++i) hello(nowhere());
        for (std::size_t i = 0; i < some; ++i) expect(client, op_code::hello_response);
        left -= some;
    }
}

scripted_dialogue::scripted_dialogue(const setting& where, script& play, const tofu::options& opts)
    : dialogue_with_names(where, scripted_engine(where, play, opts)) {}

std::uint16_t dialogue_with_names::hello_to_name(std::string_view name) {
    return hello(tofu::tcp_address{name, 80}).channel_number;
}

std::uint16_t dialogue_with_names::listen_on_name(std::string_view name) {
    return server.post(welcome_request(engine, tofu::tcp_address{name, 80})).channel_number;
}

void dialogue_with_names::expect_failure(group& from, op_code op, std::uint16_t channel, status why,
                                         std::string_view reason) {
    const tofu::message_ptr m = expect(from, op);
    BOOST_TEST(m->from_engine());
    BOOST_TEST(m->header().channel_number == channel);
    BOOST_TEST(to_string(m->status()) == to_string(why));
    BOOST_TEST(reason_of(*m) == reason);
}

} // namespace tofu_test
