// SPDX-License-Identifier: BSL-1.0
// The engines of behaviour tests that wait at a completion port.
#include "maker_for.hpp"

#include <tofu/policies/poll/afd_iocp.hpp>

namespace tofu_test {

template <class Network>
using afd_iocp_over = tofu::basic_afd_iocp<Network>;

const engine_maker afd_iocp_engines = maker_for<afd_iocp_over>();

} // namespace tofu_test
