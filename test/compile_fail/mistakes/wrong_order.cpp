// SPDX-License-Identifier: BSL-1.0
// A mistake: policies in the wrong order.
#include <tofu/tofu.hpp>

#include <chrono>
#include <utility>

//[mistake
using my_reactor = tofu::basic_reactor<tofu::fixed_channel_pool<8>, tofu::linux_epoll>;
//]

int main() {
    // expect: basic_reactor takes a PollPolicy, a PoolPolicy, a KeyPolicy and a TimerPolicy in this order;
    //         tofu::reactor_with takes them in any
    my_reactor engine;
    auto group = engine.create_group();
    auto hello = engine.get();
    if (hello->connect_to(tofu::tcp_address{"127.0.0.1", 7800}) != tofu::status::success) return 1;
    group.post(std::move(hello));
    const auto answer = group.wait_receive(std::chrono::seconds(1));
    return answer && answer->from_engine() ? 1 : 0;
}
