// SPDX-License-Identifier: BSL-1.0
// The program of bench/compile/tofu.cpp with Boost.Asio.
#include <utility> // Boost 1.74 uses std::exchange without it

#include <boost/asio.hpp>

#include <cstdio>
#include <string>

int main() {
    boost::asio::io_context context;
    using boost::asio::ip::tcp;
    tcp::acceptor server(context, {boost::asio::ip::address_v4::loopback(), 0});
    tcp::socket accepted(context);
    tcp::socket client(context);
    std::string text;

    server.async_accept(accepted, [&](boost::system::error_code error) {
        if (error) return;
        boost::asio::async_write(accepted, boost::asio::buffer("welcome\n", 8),
                                 [&](boost::system::error_code, std::size_t) { accepted.close(); });
    });
    client.async_connect(server.local_endpoint(), [&](boost::system::error_code error) {
        if (error) return;
        boost::asio::async_read_until(client, boost::asio::dynamic_buffer(text), '\n',
                                      [](boost::system::error_code, std::size_t) {});
    });
    context.run();
    std::printf("%s", text.c_str());
}
