// SPDX-License-Identifier: BSL-1.0
// The test program's main function; the tests are in the other files.

#define BOOST_TEST_MODULE tofu
#include <boost/test/included/unit_test.hpp>
