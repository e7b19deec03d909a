// SPDX-License-Identifier: BSL-1.0
// The engines of behaviour tests that wait with kevent(2), or with what emulates it on Linux.
#include "maker_for.hpp"

#include <tofu/policies/poll/bsd_kqueue.hpp>

#if defined(TOFU_TEST_EMULATED_KQUEUE)
#include "support/emulated_kqueue.hpp"
#endif

namespace tofu_test {

#if defined(TOFU_TEST_EMULATED_KQUEUE)
template <class Network>
using kqueue_over = kqueue_over_emulation<Network>;
#else
template <class Network>
using kqueue_over = tofu::basic_bsd_kqueue<Network>;
#endif

const engine_maker bsd_kqueue_engines = maker_for<kqueue_over>();

} // namespace tofu_test
