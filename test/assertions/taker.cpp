// SPDX-License-Identifier: BSL-1.0
// The other unit.
#include <tofu/message.hpp>

void take(const tofu::message& m);
void take(const tofu::message&) {}
