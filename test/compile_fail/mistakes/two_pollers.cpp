// SPDX-License-Identifier: BSL-1.0
// A mistake: two policies for one place.
#include <tofu/tofu.hpp>

#include <chrono>
#include <utility>

// expect: reactor_with: two PollPolicies (their category is tofu::poll_category)
//[mistake
using my_reactor = tofu::reactor_with<tofu::linux_epoll, tofu::handle_key, tofu::posix_poll>;
//]

int main() {
    my_reactor engine;
    auto group = engine.create_group();
    auto hello = engine.get();
    if (hello->connect_to(tofu::tcp_address{"127.0.0.1", 7800}) != tofu::status::success) return 1;
    group.post(std::move(hello));
    const auto answer = group.wait_receive(std::chrono::seconds(1));
    return answer && answer->from_engine() ? 1 : 0;
}
