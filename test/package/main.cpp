// SPDX-License-Identifier: BSL-1.0
// One of two translation units that include the whole library, as a user's program would.
#include <tofu/tofu.hpp>

namespace consumer {
int other_part();
}

int main() { return consumer::other_part(); }
