// SPDX-License-Identifier: BSL-1.0
// A mistake: a poll policy that counts waits, and nobody can end one.
#include "compile_fail/use.hpp"

#include <tofu/tofu.hpp>

#include <chrono>

//[mistake
class my_poller { // counts waits
public:
    using category = tofu::poll_category;
    using network_type = tofu::linux_epoll::network_type;
    using registration = tofu::linux_epoll::registration;
    using socket = network_type::socket;

    tofu::io_error open() noexcept { return inner_.open(); }
    network_type& network() noexcept { return inner_.network(); }
    tofu::io_error attach(registration& r, const socket& s, std::uintptr_t key) noexcept {
        return inner_.attach(r, s, key);
    }
    tofu::io_error arm(registration& r, tofu::interest wanted) noexcept { return inner_.arm(r, wanted); }
    tofu::disarmed disarm(registration& r) noexcept { return inner_.disarm(r); }
    template <class Sink>
    tofu::wait_result wait(std::chrono::nanoseconds timeout, Sink& sink) noexcept {
        ++waits_;
        return inner_.wait(timeout, sink);
    }

private:
    tofu::linux_epoll inner_;
    std::size_t waits_ = 0;
};

using my_reactor = tofu::basic_reactor<my_poller>;
//]

int main() {
    // expect: PollPolicy: needs `void wake() noexcept;`, callable from any thread
    my_reactor engine;
    tofu_test::use(engine);
}
