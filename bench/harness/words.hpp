// SPDX-License-Identifier: BSL-1.0
// Lists of words, separated by blanks: the activities that a peer offers, and the workloads that a peer program takes
// part in.
#ifndef TOFU_BENCH_HARNESS_WORDS_HPP
#define TOFU_BENCH_HARNESS_WORDS_HPP

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace bench {

/// True if `word` is one of the words of the list.
[[nodiscard]] constexpr bool has_word(std::string_view list, std::string_view word) {
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(' '), list.size());
        if (list.substr(0, end) == word) return true;
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return false;
}

} // namespace bench

#endif
