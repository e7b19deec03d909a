// SPDX-License-Identifier: BSL-1.0
// The second translation unit: linking fails if a definition in a header is not inline.
#include <tofu/tofu.hpp>

namespace consumer {
int other_part();

int other_part() { return 0; }
} // namespace consumer
