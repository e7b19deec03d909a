// SPDX-License-Identifier: BSL-1.0
// How often a test repeats what it does, where repetition is all there is to it.
#ifndef TOFU_TEST_SUPPORT_ROUNDS_HPP
#define TOFU_TEST_SUPPORT_ROUNDS_HPP

#include <cstddef>

namespace tofu_test {

/// `full` of them, or a fifth in builds that run several times slower than others and do all the same things once more
/// (see TOFU_TEST_ABRIDGED).
constexpr std::size_t rounds(std::size_t full) {
#if defined(TOFU_TEST_ABRIDGED)
    return full / 5;
#else
    return full;
#endif
}

} // namespace tofu_test

#endif
