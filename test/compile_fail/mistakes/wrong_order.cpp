// SPDX-License-Identifier: BSL-1.0
// A mistake: policies in the wrong order.
#include "compile_fail/use.hpp"

#include <tofu/tofu.hpp>

//[mistake
using my_reactor = tofu::basic_reactor<tofu::fixed_channel_pool<8>, tofu::linux_epoll>;
//]

int main() {
    // expect: basic_reactor takes a PollPolicy, a PoolPolicy, a KeyPolicy and a TimerPolicy in this order;
    //         tofu::reactor_with takes them in any
    my_reactor engine;
    tofu_test::use(engine);
}
