// SPDX-License-Identifier: BSL-1.0
// Forwards to support/counted_new.hpp, for example/policies/resource_pool.cpp.
#include "support/counted_new.hpp"
