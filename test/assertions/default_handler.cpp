// SPDX-License-Identifier: BSL-1.0
// A broken rule with the default handler: one line on stderr says which and where, and the program aborts.
#include "broken_rule.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace {

constexpr const char* said = "assertion_said.txt";

int complain(const std::string& what) {
    std::printf("%s\n", what.c_str());
    return EXIT_FAILURE;
}

/// FILE:LINE: tofu: assertion failed: CONDITION, and nothing else.
int judge(const std::string& text) {
    const std::size_t at = text.find(std::string(tofu_test::place) + ":");
    const std::string expected = ": tofu: assertion failed: " + std::string(tofu_test::rule) + "\n";
    if (at == std::string::npos) return complain("no place in: " + text);
    const std::size_t line = at + tofu_test::place.size() + 1;
    const std::size_t behind = text.find_first_not_of("0123456789", line);
    if (behind == line || behind == std::string::npos) return complain("no line in: " + text);
    if (text.substr(behind) != expected) return complain("expected" + expected + "in: " + text);
    return EXIT_SUCCESS;
}

extern "C" void on_abort(int) {
    std::ifstream file(said);
    std::ostringstream text;
    text << file.rdbuf();
    const int code = judge(text.str());
    std::fflush(stdout);
    std::_Exit(code);
}

} // namespace

int main() {
    if (std::freopen(said, "w", stderr) == nullptr) return complain("no file for stderr");
    std::setvbuf(stderr, nullptr, _IONBF, 0);
    std::signal(SIGABRT, on_abort);
    tofu_test::break_a_rule();
    return complain("the program goes on");
}
