// SPDX-License-Identifier: BSL-1.0
// The number of repetitions of tests that do the same thing many times.
#ifndef TOFU_TEST_SUPPORT_ROUNDS_HPP
#define TOFU_TEST_SUPPORT_ROUNDS_HPP

#include <cstddef>

namespace tofu_test {

/// Returns `full`. Builds that run several times slower, and repeat the tests of faster builds, get a fifth (see
/// TOFU_TEST_ABRIDGED).
constexpr std::size_t rounds(std::size_t full) {
#if defined(TOFU_TEST_ABRIDGED)
    return full / 5;
#else
    return full;
#endif
}

} // namespace tofu_test

#endif
