// SPDX-License-Identifier: BSL-1.0
// The engines of behaviour tests that wait with epoll_wait(2).
#include "maker_for.hpp"

#include <tofu/policies/poll/linux_epoll.hpp>

namespace tofu_test {

template <class Network>
using epoll_over = tofu::basic_linux_epoll<Network>;

const engine_maker linux_epoll_engines = maker_for<epoll_over>();

} // namespace tofu_test
