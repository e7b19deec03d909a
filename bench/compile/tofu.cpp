// SPDX-License-Identifier: BSL-1.0
// A server and a client in one program, with tofu. Compiled by bench/compile-time.
#include <tofu/tofu.hpp>

#include <chrono>
#include <cstdio>
#include <utility>

using namespace std::chrono_literals;

namespace {

tofu::message_ptr next(tofu::channel_group& group) {
    tofu::message_ptr m = group.wait_receive(10s);
    if (!m) throw std::system_error(make_error_code(tofu::status::processing_failed));
    return m;
}

} // namespace

int main() {
    tofu::reactor engine;
    tofu::channel_group server = engine.create_group();
    tofu::channel_group client = engine.create_group();

    tofu::message_ptr welcome = engine.get();
    if (welcome->listen_on(tofu::tcp_address{"127.0.0.1", 0}) != tofu::status::success) return 1;
    server.post(std::move(welcome));
    const tofu::message_ptr listening = next(server);
    const auto where = tofu::parse_address(listening->headers().find(tofu::listen_on_header));

    tofu::message_ptr hello = engine.get();
    if (hello->connect_to(where.value) != tofu::status::success) return 1;
    client.post(std::move(hello));
    tofu::message_ptr arrived = next(server);
    arrived->header().op = tofu::op_code::hello_response;
    if (!arrived->body().append("welcome")) return 1;
    server.post(std::move(arrived));

    const tofu::message_ptr answer = next(client);
    std::printf("%.*s\n", static_cast<int>(answer->body().size()), answer->body().text().data());
}
