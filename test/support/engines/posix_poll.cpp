// SPDX-License-Identifier: BSL-1.0
// The engines of behaviour tests that wait with poll(2).
#include "maker_for.hpp"

#include <tofu/policies/poll/posix_poll.hpp>

namespace tofu_test {

const engine_maker posix_poll_engines = maker_for<tofu::basic_posix_poll>();

} // namespace tofu_test
