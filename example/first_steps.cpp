// SPDX-License-Identifier: BSL-1.0
// First steps: two peers in one program say hello, ask and answer, and say bye.
#include <tofu/tofu.hpp>

#include <cstdint>
#include <exception>
#include <iostream>
#include <utility>

using tofu::op_code;

namespace {

/// Turns a received message into its own answer.
tofu::message_ptr answer(tofu::message_ptr m, op_code op) {
    m->header().op = op;
    return m;
}

/// Waits for a message with this operation. A real program also handles other messages.
tofu::message_ptr expect(tofu::channel_group& group, op_code op) {
    tofu::message_ptr m = group.wait_receive();
    if (m->op() != op) tofu::throw_status(tofu::status::invalid_op_code, "expect");
    return m;
}

int run() {
    //[listen
    tofu::reactor engine;
    tofu::channel_group server = engine.create_group();

    tofu::message_ptr welcome = engine.get();
    if (welcome->listen_on(tofu::tcp_address{"127.0.0.1", 0}) != tofu::status::success) return 1;
    server.post(std::move(welcome));
    const tofu::message_ptr listening = expect(server, op_code::welcome_response); // names the port the system chose
    if (listening->status() != tofu::status::success) return 1;
    const tofu::address where = tofu::parse_address(listening->headers().find(tofu::listen_on_header)).value;
    //]

    //[conversation
    tofu::channel_group client = engine.create_group();
    tofu::message_ptr hello = engine.get();
    if (hello->connect_to(where) != tofu::status::success) return 1;
    const std::uint16_t channel = client.post(std::move(hello)).channel_number;

    server.post(answer(expect(server, op_code::hello_request), op_code::hello_response));
    expect(client, op_code::hello_response); // from here on both sides are equal

    tofu::message_ptr question = engine.get();
    question->header().channel_number = channel;
    if (!question->body().append("what is tofu?")) return 1;
    client.post(std::move(question)); // a new message is a request

    server.post(answer(expect(server, op_code::request), op_code::response));
    std::cout << expect(client, op_code::response)->body().text() << '\n';
    //]

    //[bye
    tofu::message_ptr bye = engine.get();
    bye->header().op = op_code::bye_request;
    bye->header().channel_number = channel;
    client.post(std::move(bye));
    server.post(answer(expect(server, op_code::bye_request), op_code::bye_response));
    expect(client, op_code::bye_response);
    const tofu::message_ptr goodbye = expect(client, op_code::signal); // the last message of every channel
    std::cout << goodbye->headers().find(tofu::reason_header) << '\n';
    //]
    return 0;
}

} // namespace

int main() {
    try {
        return run();
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
