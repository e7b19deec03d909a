// SPDX-License-Identifier: BSL-1.0
// The engines of behaviour tests that wait at a completion port, with polls issued on the sockets themselves.
#include "maker_for.hpp"

#include <tofu/policies/poll/afd_iocp.hpp>

namespace tofu_test {

template <class Network>
using afd_iocp_direct_over = tofu::basic_afd_iocp<Network, tofu::afd_on_sockets>;

const engine_maker afd_iocp_direct_engines = maker_for<afd_iocp_direct_over>();

} // namespace tofu_test
