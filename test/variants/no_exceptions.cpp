// SPDX-License-Identifier: BSL-1.0
// The library used by a program that is compiled without exceptions.
#include "whole_api.hpp"

static_assert(!tofu::exceptions_enabled);

int main() { tofu_test::use_the_whole_api(); }
