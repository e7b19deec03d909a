// SPDX-License-Identifier: BSL-1.0
// A broken rule with a handler of the program's own, which is told what the default one would print.
namespace {
[[noreturn]] void on_failure(const char* text, const char* file, int line);
}
#define TOFU_ASSERTION_FAILED(text, file, line) ::on_failure(text, file, line)

#include "broken_rule.hpp"

#include <cstdio>
#include <cstdlib>

namespace {
void on_failure(const char* text, const char* file, int line) {
    const bool right = text == tofu_test::rule && std::string_view(file).ends_with(tofu_test::place) && line > 0;
    if (!right) std::printf("%s:%d: %s\n", file, line, text);
    std::fflush(stdout);
    std::_Exit(right ? EXIT_SUCCESS : EXIT_FAILURE);
}
} // namespace

int main() {
    tofu_test::break_a_rule();
    std::puts("the program goes on");
    return EXIT_FAILURE;
}
