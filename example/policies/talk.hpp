// SPDX-License-Identifier: BSL-1.0
// The common parts of the examples of policies: a conversation of two groups, and checks.
#ifndef TOFU_EXAMPLE_POLICIES_TALK_HPP
#define TOFU_EXAMPLE_POLICIES_TALK_HPP

#include <tofu/tofu.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace example {

inline void check(bool right, const char* what) {
    if (!right) throw std::runtime_error(std::string("wrong: ") + what);
}

/// Receives the next message, which must have this op code.
template <class Group>
tofu::message_ptr expect(Group& group, tofu::op_code op) {
    tofu::message_ptr m = group.wait_receive(std::chrono::seconds(20));
    if (m && m->op() == op) return m;
    const std::string came(m ? to_string(m->op()) : "nothing");
    throw std::runtime_error("wrong: " + came + " came instead of " + std::string(to_string(op)));
}

/// Posts a received message back as its answer.
template <class Group>
void answer(Group& group, tofu::message_ptr m, tofu::op_code op) {
    m->header().op = op;
    group.post(std::move(m));
}

/// Listens on a free port of the loopback interface; returns the address.
template <class Engine, class Group>
tofu::address listen(Engine& engine, Group& group) {
    tofu::message_ptr welcome = engine.get();
    check(welcome->listen_on(tofu::tcp_address{"127.0.0.1", 0}) == tofu::status::success, "no room for an address");
    group.post(std::move(welcome));
    const tofu::message_ptr listening = expect(group, tofu::op_code::welcome_response);
    check(listening->status() == tofu::status::success, "cannot listen");
    return tofu::parse_address(listening->headers().find(tofu::listen_on_header)).value;
}

/// Posts a hello_request; returns the number of the channel.
template <class Engine, class Group>
std::uint16_t call(Engine& engine, Group& group, const tofu::address& where) {
    tofu::message_ptr hello = engine.get();
    check(hello->connect_to(where) == tofu::status::success, "no room for an address");
    return group.post(std::move(hello)).channel_number;
}

template <class Engine, class Group>
void ask(Engine& engine, Group& group, std::uint16_t channel, tofu::op_code op, std::string_view text = {}) {
    tofu::message_ptr m = engine.get();
    m->header().op = op;
    m->header().channel_number = channel;
    check(m->body().append(text), "no memory");
    group.post(std::move(m));
}

/// Posts `count` requests together and answers each with its text.
template <class Engine, class Server, class Client>
void echo(Engine& client_engine, Server& server, Client& client, std::uint16_t channel, int count,
          const std::string& text) {
    for (int i = 0; i < count; ++i) ask(client_engine, client, channel, tofu::op_code::request, text);
    for (int i = 0; i < count; ++i) answer(server, expect(server, tofu::op_code::request), tofu::op_code::response);
    for (int i = 0; i < count; ++i)
        check(expect(client, tofu::op_code::response)->body().text() == text, "the echo is not what was said");
}

/// Says hello, then echoes 20 small texts one by one and `large` long texts together, then says bye. Each engine must
/// have a thread of its own, unless both are the same engine.
template <class Server, class Client>
void talk(Server& server_engine, Client& client_engine, int large = 100) {
    auto server = server_engine.create_group();
    auto client = client_engine.create_group();
    const std::uint16_t channel = call(client_engine, client, listen(server_engine, server));
    answer(server, expect(server, tofu::op_code::hello_request), tofu::op_code::hello_response);
    check(expect(client, tofu::op_code::hello_response)->status() == tofu::status::success, "cannot connect");

    for (int i = 0; i < 20; ++i) echo(client_engine, server, client, channel, 1, "small");
    echo(client_engine, server, client, channel, large, std::string(60'000, 'L')); // in all, more than the buffers hold

    ask(client_engine, client, channel, tofu::op_code::bye_request);
    answer(server, expect(server, tofu::op_code::bye_request), tofu::op_code::bye_response);
    expect(client, tofu::op_code::bye_response);
    check(expect(client, tofu::op_code::signal)->headers().find(tofu::reason_header) == "bye", "no good bye");
}

/// The result for main: 0 if `example` ended without an exception.
template <class Example>
int run(Example example) noexcept {
    try {
        example();
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}

} // namespace example

#endif
