// SPDX-License-Identifier: BSL-1.0
// The library used by a program that is compiled without run-time type information.
#include <tofu/tofu.hpp>

int main() {}
