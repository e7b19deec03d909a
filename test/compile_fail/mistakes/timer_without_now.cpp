// SPDX-License-Identifier: BSL-1.0
// A mistake: a timer policy without a clock.
#include <tofu/tofu.hpp>

#include <chrono>
#include <utility>

//[mistake
struct my_timer : tofu::deadline_heap<std::chrono::steady_clock::time_point> {
    using category = tofu::timer_category;
    using clock = std::chrono::steady_clock;
    static constexpr bool has_timers = true;
};

using my_reactor = tofu::basic_reactor<tofu::default_poll, tofu::default_pool, tofu::default_key, my_timer>;
//]

int main() {
    // expect: TimerPolicy: needs `time_point now() const noexcept;`, callable from any thread
    my_reactor engine;
    auto group = engine.create_group();
    auto hello = engine.get();
    if (hello->connect_to(tofu::tcp_address{"127.0.0.1", 7800}) != tofu::status::success) return 1;
    group.post(std::move(hello));
    const auto answer = group.wait_receive(std::chrono::seconds(1));
    return answer && answer->from_engine() ? 1 : 0;
}
