// SPDX-License-Identifier: BSL-1.0
// A mistake: two policies for one place.
#include "compile_fail/use.hpp"

#include <tofu/tofu.hpp>

// expect: reactor_with: two PollPolicies (their category is tofu::poll_category)
//[mistake
using my_reactor = tofu::reactor_with<tofu::linux_epoll, tofu::handle_key, tofu::posix_poll>;
//]

int main() {
    my_reactor engine;
    tofu_test::use(engine);
}
