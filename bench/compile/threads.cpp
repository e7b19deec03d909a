// SPDX-License-Identifier: BSL-1.0
// Two headers of the standard library: the unit of bench/compile-time.
#include <thread>
#include <vector>

int main() {}
