// SPDX-License-Identifier: BSL-1.0
// A broken rule without assertions: no condition is evaluated, and the program goes on.
#include "broken_rule.hpp"

#include <cstdlib>

int main() {
    int evaluated = 0;
    TOFU_ASSERT(++evaluated == 0);
    tofu_test::break_a_rule();
    return evaluated == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
