// SPDX-License-Identifier: BSL-1.0
// The library used by a program that is compiled without run-time type information.
#include "whole_api.hpp"

int main() { tofu_test::use_the_whole_api(); }
