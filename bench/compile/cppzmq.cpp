// SPDX-License-Identifier: BSL-1.0
// The program of bench/compile/tofu.cpp with cppzmq.
#include <zmq.hpp>

#include <cstdio>
#include <string>

int main() {
    zmq::context_t context;
    zmq::socket_t server(context, zmq::socket_type::rep);
    server.bind("tcp://127.0.0.1:*");
    const std::string where = server.get(zmq::sockopt::last_endpoint);
    zmq::socket_t client(context, zmq::socket_type::req);
    client.connect(where);

    client.send(zmq::str_buffer("hello"), zmq::send_flags::none);
    zmq::message_t arrived;
    if (!server.recv(arrived)) return 1;
    server.send(zmq::str_buffer("welcome"), zmq::send_flags::none);
    zmq::message_t answer;
    if (!client.recv(answer)) return 1;
    std::printf("%s\n", answer.to_string().c_str());
}
